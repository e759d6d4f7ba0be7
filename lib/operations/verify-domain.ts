// Verifies a published policy as senders see it, with the same verifier as the command.
import { summary } from '../verifier/result';
import type { LiveFinding, VerificationResult } from '../verifier/result';
import { verify } from '../verifier/verify';
import { errorFields } from './context/log';
import type { OperationContext } from './context/operation-context';
import { retryUntil } from './context/retry';
import { readHostedZone } from './hosted-zone';
import { readNameServers } from './name-servers';

/** Temporary problems end within a minute: Route 53 updates all its name servers within that time. */
const RETRY = { totalMs: 120_000, firstPauseMs: 2_000, maxPauseMs: 15_000 };

/** Time limit of one attempt, which is the default limit of the verifier. */
const ATTEMPT_LIMIT_MS = 20_000;

/** The domain, and the publication that senders should see. */
export interface VerifyDomainInput {
  readonly domain: string;
  /** The hosted zone of the domain: its name servers are asked for the records. */
  readonly zoneId: string;
  /** The expected text of the policy file. */
  readonly policyText: string;
  /** The expected id in the `_mta-sts` record. */
  readonly policyId: string;
}

/** The last verification of a domain. */
export interface DomainVerification {
  readonly result: VerificationResult;
  /** All errors. */
  readonly errors: readonly LiveFinding[];
  /** Whether an error is one that a deployment can cause. */
  readonly hasDeploymentError: boolean;
}

/** Verifies a domain, and repeats it while every problem is temporary. */
export async function verifyDomain(context: OperationContext, input: VerifyDomainInput): Promise<DomainVerification> {
  const { domain, zoneId, policyText, policyId } = input;
  const { services } = context;
  const nameServers = await zoneServers(context, zoneId);
  // No attempt starts that cannot end in time: its result would be `unknown`, and would hide the results before it.
  const retryContext = { ...context, deadline: context.deadline - ATTEMPT_LIMIT_MS };
  const result = await retryUntil(retryContext, RETRY, async (attempt) => {
    const timeoutMs = Math.max(1, Math.min(ATTEMPT_LIMIT_MS, context.deadline - services.clock.now()));
    const { nameServerPort, allowPrivate, resolver, fetchPolicy } = services;
    const options = { expectId: policyId, expectPolicy: policyText, timeoutMs, nameServers, nameServerPort, allowPrivate };
    // The verifier limits its time with its own clock, which keeps no timer after an early end.
    const seen = await context.activity.track(`the verification of ${domain}`, async () => verify(domain, options, { resolver, fetchPolicy }));
    context.activity.noteSeen(summary(seen));
    context.log.info('verified', { attempt, result: seen });
    return seen;
  }, isTemporary);
  return { result, errors: errorsIn(result), hasDeploymentError: deploymentErrors(result).length > 0 };
}

/** Returns the addresses of the zone's name servers. Without them, the verifier finds the servers itself, so a failure decides nothing. */
async function zoneServers(context: OperationContext, zoneId: string): Promise<readonly string[] | undefined> {
  try {
    const found = (await readNameServers(context, await readHostedZone(context, zoneId))).flatMap(({ addresses }) => addresses);
    return found.length > 0 ? found : undefined;
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not read the delegation set; the verifier finds the name servers itself', errorFields(error));
    return undefined;
  }
}

/** Returns whether another attempt can help: every error is temporary. A fetch error is, because the file was live a moment ago. */
function isTemporary(result: VerificationResult): boolean {
  const errors = deploymentErrors(result);
  return result.verdict === 'unknown'
    || (errors.length > 0 && errors.every(({ temporary, code }) => temporary === true || code === 'sts-policy-fetch-error'));
}

/**
 * Returns the errors that a deployment can cause. The deployment of a policy does not cause a missing address of a mail host, and a
 * rollback does not fix it. Such an error must not stop a relaxing update either, so it is reported and fails nothing.
 */
function deploymentErrors(result: VerificationResult): readonly LiveFinding[] {
  return errorsIn(result).filter(({ code, subject }) => {
    return code !== 'mx-no-address' && !(code === 'address-not-public' && subject.startsWith('MX '));
  });
}

function errorsIn({ findings }: VerificationResult): readonly LiveFinding[] {
  return findings.filter(({ severity }) => severity === 'error');
}
