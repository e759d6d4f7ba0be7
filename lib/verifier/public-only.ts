// Limits connections to public addresses (RFC 6890).
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseServer } from './dns/server-address';
import type { Network } from './network';

/** Error code of a connection that was not opened because the address is not public. */
export const NOT_PUBLIC = 'NOT_PUBLIC';

/** The reason, as a phrase to put after the address. */
export const NOT_PUBLIC_REASON = 'is not a public address (loopback, link-local, private or reserved) and was not connected to';

/**
 * Limits a network to public addresses. The domain's owner controls its DNS and could point us at hosts in our own network, such as a
 * metadata service (SSRF).
 *
 * @param trustedServers - DNS servers named by the caller, which may be private
 */
export function publicOnly(network: Network, trustedServers: readonly string[] = []): Network {
  const { resolver, fetchPolicy, mxProbe } = network;
  return {
    ...network,
    resolver: {
      query: (name, type, server) => server === undefined || trustedServers.includes(server) || isPublicAddress(parseServer(server).host)
        ? resolver.query(name, type, server)
        : Promise.resolve({ status: 'failed', reason: `the address of the server ${NOT_PUBLIC_REASON}`, server, cnames: [] }),
    },
    fetchPolicy: (request) => isPublicAddress(request.address)
      ? fetchPolicy(request)
      : Promise.resolve({ outcome: 'unreachable', reason: NOT_PUBLIC_REASON, code: NOT_PUBLIC, milliseconds: 0 }),
    mxProbe: {
      get reachedAny() { return mxProbe.reachedAny; },
      probe: (request) => isPublicAddress(request.address)
        ? mxProbe.probe(request)
        : Promise.resolve({ outcome: 'unreachable', reason: NOT_PUBLIC_REASON, code: NOT_PUBLIC, milliseconds: 0 }),
    },
  };
}

/**
 * Returns whether an address is public: not loopback, link-local, private, multicast, reserved or documentation. An IPv4 address inside
 * an IPv6 address is checked as an IPv4 address, because a translator would connect to it (RFC 4291 §2.5.5.2, RFC 6052 §3.1).
 *
 * @param address - IPv4 or IPv6; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  // The library also accepts short forms, and reads `::192.0.2.1`, which is not routed (RFC 4291 §2.5.5.1), as `::ffff:192.0.2.1`.
  if (isIP(address) === 0 || /^::\d+\./.test(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast' && !CLOUD_ADDRESSES.has(parsed.toString());
  if (WELL_KNOWN_NAT64.every((part, at) => parsed.parts[at] === part)) return isPublicAddress(parsed.toByteArray().slice(12).join('.'));
  // All global unicast addresses assigned so far are in 2000::/3 (RFC 4291 §2.4). Every other range is reserved.
  return parsed.range() === 'unicast' && ((parsed.parts.at(0) ?? 0) & 0xe000) === 0x2000;
}

/**
 * Public addresses with a special meaning inside a cloud. 168.63.129.16 is the wire server, DNS and health probe of Azure
 * (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16). The addresses of other clouds are link-local,
 * carrier-grade NAT (100.100.100.200), protocol assignments (192.0.0.192) or unique local (fd00:ec2::254), and so not public anyway.
 */
const CLOUD_ADDRESSES: ReadonlySet<string> = new Set(['168.63.129.16']);

/** 64:ff9b::/96 (RFC 6052 §2.1): networks without IPv4 reach IPv4 addresses through this prefix. */
const WELL_KNOWN_NAT64 = [0x64, 0xff9b, 0, 0, 0, 0];
