// The description of pending operations in the message of a timeout.
import { expect, test } from '@jest/globals';
import { Activity } from '../../lib/operations/context/activity';

test('the message of a timeout names each pending operation once, and the last observation', async () => {
  const activity = new Activity();
  activity.noteSeen('13.32.0.1: other bytes');
  let end: () => void = () => undefined;
  const step = new Promise<void>((resolve) => {
    end = resolve;
  });
  const steps = [activity.track('s3:PutObject', () => step), activity.track('DNS', () => step), activity.track('DNS', () => step)];
  expect(activity.describe()).toBe('waiting for s3:PutObject and DNS; last seen: 13.32.0.1: other bytes');
  end();
  await Promise.all(steps);
});

test('the message of a timeout between two attempts says that the function waits to try again', async () => {
  const activity = new Activity();
  await activity.track('s3:PutObject', () => Promise.resolve());
  expect(activity.describe()).toBe('waiting to try again');
  activity.noteSeen('13.32.0.1: other bytes');
  expect(activity.describe()).toBe('waiting to try again; last seen: 13.32.0.1: other bytes');
});
