// All that the preflight checks for one domain, every check at once.
import { isDeepStrictEqual } from 'node:util';
import { policyHostName } from '../../protocol/policy/url';
import { safeText } from '../../util/safe-text';
import type { Mode, Policy } from '../../protocol/policy/policy';
import { checkCaa } from './caa';
import { checkFailed, good, asWarnings } from './check-result';
import type { CheckResult } from './check-result';
import { checkDelegation } from './delegation';
import { checkMx } from './mx';
import { checkOwnership, listNames } from './ownership';
import { isObject } from '../../functions/deployment/event';
import type { Properties } from '../../functions/deployment/event';
import { readHostedZone } from '../hosted-zone';
import { domainProperty, optionalZoneIdProperty, policyProperty, recordsProperty } from '../../functions/deployment/properties';
import type { PlannedRecord } from '../../functions/deployment/properties';
import type { OperationContext } from '../context/operation-context';

/** A domain as the template states it. */
export interface PlannedDomain {
  readonly domain: string;
  /** None where DNS is elsewhere: then nobody can look into a zone, and nothing is made in one. */
  readonly zoneId?: string;
  /** None while nobody publishes one. */
  readonly policy?: Policy;
  readonly records: readonly PlannedRecord[];
  /** The logical id of what puts its file there; none while nobody does. */
  readonly publication?: unknown;
  /** What the stack made by the properties before this update. */
  readonly made: readonly PlannedRecord[];
  /** Whether another resource than before this update puts the policy file. */
  readonly newPublisher: boolean;
  /** Whether this update goes to another hosted zone, in which nothing is ours yet. */
  readonly newZone: boolean;
  /** Whether this update only asks less of senders than before, by the same records and with the same certificate. */
  readonly asksLess: boolean;
}

/** What all domains have in common. */
export interface PreflightContext {
  readonly stackId: string;
  readonly certificateGiven: boolean;
}

/**
 * @param before - the same domain before this update
 * @param sameCertificate - whether this update leaves the certificate as it is
 * @throws RangeError for a property that cannot be
 */
export function plannedDomain(entry: Properties, before: Properties | undefined, sameCertificate: boolean): PlannedDomain {
  const policy = entry.Policy === undefined ? undefined : policyProperty(entry).policy;
  return {
    domain: domainProperty(entry),
    zoneId: optionalZoneIdProperty(entry),
    policy,
    records: recordsProperty(entry),
    publication: entry.Publication,
    made: before === undefined ? [] : recordsBefore(before),
    newPublisher: before?.Publication !== undefined && entry.Publication !== undefined && before.Publication !== entry.Publication,
    newZone: before !== undefined && before.HostedZoneId !== entry.HostedZoneId,
    asksLess: before !== undefined && sameCertificate && asksLess(entry, before, policy),
  };
}

/** Makes all checks; none of them rejects. */
export async function checkDomain(context: OperationContext, planned: PlannedDomain, surroundings: PreflightContext): Promise<readonly CheckResult[]> {
  const { stackId, certificateGiven } = surroundings;
  const { domain, zoneId, policy } = planned;
  const inZone = zoneId === undefined ? undefined : checksOfZone(context, planned, zoneId, stackId);
  const checks: Readonly<Record<string, Promise<CheckResult> | undefined>> = {
    publisher: Promise.resolve(checkPublisher(planned)),
    // Not where it cannot be learned: then the file cannot be proved either, and senders would meet it for as long as that is tried.
    delegation: inZone && certificateFault(inZone.delegation, planned),
    records: inZone?.records,
    caa: certificateGiven
      ? Promise.resolve(good('the certificate is given, so nobody need issue one'))
      : certificateFault((inZone?.caa() ?? checkCaa(context, domain, undefined)).catch(unmade), planned),
    mx: policy && checkMx(context, domain, policy),
  };
  return Promise.all(Object.entries(checks).flatMap(([name, check]) => check === undefined ? [] : [logged(context, domain, name, check)]));
}

/** CloudFormation makes a new resource before it takes the old one away, and both have the one policy file. */
function checkPublisher({ domain, newPublisher }: PlannedDomain): CheckResult {
  return newPublisher
    ? checkFailed(`another construct of this stack publishes the policy of ${domain} than before, on the same PolicyHost: when CloudFormation takes the old `
      + 'one away its policy file goes, which is that of the new one too; where a construct was renamed, give it its old id back, else take the domain '
      + 'out in one deployment and add it in the next')
    : { failures: [], warnings: [] };
}

/** What would keep a certificate from being issued does not matter to one that stays. */
async function certificateFault(check: Promise<CheckResult>, { asksLess: isTolerant }: PlannedDomain): Promise<CheckResult> {
  return isTolerant ? asWarnings(await check) : check;
}

function checksOfZone(
  context: OperationContext, { domain, records, made, newZone, asksLess: less }: PlannedDomain, zoneId: string, stackId: string,
): { delegation: Promise<CheckResult>; records: Promise<CheckResult>; caa: () => Promise<CheckResult> } {
  const zone = readHostedZone(context, zoneId);
  const listings = zone.then(async (found) => listNames(context, found, domain, records));
  return {
    delegation: zone.then(async (found) => checkDelegation(context, domain, found)),
    records: Promise.all([zone, listings]).then(async ([found, sets]) => {
      return checkOwnership(context, found, sets, { stackId, domain, planned: records, made, newZone, asksLess: less });
    }),
    // Where nobody asks for it nobody would hear of its failure, and the function would end.
    caa: async () => listings.then(async (sets) => checkCaa(context, domain, sets.get(policyHostName(domain)) ?? [])),
  };
}

/** The way out where senders refuse mail. */
function asksLess(entry: Properties, before: Properties, policy: Policy | undefined): boolean {
  const [now, then] = [entry, before].map((one) => ({ ...one, Policy: undefined }));
  return policy !== undefined && STRICTNESS[policy.mode] < STRICTNESS[modeBefore(before)] && isDeepStrictEqual(now, then);
}

const STRICTNESS: Readonly<Record<Mode, number>> = { none: 0, testing: 1, enforce: 2 };

/** Another version may have written it in another way; than `none` nothing is less. */
function modeBefore(before: Properties): Mode {
  try {
    return policyProperty(before).policy.mode;
  } catch {
    return 'none';
  }
}

/** Another version may have written them in another way; CloudFormation then knows what the stack has made. */
function recordsBefore(before: Properties): readonly PlannedRecord[] {
  try {
    return recordsProperty(before);
  } catch {
    return [];
  }
}

/** The domains of properties that another version may have written; those that cannot be read are left out. */
export function entriesBefore(oldProperties: Properties | undefined): readonly Properties[] {
  const entries: unknown = oldProperties?.Domains;
  return Array.isArray(entries) ? entries.filter(isObject) : [];
}

/** A check that could not be made is a fault like any other: the others shall be heard too. */
function unmade(error: unknown): CheckResult {
  return checkFailed(error instanceof Error ? error.message : String(error));
}

async function logged(context: OperationContext, domain: string, name: string, check: Promise<CheckResult>): Promise<CheckResult> {
  const result = await check.catch(unmade);
  result.failures.forEach((fault) => {
    context.activity.noteSeen(fault);
  });
  const write = result.failures.length > 0 ? context.log.error : result.warnings.length > 0 ? context.log.warn : context.log.info;
  write(`preflight, ${name}`, { domain: safeText(domain), ...result });
  return result;
}
