// The first custom resource: is it safe to start? It fails in seconds where a deployment would hang for hours.
import { Lazy } from 'aws-cdk-lib';
import type { aws_route53 as route53, CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeploymentHandler, domainProperties } from './deployment-function';
import type { DomainProps } from './deployment-function';
import type { MtaStsPolicy } from '../mta-sts-policy';

/** A record set that the stack will make. */
export interface PlannedRecord {
  /** Without a dot at the end. */
  readonly name: string;
  readonly type: route53.RecordType;
  /** The logical id of the resource that makes it: how the function recognises what the stack already made. */
  readonly logicalId: string;
}

/** One domain of a host. */
export interface PreflightDomain extends Omit<DomainProps, 'policy'> {
  /** None while nobody publishes one. */
  readonly policy?: MtaStsPolicy;
  /** None where DNS is elsewhere. */
  readonly records: PlannedRecord[];
  /** The logical id of what puts its file there; none while nobody does. */
  readonly publication?: string;
}

export interface PreflightProps {
  /** Whether the certificate is the user's own: CAA does not matter to one that is there already. */
  readonly certificateGiven: boolean;
  /** Known once all constructs are there. */
  readonly domains: () => PreflightDomain[];
}

/**
 * Checks for each domain of a host that the zone is the one that the parent delegates to, that CAA lets Amazon issue, that no
 * foreign record stands where ours will, and that the policy covers the live MX.
 *
 * One for all domains: they share the certificate and the distribution, which wait for all of them anyway, and Route 53 takes five
 * requests a second of an account. In an update only what has changed is checked anew.
 */
export function preflight(scope: Construct, id: string, props: PreflightProps): CustomResource {
  return DeploymentHandler.of(scope).resource(scope, id, 'Custom::MtaStsPreflight', {
    Certificate: props.certificateGiven ? 'given' : 'made',
    Domains: Lazy.any({
      produce: () => props.domains().map((domain) => ({
        ...domainProperties(domain),
        Publication: domain.publication,
        Records: domain.records.map(({ name, type, logicalId }) => ({ Name: name, Type: type, LogicalId: logicalId })),
      })),
    }),
  });
}
