// A certificate that somebody must validate by hand, since its names are not in Route 53: what waits, and how to see for what.
import { Stack, Token, aws_iam as iam } from 'aws-cdk-lib';
import type { aws_certificatemanager as acm } from 'aws-cdk-lib';
import { DeploymentHandler } from './deployment-function';
import type { PolicyHost } from '../policy-host';
import { CLOUDFRONT_REGION } from './us-east-1-stack';
import { warn } from './warnings';

/**
 * Warns that the deployment waits, and lets the function read the validation records, which then are outputs: renewal needs them too.
 *
 * @param names - those of the certificate that no zone is given for
 */
export function manualValidation(host: PolicyHost, certificate: acm.Certificate, names: string[]): iam.Policy {
  const { stackName } = Stack.of(host._scope);
  const stack = Token.isUnresolved(stackName) ? '<stack>' : stackName;
  warn(host, {
    id: 'cdk-mta-sts:validationByHand',
    names,
    noun: 'hosts',
    like: stack,
    message: (hosts) => `the deployment waits, 72 hours at most, until the validation record of the certificate stands in the DNS for ${hosts}, since `
      + 'no `hostedZone` is given; what to make stands in the events of the stack while it waits: '
      + `aws cloudformation describe-stack-events --region ${CLOUDFRONT_REGION} --stack-name ${stack} --output text --query `
      + '"StackEvents[?contains(ResourceStatusReason || \'\', \'Content of DNS Record\')].ResourceStatusReason"; '
      + 'or give a `certificate` that is issued already, and nothing waits',
  });
  // A policy of its own: the role's would be a circle, since all else needs the role.
  return new iam.Policy(host._scope, 'ReadCertificate', {
    statements: [new iam.PolicyStatement({ actions: ['acm:DescribeCertificate'], resources: [certificate.certificateArn] })],
    roles: [DeploymentHandler.of(host._scope).role],
  });
}
