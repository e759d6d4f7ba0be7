// A policy: its limits, and the text and the hash that follow from it.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Duration, Lazy } from 'aws-cdk-lib';
import { MtaStsMode, MtaStsPolicy, MxHosts } from '../../lib';

const mx = MxHosts.of('mx1.example.com');

describe('max age', () => {
  test.each([
    [Duration.seconds(0), /got 0 seconds\. Use MtaStsPolicy\.none\(\) to withdraw a policy/],
    [Duration.seconds(31557600), /whole seconds from 1 to 31557599 .*got 31557600 seconds/],
    [Duration.days(400), /RFC 8461 §3\.2/],
    [Duration.millis(1500), /whole seconds/],
    [Duration.seconds(Lazy.number({ produce: () => 5 })), /token.*Duration\.days\(30\)/],
  ])('a policy refuses the max age %s', (maxAge, message) => {
    expect(() => MtaStsPolicy.enforce({ mx, maxAge })).toThrow(message);
  });

  test('the default max age is 30 days in enforce, and 1 day in testing and none', () => {
    expect(MtaStsPolicy.enforce({ mx }).maxAge.toSeconds()).toBe(2592000);
    expect(MtaStsPolicy.testing({ mx }).maxAge.toSeconds()).toBe(86400);
    expect(MtaStsPolicy.none({ mx }).maxAge.toSeconds()).toBe(86400);
  });
});

describe('hosts', () => {
  test.each([
    ['enforce', () => MtaStsPolicy.enforce({ mx: MxHosts.of() })],
    ['testing', () => MtaStsPolicy.testing({ mx: MxHosts.of() })],
  ])('a policy in %s needs at least one host', (mode, make) => {
    expect(make).toThrow(`\`mx\` must contain at least one host in \`${mode}\`, got none. List the hosts of your MX records (RFC 8461 §3.2)`);
  });

  test('a policy in none needs no host, and keeps the given ones', () => {
    expect(MtaStsPolicy.none().mx).toEqual([]);
    expect(MtaStsPolicy.none({ mx }).text).toContain('mx: mx1.example.com\r\n');
  });
});

describe('text and hash', () => {
  test('the text of a policy is canonical: CRLF line ends, sorted hosts and no other lines', () => {
    const policy = MtaStsPolicy.enforce({ mx: MxHosts.of('MX2.example.com', '*.backup.example.net', 'mx1.example.com') });
    expect(policy.text).toBe(
      'version: STSv1\r\nmode: enforce\r\nmx: *.backup.example.net\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 2592000\r\n',
    );
    expect(policy.mode).toBe(MtaStsMode.ENFORCE);
  });

  test('the hash of a policy is the beginning of the SHA-256 hash of its exact bytes', () => {
    const policy = MtaStsPolicy.testing({ mx });
    expect(policy.hash).toBe(createHash('sha256').update(policy.text).digest('hex').slice(0, 16));
  });

  test('a policy has no id, because each publication gets a new one', () => {
    expect(MtaStsPolicy.testing({ mx })).not.toHaveProperty('id');
  });

  test('policies with the same hosts in another order and case have the same text and hash', () => {
    const one = MtaStsPolicy.enforce({ mx: MxHosts.of('a.example.com', 'B.example.com') });
    const other = MtaStsPolicy.enforce({ mx: MxHosts.of('b.example.com', 'A.EXAMPLE.com', 'a.example.com'), maxAge: Duration.hours(720) });
    expect([other.text, other.hash]).toEqual([one.text, one.hash]);
  });

  test.each([
    ['mode', MtaStsPolicy.testing({ mx, maxAge: Duration.days(30) })],
    ['age', MtaStsPolicy.enforce({ mx, maxAge: Duration.days(31) })],
    ['list of hosts', MtaStsPolicy.enforce({ mx: mx.plus(MxHosts.of('mx2.example.com')) })],
  ])('a policy with another %s has another hash', (_what, other) => {
    expect(other.hash).not.toBe(MtaStsPolicy.enforce({ mx }).hash);
  });
});
