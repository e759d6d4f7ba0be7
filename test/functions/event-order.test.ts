// Events in any order: whatever comes late, twice or never, in the end the file, the id and the ledger are those that CloudFormation holds.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { POLICIES, StackModel } from '../support/cloudformation-model';
import type { Fate, Order } from '../support/cloudformation-model';
import { random } from '../support/sender-model';

const fate: fc.Arbitrary<Fate> = fc.constantFrom('answered', 'answered', 'answered', 'lost', 'unheard', 'not live', 'fails later');
const fates = fc.array(fate, { maxLength: 2 });
const deploy: fc.Arbitrary<Order> = fc.record({
  kind: fc.constant('deploy'), policy: fc.nat({ max: POLICIES.length - 1 }), fate, rollback: fates,
});
const remove: fc.Arbitrary<Order> = fc.record({ kind: fc.constant('remove'), fates });
const orders = fc.array(fc.oneof({ weight: 6, arbitrary: deploy }, { weight: 1, arbitrary: remove }), { minLength: 2, maxLength: 4 });

/** 10,000 take some minutes: `.ci/run` asks for them beside the stage. */
const STACKS = Number(process.env.STACKS ?? 2_000);

test(`${STACKS} stacks whose events come late, twice or never end with the file, the id and the ledger that CloudFormation holds`, async () => {
  const stack = new StackModel();
  await fc.assert(fc.asyncProperty(orders, fc.nat(), async (all, seed) => stack.run(all, random(seed))), { seed: 8461, numRuns: STACKS });
  // A model in which nothing comes late would prove nothing.
  expect(StackModel.seen.ghosts).toBeGreaterThan(STACKS);
  expect(StackModel.seen.refused).toBeGreaterThan(STACKS / 2);
  expect(StackModel.seen.rollbacks).toBeGreaterThan(STACKS / 4);
  expect(StackModel.seen.answers).toBeGreaterThan(STACKS / 2);
}, 1_200_000);
