// What is legal in a policy file and yet read otherwise by some sender, or bound to hurt later.
import { reservedLabel, topLevelProblem } from '../domain-name';
import type { FindingCollector } from '../findings/collector';
import type { Placed, PolicyFields } from './fields';
import { MAX_AGE_LIMIT } from './model';

/** Reports the warnings that well-formed values deserve. */
export function lintPolicy({ mode, maxAge, mx }: PolicyFields, findings: FindingCollector): void {
  if (maxAge !== undefined) lintMaxAge(maxAge, mode?.value === 'enforce', findings);
  lintPatterns(mx, findings);
}

const DAY = 86400;

/** RFC 8461 §10.2: the age is how long an attacker who hides the record must keep hiding it. */
const SHORT_ENFORCE = 14 * DAY;

function lintMaxAge({ value, line, column }: Placed<number>, enforced: boolean, findings: FindingCollector): void {
  const at = { line, column };
  if (value === 0) {
    findings.add('policy-max-age-zero', { message: 'max_age is 0', ...at });
  } else if (value < DAY) {
    findings.add('policy-max-age-short', { message: `max_age is ${value} seconds, under a day (${DAY})`, ...at });
  } else if (enforced && value < SHORT_ENFORCE) {
    findings.add('policy-max-age-enforce', { message: `max_age is ${value} seconds in mode \`enforce\`, under 14 days (${SHORT_ENFORCE})`, ...at });
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
    if (seen.has(lower)) findings.add('policy-mx-duplicate', { message: `mx pattern \`${value}\` is there twice`, ...at });
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
    const doubt = topLevelProblem(value);
    if (doubt !== undefined) findings.add('policy-mx-digits', { message: `mx pattern \`${value}\` ${doubt}`, ...at });
    seen.add(lower);
  }
}
