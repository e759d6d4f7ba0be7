// Which addresses a stranger's DNS may send us to: those that the public Internet routes, and no other (RFC 6890).
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The code of what was not connected to because its address is not public. */
export const NOT_PUBLIC = 'NOT_PUBLIC';

/** What is said of such an address; a phrase to put after it. */
export const NOT_PUBLIC_REASON = 'is not a public address (loopback, link-local, private or reserved) and was not connected to';

/**
 * Whether an address is public: not loopback, link-local, private, multicast, reserved or documentation. An IPv4 address inside
 * an IPv6 address is judged as what it is, for the translator would connect to it (RFC 4291 §2.5.5.2, RFC 6052 §3.1).
 *
 * @param address - IPv4 or IPv6; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  // The library reads short forms as well, and takes `::192.0.2.1`, which nobody routes (RFC 4291 §2.5.5.1), for `::ffff:192.0.2.1`.
  if (isIP(address) === 0 || /^::\d+\./.test(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast' && !OF_A_CLOUD.has(parsed.toString());
  if (WELL_KNOWN_NAT64.every((part, at) => parsed.parts[at] === part)) return isPublicAddress(parsed.toByteArray().slice(12).join('.'));
  // Whatever has not been given a special meaning yet lies outside of 2000::/3 (RFC 4291 §2.4).
  return parsed.range() === 'unicast' && (parsed.parts[0] & 0xe000) === 0x2000;
}

/**
 * Addresses of the public space that a cloud answers inside of its networks alone: behind 168.63.129.16 stand the wire server, DNS
 * and health probes of Azure (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16). Those of other
 * clouds are link-local, carrier-grade NAT (100.100.100.200), protocol assignments (192.0.0.192) or unique local (fd00:ec2::254).
 */
const OF_A_CLOUD: ReadonlySet<string> = new Set(['168.63.129.16']);

/** RFC 6052 §2.1: 64:ff9b::/96, by which networks without IPv4 reach it. */
const WELL_KNOWN_NAT64 = [0x64, 0xff9b, 0, 0, 0, 0];
