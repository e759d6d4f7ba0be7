// What the message says when the time of an event is over.
import { expect, test } from '@jest/globals';
import { Watch } from '../../lib/operations/context/activity';

test('names each step that is under way once, and what was seen last', async () => {
  const watch = new Watch();
  watch.saw('13.32.0.1: other bytes');
  let end: () => void = () => undefined;
  const step = new Promise<void>((resolve) => {
    end = resolve;
  });
  const steps = [watch.during('s3:PutObject', () => step), watch.during('DNS', () => step), watch.during('DNS', () => step)];
  expect(watch.describe()).toBe('waiting for s3:PutObject and DNS; last seen: 13.32.0.1: other bytes');
  end();
  await Promise.all(steps);
});

test('between two attempts it says so', async () => {
  const watch = new Watch();
  await watch.during('s3:PutObject', () => Promise.resolve());
  expect(watch.describe()).toBe('waiting to try again');
  watch.saw('13.32.0.1: other bytes');
  expect(watch.describe()).toBe('waiting to try again; last seen: 13.32.0.1: other bytes');
});
