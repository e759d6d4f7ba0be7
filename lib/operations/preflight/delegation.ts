// Does public DNS use this hosted zone? Otherwise the certificate would wait for hours, and no sender would see a record.
import { safeText } from '../../util/safe-text';
import type { OperationContext } from '../context/operation-context';
import { askDns } from '../dns';
import { isWithin } from '../dns-names';
import type { HostedZone } from '../hosted-zone';
import { checkFailed, checkPassed } from './check-result';
import type { CheckResult } from './check-result';

/** Compares the delegation set of the zone with the name servers that public DNS has for the zone's name. */
export async function checkDelegation(context: OperationContext, domain: string, zone: HostedZone): Promise<CheckResult> {
  if (!isWithin(domain, zone.name)) {
    return checkFailed('zone-wrong-domain', `the domain ${domain} is not in the hosted zone ${zone.id} (${safeText(zone.name)}). Its records cannot be created there. `
      + `Pass the hosted zone of ${domain} or of a parent domain (RFC 1034 §4.2).`);
  }
  const answer = await askDns(context, zone.name, 'NS');
  if (answer.status === 'empty') {
    return checkFailed('zone-not-delegated', `public DNS has no name servers for ${zone.name} (${answer.reason}). ${CONSEQUENCE} ${delegateFix(zone)}. `
      + 'If that was done just now, wait until resolvers forget the earlier answer (RFC 1034 §4.2.1).');
  }
  const foreign = await foreignServers(context, zone, answer.records);
  if (foreign.length > 0) {
    return checkFailed('zone-not-delegated', `public DNS does not use the hosted zone ${zone.id} for ${zone.name}: it has the name servers ${listServers(answer.records)}. `
      + `${CONSEQUENCE} ${delegateFix(zone)}, or pass the zone that is in use if two zones have this name. `
      + 'If this deployment creates the zone, deploy the zone first, alone, and then delegate it (RFC 1034 §4.2.1).');
  }
  const missing = zone.nameServers.filter((name) => !answer.records.includes(name));
  const hasOtherNames = answer.records.some((name) => !zone.nameServers.includes(name));
  const passed = `${zone.name} is delegated to the hosted zone`;
  // All delegated servers belong to the zone, so this works. Fewer servers mean less redundancy.
  return missing.length > 0 && !hasOtherNames
    ? checkPassed(passed, { message: `public DNS has the name servers ${listServers(answer.records)} for ${zone.name}, but not ${listServers(missing)}.` })
    : checkPassed(passed);
}

const CONSEQUENCE = 'Senders would see no record, and the certificate would not be issued.';

/**
 * Returns the public name servers that are not the zone's. White-label name servers have names of their own, with the addresses of the
 * delegation set.
 */
async function foreignServers(context: OperationContext, zone: HostedZone, names: readonly string[]): Promise<readonly string[]> {
  const unknown = names.filter((name) => !zone.nameServers.includes(name));
  if (unknown.length === 0) return [];
  const own = new Set((await Promise.all(zone.nameServers.map(async (name) => resolveAddresses(context, name)))).flat());
  const checked = await Promise.all(unknown.map(async (name) => {
    const addresses = await resolveAddresses(context, name);
    return { name, isOwn: addresses.length > 0 && addresses.every((address) => own.has(address)) };
  }));
  return checked.filter(({ isOwn }) => !isOwn).map(({ name }) => name);
}

async function resolveAddresses(context: OperationContext, name: string): Promise<readonly string[]> {
  const answers = await Promise.all([askDns(context, name, 'A'), askDns(context, name, 'AAAA')]);
  return answers.flatMap((answer) => answer.status === 'found' ? answer.records : []);
}

function delegateFix(zone: HostedZone): string {
  return `Enter the zone's name servers ${listServers(zone.nameServers)} at the registrar of ${zone.name}, or for a sub-domain as its NS record in the parent zone`;
}

function listServers(names: readonly string[]): string {
  return [...names].sort().map((name) => safeText(name)).join(', ');
}
