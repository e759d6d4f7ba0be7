// Reads the CloudFront distributions of the template. A policy host has a default behaviour only, so no other behaviour is read.
import { hostNameProblem } from '../../protocol/domain-name';
import { safeText } from '../../util/safe-text';
import type { Notes } from '../assembly/evaluated';
import { Properties } from '../assembly/evaluated';
import { MANAGED_POLICIES, readResponseHeadersPolicy } from './response-headers';
import type { ResponseHeadersPolicy } from './response-headers';
import type { Resource } from '../assembly/stacks';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** The parts of a distribution that viewers see. */
export interface Distribution {
  /** The resource in the template, as `Stack/LogicalId`. */
  readonly path: string;
  readonly id: string;
  /** A placeholder such as `d111111abcdef8.cloudfront.net`. */
  readonly domainName: string;
  /** Host names in lower case. The first label may be `*`. */
  readonly aliases: readonly string[];
  readonly ipv6: boolean;
  readonly minimumTls: TlsVersion;
  readonly viewerProtocol: 'allow-all' | 'https-only' | 'redirect-to-https';
  readonly allowedMethods: readonly string[];
  /** Code of the viewer-request function. Missing if the distribution has none. */
  readonly functionCode?: string;
  readonly responseHeaders?: ResponseHeadersPolicy;
  /** The origin bucket. Missing if the origin is not a bucket of the template. */
  readonly bucketName?: string;
  readonly originPath: string;
}

/** Returns every distribution with aliases. */
export function readDistributions(resources: readonly Resource[], notes: Notes): readonly Distribution[] {
  const referenced = new ReferencedResources(resources, notes);
  return resources
    .filter(({ type }) => type === 'AWS::CloudFront::Distribution')
    .map((resource) => readDistribution(resource, referenced, notes))
    .filter(({ aliases }) => aliases.length > 0);
}

/** The resources that distributions refer to, by the value of the reference. */
class ReferencedResources {
  public readonly functions = new Map<string, string>();
  public readonly policies = new Map<string, ResponseHeadersPolicy>(MANAGED_POLICIES);
  public readonly buckets = new Map<string, string>();

  public constructor(resources: readonly Resource[], notes: Notes) {
    for (const resource of resources) {
      const properties = Properties.of(resource, notes);
      switch (resource.type) {
        case 'AWS::CloudFront::Function': {
          const code = properties.member('FunctionCode').required();
          if (code === undefined) break;
          for (const name of ['FunctionARN', 'FunctionMetadata.FunctionARN']) this.functions.set(String(resource.attribute(name)), code);
          break;
        }
        case 'AWS::CloudFront::ResponseHeadersPolicy':
          this.policies.set(resource.id, readResponseHeadersPolicy(properties.member('ResponseHeadersPolicyConfig')));
          break;
        case 'AWS::S3::Bucket':
          for (const name of ['DomainName', 'RegionalDomainName']) this.buckets.set(String(resource.attribute(name)), resource.id);
          break;
      }
    }
  }
}

function readDistribution(resource: Resource, referenced: ReferencedResources, notes: Notes): Distribution {
  const config = Properties.of(resource, notes).member('DistributionConfig');
  const behaviour = config.member('DefaultCacheBehavior');
  const target = behaviour.member('TargetOriginId').text();
  const origin = config.member('Origins').items().find((item) => item.member('Id').text() === target);
  const methods = behaviour.member('AllowedMethods').texts();
  for (const name of ['CacheBehaviors', 'CustomErrorResponses', 'WebACLId'] as const) {
    if (config.member(name).exists()) notes.add(resource.path, `the preview ignores ${name}`);
  }
  if (behaviour.member('LambdaFunctionAssociations').items().length > 0) notes.add(resource.path, 'the preview does not run Lambda@Edge functions');
  return {
    path: resource.path,
    id: resource.id,
    domainName: String(resource.attribute('DomainName')),
    aliases: readAliases(resource, config.member('Aliases').texts(), notes),
    ipv6: config.member('IPV6Enabled').isTrue(),
    minimumTls: parseTlsVersion(config.member('ViewerCertificate').member('MinimumProtocolVersion').text() ?? ''),
    viewerProtocol: parseViewerProtocol(behaviour.member('ViewerProtocolPolicy').text()),
    allowedMethods: methods.length === 0 ? ['GET', 'HEAD'] : methods,
    functionCode: readFunctionCode(resource, behaviour, referenced, notes),
    responseHeaders: readResponseHeaders(resource, behaviour, referenced, notes),
    bucketName: referenced.buckets.get(origin?.member('DomainName').text() ?? ''),
    originPath: origin?.member('OriginPath').text() ?? '',
  };
}

function readAliases(resource: Resource, aliases: readonly string[], notes: Notes): readonly string[] {
  return aliases.map((alias) => alias.toLowerCase()).filter((alias) => {
    const problem = hostNameProblem(alias.startsWith('*.') ? alias.slice(2) : alias);
    if (problem !== undefined) notes.add(resource.path, `the alias ${JSON.stringify(safeText(alias))} ${problem}. The preview does not serve it`);
    return problem === undefined;
  });
}

function readFunctionCode(resource: Resource, behaviour: Properties, referenced: ReferencedResources, notes: Notes): string | undefined {
  let code: string | undefined;
  for (const association of behaviour.member('FunctionAssociations').items()) {
    if (association.member('EventType').text() !== 'viewer-request') {
      notes.add(resource.path, 'the preview runs functions for viewer requests, but not for viewer responses');
      continue;
    }
    const arn = association.member('FunctionARN').required();
    if (arn === undefined) continue;
    code = referenced.functions.get(arn);
    if (code === undefined) notes.add(resource.path, `its function ${safeText(arn)} is not in the assembly. The preview serves requests without it`);
  }
  return code;
}

function readResponseHeaders(
  resource: Resource, behaviour: Properties, referenced: ReferencedResources, notes: Notes,
): ResponseHeadersPolicy | undefined {
  const id = behaviour.member('ResponseHeadersPolicyId').text();
  if (id === undefined) return undefined;
  const policy = referenced.policies.get(id);
  if (policy === undefined) {
    notes.add(resource.path, `its response headers policy ${safeText(id)} is not in the assembly and not a known managed policy. Its headers are missing`);
  }
  return policy;
}

/** Parses a value such as `TLSv1.2_2021`. Without a value, CloudFront accepts TLS 1.0 and later. */
function parseTlsVersion(policy: string): TlsVersion {
  if (policy.startsWith('TLSv1.3')) return 'TLSv1.3';
  if (policy.startsWith('TLSv1.2')) return 'TLSv1.2';
  return policy.startsWith('TLSv1.1') ? 'TLSv1.1' : 'TLSv1';
}

function parseViewerProtocol(policy: string | undefined): Distribution['viewerProtocol'] {
  return policy === 'https-only' || policy === 'redirect-to-https' ? policy : 'allow-all';
}
