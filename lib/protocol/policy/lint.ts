// Warns of values that are valid in a policy file, but that some senders read differently or that cause trouble later.
import { reservedLabel, topLevelProblem } from '../domain-name';
import type { FindingCollector } from '../findings/collector';
import type { Placed, PolicyFields } from './fields';
import { MAX_AGE_LIMIT } from './model';

/** Adds the warnings for well-formed values. */
export function lintPolicy({ mode, maxAge, mx }: PolicyFields, findings: FindingCollector): void {
  if (maxAge !== undefined) lintMaxAge(maxAge, mode?.value === 'enforce', findings);
  lintPatterns(mx, findings);
}

const DAY_SECONDS = 86_400;

/** RFC 8461 §10.2: an attacker who hides the record must keep it hidden for the whole `max_age`. */
const SHORT_ENFORCE_SECONDS = 14 * DAY_SECONDS;

function lintMaxAge({ value, line, column }: Placed<number>, enforced: boolean, findings: FindingCollector): void {
  const at = { line, column };
  if (value === 0) {
    findings.add('policy-max-age-zero', { message: 'max_age is 0', ...at });
  } else if (value < DAY_SECONDS) {
    findings.add('policy-max-age-short', { message: `max_age is ${value} seconds, under a day (${DAY_SECONDS})`, ...at });
  } else if (enforced && value < SHORT_ENFORCE_SECONDS) {
    findings.add('policy-max-age-enforce', { message: `max_age is ${value} seconds in mode \`enforce\`, under 14 days (${SHORT_ENFORCE_SECONDS})`, ...at });
  } else if (value === MAX_AGE_LIMIT) {
    findings.add('policy-max-age-at-limit', { message: `max_age is exactly the limit of ${MAX_AGE_LIMIT} seconds`, ...at });
  }
}

function lintPatterns(mx: readonly Placed<string>[], findings: FindingCollector): void {
  const seen = new Set<string>();
  for (const { value, line, column } of mx) {
    const lower = value.toLowerCase();
    const at = { line, column };
    if (lower !== value) {
      findings.add('policy-mx-upper-case', { message: `mx pattern \`${value}\` has upper-case letters`, fix: `write \`${lower}\``, ...at });
    }
    if (seen.has(lower)) findings.add('policy-mx-duplicate', { message: `mx pattern \`${value}\` appears twice`, ...at });
    const wild = lower.startsWith('*.');
    if (!lower.includes('.', wild ? 2 : 0)) {
      const meaning = wild ? 'covers every domain directly under a top-level domain' : 'has a single label';
      findings.add('policy-mx-single-label', { message: `mx pattern \`${value}\` ${meaning}`, ...at });
    }
    const reserved = reservedLabel(lower);
    if (reserved !== undefined) {
      findings.add('policy-mx-reserved-label', {
        message: `mx pattern \`${value}\` has the label \`${reserved}\`, with hyphens in its third and fourth place, which is no A-label`, ...at,
      });
    }
    const problem = topLevelProblem(value);
    if (problem !== undefined) findings.add('policy-mx-digits', { message: `mx pattern \`${value}\` ${problem}`, ...at });
    seen.add(lower);
  }
}
