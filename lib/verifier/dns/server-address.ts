// Addresses of DNS servers as people and systems write them: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`, `dns.example`.
import { isIP } from 'node:net';
import { safeText } from '../../util/safe-text';

/** One DNS server to ask. */
export interface DnsServerAddress {
  /** An address, or a name that the system's own resolver finds. */
  readonly host: string;
  readonly port: number;
}

/** @throws RangeError when the text is no `host[:port]` */
export function parseServer(text: string): DnsServerAddress {
  const parts = /^(?:\[([^\][]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(text);
  const host = isIP(text) === 0 ? parts?.[1] ?? parts?.[2] : text;
  const port = isIP(text) === 0 ? Number(parts?.[3] ?? 53) : 53;
  if (host === undefined || !/^[\w.:%-]+$/.test(host) || (host.includes(':') && isIP(host) === 0) || port < 1 || port > 65535) {
    throw new RangeError(`a DNS server is written \`host\`, \`host:port\` or \`[v6]:port\`, got \`${safeText(text)}\``);
  }
  return { host, port };
}

/** `192.0.2.53:53`, `[2001:db8::53]:53`. */
export function formatServer({ host, port }: DnsServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
