// Waits for the addresses of both families, and not for a silent one as long as for the only one.
import { duration } from '../network-errors';
import { SOME_RESOLVER } from './resolver';
import type { DnsAnswer, DnsFailed } from './resolver';
import type { Clock } from '../network';

/** The answers of both families, IPv4 first. */
export type BothFamilies = readonly [DnsAnswer<'A'>, DnsAnswer<'AAAA'>];

/**
 * Some servers drop questions for AAAA instead of answering them (RFC 4074 §4.1), so what is known of one family must not wait
 * for the other without end.
 *
 * @param milliseconds - how long one family is waited for after the other has been found
 */
export function bothFamilies(
  clock: Clock, v4: Promise<DnsAnswer<'A'>>, v6: Promise<DnsAnswer<'AAAA'>>, milliseconds: number,
): Promise<BothFamilies> {
  const late = async (other: Promise<DnsAnswer<'A' | 'AAAA'>>): Promise<DnsFailed> => {
    if ((await other).status !== 'found') await new Promise(() => undefined);
    await clock.sleep(milliseconds);
    const reason = `no answer for another ${duration(milliseconds)} after the other address family was found`;
    return { status: 'failed', reason, server: SOME_RESOLVER, cnames: [] };
  };
  return Promise.all([Promise.race([v4, late(v6)]), Promise.race([v6, late(v4)])]);
}
