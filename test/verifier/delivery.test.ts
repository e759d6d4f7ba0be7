// What senders do with the mail, by mode, coverage and TLS (RFC 8461 §5).
import { describe, expect, test } from '@jest/globals';
import { domainDelivery, hostDelivery } from '../../lib/verifier/delivery';
import type { HostTlsState } from '../../lib/verifier/delivery';
import type { Delivery } from '../../lib/verifier/result';

describe('a host in enforce', () => {
  test.each<[boolean | null, HostTlsState['tls'], Delivery]>([
    [true, 'secure', 'deliver-verified'],
    [true, 'insecure', 'refuse'],
    [true, 'unknown', 'unknown'],
    [true, 'no-address', 'refuse'],
    [false, 'secure', 'refuse'],
    [false, 'insecure', 'refuse'],
    [false, 'unknown', 'refuse'],
    [false, 'no-address', 'refuse'],
  ])('in mode enforce, delivery to a host with covered %s and TLS %s is %s', (covered, tls, delivery) => {
    expect(hostDelivery('enforce', { covered, tls })).toBe(delivery);
  });
});

describe.each(['testing', 'none', undefined] as const)('a host in %s', (mode) => {
  test.each([true, false, null])('senders deliver to a host that is covered: %s, whatever its TLS, when the mode does not enforce', (covered) => {
    for (const tls of ['secure', 'insecure', 'unknown'] as const) {
      expect(hostDelivery(mode, { covered, tls })).toBe('deliver-unverified');
    }
    expect(hostDelivery(mode, { covered, tls: 'no-address' })).toBe('refuse');
  });
});

describe('a domain', () => {
  test.each<[Delivery[], Delivery]>([
    [['deliver-verified', 'refuse'], 'deliver-verified'],
    [['refuse', 'deliver-verified'], 'deliver-verified'],
    [['unknown', 'deliver-verified'], 'deliver-verified'],
    [['refuse', 'deliver-unverified'], 'deliver-unverified'],
    [['refuse', 'unknown'], 'unknown'],
    [['refuse', 'refuse'], 'refuse'],
    [[], 'refuse'],
  ])('delivery to a domain with the hosts %j is %s', (hosts, delivery) => {
    expect(domainDelivery(hosts, true)).toBe(delivery);
    expect(domainDelivery(hosts, false)).toBe('unknown');
  });
});
