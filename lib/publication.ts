// The second custom resource: puts the file into the bucket and proves it live at the edge.
import type { aws_route53 as route53, CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeploymentHandler } from './deployment-handler';
import { policyObjectKey } from './edge-function';
import type { MtaStsPolicy } from './policy';
import { policyHostName } from './policy-domain';
import type { PolicyHost } from './policy-host';

export interface PublicationProps {
  readonly domainName: string;
  readonly hostedZone: route53.IHostedZone;
  readonly policy: MtaStsPolicy;
  readonly policyHost: PolicyHost;
}

/** Writes the policy's bytes, then fetches as a sender does until the live bytes are the intended ones. */
export function publication(scope: Construct, id: string, props: PublicationProps): CustomResource {
  const resource = DeploymentHandler.of(scope).resource(scope, id, {
    resourceType: 'Custom::MtaStsPublication',
    hostedZone: props.hostedZone,
    properties: {
      DomainName: props.domainName,
      HostedZoneId: props.hostedZone.hostedZoneId,
      PolicyText: props.policy.text,
      PolicyId: props.policy.id,
      BucketName: props.policyHost.bucket.bucketName,
      ObjectKey: policyObjectKey(policyHostName(props.domainName)),
      // Not read by the function: a host that has changed must be proved anew.
      PolicyHost: props.policyHost._fingerprint,
    },
  });
  // The whole host: the distribution, its records, and the bucket's policy that lets the function write.
  resource.node.addDependency(props.policyHost);
  return resource;
}
