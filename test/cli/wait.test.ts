// Retries of a temporary problem, with a fake clock.
import { describe, expect, test } from '@jest/globals';
import { RETRY_CLOCK, retryWhileTemporary } from '../../cli/commands/verify/wait';
import { pauseText } from '../../cli/commands/verify/wait';
import type { VerificationResult, LiveFinding } from '../../lib/verifier/result';
import { verificationResult } from '../support/report';

const STALE: LiveFinding = { code: 'id-unexpected', severity: 'error', area: 'record', subject: '_mta-sts.example.com TXT', message: 'the id is `1`, expected `2`', temporary: true };
const BROKEN: LiveFinding = { code: 'sts-policy-invalid', severity: 'error', area: 'policy-file', subject: 'x', message: 'the policy file is malformed' };
const SILENT: LiveFinding = { code: 'dns-failure', severity: 'unknown', area: 'policy-host', subject: 'x', message: 'no answer', temporary: true };
const NO_ROUTE: LiveFinding = { code: 'address-family-unusable', severity: 'unknown', area: 'policy-host', subject: 'x', message: 'no route' };

const PASS = verificationResult();
const OLD = verificationResult({ verdict: 'fail', findings: [STALE] });

interface Waited {
  readonly last: VerificationResult;
  readonly attempts: number;
  /** In milliseconds of virtual time. */
  readonly took: number;
  readonly texts: readonly string[];
}

/** Returns one result after the other, and repeats the last one. */
async function wait(
  results: readonly [VerificationResult, ...VerificationResult[]], waitMs: number, signal = new AbortController().signal,
): Promise<Waited> {
  let now = 1000;
  let attempts = 0;
  const texts: string[] = [];
  const last = await retryWhileTemporary(() => {
    attempts += 1;
    return Promise.resolve(results[attempts - 1] ?? results.at(-1) ?? results[0]);
  }, {
    waitMs,
    clock: {
      now: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
    },
    signal,
    onPause: (one, pause, left) => texts.push(pauseText(one, pause, left)),
  });
  return { last, attempts, took: now - 1000, texts };
}

describe('retries', () => {
  test('a domain that passes is verified once', async () => {
    expect(await wait([PASS], 600_000)).toMatchObject({ last: PASS, attempts: 1, took: 0, texts: [] });
  });

  test('a verification is repeated until the old id is gone, and each pause names the reason', async () => {
    const { last, attempts, texts } = await wait([OLD, OLD, PASS], 600_000);
    expect({ last, attempts }).toEqual({ last: PASS, attempts: 3 });
    expect(texts).toEqual([
      'mta-sts: example.com: id-unexpected: the id is `1`, expected `2`; again in 2 s, for at most 10 min\n',
      'mta-sts: example.com: id-unexpected: the id is `1`, expected `2`; again in 3 s, for at most 10 min\n',
    ]);
  });

  test('the retries end with the time, after a last verification at its very end', async () => {
    const { last, took, attempts } = await wait([OLD], 60_000);
    expect(last).toBe(OLD);
    expect(took).toBe(60_000);
    expect(attempts).toBeLessThan(12);
  });

  test.each<[string, VerificationResult]>([
    ['a permanent error', verificationResult({ verdict: 'fail', findings: [BROKEN] })],
    ['a permanent error among passing ones', verificationResult({ verdict: 'fail', findings: [STALE, BROKEN] })],
    ['a family that this machine has not', verificationResult({ verdict: 'unknown', findings: [NO_ROUTE] })],
  ])('a verification is not repeated for %s', async (_, one) => {
    expect(await wait([one, PASS], 600_000)).toMatchObject({ last: one, attempts: 1, took: 0 });
  });

  test('a verification is repeated after an answer did not arrive', async () => {
    expect(await wait([verificationResult({ verdict: 'unknown', findings: [SILENT, NO_ROUTE] }), PASS], 600_000)).toMatchObject({ last: PASS, attempts: 2 });
  });

  test('the retries end when they are cancelled', async () => {
    expect(await wait([OLD, PASS], 600_000, AbortSignal.abort())).toMatchObject({ last: OLD, attempts: 1 });
  });

  test('the text of a pause shows a short remaining time in seconds', () => {
    expect(pauseText(OLD, 1500, 61_000)).toContain('again in 1.5 s, for at most 61 s\n');
    expect(pauseText(verificationResult({ verdict: 'unknown' }), 1500, 61_000)).toContain('not decided yet');
  });

  test('the text of a pause escapes text from servers', () => {
    const hostile = verificationResult({ verdict: 'fail', findings: [{ ...STALE, message: 'a\u001b[2Jb\nc' }] });
    expect(pauseText(hostile, 1500, 61_000)).toContain('a\\x1b[2Jb\\x0ac');
  });
});

describe('the real clock', () => {
  test('the real clock wakes early when its sleep is cancelled', async () => {
    const called = new AbortController();
    const sleeping = RETRY_CLOCK.sleep(3_600_000, called.signal);
    called.abort();
    await expect(sleeping).resolves.toBeUndefined();
  });
});
