// CloudFront distributions of the template: the default behaviour, which is all that a policy host has.
import { hostNameProblem } from '../../protocol/domain-name';
import { safeText } from '../../util/safe-text';
import type { Notes } from '../assembly/evaluated';
import { Properties } from '../assembly/evaluated';
import { MANAGED_POLICIES, readResponseHeadersPolicy } from './response-headers';
import type { ResponseHeadersPolicy } from './response-headers';
import type { Resource } from '../assembly/stacks';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** A distribution as its viewers meet it. */
export interface Distribution {
  /** The resource in the template. */
  readonly path: string;
  readonly id: string;
  /** `d111111abcdef8.cloudfront.net`, a stand-in. */
  readonly domainName: string;
  /** Lower case; the left-most label may be `*`. */
  readonly aliases: readonly string[];
  readonly ipv6: boolean;
  readonly minimumTls: TlsVersion;
  readonly viewerProtocol: 'allow-all' | 'https-only' | 'redirect-to-https';
  readonly allowedMethods: readonly string[];
  /** The code of its viewer-request function, where it has one. */
  readonly functionCode?: string;
  readonly responseHeaders?: ResponseHeadersPolicy;
  /** The bucket that is its origin; undefined where the origin is none of the template's. */
  readonly bucketName?: string;
  readonly originPath: string;
}

/** Every distribution of an assembly that has aliases. */
export function readDistributions(resources: readonly Resource[], notes: Notes): readonly Distribution[] {
  const surroundings = new Surroundings(resources, notes);
  return resources
    .filter(({ type }) => type === 'AWS::CloudFront::Distribution')
    .map((resource) => readDistribution(resource, surroundings, notes))
    .filter(({ aliases }) => aliases.length > 0);
}

/** What distributions refer to, by the values that references to it come to. */
class Surroundings {
  public readonly functions = new Map<string, string>();
  public readonly policies = new Map<string, ResponseHeadersPolicy>(MANAGED_POLICIES);
  public readonly buckets = new Map<string, string>();

  public constructor(resources: readonly Resource[], notes: Notes) {
    for (const resource of resources) {
      const properties = Properties.of(resource, notes);
      switch (resource.type) {
        case 'AWS::CloudFront::Function': {
          const code = properties.in('FunctionCode').required();
          if (code === undefined) break;
          for (const name of ['FunctionARN', 'FunctionMetadata.FunctionARN']) this.functions.set(String(resource.attribute(name)), code);
          break;
        }
        case 'AWS::CloudFront::ResponseHeadersPolicy':
          this.policies.set(resource.id, readResponseHeadersPolicy(properties.in('ResponseHeadersPolicyConfig')));
          break;
        case 'AWS::S3::Bucket':
          for (const name of ['DomainName', 'RegionalDomainName']) this.buckets.set(String(resource.attribute(name)), resource.id);
          break;
      }
    }
  }
}

function readDistribution(resource: Resource, surroundings: Surroundings, notes: Notes): Distribution {
  const config = Properties.of(resource, notes).in('DistributionConfig');
  const behaviour = config.in('DefaultCacheBehavior');
  const target = behaviour.in('TargetOriginId').text();
  const origin = config.in('Origins').items().find((item) => item.in('Id').text() === target);
  const methods = behaviour.in('AllowedMethods').texts();
  for (const name of ['CacheBehaviors', 'CustomErrorResponses', 'WebACLId'] as const) {
    if (config.in(name).exists()) notes.add(resource.path, `${name} is not previewed`);
  }
  if (behaviour.in('LambdaFunctionAssociations').items().length > 0) notes.add(resource.path, 'Lambda@Edge functions are not previewed');
  return {
    path: resource.path,
    id: resource.id,
    domainName: String(resource.attribute('DomainName')),
    aliases: readAliases(resource, config.in('Aliases').texts(), notes),
    ipv6: config.in('IPV6Enabled').isTrue(),
    minimumTls: tlsVersion(config.in('ViewerCertificate').in('MinimumProtocolVersion').text() ?? ''),
    viewerProtocol: viewerProtocol(behaviour.in('ViewerProtocolPolicy').text()),
    allowedMethods: methods.length === 0 ? ['GET', 'HEAD'] : methods,
    functionCode: functionCode(resource, behaviour, surroundings, notes),
    responseHeaders: responseHeaders(resource, behaviour, surroundings, notes),
    bucketName: surroundings.buckets.get(origin?.in('DomainName').text() ?? ''),
    originPath: origin?.in('OriginPath').text() ?? '',
  };
}

function readAliases(resource: Resource, aliases: readonly string[], notes: Notes): readonly string[] {
  return aliases.map((alias) => alias.toLowerCase()).filter((alias) => {
    const fault = hostNameProblem(alias.startsWith('*.') ? alias.slice(2) : alias);
    if (fault !== undefined) notes.add(resource.path, `the alias ${JSON.stringify(safeText(alias))} ${fault}; it is not served`);
    return fault === undefined;
  });
}

function functionCode(resource: Resource, behaviour: Properties, surroundings: Surroundings, notes: Notes): string | undefined {
  let code: string | undefined;
  for (const association of behaviour.in('FunctionAssociations').items()) {
    if (association.in('EventType').text() !== 'viewer-request') {
      notes.add(resource.path, 'only functions of viewer requests are previewed, not those of viewer responses');
      continue;
    }
    const arn = association.in('FunctionARN').required();
    if (arn === undefined) continue;
    code = surroundings.functions.get(arn);
    if (code === undefined) notes.add(resource.path, `its function ${safeText(arn)} is not in the assembly, so requests pass without it`);
  }
  return code;
}

function responseHeaders(
  resource: Resource, behaviour: Properties, surroundings: Surroundings, notes: Notes,
): ResponseHeadersPolicy | undefined {
  const id = behaviour.in('ResponseHeadersPolicyId').text();
  if (id === undefined) return undefined;
  const policy = surroundings.policies.get(id);
  if (policy === undefined) {
    notes.add(resource.path, `its response headers policy ${safeText(id)} is neither in the assembly nor one that is known here, so its headers are missing`);
  }
  return policy;
}

/** `TLSv1.2_2021` and the like. Where the template says nothing, CloudFront starts at TLS 1.0. */
function tlsVersion(policy: string): TlsVersion {
  if (policy.startsWith('TLSv1.3')) return 'TLSv1.3';
  if (policy.startsWith('TLSv1.2')) return 'TLSv1.2';
  return policy.startsWith('TLSv1.1') ? 'TLSv1.1' : 'TLSv1';
}

function viewerProtocol(policy: string | undefined): Distribution['viewerProtocol'] {
  return policy === 'https-only' || policy === 'redirect-to-https' ? policy : 'allow-all';
}
