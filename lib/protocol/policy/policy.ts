// Parses and renders the policy file (RFC 8461 §3.2).
import type { Finding } from '../findings/finding';
import { FindingCollector } from '../findings/collector';
import { mxGrammarProblem } from '../mx/pattern';
import { readFields } from './fields';
import { lintPolicy } from './lint';
import { readLines } from './parse-line';
import { isMode, MAX_AGE_LIMIT, MAX_POLICY_BYTES } from './model';
import type { Mode, Policy } from './model';
import { safeText } from '../../util/safe-text';

export { MAX_AGE_LIMIT, MAX_POLICY_BYTES };
export type { Mode, Policy };

/** Result of parsing a policy file. */
export interface PolicyResult {
  readonly verdict: 'valid' | 'invalid';
  /** The policy, if the verdict is `valid`. */
  readonly policy?: Policy;
  /** Mode of the file, if the verdict is `invalid`. Senders that accept the file use it. */
  readonly mode?: Mode;
  readonly findings: readonly Finding[];
}

/**
 * Parses a policy file strictly by the grammar of RFC 8461 §3.2. Never throws.
 *
 * @param file - bytes of the body exactly as served; decoding them first would hide errors
 */
export function parsePolicy(file: Uint8Array): PolicyResult {
  const findings = new FindingCollector();
  const text = fileText(file, findings);
  if (text === undefined) return { verdict: 'invalid', findings: findings.list() };
  const fields = readFields(readLines(text), findings);
  lintPolicy(fields, findings);
  const { mode, maxAge, mx } = fields;
  if (mode === undefined || maxAge === undefined || !findings.valid) {
    return { verdict: 'invalid', mode: mode?.value, findings: findings.list() };
  }
  return {
    verdict: 'valid',
    policy: { mode: mode.value, maxAge: maxAge.value, mx: mx.map((pattern) => pattern.value) },
    findings: findings.list(),
  };
}

/**
 * Renders a policy file that all known senders accept: ASCII with CRLF, and the lines `version`, `mode`, `mx` and `max_age`. The patterns
 * are in lower case, sorted and without duplicates.
 *
 * @throws RangeError for a policy that `parsePolicy` would not read back
 */
export function renderPolicy({ mode, maxAge, mx }: Policy): string {
  const problem = modeProblem(mode) ?? maxAgeProblem(maxAge) ?? mxProblem(mx, mode);
  if (problem !== undefined) throw new RangeError(problem);
  const patterns = [...new Set(mx.map((pattern) => pattern.toLowerCase()))].sort();
  const lines = ['version: STSv1', `mode: ${mode}`, ...patterns.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAge}`];
  const text = lines.map((line) => `${line}\r\n`).join('');
  if (text.length > MAX_POLICY_BYTES) {
    throw new RangeError(`the policy file must be at most ${MAX_POLICY_BYTES} bytes (RFC 8461 §3.3), got ${text.length}; use wildcards in place of its ${patterns.length} hosts`);
  }
  return text;
}

/** Checks the file as a whole. Returns the text to read line by line, or undefined if reading on would find nothing useful. */
function fileText(file: Uint8Array, findings: FindingCollector): Uint8Array | undefined {
  const start = { line: 1, column: 1 };
  if (file.length > MAX_POLICY_BYTES) {
    findings.add('policy-too-large', { message: `the file has more than ${MAX_POLICY_BYTES} bytes`, ...start });
    return undefined;
  }
  if (file.length === 0) {
    findings.add('policy-empty', { message: 'the file is empty', ...start });
    return undefined;
  }
  if ((file[0] === 0xff && file[1] === 0xfe) || (file[0] === 0xfe && file[1] === 0xff)) {
    findings.add('policy-encoding', { message: 'the file is UTF-16, by its first two bytes', ...start });
    return undefined;
  }
  const marked = file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf;
  if (marked) findings.add('policy-bom', { message: 'the file begins with a byte order mark (bytes EF BB BF)', ...start });
  if (file.length > CHASQUID_MAX_BYTES) {
    findings.add('policy-large', { message: `the file has ${file.length} bytes, more than ${CHASQUID_MAX_BYTES}`, ...start });
  }
  const text = marked ? file.subarray(3) : file;
  if (firstVisible(text) === LESS_THAN) {
    findings.add('policy-html', { message: 'the file begins with `<`: it is a web page, not a policy', ...start });
    return undefined;
  }
  return text;
}

/** Maximum size that chasquid reads, the smallest limit of all known senders. */
const CHASQUID_MAX_BYTES = 10_240;

const SPACE = 0x20;
const LESS_THAN = 0x3c;

/** Returns the first byte that is no space or control character. Returns undefined if there is none. */
function firstVisible(text: Uint8Array): number | undefined {
  return text.find((byte) => byte > SPACE);
}

/** Checks the mode at run time, since JavaScript can call this without the type. */
function modeProblem(mode: string): string | undefined {
  return isMode(mode) ? undefined : `\`mode\` must be enforce, testing or none (RFC 8461 §3.2), got \`${safeText(mode)}\``;
}

function maxAgeProblem(maxAge: number): string | undefined {
  return Number.isInteger(maxAge) && maxAge >= 0 && maxAge <= MAX_AGE_LIMIT
    ? undefined
    : `\`maxAge\` must be whole seconds from 0 to ${MAX_AGE_LIMIT} (RFC 8461 §3.2), got ${maxAge}`;
}

function mxProblem(mx: readonly string[], mode: Mode): string | undefined {
  if (mx.length === 0 && mode !== 'none') return `\`mx\` must contain at least one pattern in mode ${mode} (RFC 8461 §3.2), got none`;
  for (const pattern of mx) {
    const problem = mxGrammarProblem(pattern);
    if (problem !== undefined) return `the mx pattern \`${safeText(pattern)}\` ${problem} (RFC 8461 §3.2)`;
  }
  return undefined;
}
