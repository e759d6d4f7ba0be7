// Compares a host name with the names of a certificate (RFC 8461 §3.3 and §4.2, RFC 5280 §4.2.1.6, RFC 6125 §6.4), as senders do.
//
// Node's own comparison takes `mta-*.example.com` and a name with a dot at its end; Go, curl and the RFCs do not.

/**
 * The DNS names of a certificate's SAN.
 *
 * @param subjectAltName - as Node gives it: `DNS:a.example, IP Address:192.0.2.1`; an entry with a character that could forge
 *   another entry is a JSON string behind its type (CVE-2021-44532)
 */
export function dnsNames(subjectAltName: string): readonly string[] {
  const names: string[] = [];
  let quote = subjectAltName.indexOf('"');
  for (let at = 0; at < subjectAltName.length;) {
    // Looked for again only behind the last one: a hostile certificate holds ten thousands of entries.
    if (quote !== -1 && quote < at) quote = subjectAltName.indexOf('"', at);
    const end = entryEnd(subjectAltName, at, quote);
    const entry = subjectAltName.slice(at, end);
    if (entry.startsWith(DNS)) names.push(unquoted(entry.slice(DNS.length)));
    at = end + SEPARATOR.length;
  }
  return names;
}

/** Whether a sender accepts a certificate with this name for the host: the same name, or `*` as the complete left-most label. */
export function matchesName(name: string, host: string): boolean {
  const [pattern, wanted] = [lowerCase(name), bareHost(host)];
  if (wanted === '' || !isAscii(pattern)) return false;
  if (!pattern.startsWith('*.')) return pattern === wanted;
  const rest = afterFirstLabel(wanted);
  return rest !== '' && pattern.slice(2) === rest && !rest.includes('*');
}

/** Why senders refuse a name that looks as if it were for the host; undefined for one that is simply another name. */
export function nearMiss(name: string, host: string): string | undefined {
  const [pattern, wanted] = [lowerCase(name), bareHost(host)];
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
 * Where the entry that begins at `start` ends: at a separator outside of quotes.
 *
 * @param quote - where the first quote from `start` on is
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

/** A quoted name that is no JSON string, such as one that has been cut, stays as it is, and is then no host name. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  try {
    return String(JSON.parse(name));
  } catch {
    return name;
  }
}

/** ASCII alone: `toLowerCase` turns the Kelvin sign into a `k`. */
function lowerCase(text: string): string {
  // Without a copy where nothing changes: a hostile certificate holds ten thousands of names.
  return isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** A host name may be written with the root's dot (RFC 1034 §3.1). */
function bareHost(host: string): string {
  const name = lowerCase(host);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function afterFirstLabel(host: string): string {
  const dot = host.indexOf('.');
  return dot < 1 ? '' : host.slice(dot + 1);
}

/** More than one or two `*` are nobody's slip, and each one costs an expression time. */
const MOST_STARS = 3;

function isGlobFor(pattern: string, host: string, star: string): boolean {
  if (pattern.length > 253 || pattern.split('*').length > MOST_STARS + 1) return false;
  const parts = pattern.split('*').map((part) => part.replace(/[^a-z0-9]/g, '\\$&'));
  return new RegExp(`^${parts.join(star)}$`).test(host);
}
