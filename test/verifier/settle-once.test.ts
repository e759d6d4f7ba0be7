// A conversation with a server ends once, whatever happens.
import { describe, expect, test } from '@jest/globals';
import { settleOnce } from '../../lib/verifier/guard';
import type { ConversationLimits } from '../../lib/verifier/guard';

function limits(more: Partial<ConversationLimits<string>> = {}): ConversationLimits<string> {
  return { timeoutMs: 10_000, signals: [], failed: (reason) => `failed: ${reason}`, timedOut: () => 'timed out', cancelled: () => 'cancelled', ...more };
}

describe('a conversation', () => {
  test('a conversation that settles while it starts is closed', async () => {
    let closed = 0;
    const result = await settleOnce(limits(), (settle) => {
      settle('done');
      settle('again');
      return () => {
        closed += 1;
      };
    });
    expect([result, closed]).toEqual(['done', 1]);
  });

  test('a conversation that cannot start ends with the reason', async () => {
    expect(await settleOnce(limits(), () => {
      throw new TypeError('no socket');
    })).toMatch(/^failed: .*no socket/);
  });

  test('a conversation ends at its time limit, and is closed', async () => {
    let closed = 0;
    const result = await settleOnce(limits({ timeoutMs: 1 }), () => () => {
      closed += 1;
    });
    expect([result, closed]).toEqual(['timed out', 1]);
  });

  test('a conversation whose signal has aborted does not start', async () => {
    const result = await settleOnce(limits({ signals: [AbortSignal.abort('over')] }), () => {
      throw new Error('started');
    });
    expect(result).toBe('cancelled');
  });
});
