// Waits until senders get exactly the intended file, from every address.
import { policyUrl } from '../../protocol/policy/url';
import { deploymentFailure, endSentence } from '../failures';
import { checkOnce, checkByIPv6 } from './live-check';
import type { Expected, LiveObservation } from './live-check';
import type { AskAddresses } from './policy-addresses';
import { retryUntil } from '../context/retry';
import type { OperationContext } from '../context/operation-context';

/** Far longer than Route 53 and CloudFront take; after it nothing mends itself any more. */
const UNTIL_LIVE = { totalMs: 600_000, firstPauseMs: 1_000, maxPauseMs: 15_000 };

/** Looks after which the file is put again: half a minute at first, then each minute. */
const LOOKS_TO_PUT_AGAIN = 4;

/**
 * Polls until the file is live.
 *
 * @param putAgain - called now and then while it is not; throws where nobody wants the file any more
 * @throws where it is not in time, with what was seen last
 */
export async function proveLive(context: OperationContext, expected: Expected, ask: AskAddresses, putAgain: () => Promise<void>): Promise<void> {
  const started = context.services.clock.now();
  const last = await retryUntil(context, UNTIL_LIVE, async (number) => {
    if (number % LOOKS_TO_PUT_AGAIN === 0) await putAgain();
    const seen = await checkOnce(context, expected, ask);
    note(context, seen, number);
    return seen;
  }, ({ live }) => !live);
  if (!last.live) {
    const seconds = Math.round((context.services.clock.now() - started) / 1000);
    throw deploymentFailure('policy-not-live', `${policyUrl(expected.policyHost)} did not serve the new policy within ${seconds} s. Last seen: ${endSentence(last.missing.join('; '))} `
      + 'The _mta-sts record was not changed. Fix the cause, and deploy again (RFC 8461 §3.3, §8.1).');
  }
  const byIPv6 = await checkByIPv6(context, expected, ask);
  context.log.info('IPv6 decides nothing here: a Lambda function has none, so what it sees there is unknown', { seen: byIPv6 });
}

function note(context: OperationContext, seen: LiveObservation, attempt: number): void {
  if (seen.live) {
    context.log.info('the policy file is live', { attempt, addresses: seen.addresses });
  } else {
    context.activity.noteSeen(seen.missing.join('; '));
    context.log.info('the policy file is not live yet', { attempt, missing: seen.missing, addresses: seen.addresses });
  }
}
