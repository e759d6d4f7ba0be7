// Parses durations as people type them: `500ms`, `20s`, `10m`, `1h`.
import { safeText } from '../../lib/util/safe-text';

const UNITS: ReadonlyMap<string, number> = new Map([['ms', 1], ['s', 1000], ['m', 60_000], ['h', 3_600_000]]);

/** One day. No wait of this command takes longer, and timers support it. */
const MAX_DURATION_MS = 86_400_000;

const EXPECTED = 'a duration is a whole number and ms, s, m or h, such as `500ms`, `20s`, `10m` or `1h`';

/**
 * Parses a duration.
 *
 * @returns milliseconds
 * @throws RangeError that names the expected form
 */
export function parseDuration(text: string): number {
  const shown = `\`${safeText(text, 40)}\``;
  if (/^[0-9]{1,12}$/.test(text)) throw new RangeError(`${shown} has no unit; write \`${text}s\` for seconds`);
  const parts = /^([0-9]{1,12})([a-z]{1,2})$/.exec(text);
  const unit = UNITS.get(parts?.[2] ?? '');
  if (parts === null || unit === undefined) throw new RangeError(`${shown} is not a duration; ${EXPECTED}`);
  const milliseconds = Number(parts[1]) * unit;
  if (milliseconds === 0) throw new RangeError(`${shown} leaves no time at all; at least \`1ms\` is expected`);
  if (milliseconds > MAX_DURATION_MS) throw new RangeError(`${shown} is too long; at most \`24h\` is expected`);
  return milliseconds;
}
