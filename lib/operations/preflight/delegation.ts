// Is the hosted zone the one that the world asks? Otherwise the certificate would wait for hours, and no sender would see a record.
import { safeText } from '../../util/safe-text';
import { isWithin } from '../dns-names';
import type { HostedZone } from '../hosted-zone';
import { askDns } from '../dns';
import type { OperationContext } from '../context/operation-context';
import { checkFailed, good } from './check-result';
import type { CheckResult } from './check-result';

/** Compares the zone's delegation set with the name servers that the public DNS gives for the zone's name. */
export async function checkDelegation(context: OperationContext, domain: string, zone: HostedZone): Promise<CheckResult> {
  if (!isWithin(domain, zone.name)) {
    return checkFailed(`the hosted zone ${zone.id} is ${safeText(zone.name)}, which ${domain} is not in; pass the zone of ${domain} or of a parent of it`);
  }
  const answer = await askDns(context, zone.name, 'NS');
  if (answer.status === 'empty') {
    return checkFailed(`${zone.name} is not delegated: public DNS has no name servers for it (${answer.reason}); those of the hosted zone ${zone.id} are `
      + `${list(zone.nameServers)}: ${delegate(zone)}; where that was done just now, wait until resolvers have forgotten the earlier answer`);
  }
  const foreign = await withoutTheirs(context, zone, answer.records);
  if (foreign.length > 0) {
    return checkFailed(`the hosted zone ${zone.id} (${zone.name}) is not the one that public DNS asks: its name servers are `
      + `${list(zone.nameServers)}, but public DNS gives ${list(answer.records)}; ${delegate(zone)}, or pass the zone that is in use `
      + 'if there are two of this name; a zone made in this deployment must be deployed first, alone, and then delegated');
  }
  const missing = zone.nameServers.filter((name) => !answer.records.includes(name));
  const own = answer.records.some((name) => !zone.nameServers.includes(name));
  // Whoever is asked is one of the zone's own: harmless, but the fewer there are the less it takes to lose them.
  return missing.length > 0 && !own
    ? good(`${zone.name} is delegated to the hosted zone`, `public DNS gives ${list(answer.records)} for ${zone.name}, but not ${list(missing)}`)
    : good(`${zone.name} is delegated to the hosted zone`);
}

/**
 * The public name servers that are none of the zone's. White-label name servers have names of their own, but the addresses
 * of the delegation set.
 */
async function withoutTheirs(context: OperationContext, zone: HostedZone, names: readonly string[]): Promise<readonly string[]> {
  const strange = names.filter((name) => !zone.nameServers.includes(name));
  if (strange.length === 0) return [];
  const own = new Set((await Promise.all(zone.nameServers.map(async (name) => addresses(context, name)))).flat());
  const checked = await Promise.all(strange.map(async (name) => {
    const found = await addresses(context, name);
    return { name, theirs: found.length > 0 && found.every((address) => own.has(address)) };
  }));
  return checked.filter(({ theirs }) => !theirs).map(({ name }) => name);
}

async function addresses(context: OperationContext, name: string): Promise<readonly string[]> {
  const answers = await Promise.all([askDns(context, name, 'A'), askDns(context, name, 'AAAA')]);
  return answers.flatMap((answer) => answer.status === 'found' ? answer.records : []);
}

function delegate(zone: HostedZone): string {
  return `enter the zone's name servers at the registrar of ${zone.name}, or, if it is a sub-domain, as its NS record in the parent zone`;
}

function list(names: readonly string[]): string {
  return [...names].sort().map((name) => safeText(name)).join(', ');
}
