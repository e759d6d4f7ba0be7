// Random histories of a domain, against a model of what its senders hold: what the ledger says of them is never too early and
// never too little.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BUCKET, HISTORY_KEY } from '../support/deployment';
import { Senders, random, served } from '../support/sender-model';
import type { Course, Served } from '../support/sender-model';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const HOSTS = ['mx1.example.com', 'mx2.example.com', 'in.example.net'];
const PATTERNS = [['mx1.example.com'], ['mx1.example.com', 'mx2.example.com'], ['*.example.com'], ['in.example.net'], ['*.example.com', 'in.example.net']];

/** Few, so that histories come back to one that was published before. */
const POLICIES: readonly Served[] = (['enforce', 'enforce', 'testing', 'none'] as const).flatMap((mode, row) => {
  return [1, 4, 20].map((days, column) => {
    return served({ mode, maxAge: days * 86_400, mx: PATTERNS.at((row * 3 + column) % PATTERNS.length) ?? [] });
  });
});

type Step
  = | { readonly kind: 'publish'; readonly policy: Served; readonly course: Course }
    | { readonly kind: 'wait'; readonly milliseconds: number }
    | { readonly kind: 'mx'; readonly hosts: readonly string[] }
    | { readonly kind: 'withdraw' }
    | { readonly kind: 'spoil'; readonly text: string | undefined };

const COURSES: readonly Course[] = ['well', 'well', 'well', 'again', 'doubled', 'not live', 'never live', 'not announced', 'taken back'];

const publish: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('publish'), policy: fc.constantFrom(...POLICIES), course: fc.constantFrom(...COURSES),
});
const wait: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('wait'),
  milliseconds: fc.oneof(...[90 * MINUTE, 3 * DAY, 25 * DAY].map((max) => fc.integer({ min: 0, max }))),
});
const mx: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('mx'), hosts: fc.subarray(HOSTS) });
const withdraw: fc.Arbitrary<Step> = fc.constant({ kind: 'withdraw' });
const spoil: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('spoil'), text: fc.constantFrom(undefined, '', '{"version":1', '{"version":2,"entries":[]}'),
});

function history(...more: fc.WeightedArbitrary<Step>[]): fc.Arbitrary<Step[]> {
  const often = [publish, wait].map((arbitrary) => ({ weight: 5, arbitrary }));
  const step = fc.oneof(...often, ...[mx, withdraw].map((arbitrary) => ({ weight: 1, arbitrary })), ...more);
  return fc.array(step, { minLength: 2, maxLength: 14, size: 'max' });
}

const tried = { removal: 0, refusal: 0, prolonged: 0 };

async function live(steps: readonly Step[], seed: number): Promise<void> {
  const senders = new Senders(POLICIES, HOSTS.slice(0, 1), random(seed));
  for (const step of steps) await take(senders, step);
  await senders.waitForRemoval();
  await senders.wait(40 * DAY);
  for (const key of ['removal', 'refusal', 'prolonged'] as const) tried[key] += senders.tried[key];
}

async function take(senders: Senders, step: Step): Promise<void> {
  switch (step.kind) {
    case 'publish': return senders.publish(step.policy, step.course);
    case 'wait': return senders.wait(step.milliseconds);
    case 'mx':
      senders.mx = [...step.hosts];
      return undefined;
    case 'withdraw':
      await senders.waitForRemoval();
      return senders.removable ? senders.withdraw() : undefined;
    case 'spoil':
      senders.complete = false;
      if (step.text === undefined) senders.objects.delete(`${BUCKET}/${HISTORY_KEY}`);
      else if (senders.objects.has(`${BUCKET}/${HISTORY_KEY}`)) senders.objects.set(`${BUCKET}/${HISTORY_KEY}`, step.text);
      return undefined;
  }
}

test('no sender holds a policy after the earliest removal, and none refuses mail that was not warned of', async () => {
  await fc.assert(fc.asyncProperty(history(), fc.nat(), live), { seed: 8461, numRuns: 200 });
  // A model in which nothing is ever held, or never prolonged, would prove nothing.
  expect(tried.removal).toBeGreaterThan(100);
  expect(tried.refusal).toBeGreaterThan(1000);
  expect(tried.prolonged).toBeGreaterThan(20);
}, 300_000);

test('nor does one after the earliest removal of a ledger that was lost, damaged or of a later version', async () => {
  await fc.assert(fc.asyncProperty(history({ weight: 2, arbitrary: spoil }), fc.nat(), live), { seed: 3207, numRuns: 200 });
}, 300_000);
