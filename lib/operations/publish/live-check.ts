// Looks at the policy file once, as senders will: fetched from every address and compared.
import { safeText } from '../../util/safe-text';
import { classifyResponse } from '../../verifier/checks/policy/response';
import { firstDifference } from '../../verifier/difference';
import type { AskAddresses, Asked } from './policy-addresses';
import type { OperationContext } from '../context/operation-context';

/** What was seen in one look. */
export interface LiveObservation {
  readonly live: boolean;
  /** One entry for each thing that is not right yet; equal ones of several servers stand together. */
  readonly missing: readonly string[];
  /** The addresses that served the right bytes. */
  readonly addresses: readonly string[];
}

/** What must be seen. */
export interface Expected {
  /** `mta-sts.example.com` */
  readonly policyHost: string;
  readonly bytes: Uint8Array;
}

/** RFC 8461 §3.3: status 200, `text/plain`, and, for us, the intended bytes, at every IPv4 address. */
export async function checkOnce(context: OperationContext, expected: Expected, ask: AskAddresses): Promise<LiveObservation> {
  const answers = await ask('A');
  const addresses = addressesOf(answers);
  const fetched = await Promise.all(addresses.map(async (address) => ({ who: address, fault: await fetchFault(context, expected, address) })));
  const missing = grouped([...answers, ...fetched]);
  const good = fetched.filter(({ fault }) => fault === undefined).map(({ who }) => who);
  return { live: missing.length === 0 && good.length > 0, missing, addresses: good };
}

/**
 * What the IPv6 addresses serve, for the log alone: a Lambda function has no IPv6, and a failure would say nothing.
 */
export async function checkByIPv6(context: OperationContext, expected: Expected, ask: AskAddresses): Promise<readonly string[]> {
  const answers = await ask('AAAA');
  const fetched = await Promise.all(addressesOf(answers).map(async (address) => {
    return { who: address, fault: await fetchFault(context, expected, address) ?? 'as intended' };
  }));
  return grouped([...answers, ...fetched]);
}

interface Seen {
  /** The address, or who was asked for addresses. */
  readonly who: string;
  readonly fault?: string;
}

function addressesOf(answers: readonly Asked[]): readonly string[] {
  return [...new Set(answers.flatMap(({ found }) => found))].sort();
}

async function fetchFault(context: OperationContext, { policyHost, bytes }: Expected, address: string): Promise<string | undefined> {
  const response = await context.activity.track(`https://${policyHost} at ${address}`, async () => context.services.fetchPolicy({ policyHost, address }));
  const judgement = classifyResponse(response);
  if (judgement.kind !== 'file') return safeText(judgement.message, 300);
  const { body, oddities } = judgement;
  // What some senders cannot read is not live for all of them.
  const coded = oddities.find(({ code }) => code === 'policy-content-coding');
  if (coded !== undefined) return safeText(coded.message, 300);
  return Buffer.compare(body, bytes) === 0 ? undefined : `other bytes: ${firstDifference(bytes, body, 'expected', 'served')}`;
}

/** `192.0.2.1, 192.0.2.2: the answer has status 404, only 200 is a policy` */
function grouped(all: readonly Seen[]): readonly string[] {
  const byFault = new Map<string, string[]>();
  for (const { who, fault } of all) {
    if (fault !== undefined) byFault.set(fault, [...byFault.get(fault) ?? [], who]);
  }
  return [...byFault].map(([fault, who]) => `${who.join(', ')}: ${fault}`);
}
