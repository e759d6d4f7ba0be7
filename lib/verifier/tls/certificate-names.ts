// Compares a host name with the names of a certificate as senders do (RFC 8461 §3.3 and §4.2, RFC 5280 §4.2.1.6, RFC 6125 §6.4).
//
// Node's own comparison accepts `mta-*.example.com` and a name with a trailing dot. Go, curl and the RFCs reject both.

/**
 * Returns the DNS names of a certificate's SAN.
 *
 * @param subjectAltName - in Node's form: `DNS:a.example, IP Address:192.0.2.1`; Node writes an entry as a JSON string after its
 *   type if one of its characters could forge another entry (CVE-2021-44532)
 */
export function dnsNames(subjectAltName: string): readonly string[] {
  const names: string[] = [];
  let quote = subjectAltName.indexOf('"');
  for (let at = 0; at < subjectAltName.length;) {
    // Search from the last quote on, not from each entry: a hostile certificate holds tens of thousands of entries.
    if (quote !== -1 && quote < at) quote = subjectAltName.indexOf('"', at);
    const end = entryEnd(subjectAltName, at, quote);
    const entry = subjectAltName.slice(at, end);
    if (entry.startsWith(DNS)) names.push(unquoted(entry.slice(DNS.length)));
    at = end + SEPARATOR.length;
  }
  return names;
}

/** Tells whether senders accept a name for the host: the same name, or `*` as the complete left-most label. */
export function matchesName(name: string, host: string): boolean {
  const [pattern, wanted] = [lowerCase(name), normalizeHost(host)];
  if (wanted === '' || !isAscii(pattern)) return false;
  if (!pattern.startsWith('*.')) return pattern === wanted;
  const rest = afterFirstLabel(wanted);
  return rest !== '' && pattern.slice(2) === rest && !rest.includes('*');
}

/** Returns why senders reject a name that almost matches the host; undefined for a matching or an unrelated name. */
export function nearMiss(name: string, host: string): string | undefined {
  const [pattern, wanted] = [lowerCase(name), normalizeHost(host)];
  if (wanted === '' || pattern === '' || matchesName(pattern, wanted)) return undefined;
  if (pattern.endsWith('.') && isNear(pattern.slice(0, -1), wanted)) return 'ends in a dot, which no name in a certificate may';
  if (pattern.includes('*') && isGlobFor(pattern, wanted, '[^.]*')) return 'has a `*` that is not its complete left-most label';
  if (pattern.includes('*') && isGlobFor(pattern, wanted, '.*')) return 'has a `*`, which stands for exactly one label';
  if (pattern === `*.${wanted}`) return 'is a wildcard, which does not stand for the name below it';
  if (pattern.includes(wanted) && pattern.replace(/^(?:https:\/\/|\.|\s)+|[/:\s].*$/g, '') === wanted) return 'is more than a host name';
  return undefined;
}

function isNear(name: string, host: string): boolean {
  return matchesName(name, host) || nearMiss(name, host) !== undefined;
}

const DNS = 'DNS:';
const SEPARATOR = ', ';

/**
 * Returns the end of the entry that begins at `start`: the next separator outside quotes.
 *
 * @param quote - position of the first quote from `start` on, or -1
 */
function entryEnd(text: string, start: number, quote: number): number {
  const plain = text.indexOf(SEPARATOR, start);
  if (quote === -1 || (plain !== -1 && plain < quote)) return plain === -1 ? text.length : plain;
  for (let at = quote + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') {
      const end = text.indexOf(SEPARATOR, at);
      return end === -1 ? text.length : end;
    }
  }
  return text.length;
}

/** Decodes a quoted name. Keeps a truncated one as it is: no host name begins with a quote. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  try {
    return String(JSON.parse(name));
  } catch {
    return name;
  }
}

/** Converts only ASCII letters: `toLowerCase` turns the Kelvin sign into a `k`. */
function lowerCase(text: string): string {
  // Avoid copies: a hostile certificate holds tens of thousands of names.
  return isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** Returns a host name in lower case without the trailing dot of the root (RFC 1034 §3.1). */
function normalizeHost(host: string): string {
  const name = lowerCase(host);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function afterFirstLabel(host: string): string {
  const dot = host.indexOf('.');
  return dot < 1 ? '' : host.slice(dot + 1);
}

/** Maximum number of `*` in a name that may be a slip. Each one makes the expression slower. */
const MAX_STARS = 3;

function isGlobFor(pattern: string, host: string, star: string): boolean {
  if (pattern.length > 253 || pattern.split('*').length > MAX_STARS + 1) return false;
  const parts = pattern.split('*').map((part) => part.replace(/[^a-z0-9]/g, '\\$&'));
  return new RegExp(`^${parts.join(star)}$`).test(host);
}
