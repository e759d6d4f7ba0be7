// The addresses of the test environment. They are public ones, because the shipped function connects to no others. The network namespace is
// private and has no route to the outside, so no request reaches their owners.

/** Recursive resolver of all parts of the test environment. */
export const RESOLVER = '127.0.0.53';

/**
 * Resolver from which an observer gets the addresses of a policy host. Faults do not apply to it: faults of the resolver are for the
 * function.
 */
export const OBSERVER_RESOLVER = '127.0.0.54';

/** Address of the AWS emulator. */
export const EMULATOR = '127.0.0.1';

/** Addresses of the name servers that the emulator puts into every delegation set. */
export const NAME_SERVERS: ReadonlyMap<string, string> = new Map([
  ['ns-1.awsdns-1.com', '205.251.192.1'],
  ['ns-2.awsdns-2.net', '205.251.194.2'],
  ['ns-3.awsdns-3.org', '205.251.196.3'],
  ['ns-4.awsdns-4.co.uk', '205.251.198.4'],
]);

/** Addresses of the name servers of another DNS provider, for zones that are not in Route 53. */
export const OTHER_NAME_SERVERS: ReadonlyMap<string, string> = new Map([
  ['ns1.provider.test', '192.31.80.1'],
  ['ns2.provider.test', '192.31.80.2'],
]);

/** Addresses of the CloudFront edges. Each distribution is on all of them. */
export const EDGES = { v4: ['13.32.0.1', '13.32.0.2'], v6: ['2600:9000::1'] } as const;

/** Addresses of the mail hosts. */
export const MAIL_HOSTS: ReadonlyMap<string, string> = new Map([
  ['mx1.example.test', '93.184.215.1'],
  ['mx2.example.test', '93.184.215.2'],
  ['mail.other.test', '93.184.215.3'],
  ['mx.region.test', '93.184.215.4'],
  ['mail0.many.test', '93.184.215.5'],
  ['mail1.many.test', '93.184.215.6'],
  ['mail2.many.test', '93.184.215.7'],
  ['mx.elsewhere.test', '93.184.215.8'],
  ['mx.deep.example.test', '93.184.215.9'],
]);

/** All addresses that the loopback interface needs besides its own. */
export const ADDRESSES: readonly string[] = [
  ...NAME_SERVERS.values(), ...OTHER_NAME_SERVERS.values(), ...EDGES.v4, ...EDGES.v6, ...MAIL_HOSTS.values(),
];
