// Waits for the addresses of both families, but only briefly for the second one.
import type { Clock } from '../network';
import { duration } from '../network-errors';
import { SOME_RESOLVER } from './answer';
import type { DnsAnswer, DnsFailed } from './answer';

/** The answers of both families, IPv4 first. */
export type BothFamilies = readonly [DnsAnswer<'A'>, DnsAnswer<'AAAA'>];

/**
 * Waits for the answers of both families. Some servers drop questions for AAAA instead of answering them (RFC 4074 §4.1), so a
 * found family must not wait long for the other one.
 *
 * @param milliseconds - time for the second family after the first one was found
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
