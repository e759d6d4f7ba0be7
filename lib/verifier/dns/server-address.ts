// Reads and writes addresses of DNS servers: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`, `dns.example`.
import { isIP } from 'node:net';
import { safeText } from '../../util/safe-text';

/** Address of one DNS server. */
export interface DnsServerAddress {
  /** An IP address, or a name that the system's resolver can look up. */
  readonly host: string;
  readonly port: number;
}

/**
 * Parses `host`, `host:port` or `[v6]:port`. The default port is 53.
 *
 * @throws RangeError if the text has none of these forms
 */
export function parseServer(text: string): DnsServerAddress {
  const [, bracketed, plain, digits = '53'] = /^(?:\[([^\][]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const isAddress = isIP(text) !== 0;
  const host = isAddress ? text : bracketed ?? plain;
  const port = isAddress ? 53 : Number(digits);
  if (host === undefined || !/^[\w.:%-]+$/.test(host) || (host.includes(':') && isIP(host) === 0) || port < 1 || port > 65535) {
    throw new RangeError(`a DNS server is written \`host\`, \`host:port\` or \`[v6]:port\`, got \`${safeText(text)}\``);
  }
  return { host, port };
}

/** Returns `192.0.2.53:53` or `[2001:db8::53]:53`. */
export function formatServer({ host, port }: DnsServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
