// Waiting for what waiting can mend, with a clock of its own.
import { describe, expect, test } from '@jest/globals';
import { RETRY_CLOCK, retryWhileTemporary } from '../../cli/commands/verify/wait';
import { waitingText } from '../../cli/commands/verify/waiting-text';
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
  readonly looks: number;
  /** Milliseconds of virtual time. */
  readonly took: number;
  readonly told: readonly string[];
}

/** Gives one report after the other, the last one for ever. */
async function wait(reports: readonly VerificationResult[], waitMs: number, signal = new AbortController().signal): Promise<Waited> {
  let now = 1000;
  let looks = 0;
  const told: string[] = [];
  const last = await retryWhileTemporary(() => {
    looks += 1;
    return Promise.resolve(reports[Math.min(looks, reports.length) - 1]);
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
    tell: (one, pause, left) => told.push(waitingText(one, pause, left)),
  });
  return { last, looks, took: now - 1000, told };
}

describe('patience', () => {
  test('looks once where all is well', async () => {
    expect(await wait([PASS], 600_000)).toMatchObject({ last: PASS, looks: 1, took: 0, told: [] });
  });

  test('looks until the old id is gone, and says each time what it waits for', async () => {
    const { last, looks, told } = await wait([OLD, OLD, PASS], 600_000);
    expect({ last, looks }).toEqual({ last: PASS, looks: 3 });
    expect(told).toEqual([
      'mta-sts: example.com: id-unexpected: the id is `1`, expected `2`; again in 2 s, for at most 10 min\n',
      'mta-sts: example.com: id-unexpected: the id is `1`, expected `2`; again in 3 s, for at most 10 min\n',
    ]);
  });

  test('ends with the time, after a last look at its very end', async () => {
    const { last, took, looks } = await wait([OLD], 60_000);
    expect(last).toBe(OLD);
    expect(took).toBe(60_000);
    expect(looks).toBeLessThan(12);
  });

  test.each<[string, VerificationResult]>([
    ['a permanent error', verificationResult({ verdict: 'fail', findings: [BROKEN] })],
    ['a permanent error among passing ones', verificationResult({ verdict: 'fail', findings: [STALE, BROKEN] })],
    ['a family that this machine has not', verificationResult({ verdict: 'unknown', findings: [NO_ROUTE] })],
  ])('does not wait for %s', async (_, one) => {
    expect(await wait([one, PASS], 600_000)).toMatchObject({ last: one, looks: 1, took: 0 });
  });

  test('waits for an answer that did not come', async () => {
    expect(await wait([verificationResult({ verdict: 'unknown', findings: [SILENT, NO_ROUTE] }), PASS], 600_000)).toMatchObject({ last: PASS, looks: 2 });
  });

  test('ends when it is called off', async () => {
    expect(await wait([OLD, PASS], 600_000, AbortSignal.abort())).toMatchObject({ last: OLD, looks: 1 });
  });

  test('says how little time is left in seconds', () => {
    expect(waitingText(OLD, 1500, 61_000)).toContain('again in 1.5 s, for at most 61 s\n');
    expect(waitingText(verificationResult({ verdict: 'unknown' }), 1500, 61_000)).toContain('not decided yet');
  });

  test('shows nothing of a stranger raw', () => {
    const hostile = verificationResult({ verdict: 'fail', findings: [{ ...STALE, message: 'a\u001b[2Jb\nc' }] });
    expect(waitingText(hostile, 1500, 61_000)).toContain('a\\x1b[2Jb\\x0ac');
  });
});

describe('the clock on the wall', () => {
  test('wakes early from a sleep that is called off', async () => {
    const called = new AbortController();
    const sleeping = RETRY_CLOCK.sleep(3_600_000, called.signal);
    called.abort();
    await expect(sleeping).resolves.toBeUndefined();
  });
});
