// The first custom resource: is it safe to start? It fails in seconds where a deployment would hang for hours.
import type { aws_route53 as route53, CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeploymentHandler } from './deployment-handler';
import type { DomainProps } from './deployment-handler';
import type { PolicyHost } from './policy-host';

/** A record set that the stack will make. */
export interface PlannedRecord {
  /** Without a dot at the end. */
  readonly name: string;
  readonly type: route53.RecordType;
  /** Its logical id: how the function recognises what the stack already made. */
  readonly logicalId: string;
}

export interface PreflightProps extends DomainProps {
  readonly policyHost: PolicyHost;
  readonly records: PlannedRecord[];
}

/**
 * Checks that the zone is the one that the parent delegates to, that CAA lets Amazon issue, that no foreign record stands
 * where ours will, and that the policy covers the live MX.
 */
export function preflight(scope: Construct, id: string, props: PreflightProps): CustomResource {
  return DeploymentHandler.of(scope).resource(scope, id, 'Custom::MtaStsPreflight', props, {
    // CAA does not matter to a certificate that is there already.
    Certificate: props.policyHost._certificateGiven ? 'given' : 'made',
    Records: props.records.map(({ name, type, logicalId }) => ({ Name: name, Type: type, LogicalId: logicalId })),
  });
}
