// Events in any order: late, repeated or lost events leave the file, the id and the publication history in the state of CloudFormation.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { POLICIES, StackModel } from '../support/cloudformation-model';
import type { EventOutcome, Order } from '../support/cloudformation-model';
import { seededRandom } from '../support/sender-model';

const outcome: fc.Arbitrary<EventOutcome> = fc.constantFrom('answered', 'answered', 'answered', 'lost', 'answer lost', 'not live', 'fails later');
const outcomes = fc.array(outcome, { maxLength: 2 });
const deploy: fc.Arbitrary<Order> = fc.record({
  kind: fc.constant('deploy'), policy: fc.nat({ max: POLICIES.length - 1 }), outcome, rollback: outcomes,
});
const remove: fc.Arbitrary<Order> = fc.record({ kind: fc.constant('remove'), outcomes });
const orders = fc.array(fc.oneof({ weight: 6, arbitrary: deploy }, { weight: 1, arbitrary: remove }), { minLength: 2, maxLength: 4 });

/** 10,000 stacks take some minutes. `.ci/run` runs them beside the end-to-end tests. */
const STACKS = Number(process.env.STACKS ?? 2_000);

test(`the file, the id and the publication history match CloudFormation in ${STACKS} stacks with late, repeated and lost events`, async () => {
  const stack = new StackModel();
  const property = fc.asyncProperty(orders, fc.nat(), async (all, seed) => stack.run(all, seededRandom(seed)));
  await fc.assert(property, { seed: 8461, numRuns: STACKS });
  // A model without late events would prove nothing.
  expect(StackModel.seen.redeliveries).toBeGreaterThan(STACKS);
  expect(StackModel.seen.refused).toBeGreaterThan(STACKS / 2);
  expect(StackModel.seen.rollbacks).toBeGreaterThan(STACKS / 4);
  expect(StackModel.seen.answers).toBeGreaterThan(STACKS / 2);
}, 1_200_000);
