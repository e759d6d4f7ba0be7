// Waits until senders get exactly the intended file, from every address.
import { look, lookByIPv6 } from './live-check';
import type { Expected, Look } from './live-check';
import type { AskAddresses } from './policy-addresses';
import { repeat } from '../context/retry';
import type { Run } from '../context/invocation';

/** Far longer than Route 53 and CloudFront take; after it nothing mends itself any more. */
const UNTIL_LIVE = { milliseconds: 600_000, firstPause: 1_000, longestPause: 15_000 };

/** Looks after which the file is put again: half a minute at first, then each minute. */
const LOOKS_TO_PUT_AGAIN = 4;

/**
 * Polls until the file is live.
 *
 * @param putAgain - called now and then while it is not; throws where nobody wants the file any more
 * @throws where it is not in time, with what was seen last
 */
export async function proveLive(run: Run, expected: Expected, ask: AskAddresses, putAgain: () => Promise<void>): Promise<void> {
  const started = run.world.clock.now();
  const last = await repeat(run, UNTIL_LIVE, async (number) => {
    if (number % LOOKS_TO_PUT_AGAIN === 0) await putAgain();
    const seen = await look(run, expected, ask);
    note(run, seen, number);
    return seen;
  }, ({ live }) => !live);
  if (!last.live) {
    const seconds = Math.round((run.world.clock.now() - started) / 1000);
    throw new Error(`the policy file of https://${expected.policyHost} is not live after ${seconds} s; last seen: ${last.missing.join('; ')}; `
      + 'senders must get exactly the intended file from every address before it is announced (RFC 8461 §3.3, §8.1)');
  }
  const byIPv6 = await lookByIPv6(run, expected, ask);
  run.log.info('IPv6 decides nothing here: a Lambda function has none, so what it sees there is unknown', { seen: byIPv6 });
}

function note(run: Run, seen: Look, attempt: number): void {
  if (seen.live) {
    run.log.info('the policy file is live', { attempt, addresses: seen.addresses });
  } else {
    run.watch.saw(seen.missing.join('; '));
    run.log.info('the policy file is not live yet', { attempt, missing: seen.missing, addresses: seen.addresses });
  }
}
