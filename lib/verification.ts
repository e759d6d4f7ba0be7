// The last custom resource: reads everything back as a sender would.
import type { aws_route53 as route53, CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeploymentHandler } from './deployment-handler';
import type { MtaStsPolicy } from './policy';
import type { PolicyHost } from './policy-host';
import type { TlsReporting } from './tls-reporting';

/** What a verification that found an error does to the deployment. */
export enum Verification {
  /** It fails, and CloudFormation rolls it back. */
  FAIL_DEPLOYMENT = 'fail',
  /** It goes on; the errors stand in the function's log and in the resource's attributes. */
  REPORT_ONLY = 'report',
}

export interface VerificationProps {
  readonly domainName: string;
  readonly hostedZone: route53.IHostedZone;
  readonly policy: MtaStsPolicy;
  readonly policyHost: PolicyHost;
  readonly tlsReporting?: TlsReporting;
  readonly onFailure: Verification;
}

/** Runs the verifier against the live domain, expecting the policy's id and bytes. */
export function verification(scope: Construct, id: string, props: VerificationProps): CustomResource {
  return DeploymentHandler.of(scope).resource(scope, id, {
    resourceType: 'Custom::MtaStsVerification',
    hostedZone: props.hostedZone,
    properties: {
      DomainName: props.domainName,
      HostedZoneId: props.hostedZone.hostedZoneId,
      PolicyText: props.policy.text,
      PolicyId: props.policy.id,
      OnFailure: props.onFailure,
      // Not read by the function: what has changed must be verified anew.
      PolicyHost: props.policyHost._fingerprint,
      TlsReporting: props.tlsReporting?.record,
    },
  });
}
