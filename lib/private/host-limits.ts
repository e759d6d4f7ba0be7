// How many domains one host can serve, told at synthesis: AWS would say it in the middle of a deployment.
import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { domainOfPolicyHost } from '../protocol/policy/url';
import { joinList } from '../util/safe-text';

/** AWS Certificate Manager User Guide, "Quotas": names of a certificate before any request, and the most that it ever grants. */
const NAMES_BY_DEFAULT = 10;
const MOST_NAMES = 100;

/**
 * A distribution takes as many names as a certificate, 100, and those fit the 10 KB of its edge function.
 *
 * @param host - a `PolicyHost`
 * @param names - `mta-sts.example.com` and so on
 * @param certificateMade - whether its certificate is made with it; a given one is there already, so its quota does not matter
 * @throws where no quota could be raised so far
 */
export function checkLimits(host: Construct, names: string[], certificateMade: boolean): void {
  if (names.length > MOST_NAMES) {
    throw new Error(`${host.node.path}: a PolicyHost serves at most ${MOST_NAMES} domains (the names of one certificate and of one distribution), `
      + `got ${names.length}; split \`domains\` between several, ${joinList(names.slice(MOST_NAMES).map(domainOfPolicyHost), 3)} into another`);
  }
  if (certificateMade && names.length > NAMES_BY_DEFAULT) {
    Validations.of(host).addWarning('cdk-mta-sts:certificateNames',
      `the certificate of ${host.node.path} has ${names.length} names, and an account may have ${NAMES_BY_DEFAULT} in one until AWS has raised the `
      + `quota "Domain names per ACM certificate" of us-east-1 (to ${MOST_NAMES} at most): without it the deployment fails; have it raised first, or `
      + `split \`domains\` between several PolicyHosts of ${NAMES_BY_DEFAULT}`);
  }
}

/** AWS CloudFormation User Guide, "Understand CloudFormation quotas". */
const MOST_OUTPUTS = 200;

/**
 * One output a domain, and another where DNS is elsewhere: told once all constructs are there.
 *
 * @param host - a `PolicyHost`
 * @param stack - whose outputs tell what it publishes
 */
export function checkOutputs(host: Construct, stack: Stack): void {
  const count = stack.node.findAll().filter((construct) => construct instanceof CfnOutput && Stack.of(construct) === stack).length;
  if (count > MOST_OUTPUTS) {
    Validations.of(host).addError('cdk-mta-sts:outputs',
      `the stack '${stack.stackName}' has ${count} outputs, and CloudFormation takes ${MOST_OUTPUTS}: a domain of ${host.node.path} has one, and two where `
      + 'DNS is elsewhere; split `domains` between PolicyHosts of several stacks');
  }
}
