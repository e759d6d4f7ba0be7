// Questions to DNS that are retried: after a time-out or a SERVFAIL nothing is known yet.
import type { DnsAnswer, DnsEmpty, DnsFound, DnsType } from '../verifier/dns/answer';
import type { Resolver } from '../verifier/dns/resolver';
import { retryUntil } from './context/retry';
import type { OperationContext } from './context/operation-context';
import { deploymentFailure } from './failures';

const RETRY = { totalMs: 30_000, firstPauseMs: 1_000, maxPauseMs: 8_000 };

/**
 * Returns the recursive resolver, with retries until it has an answer, for half a minute.
 *
 * Never use it for `mta-sts.`, `_mta-sts.` and `_smtp._tls.` names. The resolver would cache that they do not exist, and would not
 * see the records that the deployment is about to make.
 */
export function retryingResolver(context: OperationContext): Resolver {
  return {
    query: async (name, type) => context.activity.track(`DNS, ${name} ${type}`, async () => {
      return retryUntil(context, RETRY, async (number) => attempt(context, name, type, number), ({ status }) => status === 'failed');
    }),
  };
}

/**
 * Asks the recursive resolver one question.
 *
 * @throws DeploymentFailure where DNS gave no answer, which never means that there is no record
 */
export async function askDns<T extends DnsType>(context: OperationContext, name: string, type: T): Promise<DnsFound<T> | DnsEmpty> {
  const answer = await retryingResolver(context).query(name, type);
  if (answer.status !== 'failed') return answer;
  throw deploymentFailure('dns-failure', `DNS gave no answer for ${name} ${type}: ${answer.reason} (from ${answer.server}). The check could not be made. Fix the `
    + 'name servers, or deploy again: most such failures are temporary (RFC 8461 §5.1).');
}

async function attempt<T extends DnsType>(context: OperationContext, name: string, type: T, number: number): Promise<DnsAnswer<T>> {
  const answer = await context.services.resolver.query(name, type);
  if (answer.status === 'failed') {
    context.activity.noteSeen(`${name} ${type}: ${answer.reason}`);
    context.log.warn(`DNS gave no answer for ${name} ${type}`, { attempt: number, reason: answer.reason, server: answer.server });
  }
  return answer;
}
