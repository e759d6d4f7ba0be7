// All checks of the preflight for one domain, made at the same time.
import { policyHostName } from '../../protocol/policy/url';
import { safeText } from '../../util/safe-text';
import type { OperationContext } from '../context/operation-context';
import { toDeploymentFailure } from '../failures';
import { readHostedZone } from '../hosted-zone';
import { checkCaa } from './caa';
import { asWarnings, checkFailed, checkPassed } from './check-result';
import type { CheckResult } from './check-result';
import { checkDelegation } from './delegation';
import type { PlannedDomain } from './domain-plan';
import { checkMx } from './mx';
import { checkOwnership, listNames } from './ownership';

/** The facts that all domains of a preflight share. */
export interface SharedFacts {
  /** The stack that makes the records, by its ARN. */
  readonly stackId: string;
  /** Whether the certificate is given, so that none must be issued. */
  readonly certificateGiven: boolean;
}

/** Makes all checks of one domain. Never rejects: a check that could not be made is a failure. */
export async function checkDomain(
  context: OperationContext, planned: PlannedDomain, shared: SharedFacts,
): Promise<readonly CheckResult[]> {
  const { domain, zoneId, policy } = planned;
  const zoneChecks = zoneId === undefined ? undefined : checkZone(context, planned, zoneId, shared.stackId);
  const checks: Readonly<Record<string, Promise<CheckResult> | undefined>> = {
    publisher: Promise.resolve(checkPublisher(planned)),
    // A relaxing update turns delegation failures into warnings, but not an unanswered question. Without DNS, Publication cannot
    // verify the new file, and retries for ten minutes while senders already fetch it.
    delegation: zoneChecks && relaxable(zoneChecks.delegation, planned),
    records: zoneChecks?.records,
    caa: shared.certificateGiven
      ? Promise.resolve(checkPassed('the certificate is given, so none must be issued'))
      : relaxable((zoneChecks?.caa() ?? checkCaa(context, domain, undefined)).catch(notMade), planned),
    mx: policy && checkMx(context, domain, policy),
  };
  return Promise.all(Object.entries(checks).flatMap(([name, check]) => {
    return check === undefined ? [] : [logResult(context, domain, name, check)];
  }));
}

/** CloudFormation makes the new resource before it deletes the old one, and both have the same policy file. */
function checkPublisher({ domain, changesPublisher }: PlannedDomain): CheckResult {
  if (!changesPublisher) return { failures: [], warnings: [] };
  return checkFailed('publisher-changed', `another construct of this stack than before publishes the policy of ${domain} on the same PolicyHost. `
    + 'When CloudFormation deletes the old construct, it deletes the policy file, which the new construct needs. If a construct was renamed, give it '
    + 'its old id back. Otherwise remove the domain in one deployment, and add it in the next (RFC 8461 §8.3).');
}

/** A relaxing update keeps its certificate, so the conditions for a new one do not matter. */
async function relaxable(check: Promise<CheckResult>, { relaxesPolicy }: PlannedDomain): Promise<CheckResult> {
  return relaxesPolicy ? asWarnings(await check) : check;
}

interface ZoneChecks {
  readonly delegation: Promise<CheckResult>;
  readonly records: Promise<CheckResult>;
  /** Lazy: a rejected promise that nobody awaits would end the process. */
  readonly caa: () => Promise<CheckResult>;
}

function checkZone(context: OperationContext, planned: PlannedDomain, zoneId: string, stackId: string): ZoneChecks {
  const { domain, records } = planned;
  const zone = readHostedZone(context, zoneId);
  const listings = zone.then(async (found) => listNames(context, found, domain, records));
  return {
    delegation: zone.then(async (found) => checkDelegation(context, domain, found)),
    records: Promise.all([zone, listings]).then(async ([found, sets]) => {
      return checkOwnership(context, { zone: found, listings: sets, planned, stackId });
    }),
    caa: async () => listings.then(async (sets) => checkCaa(context, domain, sets.get(policyHostName(domain)) ?? [])),
  };
}

/** A check that could not be made is a failure like any other, so that the results of the other checks are reported too. */
function notMade(error: unknown): CheckResult {
  return { failures: toDeploymentFailure(error).problems, warnings: [] };
}

async function logResult(context: OperationContext, domain: string, name: string, check: Promise<CheckResult>): Promise<CheckResult> {
  const result = await check.catch(notMade);
  result.failures.forEach(({ code, message }) => {
    context.activity.noteSeen(`${code}: ${message}`);
  });
  const write = result.failures.length > 0 ? context.log.error : result.warnings.length > 0 ? context.log.warn : context.log.info;
  write(`preflight, ${name}`, { domain: safeText(domain), ...result });
  return result;
}
