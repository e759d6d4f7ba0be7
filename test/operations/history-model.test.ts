// Random publications of a domain, against a model of its senders: no date of the publication history is too early, and no warning is
// missing.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BUCKET, HISTORY_KEY } from '../support/deployment';
import { Senders, seededRandom, servedPolicy } from '../support/sender-model';
import type { Outcome, Served } from '../support/sender-model';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const HOSTS = ['mx1.example.com', 'mx2.example.com', 'in.example.net'];
const PATTERNS = [['mx1.example.com'], ['mx1.example.com', 'mx2.example.com'], ['*.example.com'], ['in.example.net'], ['*.example.com', 'in.example.net']];

/** Only twelve policies, so that random histories often return to an older one. */
const POLICIES: readonly Served[] = (['enforce', 'enforce', 'testing', 'none'] as const).flatMap((mode, row) => {
  return [1, 4, 20].map((days, column) => {
    return servedPolicy({ mode, maxAge: days * 86_400, mx: PATTERNS.at((row * 3 + column) % PATTERNS.length) ?? [] });
  });
});

type Step
  = | { readonly kind: 'publish'; readonly policy: Served; readonly outcome: Outcome }
    | { readonly kind: 'wait'; readonly milliseconds: number }
    | { readonly kind: 'mx'; readonly hosts: readonly string[] }
    | { readonly kind: 'withdraw' }
    | { readonly kind: 'damage'; readonly text: string | undefined };

const OUTCOMES: readonly Outcome[] = [
  'success', 'success', 'success', 'success, repeated later', 'success, delivered twice', 'not live', 'never live', 'record unchanged', 'verification failed',
];

const publish: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('publish'), policy: fc.constantFrom(...POLICIES), outcome: fc.constantFrom(...OUTCOMES),
});
const wait: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('wait'),
  milliseconds: fc.oneof(...[90 * MINUTE, 3 * DAY, 25 * DAY].map((max) => fc.integer({ min: 0, max }))),
});
const mx: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('mx'), hosts: fc.subarray(HOSTS) });
const withdraw: fc.Arbitrary<Step> = fc.constant({ kind: 'withdraw' });
const damage: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('damage'), text: fc.constantFrom(undefined, '', '{"version":1', '{"version":2,"entries":[]}'),
});

function history(...more: fc.WeightedArbitrary<Step>[]): fc.Arbitrary<Step[]> {
  const often = [publish, wait].map((arbitrary) => ({ weight: 5, arbitrary }));
  const step = fc.oneof(...often, ...[mx, withdraw].map((arbitrary) => ({ weight: 1, arbitrary })), ...more);
  return fc.array(step, { minLength: 2, maxLength: 14, size: 'max' });
}

const checked = { removal: 0, conflict: 0, prolonged: 0 };

async function runSteps(steps: readonly Step[], seed: number): Promise<void> {
  const senders = new Senders(POLICIES, HOSTS.slice(0, 1), seededRandom(seed));
  for (const step of steps) await runStep(senders, step);
  await senders.waitForRemoval();
  await senders.wait(40 * DAY);
  for (const key of ['removal', 'conflict', 'prolonged'] as const) checked[key] += senders.checked[key];
}

async function runStep(senders: Senders, step: Step): Promise<void> {
  switch (step.kind) {
    case 'publish': return senders.publish(step.policy, step.outcome);
    case 'wait': return senders.wait(step.milliseconds);
    case 'mx':
      senders.mx = [...step.hosts];
      return undefined;
    case 'withdraw':
      await senders.waitForRemoval();
      return senders.isRemovable ? senders.withdraw() : undefined;
    case 'damage':
      senders.hasCompleteHistory = false;
      if (step.text === undefined) senders.objects.delete(`${BUCKET}/${HISTORY_KEY}`);
      else if (senders.objects.has(`${BUCKET}/${HISTORY_KEY}`)) senders.objects.set(`${BUCKET}/${HISTORY_KEY}`, step.text);
      return undefined;
  }
}

test('no sender has a cached policy after EarliestRemoval, and none refuses mail without an earlier warning', async () => {
  await fc.assert(fc.asyncProperty(history(), fc.nat(), runSteps), { seed: 8461, numRuns: 200 });
  // A model without cached or prolonged policies would prove nothing.
  expect(checked.removal).toBeGreaterThan(100);
  expect(checked.conflict).toBeGreaterThan(1000);
  expect(checked.prolonged).toBeGreaterThan(20);
}, 300_000);

test('no sender has a cached policy after EarliestRemoval of a publication history that was lost, damaged or of a later version', async () => {
  await fc.assert(fc.asyncProperty(history({ weight: 2, arbitrary: damage }), fc.nat(), runSteps), { seed: 3207, numRuns: 200 });
}, 300_000);
