// What a sender without a cached policy does with mail to a domain now (RFC 8461 §5): for each MX host, and for the whole.
import type { Mode } from '../protocol/policy/policy';
import type { Delivery } from './result';

/** What is known of one MX host. */
export interface HostTlsState {
  /** Whether the policy covers it; `null` where there is none. */
  readonly covered: boolean | null;
  /** Whether STARTTLS leads to a valid certificate; `no-address`: there is nothing to connect to. */
  readonly tls: 'secure' | 'insecure' | 'unknown' | 'no-address';
}

/** @param mode - of the policy that the sender finds, undefined where it finds none */
export function hostDelivery(mode: Mode | undefined, { covered, tls }: HostTlsState): Delivery {
  if (tls === 'no-address') return 'refuse';
  // Whatever a sender sees of TLS in these modes, somebody on the path could have kept it from seeing.
  if (mode !== 'enforce') return 'deliver-unverified';
  if (covered === false || tls === 'insecure') return 'refuse';
  return tls === 'secure' ? 'deliver-verified' : 'unknown';
}

/**
 * Senders try one host after the other, so the best of them decides. A domain without mail hosts gets no mail.
 *
 * @param decided - whether the hosts are known
 */
export function domainDelivery(hosts: readonly Delivery[], decided: boolean): Delivery {
  if (!decided) return 'unknown';
  return BEST_FIRST.find((delivery) => hosts.includes(delivery)) ?? 'refuse';
}

const BEST_FIRST: readonly Delivery[] = ['deliver-verified', 'deliver-unverified', 'unknown', 'refuse'];
