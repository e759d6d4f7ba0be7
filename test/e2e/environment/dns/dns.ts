// DNS: the four name servers of every hosted zone of the emulator, those of another provider, and the recursive resolver of all.
import { setTimeout as sleep } from 'node:timers/promises';
import { ListHostedZonesCommand } from '@aws-sdk/client-route-53';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { bareName, readValue } from '../../../../lib/preview/assembly/record-values';
import { startDnsServer, zoneAnswers } from '../../../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsQuestion, DnsRecord, DnsReply } from '../../../../lib/preview/dns-server/server';
import type { Distribution } from '../../../../lib/preview/edge/distribution';
import { EDGES, MAIL_HOSTS, NAME_SERVERS, OTHER_NAME_SERVERS, RESOLVER, OBSERVER_RESOLVER } from '../addresses';
import { shareReads } from '../shared-reading';
import { recordSets } from './record-sets';
import type { RecordSet } from './record-sets';

/** Short, so that nothing that caches stands between a change and who looks for it. */
const TTL = 1;

/**
 * Answers in place of a name server (by its name) or of the resolver (`resolver`); where it gives nothing, the right answer counts.
 *
 * @param answer - the right answers
 */
export type DnsFault = (server: string, answer: DnsAnswerer) => (question: DnsQuestion) => Reply | undefined | Promise<Reply | undefined>;

type Reply = DnsReply | 'drop';

export interface Dns {
  /** From now on, until the next fault or none. */
  fail(fault: DnsFault | undefined): void;
  /** Zones of another DNS provider: their records by their names. The emulator knows nothing of them. */
  readonly externalZones: Map<string, readonly DnsRecord[]>;
}

/** Answers until the process ends. */
export async function startDns(route53: Route53Client, distributions: () => readonly Distribution[]): Promise<Dns> {
  let fault: DnsFault | undefined;
  let zones: ReadonlyMap<string, string> = new Map();
  // Zones come and go rarely, records often.
  const followZones = async (): Promise<void> => {
    for (;;) {
      zones = await listHostedZones(route53).catch(() => zones);
      await sleep(1_000);
    }
  };
  void followZones();
  const elsewhere = new Map<string, readonly DnsRecord[]>();
  const now = shareReads(zoneAnswerer(() => zones, distributions, elsewhere));
  const answer: DnsAnswerer = async (question) => (await now())(question);
  await Promise.all([['resolver', RESOLVER] as const, ...NAME_SERVERS, ...OTHER_NAME_SERVERS].map(async ([name, address]) => startDnsServer({
    address,
    port: 53,
    answer: async (question) => await fault?.(name, answer)(question) ?? answer(question),
  })));
  await startDnsServer({ address: OBSERVER_RESOLVER, port: 53, answer });
  return {
    fail: (wanted) => {
      fault = wanted;
    },
    externalZones: elsewhere,
  };
}

/** What is no hosted zone of the emulator: the top level, the names of name servers and distributions, and of mail hosts elsewhere. */
function builtInZones(distributions: readonly Distribution[]): readonly DnsRecord[] {
  return [
    ...apex('test'),
    ...[...NAME_SERVERS].flatMap(([name, address]): DnsRecord[] => [
      ...apex(name.split('.').slice(1).join('.')), { name, ttl: TTL, type: 'A', data: address },
    ]),
    ...apex('provider.test', OTHER_NAME_SERVERS),
    ...[...OTHER_NAME_SERVERS].map(([name, data]): DnsRecord => ({ name, ttl: TTL, type: 'A', data })),
    ...apex('cloudfront.net'),
    ...distributions.flatMap(({ domainName, ipv6 }) => edgeRecords(domainName, ipv6)),
    ...[...MAIL_HOSTS].filter(([name]) => !name.endsWith('.example.test'))
      .map(([name, data]): DnsRecord => ({ name, ttl: TTL, type: 'A', data })),
  ];
}

/** The ids of the zones by their names: of several with one name, the one that was there first is delegated. */
async function listHostedZones(route53: Route53Client): Promise<ReadonlyMap<string, string>> {
  const { HostedZones: zones = [] } = await route53.send(new ListHostedZonesCommand({}));
  return new Map(zones.map(({ Id: id = '', Name: name = '' }) => [bareName(name), id] as const).reverse());
}

/** What answers by the zones as they are now: the same for as long as nothing has changed. */
function zoneAnswerer(
  zones: () => ReadonlyMap<string, string>,
  distributions: () => readonly Distribution[],
  elsewhere: ReadonlyMap<string, readonly DnsRecord[]>,
): () => Promise<DnsAnswerer> {
  let made: { readonly of: readonly unknown[]; readonly answer: DnsAnswerer } | undefined;
  return async () => {
    const [names, edges] = [[...zones()], distributions()];
    const sets = await Promise.all(names.map(([, id]) => recordSets(id)));
    const of = [edges, ...names.map(([name]) => name), ...sets, ...[...elsewhere].flat()];
    if (made?.of.length !== of.length || made.of.some((one, index) => one !== of[index])) {
      const hosted = names.flatMap(([name], index) => {
        const records = sets[index]?.flatMap((set) => toDnsRecords(set, edges));
        return records === undefined ? [] : [soa(name), ...records];
      });
      const others = [...elsewhere].flatMap(([name, records]) => [...apex(name, OTHER_NAME_SERVERS), ...records]);
      made = { of, answer: zoneAnswers([...builtInZones(edges), ...others, ...hosted]) };
    }
    return made.answer;
  };
}

function toDnsRecords({ name: written, type, values, alias }: RecordSet, distributions: readonly Distribution[]): readonly DnsRecord[] {
  const name = bareName(written);
  if (type === 'SOA') return [];
  if (alias !== undefined) {
    const distribution = distributions.find(({ domainName }) => domainName === bareName(alias));
    return edgeRecords(name, distribution?.ipv6 ?? false).filter((record) => distribution !== undefined && record.type === type);
  }
  return values.flatMap((value) => {
    const data = readValue(type, value);
    return typeof data === 'string' ? [] : [{ name, ttl: TTL, ...data }];
  });
}

function edgeRecords(name: string, ipv6: boolean): readonly DnsRecord[] {
  return [
    ...EDGES.v4.map((data): DnsRecord => ({ name, ttl: TTL, type: 'A', data })),
    ...(ipv6 ? EDGES.v6 : []).map((data): DnsRecord => ({ name, ttl: TTL, type: 'AAAA', data })),
  ];
}

function apex(name: string, servers = NAME_SERVERS): readonly DnsRecord[] {
  return [soa(name), ...[...servers.keys()].map((data): DnsRecord => ({ name, ttl: TTL, type: 'NS', data }))];
}

function soa(name: string): DnsRecord {
  const timers = { serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: TTL };
  return { name, ttl: TTL, type: 'SOA', data: { mname: [...NAME_SERVERS.keys()][0], rname: 'awsdns-hostmaster.amazon.com', ...timers } };
}
