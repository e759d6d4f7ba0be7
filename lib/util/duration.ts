// Durations in the largest unit that people think in.

const UNITS: readonly (readonly [seconds: number, name: string])[] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

/**
 * Formats a number of seconds in the largest unit that divides it: `30 days`, `1 hour`, `90 seconds`. Of more than a day without such a
 * unit, adds the whole days: `31557600 seconds, over 365 days`.
 */
export function formatSeconds(seconds: number): string {
  if (seconds > 86_400 && seconds % 86_400 !== 0) return `${seconds} seconds, over ${formatSeconds(seconds - seconds % 86_400)}`;
  const [size, name] = UNITS.find(([unit]) => seconds >= unit && seconds % unit === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
