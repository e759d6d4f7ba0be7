import { describe, expect, test } from '@jest/globals';
import { parseDuration } from '../../cli/input/durations';
import { formatSeconds } from '../../lib/util/duration';

describe('a duration', () => {
  test.each([
    ['20', '`20` has no unit; write `20s` for seconds'],
    ['', '`` is not a duration; a duration is a whole number and ms, s, m or h, such as `500ms`, `20s`, `10m` or `1h`'],
    ['s', 'is not a duration'],
    ['20sec', 'is not a duration'],
    ['20S', 'is not a duration'],
    ['20 s', 'is not a duration'],
    ['1.5s', 'is not a duration'],
    ['-1s', 'is not a duration'],
    ['1e3s', 'is not a duration'],
    ['0x10s', 'is not a duration'],
    ['1m30s', 'is not a duration'],
    ['20s\n', '`20s\\x0a` is not a duration'],
    ['٣s', 'is not a duration'],
    ['1d', 'is not a duration'],
    ['9'.repeat(400), 'is not a duration'],
    ['0s', '`0s` leaves no time at all; at least `1ms` is expected'],
    ['000ms', 'leaves no time at all'],
    ['25h', '`25h` is too long; at most `24h` is expected'],
    ['86400001ms', 'is too long'],
  ])('the duration %j is refused', (text, message) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
    expect(() => parseDuration(text)).toThrow(message);
  });

  test.each([
    ['1ms', 1],
    ['500ms', 500],
    ['20s', 20_000],
    ['010s', 10_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['24h', 86_400_000],
  ])('the duration %s is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
});

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [90, '90 seconds'],
  [120, '2 minutes'],
  [5400, '90 minutes'],
  [7200, '2 hours'],
  [86_400, '1 day'],
  [2_592_000, '30 days'],
  [90_000, '90000 seconds, over 1 day'],
  [31_557_600, '31557600 seconds, over 365 days'],
])('a max_age of %d is shown as %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});
