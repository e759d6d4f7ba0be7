// Stable stand-ins for what only AWS knows: the names and ids that resources get when they are made.
import { createHash } from 'node:crypto';

/** A resource, as far as its name depends on it. */
export interface Named {
  readonly stackName: string;
  readonly region: string;
  readonly logicalId: string;
  readonly type: string;
  /** The name that the template itself gives it, of a bucket for example. */
  readonly givenName?: string;
  /** The id that a publication would make. */
  readonly publishedId?: () => unknown;
}

/** What `Ref` gives: the same for the same resource of the same stack, and different for every other. */
export function physicalId(resource: Named): string {
  switch (resource.type) {
    case 'AWS::S3::Bucket': return resource.givenName ?? `preview-${digest(resource, 24)}`;
    case 'AWS::CloudFront::Distribution': return `E${digest(resource, 13).toUpperCase()}`;
    case 'AWS::Route53::HostedZone': return `Z${digest(resource, 20).toUpperCase()}`;
    default: return `${resource.logicalId}-${digest(resource, 12)}`;
  }
}

/** What `Fn::GetAtt` gives. */
export function attribute(resource: Named, name: string): unknown {
  if (resource.publishedId !== undefined && name === 'PolicyId') return resource.publishedId();
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
