// A policy host with one domain, for the tests of its resources.
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyHost } from '../../lib';
import type { PolicyHostProps } from '../../lib';
import { importedZone, oneDomain, testStack } from './stack';

/**
 * Returns the template of a stack with one domain on a policy host.
 *
 * @param props - returns the properties of the host that differ
 */
export function hostTemplate(props: (stack: Stack) => Partial<PolicyHostProps> = () => ({})): Template {
  const stack = testStack();
  const hostedZone = importedZone(stack);
  const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], ...props(stack) });
  oneDomain(stack, { hostedZone, policyHost });
  return Template.fromStack(stack);
}
