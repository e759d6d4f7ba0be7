// The last custom resource: reads everything back as a sender would.
import type { CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeploymentHandler, domainProperties } from './private/deployment-function';
import type { DomainProps } from './private/deployment-function';
import type { PolicyHost } from './policy-host';
import type { TlsReporting } from './tls-reporting';

/** What a verification that found an error does to the deployment. */
export enum Verification {
  /** It fails, and CloudFormation rolls it back. */
  FAIL_DEPLOYMENT = 'fail',
  /** It goes on; the errors stand in the function's log and in the resource's attributes. */
  REPORT_ONLY = 'report',
}

export interface VerificationProps extends DomainProps {
  readonly policyHost: PolicyHost;
  /** The id that was published: a token. */
  readonly policyId: string;
  readonly tlsReporting?: TlsReporting;
  readonly onFailure: Verification;
}

/** Runs the verifier against the live domain, expecting the policy's id and bytes. */
export function verification(scope: Construct, id: string, props: VerificationProps): CustomResource {
  return DeploymentHandler.of(scope).resource(scope, id, 'Custom::MtaStsVerification', {
    ...domainProperties(props),
    PolicyId: props.policyId,
    OnFailure: props.onFailure,
    // Not read by the function: what has changed must be verified anew.
    PolicyHost: props.policyHost._fingerprint,
    TlsReporting: props.tlsReporting?.record,
  });
}
