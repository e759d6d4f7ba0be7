// MX patterns of a policy (RFC 8461 §3.2), and the rule which MX hosts a pattern covers (§4.1).
import { domainProblem, hostNameProblem, isHostName, toALabels, trailingDotsProblem, withoutDots } from '../domain-name';
import { safeText } from '../../util/safe-text';

/**
 * Returns whether a pattern covers an MX host (RFC 8461 §4.1).
 *
 * `*.` matches exactly one left-most label. Letters compare without case. One dot at the end of the host, as in DNS answers, is
 * ignored. A malformed pattern covers no host, and a malformed host name is never covered.
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

/**
 * Returns the name of an MX host in lower case and without the dot at the end of DNS answers. Returns undefined for text that is no
 * host name.
 */
export function mxName(host: string): string | undefined {
  const bare = host.endsWith('.') ? host.slice(0, -1) : host;
  // Check before converting to lower case: U+212A, the Kelvin sign, would become a plain k.
  return domainProblem(bare) === undefined ? bare.toLowerCase() : undefined;
}

/**
 * Returns the problem of an MX pattern and its fix, as a phrase to put after the pattern. Returns undefined for a good pattern: an
 * optional `*.`, and a host name in A-labels without a dot at the end (RFC 8461 §3.2).
 */
export function mxPatternProblem(pattern: string): string | undefined {
  return isPlain(pattern) ? undefined : mxGrammarProblem(pattern) ?? hostNameProblem(withoutWildcard(pattern));
}

/** Returns the problem of an MX pattern by the grammar alone, as senders read it. The grammar allows a last label of digits. */
export function mxGrammarProblem(pattern: string): string | undefined {
  if (isPlain(pattern)) return undefined;
  if (pattern === '') return 'is empty; a host name is expected';
  return separatorProblem(pattern) ?? addressProblem(pattern) ?? wildcardProblem(pattern) ?? nameProblem(pattern);
}

/** Returns whether a pattern is certainly good. Nearly every pattern is, so this saves the search for problems. */
function isPlain(pattern: string): boolean {
  return isHostName(pattern, pattern.startsWith('*.') ? 2 : 0);
}

/** Finds several values in one place: a list, the preference of a zone file, a comment. */
function separatorProblem(pattern: string): string | undefined {
  const preference = /^[0-9]{1,5}[ \t]+/.exec(pattern)?.[0];
  if (preference !== undefined) {
    return `contains a preference, as in a zone file; write \`${safeText(pattern.slice(preference.length).trim())}\``;
  }
  if (/[ \t,;]/.test(pattern)) return 'contains a space, a comma or a semicolon; write one name, and one `mx` line for each name';
  return undefined;
}

function addressProblem(pattern: string): string | undefined {
  if (pattern.startsWith('[') || isIPv6(pattern)) return 'is an address; write the name of the MX host';
  const colon = pattern.lastIndexOf(':');
  if (colon > 0 && /^[0-9]{1,5}$/.test(pattern.slice(colon + 1))) {
    return `contains a port; senders always use port 25, write \`${safeText(pattern.slice(0, colon))}\``;
  }
  return undefined;
}

function wildcardProblem(pattern: string): string | undefined {
  if (/^[*.]+$/.test(pattern)) return 'names no domain; write the names of the MX hosts';
  // Drafts of RFC 8461 wrote a wildcard this way.
  if (pattern.startsWith('.')) {
    return `begins with a dot, as in drafts of the RFC; write \`${safeText(`*${withoutDots(pattern)}`)}\``;
  }
  const star = pattern.lastIndexOf('*');
  if (star === -1 || (star === 0 && pattern.startsWith('*.'))) return undefined;
  if (pattern.startsWith('*.*.')) return 'has two wildcards; `*.` matches one label, so each depth needs its own pattern';
  if (star === 0) return 'has no dot after `*`; the wildcard is a whole label, `*.`';
  return 'has a wildcard inside; only the whole left-most label may be `*`';
}

function nameProblem(pattern: string): string | undefined {
  const bare = withoutDots(pattern);
  const ascii = mxPatternToALabels(bare);
  if (ascii !== '' && ascii !== bare.toLowerCase()) return `is not in A-labels; write \`${ascii}\``;
  if (bare !== pattern) return trailingDotsProblem(pattern);
  return domainProblem(withoutWildcard(pattern));
}

/**
 * Converts a pattern to the form of the canonical policy file: lower case and A-labels, with its wildcard.
 *
 * @returns the pattern, or '' if it cannot be converted
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
