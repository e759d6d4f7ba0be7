// Creates stable placeholders for names and ids that AWS assigns when it creates a resource.
import { createHash } from 'node:crypto';

/** The facts about a resource that its placeholders depend on. */
export interface Named {
  readonly stackName: string;
  readonly region: string;
  readonly logicalId: string;
  readonly type: string;
  /** The name in the template, such as the name of a bucket. */
  readonly givenName?: string;
  /** Returns the id that a publication would create. */
  readonly createId?: () => unknown;
}

/** Returns the value of `Ref`. It is stable, and different for every resource of every stack. */
export function physicalId(resource: Named): string {
  switch (resource.type) {
    case 'AWS::S3::Bucket': return resource.givenName ?? `preview-${digest(resource, 24)}`;
    case 'AWS::CloudFront::Distribution': return `E${digest(resource, 13).toUpperCase()}`;
    case 'AWS::Route53::HostedZone': return `Z${digest(resource, 20).toUpperCase()}`;
    default: return `${resource.logicalId}-${digest(resource, 12)}`;
  }
}

/** Returns the value of `Fn::GetAtt`. */
export function attribute(resource: Named, name: string): unknown {
  if (resource.createId !== undefined && name === 'PolicyId') return resource.createId();
  const id = physicalId(resource);
  switch (`${resource.type} ${name}`) {
    case 'AWS::S3::Bucket DomainName': return `${id}.s3.amazonaws.com`;
    case 'AWS::S3::Bucket RegionalDomainName': return `${id}.s3.${resource.region}.amazonaws.com`;
    case 'AWS::CloudFront::Distribution DomainName': return `d${digest(resource, 13)}.cloudfront.net`;
    case 'AWS::Route53::HostedZone NameServers': return ['ns.preview.invalid'];
    default: return name === 'Id' ? id : `${id}.${name}`;
  }
}

function digest(resource: Named, length: number): string {
  return createHash('sha256').update(`${resource.stackName}/${resource.logicalId}`).digest('hex').slice(0, length);
}
