// Custom::MtaStsPreflight: is it safe to start? Fails in seconds, with every reason at once.
import { policyHostName } from '../protocol/policy-url';
import { printable } from '../protocol/text';
import { checkCaa } from './checks/caa';
import { good } from './checks/check';
import type { Checked } from './checks/check';
import { checkDelegation } from './checks/delegation';
import { checkMx } from './checks/mx';
import { checkOwnership, listNames } from './checks/ownership';
import type { DeploymentEvent, Properties } from './event';
import { readHostedZone } from './hosted-zone';
import { choiceProperty, domainProperty, hostedZoneIdProperty, policyProperty, recordsProperty } from './properties';
import type { PlannedRecord } from './properties';
import { attribute } from './reason';
import type { Run } from './run';
import type { Attributes, Task } from './task';

export function preflightTask(event: DeploymentEvent): Task {
  const { properties, oldProperties, stackId } = event;
  const domain = domainProperty(properties);
  const zoneId = hostedZoneIdProperty(properties);
  const { policy } = policyProperty(properties);
  const planned = recordsProperty(properties);
  const made = oldProperties === undefined ? [] : recordsBefore(oldProperties);
  const certificateGiven = choiceProperty({ Certificate: 'made', ...properties }, 'Certificate', ['given', 'made']) === 'given';
  const newZone = oldProperties?.HostedZoneId !== undefined && oldProperties.HostedZoneId !== properties.HostedZoneId;

  const work = async (run: Run): Promise<Attributes> => {
    refuseOtherDomain(domain, oldProperties);
    const zone = readHostedZone(run, zoneId);
    const listings = zone.then(async (found) => listNames(run, found, domain, planned));
    const checks: Readonly<Record<string, Promise<Checked>>> = {
      delegation: zone.then(async (found) => checkDelegation(run, domain, found)),
      records: Promise.all([zone, listings]).then(async ([found, sets]) => {
        return checkOwnership(run, found, sets, { stackId, domain, planned, made, newZone });
      }),
      caa: certificateGiven
        ? Promise.resolve(good('the certificate is given, so nobody need issue one'))
        : listings.then(async (sets) => checkCaa(run, domain, sets.get(policyHostName(domain)) ?? [])),
      mx: checkMx(run, domain, policy),
    };
    const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => logged(run, name, check)));
    return { Summary: summary(results) };
  };

  return {
    physicalResourceId: `mta-sts-preflight/${domain}`,
    work,
    forgives: (rollingBack) => rollingBack,
    forgiven: (message) => ({ Summary: attribute(message) }),
  };
}

/**
 * CloudFormation would take the host of the old domain away at once and its record only in the end: in between senders would find
 * a record whose file is gone.
 */
function refuseOtherDomain(domain: string, oldProperties: Properties | undefined): void {
  const before = oldProperties?.DomainName;
  if (typeof before === 'string' && before.toLowerCase() !== domain) {
    throw new Error(`the domain of this construct was ${printable(before)} and is now ${domain}: a domain is not changed in place, since its `
      + 'record would outlive its policy file; give the construct of the new domain an id of its own, and remove the old one later');
  }
}

/** Another version may have written them in another way; CloudFormation then knows what the stack has made. */
function recordsBefore(oldProperties: Properties): readonly PlannedRecord[] {
  try {
    return recordsProperty(oldProperties);
  } catch {
    return [];
  }
}

/** A check that could not be made is a fault like any other: the others shall be heard too. */
async function logged(run: Run, name: string, check: Promise<Checked>): Promise<Checked> {
  const result = await check.catch((error: unknown): Checked => {
    return { faults: [error instanceof Error ? error.message : String(error)], warnings: [] };
  });
  result.faults.forEach((fault) => {
    run.watch.saw(fault);
  });
  const write = result.faults.length > 0 ? run.log.error : result.warnings.length > 0 ? run.log.warn : run.log.info;
  write(`preflight, ${name}`, { ...result });
  return result;
}

/**
 * @throws with all faults in one line; one that kept several checks from being made stands there once
 */
function summary(results: readonly Checked[]): string {
  const faults = [...new Set(results.flatMap((result) => result.faults))];
  if (faults.length === 1) throw new Error(faults[0]);
  if (faults.length > 1) throw new Error(`${faults.length} faults: ${faults.map((fault, index) => `(${index + 1}) ${fault}`).join('; ')}`);
  const warnings = results.flatMap((result) => result.warnings).map((warning) => `warning: ${warning}`);
  return attribute([...warnings, ...results.flatMap(({ good }) => good ?? [])].join('; '));
}
