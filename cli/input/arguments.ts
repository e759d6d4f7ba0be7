// Parses the arguments of the command line, before any network access.
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { hostNameProblem, toALabels } from '../../lib/protocol/domain-name';
import { safeText } from '../../lib/util/safe-text';
import { formatServer, parseServer } from '../../lib/verifier/dns/server-address';

/**
 * Parses a mail domain: the part after the `@`. Converts non-ASCII labels to A-labels and drops one dot at the end.
 *
 * @throws RangeError that names the problem and the nearest correct form
 */
export function parseDomain(text: string): string {
  const shown = `\`${safeText(text)}\``;
  const contained = findContainedDomain(text);
  if (contained !== undefined) {
    const hint = isDomain(contained) ? `; write \`${contained}\`` : '';
    const isUrl = text.includes('://') || !text.includes('@');
    throw new RangeError(`${shown} is ${isUrl ? 'a URL' : 'an email address'}, where a mail domain is expected${hint}`);
  }
  const prefix = /^(?:_[^.]+\.|mta-sts\.)+/i.exec(text)?.[0] ?? '';
  const rest = text.slice(prefix.length).replace(/\.$/, '');
  if (prefix !== '' && isDomain(rest) && (prefix.startsWith('_') || !mayBeSuffix(rest))) {
    const kind = prefix.startsWith('_') ? 'is the name of a TXT record' : 'is the name of a policy host';
    throw new RangeError(`${shown} ${kind}, where the mail domain is expected; write \`${rest}\`: the domain is the part after the @`);
  }
  // `dig` prints names with a dot at the end.
  const typed = text.endsWith('.') ? text.slice(0, -1) : text;
  const domain = toALabels(typed);
  const problem = hostNameProblem(domain === '' ? typed : domain) ?? lengthProblem(domain);
  if (problem !== undefined) throw new RangeError(`${shown}, where a mail domain is expected, ${problem}`);
  return domain;
}

/**
 * Returns a hint, a sentence without a full stop, if a valid mail domain is probably not meant as one. Otherwise returns undefined.
 *
 * @param domain - as `parseDomain` returns it
 */
export function domainHint(domain: string): string | undefined {
  const host = /^(?:www[0-9]*|mta-sts)\./.exec(domain)?.[0];
  const rest = domain.slice(host?.length);
  if (host === undefined || !isDomain(rest)) return undefined;
  return `${domain} is taken as the mail domain, the part after the @; where mail goes to addresses at ${rest}, write \`${rest}\``;
}

/** Whether a name may be a public suffix such as `co.uk`. Below one, `mta-sts` is a domain like any other. */
function mayBeSuffix(name: string): boolean {
  return /^(?:[a-z]{2,3}|info)\.[a-z]{2}$/i.test(name);
}

/** 253, the maximum length of a DNS name, minus the longest prefix that is queried. */
const MAX_DOMAIN_LENGTH = 253 - '_smtp._tls.'.length;

function lengthProblem(domain: string): string | undefined {
  if (!domain.includes('.')) return 'is a single label; write it in full, such as `example.com`';
  return domain.length > MAX_DOMAIN_LENGTH ? `has ${domain.length} characters; with more than ${MAX_DOMAIN_LENGTH} no name below it can hold a record` : undefined;
}

/**
 * Parses a DNS server: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353` or a host name.
 *
 * @returns the server in canonical form, with its port
 * @throws RangeError that names the expected form
 */
export function parseResolver(text: string): string {
  const server = parseServer(text);
  const problem = isIP(server.host) === 0 ? hostNameProblem(server.host) : undefined;
  if (problem !== undefined) throw new RangeError(`\`${safeText(server.host)}\`, where a DNS server is expected, ${problem}`);
  return formatServer(server);
}

/**
 * Parses the id of an MTA-STS record.
 *
 * @throws RangeError that names the expected form
 */
export function parsePolicyId(text: string): string {
  if (/^[A-Za-z0-9]{1,32}$/.test(text)) return text;
  throw new RangeError(`\`${safeText(text)}\` is not the id of a record; 1 to 32 letters and digits are expected (RFC 8461 §3.1)`);
}

/**
 * Parses a TCP or UDP port.
 *
 * @throws RangeError that names the expected form
 */
export function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new RangeError(`\`${safeText(text, 40)}\` is not a port; a number from 1 to 65535 is expected`);
  return port;
}

/**
 * Parses the number of domains to verify at once.
 *
 * @throws RangeError that names the expected form
 */
export function parseConcurrency(text: string): number {
  const number = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_CONCURRENCY) throw new RangeError(`\`${safeText(text, 40)}\` is not a number of domains; 1 to ${MAX_CONCURRENCY} are expected`);
  return number;
}

/** A domain can have some dozens of open sockets, and systems allow a process a thousand or more. */
const MAX_CONCURRENCY = 256;

/**
 * Parses an IP address to listen on or to point to.
 *
 * @throws RangeError that names the expected form
 */
export function parseAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new RangeError(`\`${safeText(text)}\` is not an IP address; write \`127.0.0.1\` or \`::1\``);
}

/**
 * Parses an MX host and its address: `mx1.example.com=127.0.0.1`.
 *
 * @throws RangeError that names the expected form
 */
export function parseMxHost(text: string): { readonly host: string; readonly address: string } {
  const equals = text.lastIndexOf('=');
  const shown = `\`${safeText(text)}\``;
  if (equals === -1) throw new RangeError(`${shown} has no address; write \`host=address\`, such as \`mx1.example.com=127.0.0.1\``);
  const typed = text.slice(0, equals);
  const host = toALabels(typed);
  const problem = hostNameProblem(host === '' ? typed : host);
  if (problem !== undefined) throw new RangeError(`${shown} names no MX host: \`${safeText(typed)}\` ${problem}`);
  return { host, address: parseAddress(text.slice(equals + 1)) };
}

/** Adapts a parser to commander: its RangeError becomes a usage error. */
export function argumentParser<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** Adapts a parser of an option or argument that may be given several times. */
export function repeatedArgumentParser<T>(parse: (text: string) => T): (text: string, earlier: readonly T[] | undefined) => readonly T[] {
  const parseOne = argumentParser(parse);
  return (text, earlier = []) => [...earlier, parseOne(text)];
}

/** Returns the domain in a URL or an email address, or undefined if the text is neither. */
function findContainedDomain(text: string): string | undefined {
  if (text.includes('://')) return URL.canParse(text) ? new URL(text).hostname.replace(/^(?:mta-sts|www)\./, '') : '';
  // Browsers show URLs without a scheme.
  const withoutScheme = /^([a-z0-9.-]+)(?::[0-9]+)?\/[!-~]*$/i.exec(text)?.[1];
  if (withoutScheme !== undefined) return withoutScheme.toLowerCase().replace(/^(?:mta-sts|www)\./, '');
  const at = text.lastIndexOf('@');
  return at === -1 ? undefined : text.slice(at + 1).replace(/>$/, '');
}

function isDomain(text: string): boolean {
  return hostNameProblem(text) === undefined && text.includes('.');
}
