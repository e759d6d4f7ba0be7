// Decides how a sender without a cached policy delivers mail (RFC 8461 §5), to each MX host and to the domain.
import type { Mode } from '../protocol/policy/policy';
import type { Delivery } from './result';

/** The TLS state of one MX host. */
export interface HostTlsState {
  /** Whether the policy covers the host; `null` without a policy. */
  readonly covered: boolean | null;
  /** Whether STARTTLS leads to a valid certificate; `no-address`: the host has no address. */
  readonly tls: 'secure' | 'insecure' | 'unknown' | 'no-address';
}

/**
 * Decides the delivery to one host.
 *
 * @param mode - the mode of the policy that the sender finds; undefined without a policy
 */
export function hostDelivery(mode: Mode | undefined, { covered, tls }: HostTlsState): Delivery {
  if (tls === 'no-address') return 'refuse';
  // In these modes an attacker on the path can hide TLS, so a delivery is never verified.
  if (mode !== 'enforce') return 'deliver-unverified';
  if (covered === false || tls === 'insecure') return 'refuse';
  return tls === 'secure' ? 'deliver-verified' : 'unknown';
}

/**
 * Decides the delivery to the domain. Senders try one host after the other, so the best host decides. A domain without mail hosts
 * receives no mail.
 *
 * @param decided - whether the hosts are known
 */
export function domainDelivery(hosts: readonly Delivery[], decided: boolean): Delivery {
  if (!decided) return 'unknown';
  return BEST_FIRST.find((delivery) => hosts.includes(delivery)) ?? 'refuse';
}

const BEST_FIRST: readonly Delivery[] = ['deliver-verified', 'deliver-unverified', 'unknown', 'refuse'];
