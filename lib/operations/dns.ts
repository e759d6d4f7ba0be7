// DNS questions that are worth asking again: a time-out or a SERVFAIL says nothing yet.
import type { DnsAnswer, DnsEmpty, DnsFound, DnsType } from '../verifier/dns/answer';
import type { Resolver } from '../verifier/dns/resolver';
import { retryUntil } from './context/retry';
import type { Invocation } from './context/invocation';

const PATIENCE = { totalMs: 30_000, firstPauseMs: 1_000, maxPauseMs: 8_000 };

/**
 * The recursive resolver, asked until there is an answer, for half a minute.
 *
 * Never to be used for `mta-sts.`, `_mta-sts.` and `_smtp._tls.` names: the answer that there is none would be cached there,
 * and would stand in the way of the names that the deployment is about to make.
 */
export function retryingResolver(invocation: Invocation): Resolver {
  return {
    query: async (name, type) => invocation.activity.track(`DNS, ${name} ${type}`, async () => {
      return retryUntil(invocation, PATIENCE, async (number) => attempt(invocation, name, type, number), ({ status }) => status === 'failed');
    }),
  };
}

/**
 * Asks it one question.
 *
 * @throws where DNS gave no answer: that is never "there is none"
 */
export async function askDns<T extends DnsType>(invocation: Invocation, name: string, type: T): Promise<DnsFound<T> | DnsEmpty> {
  const answer = await retryingResolver(invocation).query(name, type);
  if (answer.status !== 'failed') return answer;
  throw new Error(`DNS gave no answer for ${name} ${type}: ${answer.reason} (from ${answer.server}); that is a passing fault of the name `
    + 'servers or of the way to them, so mend it or deploy again');
}

async function attempt<T extends DnsType>(invocation: Invocation, name: string, type: T, number: number): Promise<DnsAnswer<T>> {
  const answer = await invocation.services.resolver.query(name, type);
  if (answer.status === 'failed') {
    invocation.activity.noteSeen(`${name} ${type}: ${answer.reason}`);
    invocation.log.warn(`DNS gave no answer for ${name} ${type}`, { attempt: number, reason: answer.reason, server: answer.server });
  }
  return answer;
}
