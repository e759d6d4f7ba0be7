// MX patterns of a policy (RFC 8461 §3.2) and which MX hosts they cover (§4.1).
import { domainProblem, hostNameProblem, isHostName, toALabels, trailingDotsProblem, withoutDots } from '../domain-name';
import { safeText } from '../../util/safe-text';

/**
 * Whether a pattern covers an MX host (RFC 8461 §4.1).
 *
 * `*.` stands for exactly one left-most label, letters compare without case, and one dot at the end of the host, as DNS
 * answers have it, does not count. A malformed pattern covers nothing, and what is not a host name is never covered.
 */
export function mxMatches(pattern: string, host: string): boolean {
  if (mxGrammarProblem(pattern) !== undefined) return false;
  const name = mxName(host);
  if (name === undefined) return false;
  const wanted = pattern.toLowerCase();
  if (!wanted.startsWith('*.')) return name === wanted;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot + 1) === wanted.slice(2);
}

/** The name of an MX host as it is compared: in lower case, without the dot that DNS answers end in; undefined when it is none. */
export function mxName(host: string): string | undefined {
  const bare = host.endsWith('.') ? host.slice(0, -1) : host;
  // Before the letters' case is dropped: U+212A, the Kelvin sign, would become a plain k.
  return domainProblem(bare) === undefined ? bare.toLowerCase() : undefined;
}

/**
 * Says what keeps a text from being an MX pattern that a policy should hold, and what to write in its place, or undefined when it
 * is one: an optional `*.` and a host name in A-labels without a dot at the end (RFC 8461 §3.2). The answer is a phrase to put
 * after the pattern.
 */
export function mxPatternProblem(pattern: string): string | undefined {
  return isPlain(pattern) ? undefined : mxGrammarProblem(pattern) ?? hostNameProblem(withoutWildcard(pattern));
}

/** The same by the grammar alone, which allows a last label of digits: what senders that have fetched the policy go by. */
export function mxGrammarProblem(pattern: string): string | undefined {
  if (isPlain(pattern)) return undefined;
  if (pattern === '') return 'is empty; a host name is expected';
  return separatorFault(pattern) ?? addressFault(pattern) ?? wildcardFault(pattern) ?? nameFault(pattern);
}

/** What nearly every pattern is, told without looking for faults. */
function isPlain(pattern: string): boolean {
  return isHostName(pattern, pattern.startsWith('*.') ? 2 : 0);
}

/** More than one thing in one place: a list, a zone file's preference, a comment. */
function separatorFault(pattern: string): string | undefined {
  const preference = /^[0-9]{1,5}[ \t]+/.exec(pattern)?.[0];
  if (preference !== undefined) {
    return `carries a preference, as in a zone file; write \`${safeText(pattern.slice(preference.length).trim())}\``;
  }
  if (/[ \t,;]/.test(pattern)) return 'holds a blank, a comma or a semicolon; write one name alone, and an `mx` line for each';
  return undefined;
}

function addressFault(pattern: string): string | undefined {
  if (pattern.startsWith('[') || isIPv6(pattern)) return 'is an address; write the name of the MX host';
  const colon = pattern.lastIndexOf(':');
  if (colon > 0 && /^[0-9]{1,5}$/.test(pattern.slice(colon + 1))) {
    return `carries a port; MX hosts are always reached at port 25, write \`${safeText(pattern.slice(0, colon))}\``;
  }
  return undefined;
}

function wildcardFault(pattern: string): string | undefined {
  if (/^[*.]+$/.test(pattern)) return 'names no domain; write the names of the MX hosts';
  // Drafts before RFC 8461 wrote a wildcard so.
  if (pattern.startsWith('.')) {
    return `begins with a dot, as in drafts of the RFC; write \`${safeText(`*${withoutDots(pattern)}`)}\``;
  }
  const star = pattern.lastIndexOf('*');
  if (star === -1 || (star === 0 && pattern.startsWith('*.'))) return undefined;
  if (pattern.startsWith('*.*.')) return 'has two wildcards; `*.` stands for one label, so each depth needs its own pattern';
  if (star === 0) return 'has no dot after `*`; the wildcard is a whole label, `*.`';
  return 'has a wildcard inside; only the whole left-most label may be `*`';
}

function nameFault(pattern: string): string | undefined {
  const bare = withoutDots(pattern);
  const ascii = mxPatternToALabels(bare);
  if (ascii !== '' && ascii !== bare.toLowerCase()) return `is not in A-labels; write \`${ascii}\``;
  if (bare !== pattern) return trailingDotsProblem(pattern);
  return domainProblem(withoutWildcard(pattern));
}

/**
 * Writes a pattern as the canonical policy file does: lower case and A-labels, the wildcard kept.
 *
 * @returns the pattern, or '' when it cannot be converted
 */
export function mxPatternToALabels(pattern: string): string {
  const name = toALabels(withoutWildcard(pattern));
  return name === '' ? '' : `${pattern.startsWith('*.') ? '*.' : ''}${name}`;
}

function withoutWildcard(pattern: string): string {
  return pattern.startsWith('*.') ? pattern.slice(2) : pattern;
}

function isIPv6(text: string): boolean {
  return /^[0-9A-Fa-f:.]{2,45}$/.test(text) && text.split(':').length > 2;
}
