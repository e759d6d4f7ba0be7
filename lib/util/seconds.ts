// A policy's max_age in the unit that people think in.

const UNITS: readonly (readonly [seconds: number, name: string])[] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

/** `30 days`, `1 hour`, `90 seconds`: the largest unit that says it exactly; `31557600 seconds, over 365 days` where none does. */
export function days(seconds: number): string {
  if (seconds > 86_400 && seconds % 86_400 !== 0) return `${seconds} seconds, over ${days(seconds - seconds % 86_400)}`;
  const [size, name] = UNITS.find(([unit]) => seconds >= unit && seconds % unit === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
