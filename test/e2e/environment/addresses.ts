// Who has which address on the stage. All are public ones, since the shipped function trusts no other; the network namespace is
// private and has no way out, so nobody else is meant by them.

/** The recursive resolver of everybody on the stage. */
export const RESOLVER = '127.0.0.53';

/** Where a watch asks for the addresses of a policy host: no fault is there, since those of the resolver are meant for the function. */
export const OBSERVER_RESOLVER = '127.0.0.54';

/** Where the emulator of AWS listens. */
export const EMULATOR = '127.0.0.1';

/** The name servers that the emulator puts into every delegation set, and where they are. */
export const NAME_SERVERS: ReadonlyMap<string, string> = new Map([
  ['ns-1.awsdns-1.com', '205.251.192.1'],
  ['ns-2.awsdns-2.net', '205.251.194.2'],
  ['ns-3.awsdns-3.org', '205.251.196.3'],
  ['ns-4.awsdns-4.co.uk', '205.251.198.4'],
]);

/** The name servers of another DNS provider: for zones that are not in Route 53. */
export const OTHER_NAME_SERVERS: ReadonlyMap<string, string> = new Map([
  ['ns1.provider.test', '192.31.80.1'],
  ['ns2.provider.test', '192.31.80.2'],
]);

/** The edges of CloudFront: each distribution is on all of them. */
export const EDGES = { v4: ['13.32.0.1', '13.32.0.2'], v6: ['2600:9000::1'] } as const;

/** The mail exchangers. */
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

/** All that the loopback interface must have beside its own. */
export const ADDRESSES: readonly string[] = [
  ...NAME_SERVERS.values(), ...OTHER_NAME_SERVERS.values(), ...EDGES.v4, ...EDGES.v6, ...MAIL_HOSTS.values(),
];
