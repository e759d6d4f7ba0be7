// Reporting addresses of a TLSRPT record: `mailto:` and `https:` URIs (RFC 8460 §3, RFC 3986, RFC 6068).
import { hostNameProblem, isIPv4, toALabels, trailingDotsProblem } from '../domain-name';
import { holds, lookAlike } from '../look-alikes';
import { safeText } from '../../util/safe-text';

/**
 * Returns the problem of a reporting address and its fix, as a phrase to put after the address. Returns undefined for a good address.
 *
 * A `mailto:` needs an address with a domain, an `https:` needs a host. Commas, exclamation marks and semicolons inside must be
 * percent-encoded. `reportingUriDoubt` says whether reports can arrive there.
 */
export function reportingUriProblem(uri: string): string | undefined {
  if (uri === '') return 'is empty; a `mailto:` or `https:` URI is expected';
  return characterProblem(uri) ?? schemeProblem(uri) ?? (isMailto(uri) ? mailtoProblem(uri) : httpsProblem(uri));
}

/**
 * Returns why reports to a well-formed address will probably not arrive: its host is no full public name, or few senders read such an
 * address.
 */
export function reportingUriDoubt(uri: string): string | undefined {
  const mail = isMailto(uri);
  if (mail) {
    const doubt = recipientDoubt(uri) ?? localPartDoubt(uri);
    if (doubt !== undefined) return doubt;
  }
  const host = mail ? mailDomain(uri) : splitAuthority(uri).host;
  if (!mail && isIPvFuture(host)) return `names the host \`${safeText(host)}\`, an address of an IP version that does not exist`;
  if (!mail && (host.startsWith('[') || isIPv4(host))) return undefined;
  const problem = hostNameProblem(decode(host) ?? '');
  if (problem !== undefined) return `names the host \`${safeText(host)}\`, which ${problem}`;
  return host.includes('.') ? undefined : `names the host \`${host}\`, which has no dot and so is not a public name`;
}

/** Characters that RFC 8460 requires to be encoded, although RFC 3986 allows them. */
const MUST_BE_ENCODED: ReadonlyMap<string, string> = new Map([[',', '%2C'], ['!', '%21'], [';', '%3B']]);

function characterProblem(uri: string): string | undefined {
  for (let at = 0; at < uri.length; at += 1) {
    const character = uri.charAt(at);
    const encoded = MUST_BE_ENCODED.get(character);
    if (encoded !== undefined) return `contains \`${character}\`, which must be written \`${encoded}\``;
    if (character === '%' && !/^%[0-9A-Fa-f]{2}$/.test(uri.slice(at, at + 3))) {
      return `contains \`${safeText(uri.slice(at, at + 3))}\`; a percent sign must be followed by two hexadecimal digits`;
    }
    if (character > '\x7f') return nonAsciiProblem(uri, at);
    if (character === ' ' || character === '\t') return 'contains a blank';
    if (!/^[A-Za-z0-9._~:/?#[\]@$&'()*+=%-]$/.test(character)) return `contains \`${safeText(character)}\`, which no URI may contain`;
  }
  return undefined;
}

function nonAsciiProblem(uri: string, at: number): string {
  const character = String.fromCodePoint(uri.codePointAt(at) ?? 0);
  const domain = toALabels(uri.slice(uri.lastIndexOf('@') + 1));
  return isMailto(uri) && domain !== '' && hostNameProblem(domain) === undefined && at > uri.indexOf('@') && lookAlike(character) === undefined
    ? `is not ASCII; write its domain \`${domain}\``
    : holds(character, ', which is not ASCII');
}

function schemeProblem(uri: string): string | undefined {
  if (isMailto(uri) || /^https:/i.test(uri)) return undefined;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:/.exec(uri)?.at(0);
  if (scheme !== undefined) return `begins with \`${scheme}\`; only \`mailto:\` and \`https:\` are allowed`;
  return uri.includes('@') ? `has no scheme; write \`mailto:${safeText(uri)}\`` : 'has no scheme; `mailto:` or `https:` is expected';
}

function mailtoProblem(uri: string): string | undefined {
  const address = mailAddress(uri);
  if (address.startsWith('//')) return `has slashes after \`mailto:\`; write \`mailto:${safeText(address.slice(2))}\``;
  if (/[[\]]/.test(uri) || badFragment(uri)) return 'contains `[`, `]` or a second `#`, which must be percent-encoded';
  const decoded = decode(address);
  if (decoded === undefined) return 'is percent-encoded, but not as UTF-8 text without control characters';
  if (recipientsOf(uri).length === 0) return 'contains no address; write one with an `@`';
  return recipientsOf(uri).map(recipientProblem).find((problem) => problem !== undefined);
}

function recipientProblem(recipient: string): string | undefined {
  const at = recipient.indexOf('@');
  if (at === -1) return `contains no address: \`${safeText(recipient)}\` has no \`@\``;
  if (recipient.includes('@', at + 1)) return 'contains more than one `@`; write one `mailto:` for each address';
  if (at === 0) return 'has nothing before the `@`';
  const local = localPartProblem(decode(recipient.slice(0, at)) ?? '');
  if (local !== undefined) return `has the local part \`${safeText(recipient.slice(0, at))}\`, which ${local} (RFC 6068 §2)`;
  const domain = recipient.slice(at + 1);
  const problem = mailDomainProblem(decode(domain) ?? '');
  return problem === undefined ? undefined : `has the domain \`${safeText(domain)}\`, which ${problem}`;
}

/** Checks that a local part is a dot-atom-text or a quoted-string (RFC 6068 §2). `localPartDoubt` checks the rest. */
function localPartProblem(local: string): string | undefined {
  if (isQuotedString(local)) return undefined;
  if (local.startsWith('.')) return 'begins with a dot';
  if (local.endsWith('.')) return 'ends with a dot';
  return local.includes('..') ? 'has two dots in a row' : undefined;
}

/** Returns whether a local part is a `Quoted-string` of RFC 5321 §4.1.2. */
function isQuotedString(local: string): boolean {
  return /^"(?:[ !#-[\]-~]|\\[ -~])*"$/.test(local);
}

/** Maximum octets before the `@`, and in a path without its angle brackets (RFC 5321 §4.5.3.1). */
const MAX_LOCAL_PART_OCTETS = 64;
const MAX_ADDRESS_OCTETS = 254;

/** Returns why few senders can mail to an address that RFC 6068 allows. */
function localPartDoubt(uri: string): string | undefined {
  const [recipient = ''] = recipientsOf(uri);
  const local = decode(recipient.slice(0, recipient.indexOf('@'))) ?? '';
  const shown = `has the local part \`${safeText(local, 80)}\``;
  if (/[^\x00-\x7f]/.test(local)) return `${shown}, which is not ASCII: few senders of reports can mail to it (RFC 6531)`;
  const strange = isQuotedString(local) ? undefined : /[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/.exec(local)?.at(0);
  if (strange !== undefined) return `${shown}, which contains \`${strange}\` outside quotation marks (RFC 5321 §4.1.2)`;
  if (local.length > MAX_LOCAL_PART_OCTETS) return `has a local part of ${local.length} characters; SMTP has room for ${MAX_LOCAL_PART_OCTETS} (RFC 5321 §4.5.3.1)`;
  const { length } = decode(recipient) ?? '';
  return length > MAX_ADDRESS_OCTETS ? `has an address of ${length} characters; SMTP has room for ${MAX_ADDRESS_OCTETS} (RFC 5321 §4.5.3.1)` : undefined;
}

/** Returns the problem of several addresses, or of an address in an unusual place. The RFC allows both, but few senders read them. */
function recipientDoubt(uri: string): string | undefined {
  const recipients = recipientsOf(uri);
  const separate = recipients.map((one) => `\`mailto:${safeText(one)}\``).join(' and ');
  if (recipients.length > 1) return `contains ${recipients.length} addresses, and many senders of reports read at most one; write ${separate}, with a comma between them`;
  return mailAddress(uri) === '' ? `contains its address only after \`?to=\`, which few senders of reports read; write ${separate}` : undefined;
}

/**
 * Returns the addresses of a `mailto:` as written, with those of `?to=` (RFC 6068 §2). In a record, their commas are encoded (RFC 8460
 * §3).
 */
function recipientsOf(uri: string): readonly string[] {
  const more = /\?([^#]*)/.exec(uri)?.at(1)?.split('&').filter((field) => /^to=/i.test(field)).map((field) => field.slice('to='.length)) ?? [];
  return [mailAddress(uri), ...more].filter((text) => text !== '').flatMap(separated);
}

/** Splits addresses at encoded commas, unless a comma belongs to a local part. */
function separated(addresses: string): readonly string[] {
  const pieces = addresses.split(/%2c/i);
  return pieces.every((piece) => piece.includes('@')) ? pieces : [addresses];
}

/**
 * Checks that a domain is a dot-atom-text, with letters beyond ASCII, or an address literal (RFC 6068 §2). It does not check for a
 * host name.
 */
function mailDomainProblem(domain: string): string | undefined {
  if (/^\[[!-Z^-~]*\]$/.test(domain)) return undefined;
  if (domain === '') return 'is empty; a host name is expected';
  if (domain.startsWith('.')) return 'begins with a dot';
  if (domain.endsWith('.')) return trailingDotsProblem(domain);
  if (domain.includes('..')) return 'has an empty label (two dots in a row)';
  const strange = /[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\u{10ffff}-]/u.exec(domain)?.at(0);
  return strange === undefined ? undefined : `contains \`${safeText(strange)}\`, which no mail domain may contain`;
}

function httpsProblem(uri: string): string | undefined {
  if (!/^https:\/\//i.test(uri)) return 'has no host; `https://` must follow';
  const { user, host, port, rest } = splitAuthority(uri);
  if (/[[\]]/.test(user + rest) || badFragment(uri)) return 'contains `[`, `]` or a second `#`, which must be percent-encoded';
  if (host === '') return 'has no host after `https://`';
  if (host.startsWith('[') && !isIPvFuture(host) && !isIPv6Literal(host)) {
    return `names the host \`${safeText(host)}\`, which is not an IPv6 address`;
  }
  if (!host.startsWith('[') && /[[\]@:]/.test(host)) return `names the host \`${safeText(host)}\`, which is not a host name`;
  return /^(?::[0-9]*)?$/.test(port) && Number(port.slice(1)) <= 65535
    ? undefined
    : `names the port \`${safeText(port.slice(1))}\`; 0 to 65535 is expected`;
}

function isMailto(uri: string): boolean {
  return /^mailto:/i.test(uri);
}

/** Returns the part between the scheme and the header fields or the fragment. */
function mailAddress(uri: string): string {
  const address = uri.slice('mailto:'.length);
  const end = address.search(/[?#]/);
  return end === -1 ? address : address.slice(0, end);
}

/** Returns the domain of the first address. */
function mailDomain(uri: string): string {
  const [address = ''] = recipientsOf(uri);
  return address.slice(address.indexOf('@') + 1);
}

interface Authority {
  readonly user: string;
  readonly host: string;
  /** Port with its colon. */
  readonly port: string;
  /** Path, query and fragment. */
  readonly rest: string;
}

/** Splits `[ userinfo "@" ] host [ ":" port ]` (RFC 3986 §3.2). */
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

/** Returns whether a host is an IPv6 address in brackets. The brackets must enclose all of it: `[::1]@host` means another host. */
function isIPv6Literal(host: string): boolean {
  return /^\[[0-9A-F:.]+\]$/i.test(host) && URL.canParse(`https://${host}/`);
}

/** Returns whether a host is an address of an IP version that does not exist yet (RFC 3986 §3.2.2). */
function isIPvFuture(host: string): boolean {
  return /^\[v[0-9A-F]+\.[^[\]@%]+\]$/i.test(host);
}

function badFragment(uri: string): boolean {
  return uri.indexOf('#') !== uri.lastIndexOf('#');
}

/** Decodes percent-encoded text. Returns undefined if the result is not UTF-8 or contains a control character. */
function decode(text: string): string | undefined {
  const bytes = Buffer.from(text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1');
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return /\p{Cc}/u.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}
