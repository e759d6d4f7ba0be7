// Waits until senders get the intended policy file from every address of the policy host (RFC 8461 §3.3, §8.1).
import { policyUrl } from '../../protocol/policy/url';
import { safeText } from '../../util/safe-text';
import { classifyResponse } from '../../verifier/checks/policy/response';
import { firstDifference } from '../../util/first-difference';
import type { OperationContext } from '../context/operation-context';
import { retryUntil } from '../context/retry';
import { deploymentFailure, endSentence } from '../failures';
import type { AddressAnswer, QueryAddresses } from './policy-addresses';

/** Much longer than Route 53 and CloudFront take. After that time, waiting fixes nothing. */
const LIVE_RETRY = { totalMs: 600_000, firstPauseMs: 1_000, maxPauseMs: 15_000 };

/** Number of attempts after which the file is put again: first after half a minute, then each minute. */
const ATTEMPTS_PER_PUT = 4;

/** The file that every address must serve. */
export interface ExpectedFile {
  /** `mta-sts.example.com` */
  readonly policyHost: string;
  readonly bytes: Uint8Array;
}

/** The result of one check of all addresses. */
interface LiveObservation {
  readonly isLive: boolean;
  /** One text for each problem. Equal problems of several servers share one text. */
  readonly problems: readonly string[];
  /** The addresses that served the right bytes. */
  readonly addresses: readonly string[];
}

/**
 * Checks the file again and again until it is live.
 *
 * @param putAgain - called every few attempts while the file is not live; its rejection ends the wait
 * @throws DeploymentFailure `policy-not-live` at the end of the time
 */
export async function proveLive(
  context: OperationContext, expected: ExpectedFile, queryAddresses: QueryAddresses, putAgain: () => Promise<void>,
): Promise<void> {
  const started = context.services.clock.now();
  const last = await retryUntil(context, LIVE_RETRY, async (attempt) => {
    if (attempt % ATTEMPTS_PER_PUT === 0) await putAgain();
    const observation = await checkOnce(context, expected, queryAddresses);
    logObservation(context, observation, attempt);
    return observation;
  }, ({ isLive }) => !isLive);
  if (!last.isLive) {
    const seconds = Math.round((context.services.clock.now() - started) / 1000);
    throw deploymentFailure('policy-not-live', `${policyUrl(expected.policyHost)} did not serve the new policy within ${seconds} s. `
      + `Last seen: ${endSentence(last.problems.join('; '))} `
      + 'The _mta-sts record was not changed. Fix the cause, and deploy again (RFC 8461 §3.3, §8.1).');
  }
  const byIPv6 = await checkByIPv6(context, expected, queryAddresses);
  context.log.info('the IPv6 addresses decide nothing, because a Lambda function has no IPv6', { seen: byIPv6 });
}

function logObservation(context: OperationContext, { isLive, problems, addresses }: LiveObservation, attempt: number): void {
  if (isLive) {
    context.log.info('the policy file is live', { attempt, addresses });
  } else {
    context.activity.noteSeen(problems.join('; '));
    context.log.info('the policy file is not live yet', { attempt, missing: problems, addresses });
  }
}

/** Fetches the file from every IPv4 address. RFC 8461 §3.3 requires status 200 and `text/plain`. The bytes must be the intended ones. */
async function checkOnce(context: OperationContext, expected: ExpectedFile, queryAddresses: QueryAddresses): Promise<LiveObservation> {
  const answers = await queryAddresses('A');
  const addresses = distinctAddresses(answers);
  const fetched = await Promise.all(addresses.map(async (address) => {
    return { source: address, problem: await fetchProblem(context, expected, address) };
  }));
  const problems = groupProblems([...answers, ...fetched]);
  const good = fetched.filter(({ problem }) => problem === undefined).map(({ source }) => source);
  return { isLive: problems.length === 0 && good.length > 0, problems, addresses: good };
}

/** Fetches the file from every IPv6 address, for the log only: a Lambda function has no IPv6, so a failure means nothing. */
async function checkByIPv6(context: OperationContext, expected: ExpectedFile, queryAddresses: QueryAddresses): Promise<readonly string[]> {
  const answers = await queryAddresses('AAAA');
  const fetched = await Promise.all(distinctAddresses(answers).map(async (address) => {
    return { source: address, problem: await fetchProblem(context, expected, address) ?? 'as intended' };
  }));
  return groupProblems([...answers, ...fetched]);
}

function distinctAddresses(answers: readonly AddressAnswer[]): readonly string[] {
  return [...new Set(answers.flatMap(({ found }) => found))].sort();
}

async function fetchProblem(context: OperationContext, { policyHost, bytes }: ExpectedFile, address: string): Promise<string | undefined> {
  const response = await context.activity.track(`https://${policyHost} at ${address}`, async () => context.services.fetchPolicy({ policyHost, address }));
  const classification = classifyResponse(response);
  if (classification.kind !== 'file') return safeText(classification.message, 300);
  const { body, oddities } = classification;
  // Some senders cannot read a coded body, so the file is not live for all senders.
  const coded = oddities.find(({ code }) => code === 'policy-content-coding');
  if (coded !== undefined) return safeText(coded.message, 300);
  return Buffer.compare(body, bytes) === 0 ? undefined : `other bytes: ${firstDifference(bytes, body, 'expected', 'served')}`;
}

/** Returns texts such as `192.0.2.1, 192.0.2.2: the answer has status 404, only 200 is a policy`. */
function groupProblems(all: readonly Pick<AddressAnswer, 'source' | 'problem'>[]): readonly string[] {
  const byProblem = new Map<string, string[]>();
  for (const { source, problem } of all) {
    if (problem !== undefined) byProblem.set(problem, [...byProblem.get(problem) ?? [], source]);
  }
  return [...byProblem].map(([problem, sources]) => `${sources.join(', ')}: ${problem}`);
}
