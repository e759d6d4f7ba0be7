// Reporting addresses of a TLSRPT record: `mailto:` and `https:` URIs (RFC 8460 §3, RFC 3986, RFC 6068).
import { hostNameProblem, isIPv4, toALabels, trailingDotsProblem } from '../domain-name';
import { holds, lookAlike } from '../look-alikes';
import { safeText } from '../../util/safe-text';

/**
 * Says what keeps a text from being a reporting address, and what to write in its place, or undefined when it is one: a phrase
 * to put after the address.
 *
 * A `mailto:` needs one address with a domain, an `https:` a host; commas, exclamation marks and semicolons inside must be
 * percent-encoded. Whether reports arrive there is for `reportingUriDoubt` to say.
 */
export function reportingUriProblem(uri: string): string | undefined {
  if (uri === '') return 'is empty; a `mailto:` or `https:` URI is expected';
  return characterFault(uri) ?? schemeFault(uri) ?? (isMailto(uri) ? mailtoFault(uri) : httpsFault(uri));
}

/** Why reports to a well-formed address will hardly arrive, or undefined: its host is no full public name, or few senders read it so. */
export function reportingUriDoubt(uri: string): string | undefined {
  const mail = isMailto(uri);
  if (mail) {
    const doubt = recipientDoubt(uri) ?? localPartDoubt(uri);
    if (doubt !== undefined) return doubt;
  }
  const host = mail ? mailDomain(uri) : splitAuthority(uri).host;
  if (!mail && isIPvFuture(host)) return `names the host \`${safeText(host)}\`, an address of an IP version that nobody can reach`;
  if (!mail && (host.startsWith('[') || isIPv4(host))) return undefined;
  const fault = hostNameProblem(decode(host) ?? '');
  if (fault !== undefined) return `names the host \`${safeText(host)}\`, which ${fault}`;
  return host.includes('.') ? undefined : `names the host \`${host}\`, which has no dot and so is not a public name`;
}

/** What RFC 8460 wants encoded although RFC 3986 allows it. */
const MUST_BE_ENCODED: ReadonlyMap<string, string> = new Map([[',', '%2C'], ['!', '%21'], [';', '%3B']]);

function characterFault(uri: string): string | undefined {
  for (let at = 0; at < uri.length; at += 1) {
    const character = uri[at];
    const encoded = MUST_BE_ENCODED.get(character);
    if (encoded !== undefined) return `holds \`${character}\`, which must be written \`${encoded}\``;
    if (character === '%' && !/^%[0-9A-Fa-f]{2}$/.test(uri.slice(at, at + 3))) {
      return `holds \`${safeText(uri.slice(at, at + 3))}\`; a percent sign must be followed by two hexadecimal digits`;
    }
    if (character > '\x7f') return nonAsciiFault(uri, at);
    if (character === ' ' || character === '\t') return 'holds a blank';
    if (!/^[A-Za-z0-9._~:/?#[\]@$&'()*+=%-]$/.test(character)) return `holds \`${safeText(character)}\`, which no URI may`;
  }
  return undefined;
}

function nonAsciiFault(uri: string, at: number): string {
  const character = String.fromCodePoint(uri.codePointAt(at) ?? 0);
  const domain = toALabels(uri.slice(uri.lastIndexOf('@') + 1));
  return isMailto(uri) && domain !== '' && hostNameProblem(domain) === undefined && at > uri.indexOf('@') && lookAlike(character) === undefined
    ? `is not ASCII; write its domain \`${domain}\``
    : holds(character, ', which is not ASCII');
}

function schemeFault(uri: string): string | undefined {
  if (isMailto(uri) || /^https:/i.test(uri)) return undefined;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:/.exec(uri)?.[0];
  if (scheme !== undefined) return `begins with \`${scheme}\`; only \`mailto:\` and \`https:\` are allowed`;
  return uri.includes('@') ? `has no scheme; write \`mailto:${safeText(uri)}\`` : 'has no scheme; `mailto:` or `https:` is expected';
}

function mailtoFault(uri: string): string | undefined {
  const address = mailAddress(uri);
  if (address.startsWith('//')) return `has slashes after \`mailto:\`; write \`mailto:${safeText(address.slice(2))}\``;
  if (/[[\]]/.test(uri) || badFragment(uri)) return 'holds `[`, `]` or a second `#`, which must be percent-encoded';
  const decoded = decode(address);
  if (decoded === undefined) return 'is percent-encoded, but not as UTF-8 text without control characters';
  if (recipientsOf(uri).length === 0) return 'holds no address; write one with an `@`';
  return recipientsOf(uri).map(recipientFault).find((fault) => fault !== undefined);
}

function recipientFault(recipient: string): string | undefined {
  const at = recipient.indexOf('@');
  if (at === -1) return `holds no address: \`${safeText(recipient)}\` has no \`@\``;
  if (recipient.includes('@', at + 1)) return 'holds more than one `@`; write each address as a `mailto:` of its own';
  if (at === 0) return 'has nothing before the `@`';
  const local = localPartFault(decode(recipient.slice(0, at)) ?? '');
  if (local !== undefined) return `has the local part \`${safeText(recipient.slice(0, at))}\`, which ${local} (RFC 6068 §2)`;
  const domain = recipient.slice(at + 1);
  const fault = mailDomainFault(decode(domain) ?? '');
  return fault === undefined ? undefined : `has the domain \`${safeText(domain)}\`, which ${fault}`;
}

/** RFC 6068 §2: a dot-atom-text or a quoted-string. What else it holds is for `localPartDoubt`. */
function localPartFault(local: string): string | undefined {
  if (isQuotedString(local)) return undefined;
  if (local.startsWith('.')) return 'begins with a dot';
  if (local.endsWith('.')) return 'ends with a dot';
  return local.includes('..') ? 'has two dots in a row' : undefined;
}

/** RFC 5321 §4.1.2 `Quoted-string`. */
function isQuotedString(local: string): boolean {
  return /^"(?:[ !#-[\]-~]|\\[ -~])*"$/.test(local);
}

/** The octets that SMTP has room for (RFC 5321 §4.5.3.1): before the `@`, and in a path without its angle brackets. */
const MAX_LOCAL = 64;
const MAX_ADDRESS = 254;

/** Why an address that RFC 6068 allows is hardly mailed to. */
function localPartDoubt(uri: string): string | undefined {
  const [recipient] = recipientsOf(uri);
  const local = decode(recipient.slice(0, recipient.indexOf('@'))) ?? '';
  const shown = `has the local part \`${safeText(local, 80)}\``;
  if (/[^\x00-\x7f]/.test(local)) return `${shown}, which is not ASCII: few senders of reports can mail to it (RFC 6531)`;
  const strange = isQuotedString(local) ? undefined : /[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/.exec(local)?.[0];
  if (strange !== undefined) return `${shown}, which holds \`${strange}\` outside quotation marks (RFC 5321 §4.1.2)`;
  if (local.length > MAX_LOCAL) return `has a local part of ${local.length} characters; SMTP has room for ${MAX_LOCAL} (RFC 5321 §4.5.3.1)`;
  const { length } = decode(recipient) ?? '';
  return length > MAX_ADDRESS ? `has an address of ${length} characters; SMTP has room for ${MAX_ADDRESS} (RFC 5321 §4.5.3.1)` : undefined;
}

/** More than one address, or one in an unusual place: the RFC allows it, and who reads only the address itself finds none. */
function recipientDoubt(uri: string): string | undefined {
  const recipients = recipientsOf(uri);
  const separate = recipients.map((one) => `\`mailto:${safeText(one)}\``).join(' and ');
  if (recipients.length > 1) return `holds ${recipients.length} addresses, and many senders of reports read one at most; write ${separate}, with a comma between them`;
  return mailAddress(uri) === '' ? `holds its address only behind \`?to=\`, where few senders of reports look; write ${separate}` : undefined;
}

/** The addresses of a `mailto:` as written, those of `?to=` as well (RFC 6068 §2); their commas are encoded in a record (RFC 8460 §3). */
function recipientsOf(uri: string): readonly string[] {
  const more = /\?([^#]*)/.exec(uri)?.[1].split('&').filter((field) => /^to=/i.test(field)).map((field) => field.slice('to='.length)) ?? [];
  return [mailAddress(uri), ...more].filter((text) => text !== '').flatMap(separated);
}

/** A comma that stands inside a local part separates nothing. */
function separated(addresses: string): readonly string[] {
  const pieces = addresses.split(/%2c/i);
  return pieces.every((piece) => piece.includes('@')) ? pieces : [addresses];
}

/** RFC 6068 §2: a dot-atom-text, with letters beyond ASCII percent-encoded, or an address literal; not yet a host name. */
function mailDomainFault(domain: string): string | undefined {
  if (/^\[[!-Z^-~]*\]$/.test(domain)) return undefined;
  if (domain === '') return 'is empty; a host name is expected';
  if (domain.startsWith('.')) return 'begins with a dot';
  if (domain.endsWith('.')) return trailingDotsProblem(domain);
  if (domain.includes('..')) return 'has an empty label (two dots in a row)';
  const strange = /[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\u{10ffff}-]/u.exec(domain)?.[0];
  return strange === undefined ? undefined : `holds \`${safeText(strange)}\`, which no mail domain may`;
}

function httpsFault(uri: string): string | undefined {
  if (!/^https:\/\//i.test(uri)) return 'has no host; `https://` must follow';
  const { user, host, port, rest } = splitAuthority(uri);
  if (/[[\]]/.test(user + rest) || badFragment(uri)) return 'holds `[`, `]` or a second `#`, which must be percent-encoded';
  if (host === '') return 'has no host after `https://`';
  if (host.startsWith('[') && !isIPvFuture(host) && !isIPv6Literal(host)) {
    return `names the host \`${safeText(host)}\`, which is no IPv6 address`;
  }
  if (!host.startsWith('[') && /[[\]@:]/.test(host)) return `names the host \`${safeText(host)}\`, which is none`;
  return /^(?::[0-9]*)?$/.test(port) && Number(port.slice(1)) <= 65535
    ? undefined
    : `names the port \`${safeText(port.slice(1))}\`; 0 to 65535 is expected`;
}

function isMailto(uri: string): boolean {
  return /^mailto:/i.test(uri);
}

/** Between the scheme and the header fields or the fragment. */
function mailAddress(uri: string): string {
  const address = uri.slice('mailto:'.length);
  const end = address.search(/[?#]/);
  return end === -1 ? address : address.slice(0, end);
}

/** Of the first address. */
function mailDomain(uri: string): string {
  const [address = ''] = recipientsOf(uri);
  return address.slice(address.indexOf('@') + 1);
}

interface Authority {
  readonly user: string;
  readonly host: string;
  /** With its colon. */
  readonly port: string;
  /** Path, query and fragment. */
  readonly rest: string;
}

/** RFC 3986 §3.2: `[ userinfo "@" ] host [ ":" port ]`. */
function splitAuthority(uri: string): Authority {
  const afterSlashes = uri.slice('https://'.length);
  const end = afterSlashes.search(/[/?#]/);
  const authority = end === -1 ? afterSlashes : afterSlashes.slice(0, end);
  const rest = end === -1 ? '' : afterSlashes.slice(end);
  const at = authority.indexOf('@');
  const user = authority.slice(0, Math.max(at, 0));
  const hostAndPort = authority.slice(at + 1);
  const colon = hostAndPort.indexOf(':', hostAndPort.startsWith('[') ? Math.max(hostAndPort.indexOf(']'), 0) : 0);
  return colon === -1 ? { user, host: hostAndPort, port: '', rest } : { user, host: hostAndPort.slice(0, colon), port: hostAndPort.slice(colon), rest };
}

/** The brackets must enclose it all: `[::1]@host` would parse as another thing. */
function isIPv6Literal(host: string): boolean {
  return /^\[[0-9A-F:.]+\]$/i.test(host) && URL.canParse(`https://${host}/`);
}

/** RFC 3986 §3.2.2: addresses of versions that do not exist yet. */
function isIPvFuture(host: string): boolean {
  return /^\[v[0-9A-F]+\.[^[\]@%]+\]$/i.test(host);
}

function badFragment(uri: string): boolean {
  return uri.indexOf('#') !== uri.lastIndexOf('#');
}

/** What is percent-encoded in clear, or undefined where that is not UTF-8 or holds a control character. */
function decode(text: string): string | undefined {
  const bytes = Buffer.from(text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1');
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return /\p{Cc}/u.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}
