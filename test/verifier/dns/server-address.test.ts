// How people write DNS servers.
import { describe, expect, test } from '@jest/globals';
import { formatServer, parseServer } from '../../../lib/verifier/dns/server-address';

describe('what is no server is refused', () => {
  test.each([
    '', ':53', 'dns.example:', 'dns.example:0', 'dns.example:65536', 'dns.example:53a', '[2001:db8::53', '2001:db8::53]:53', 'two hosts', '[dns]x:1', '2001:db8::zz',
    '[zz::]:53', 'a\u001b[2J',
  ])('the server address %j is refused', (text) => {
    expect(() => parseServer(text)).toThrow('a DNS server is written `host`, `host:port` or `[v6]:port`, got `');
  });

  test('the message about a refused server address has no control characters', () => {
    expect(() => parseServer('a\u001b[2J b')).toThrow('got `a\\x1b[2J b`');
  });
});

describe('a server is read and written', () => {
  test.each([
    ['192.0.2.53', '192.0.2.53', 53, '192.0.2.53:53'],
    ['192.0.2.53:5353', '192.0.2.53', 5353, '192.0.2.53:5353'],
    ['2001:db8::53', '2001:db8::53', 53, '[2001:db8::53]:53'],
    ['[2001:db8::53]', '2001:db8::53', 53, '[2001:db8::53]:53'],
    ['[2001:db8::53]:5353', '2001:db8::53', 5353, '[2001:db8::53]:5353'],
    ['fe80::1%eth0', 'fe80::1%eth0', 53, '[fe80::1%eth0]:53'],
    ['dns.example', 'dns.example', 53, 'dns.example:53'],
    ['localhost:1053', 'localhost', 1053, 'localhost:1053'],
  ])('the server address %s is read, and written the same way', (text, host, port, written) => {
    expect(parseServer(text)).toEqual({ host, port });
    expect(formatServer({ host, port })).toBe(written);
  });
});
