// The addresses for TLS reports, and the record that names them (RFC 8460 §3).
import { expect, test } from '@jest/globals';
import { Aws } from 'aws-cdk-lib';
import { TlsReporting } from '../../lib';

test.each([
  ['tls-reports@example.com', /mailto/],
  ['http://example.com/reports', /https/],
  ['mailto:a@example.com,b@example.com', /%2C/i],
  ['https://example.com/a;b', /%3B/i],
  ['mailto:', /address|@/],
  ['mailto:a@example.com\r\nx', /reporting address/],
  ['mailto:a@b_c.example', /"mailto:a@b_c\.example": names the host `b_c\.example`, which contains an underscore/],
  ['mailto:a@[192.0.2.1]', /percent-encoded/],
  ['https://reports/x', /no dot/],
  ['mailto:tls\u2011reports@example.com', /contains U\+2011 \(non-breaking hyphen\); write a hyphen/],
  ['mailto:tls@exa\u2011mple.com', /contains U\+2011 \(non-breaking hyphen\); write a hyphen/],
  ['mailto:tls@example.com\u00a0', /^reporting address "mailto:tls@example\.com\\xa0": contains U\+00A0/],
])('TLS reporting refuses the address %j with the reason', (uri, message) => {
  expect(() => TlsReporting.to(uri)).toThrow(message);
});

test('TLS reporting refuses an empty list of addresses', () => {
  expect(() => TlsReporting.to()).toThrow(/at least one address/);
});

test('TLS reporting refuses a token', () => {
  expect(() => TlsReporting.to(`mailto:tls@${Aws.REGION}.example.com`)).toThrow(/token.*Write the address out/);
});

test('TLS reporting lists all addresses in one record', () => {
  const reporting = TlsReporting.to('mailto:tls-reports@example.com', 'https://reports.example.com/tls');
  expect(reporting.record).toBe('v=TLSRPTv1; rua=mailto:tls-reports@example.com,https://reports.example.com/tls');
  expect(reporting.rua).toHaveLength(2);
});
