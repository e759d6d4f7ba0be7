// What is typed on the command line, checked before anything is asked of the network.
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { hostNameProblem, toALabels } from '../../lib/protocol/domain-name';
import { safeText } from '../../lib/util/safe-text';
import { formatServer, parseServer } from '../../lib/verifier/dns/server-address';

/**
 * Reads a mail domain: the part after the `@`. Other than ASCII letters become A-labels; one dot at the end is dropped.
 *
 * @throws RangeError saying what is wrong, with the nearest right form
 */
export function parseDomain(text: string): string {
  const shown = `\`${safeText(text)}\``;
  const meant = domainInside(text);
  if (meant !== undefined) {
    const hint = isDomain(meant) ? `; write \`${meant}\`` : '';
    const isUrl = text.includes('://') || !text.includes('@');
    throw new RangeError(`${shown} is ${isUrl ? 'a URL' : 'an email address'}, where a mail domain is expected${hint}`);
  }
  const below = /^(?:_[^.]+\.|mta-sts\.)+/i.exec(text)?.[0] ?? '';
  const rest = text.slice(below.length).replace(/\.$/, '');
  if (below !== '' && isDomain(rest) && (below.startsWith('_') || !mayBeSuffix(rest))) {
    const what = below.startsWith('_') ? 'is the name of a TXT record' : 'is the name of a policy host';
    throw new RangeError(`${shown} ${what}, where the mail domain is expected; write \`${rest}\`: the domain is the part after the @`);
  }
  // As `dig` prints it; nothing else can be meant.
  const typed = text.endsWith('.') ? text.slice(0, -1) : text;
  const domain = toALabels(typed);
  const fault = hostNameProblem(domain === '' ? typed : domain) ?? lengthFault(domain);
  if (fault !== undefined) throw new RangeError(`${shown}, where a mail domain is expected, ${fault}`);
  return domain;
}

/**
 * Says where a name that can be a mail domain is hardly meant as one: a sentence without a full stop, or undefined.
 *
 * @param domain - as `parseDomain` gives it
 */
export function domainHint(domain: string): string | undefined {
  const host = /^(?:www[0-9]*|mta-sts)\./.exec(domain)?.[0];
  const rest = domain.slice(host?.length);
  if (host === undefined || !isDomain(rest)) return undefined;
  return `${domain} is taken as the mail domain, the part after the @; where mail goes to addresses at ${rest}, write \`${rest}\``;
}

/** Whether a name can be a public suffix such as `co.uk`, below which `mta-sts` is a domain like any other. */
function mayBeSuffix(name: string): boolean {
  return /^(?:[a-z]{2,3}|info)\.[a-z]{2}$/i.test(name);
}

/** `_smtp._tls.` before it is the longest name that is asked for. */
const MAX_DOMAIN = 253 - '_smtp._tls.'.length;

function lengthFault(domain: string): string | undefined {
  if (!domain.includes('.')) return 'is a single label; write it in full, such as `example.com`';
  return domain.length > MAX_DOMAIN ? `has ${domain.length} characters; with more than ${MAX_DOMAIN} no name below it can hold a record` : undefined;
}

/**
 * Reads a DNS server, `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353` or a host name.
 *
 * @returns it in one form, with its port
 * @throws RangeError saying what was expected
 */
export function parseResolver(text: string): string {
  const server = parseServer(text);
  const fault = isIP(server.host) === 0 ? hostNameProblem(server.host) : undefined;
  if (fault !== undefined) throw new RangeError(`\`${safeText(server.host)}\`, where a DNS server is expected, ${fault}`);
  return formatServer(server);
}

/**
 * Reads the id of an MTA-STS record.
 *
 * @throws RangeError saying what was expected
 */
export function parsePolicyId(text: string): string {
  if (/^[A-Za-z0-9]{1,32}$/.test(text)) return text;
  throw new RangeError(`\`${safeText(text)}\` is not the id of a record; 1 to 32 letters and digits are expected (RFC 8461 §3.1)`);
}

/**
 * Reads a TCP or UDP port.
 *
 * @throws RangeError saying what was expected
 */
export function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new RangeError(`\`${safeText(text, 40)}\` is not a port; a number from 1 to 65535 is expected`);
  return port;
}

/**
 * Reads how many domains to verify at once.
 *
 * @throws RangeError saying what was expected
 */
export function parseConcurrency(text: string): number {
  const number = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MOST_AT_ONCE) throw new RangeError(`\`${safeText(text, 40)}\` is not a number of domains; 1 to ${MOST_AT_ONCE} are expected`);
  return number;
}

/** Each has some dozens of sockets open at times, and systems allow a process a thousand or more. */
const MOST_AT_ONCE = 256;

/**
 * Reads an IP address to listen on or to point to.
 *
 * @throws RangeError saying what was expected
 */
export function parseAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new RangeError(`\`${safeText(text)}\` is not an IP address; write \`127.0.0.1\` or \`::1\``);
}

/**
 * Reads an MX host and where it is, `mx1.example.com=127.0.0.1`.
 *
 * @throws RangeError saying what was expected
 */
export function parseMxHost(text: string): { readonly host: string; readonly address: string } {
  const equals = text.lastIndexOf('=');
  const shown = `\`${safeText(text)}\``;
  if (equals === -1) throw new RangeError(`${shown} has no address; write \`host=address\`, such as \`mx1.example.com=127.0.0.1\``);
  const typed = text.slice(0, equals);
  const host = toALabels(typed);
  const fault = hostNameProblem(host === '' ? typed : host);
  if (fault !== undefined) throw new RangeError(`${shown} names no MX host: \`${safeText(typed)}\` ${fault}`);
  return { host, address: parseAddress(text.slice(equals + 1)) };
}

/** Makes a reader of ours one of commander's, so that its message becomes a usage error. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** The same for an option or argument that may be given several times. */
export function repeated<T>(parse: (text: string) => T): (text: string, earlier: readonly T[] | undefined) => readonly T[] {
  const one = argument(parse);
  return (text, earlier = []) => [...earlier, one(text)];
}

/** The domain inside a URL or an email address, or undefined where it is neither. */
function domainInside(text: string): string | undefined {
  if (text.includes('://')) return URL.canParse(text) ? new URL(text).hostname.replace(/^(?:mta-sts|www)\./, '') : '';
  // As browsers show a URL.
  const bare = /^([a-z0-9.-]+)(?::[0-9]+)?\/[!-~]*$/i.exec(text)?.[1];
  if (bare !== undefined) return bare.toLowerCase().replace(/^(?:mta-sts|www)\./, '');
  const at = text.lastIndexOf('@');
  return at === -1 ? undefined : text.slice(at + 1).replace(/>$/, '');
}

function isDomain(text: string): boolean {
  return hostNameProblem(text) === undefined && text.includes('.');
}
