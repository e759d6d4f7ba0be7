// The policy file (RFC 8461 §3.2): from bytes to a policy, and back.
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

/** What a policy file comes to. */
export interface PolicyResult {
  readonly verdict: 'valid' | 'invalid';
  /** Where the verdict is `valid`. */
  readonly policy?: Policy;
  /** What the file states where the verdict is `invalid`: senders that use it all the same go by it. */
  readonly mode?: Mode;
  readonly findings: readonly Finding[];
}

/**
 * Reads a policy file by the grammar of RFC 8461 §3.2, nothing more lenient. Never throws.
 *
 * @param file - the body exactly as served, in bytes: decoding first would mend what is an error
 */
export function parsePolicy(file: Uint8Array): PolicyResult {
  const findings = new FindingCollector();
  const text = fileText(file, findings);
  if (text === undefined) return { verdict: 'invalid', findings: findings.list() };
  const fields = readFields(readLines(text), findings);
  lintPolicy(fields, findings);
  const { mode, maxAge, mx } = fields;
  if (mode === undefined || maxAge === undefined || !findings.valid) {
    return { verdict: 'invalid', ...mode === undefined ? {} : { mode: mode.value }, findings: findings.list() };
  }
  return {
    verdict: 'valid',
    policy: { mode: mode.value, maxAge: maxAge.value, mx: mx.map((pattern) => pattern.value) },
    findings: findings.list(),
  };
}

/**
 * Writes a policy file as all known senders accept it: ASCII, CRLF, `version`, `mode`, `mx` in lower case, sorted and without
 * duplicates, `max_age`.
 *
 * @throws RangeError on what `parsePolicy` would not read back
 */
export function renderPolicy({ mode, maxAge, mx }: Policy): string {
  const fault = modeFault(mode) ?? maxAgeFault(maxAge) ?? mxFault(mx, mode);
  if (fault !== undefined) throw new RangeError(fault);
  const patterns = [...new Set(mx.map((pattern) => pattern.toLowerCase()))].sort();
  const lines = ['version: STSv1', `mode: ${mode}`, ...patterns.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAge}`];
  const text = lines.map((line) => `${line}\r\n`).join('');
  if (text.length > MAX_POLICY_BYTES) {
    throw new RangeError(`the policy file must be at most ${MAX_POLICY_BYTES} bytes (RFC 8461 §3.3), got ${text.length}; use wildcards for its ${patterns.length} hosts`);
  }
  return text;
}

/** What can be told of the file as a whole; what is left to be read line by line, or undefined where that would teach nothing. */
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
    findings.add('policy-encoding', { message: 'the file is UTF-16, as its first two bytes say', ...start });
    return undefined;
  }
  const marked = file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf;
  if (marked) findings.add('policy-bom', { message: 'the file begins with a byte order mark (bytes EF BB BF)', ...start });
  if (file.length > CHASQUID_BYTES) {
    findings.add('policy-large', { message: `the file has ${file.length} bytes, more than ${CHASQUID_BYTES}`, ...start });
  }
  const text = marked ? file.subarray(3) : file;
  if (firstVisible(text) === LESS_THAN) {
    findings.add('policy-html', { message: 'the file begins with `<`: it is a web page, not a policy', ...start });
    return undefined;
  }
  return text;
}

/** The first sender to stop reads so many. */
const CHASQUID_BYTES = 10240;

const SPACE = 0x20;
const LESS_THAN = 0x3c;

/** Undefined where all is blank. */
function firstVisible(text: Uint8Array): number | undefined {
  let at = 0;
  while (at < text.length && text[at] <= SPACE) at += 1;
  return at < text.length ? text[at] : undefined;
}

/** The type says so already, but JavaScript can call this as well. */
function modeFault(mode: string): string | undefined {
  return isMode(mode) ? undefined : `\`mode\` must be enforce, testing or none (RFC 8461 §3.2), got \`${safeText(mode)}\``;
}

function maxAgeFault(maxAge: number): string | undefined {
  return Number.isInteger(maxAge) && maxAge >= 0 && maxAge <= MAX_AGE_LIMIT
    ? undefined
    : `\`maxAge\` must be whole seconds from 0 to ${MAX_AGE_LIMIT} (RFC 8461 §3.2), got ${maxAge}`;
}

function mxFault(mx: readonly string[], mode: Mode): string | undefined {
  if (mx.length === 0 && mode !== 'none') return `\`mx\` must hold at least one pattern in mode ${mode} (RFC 8461 §3.2), got none`;
  for (const pattern of mx) {
    const fault = mxGrammarProblem(pattern);
    if (fault !== undefined) return `the mx pattern \`${safeText(pattern)}\` ${fault} (RFC 8461 §3.2)`;
  }
  return undefined;
}
