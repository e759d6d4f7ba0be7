// Serves DNS: the four name servers of the emulator's hosted zones, two of another provider, and the recursive resolver.
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

/** Short, so that caches do not hide a change. */
const TTL_SECONDS = 1;

/**
 * Replaces answers of a name server or of the resolver.
 *
 * @param server - name of the name server, or `resolver`
 * @param answer - returns the right answer
 * @returns the wrong answer, or undefined for the right one
 */
export type DnsFault = (server: string, answer: DnsAnswerer) => (question: DnsQuestion) => Reply | undefined | Promise<Reply | undefined>;

type Reply = DnsReply | 'drop';

export interface Dns {
  /** Replaces the current fault. */
  fail(fault: DnsFault | undefined): void;
  /** Zones of another DNS provider, by name, with their records. They are not in the emulator. */
  readonly externalZones: Map<string, readonly DnsRecord[]>;
}

/** Starts all DNS servers, which run until the process ends. */
export async function startDns(route53: Route53Client, distributions: () => readonly Distribution[]): Promise<Dns> {
  let fault: DnsFault | undefined;
  let zones: ReadonlyMap<string, string> = new Map();
  // Zones change rarely, so reading them once a second is enough. Records are read for each question.
  const followZones = async (): Promise<void> => {
    for (;;) {
      zones = await listHostedZones(route53).catch(() => zones);
      await sleep(1_000);
    }
  };
  void followZones();
  const externalZones = new Map<string, readonly DnsRecord[]>();
  const findAnswerer = shareReads(zoneAnswerer(() => zones, distributions, externalZones));
  const answer: DnsAnswerer = async (question) => (await findAnswerer())(question);
  await Promise.all([['resolver', RESOLVER] as const, ...NAME_SERVERS, ...OTHER_NAME_SERVERS].map(async ([name, address]) => startDnsServer({
    address,
    port: 53,
    answer: async (question) => await fault?.(name, answer)(question) ?? answer(question),
  })));
  await startDnsServer({ address: OBSERVER_RESOLVER, port: 53, answer });
  return {
    fail: (next) => {
      fault = next;
    },
    externalZones,
  };
}

/** Returns the records outside the emulator's hosted zones: the top level, name servers, distributions, and mail hosts of other domains. */
function builtInZones(distributions: readonly Distribution[]): readonly DnsRecord[] {
  return [
    ...apex('test'),
    ...[...NAME_SERVERS].flatMap(([name, address]): DnsRecord[] => [
      ...apex(name.split('.').slice(1).join('.')), { name, ttl: TTL_SECONDS, type: 'A', data: address },
    ]),
    ...apex('provider.test', OTHER_NAME_SERVERS),
    ...[...OTHER_NAME_SERVERS].map(([name, data]): DnsRecord => ({ name, ttl: TTL_SECONDS, type: 'A', data })),
    ...apex('cloudfront.net'),
    ...distributions.flatMap(({ domainName, ipv6 }) => edgeRecords(domainName, ipv6)),
    ...[...MAIL_HOSTS].filter(([name]) => !name.endsWith('.example.test'))
      .map(([name, data]): DnsRecord => ({ name, ttl: TTL_SECONDS, type: 'A', data })),
  ];
}

/** Lists the ids of the zones by name. If several have one name, the oldest is delegated. */
async function listHostedZones(route53: Route53Client): Promise<ReadonlyMap<string, string>> {
  const { HostedZones: zones = [] } = await route53.send(new ListHostedZonesCommand({}));
  return new Map(zones.map(({ Id: id = '', Name: name = '' }) => [bareName(name), id] as const).reverse());
}

/** Returns a function that returns an answerer for the current zones. It reuses the answerer while nothing changes. */
function zoneAnswerer(
  zones: () => ReadonlyMap<string, string>,
  distributions: () => readonly Distribution[],
  externalZones: ReadonlyMap<string, readonly DnsRecord[]>,
): () => Promise<DnsAnswerer> {
  let last: { readonly sources: readonly unknown[]; readonly answer: DnsAnswerer } | undefined;
  return async () => {
    const [names, edges] = [[...zones()], distributions()];
    const sets = await Promise.all(names.map(([, id]) => recordSets(id)));
    const sources = [edges, ...names.map(([name]) => name), ...sets, ...[...externalZones].flat()];
    if (last?.sources.length !== sources.length || last.sources.some((source, index) => source !== sources[index])) {
      const hosted = names.flatMap(([name], index) => {
        const records = sets[index]?.flatMap((set) => toDnsRecords(set, edges));
        return records === undefined ? [] : [soa(name), ...records];
      });
      const external = [...externalZones].flatMap(([name, records]) => [...apex(name, OTHER_NAME_SERVERS), ...records]);
      last = { sources, answer: zoneAnswers([...builtInZones(edges), ...external, ...hosted]) };
    }
    return last.answer;
  };
}

function toDnsRecords({ name: fullName, type, values, alias }: RecordSet, distributions: readonly Distribution[]): readonly DnsRecord[] {
  const name = bareName(fullName);
  if (type === 'SOA') return [];
  if (alias !== undefined) {
    const distribution = distributions.find(({ domainName }) => domainName === bareName(alias));
    return edgeRecords(name, distribution?.ipv6 ?? false).filter((record) => distribution !== undefined && record.type === type);
  }
  return values.flatMap((value) => {
    const data = readValue(type, value);
    return typeof data === 'string' ? [] : [{ name, ttl: TTL_SECONDS, ...data }];
  });
}

function edgeRecords(name: string, ipv6: boolean): readonly DnsRecord[] {
  return [
    ...EDGES.v4.map((data): DnsRecord => ({ name, ttl: TTL_SECONDS, type: 'A', data })),
    ...(ipv6 ? EDGES.v6 : []).map((data): DnsRecord => ({ name, ttl: TTL_SECONDS, type: 'AAAA', data })),
  ];
}

function apex(name: string, servers = NAME_SERVERS): readonly DnsRecord[] {
  return [soa(name), ...[...servers.keys()].map((data): DnsRecord => ({ name, ttl: TTL_SECONDS, type: 'NS', data }))];
}

function soa(name: string): DnsRecord {
  const timers = { serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: TTL_SECONDS };
  const [mname = ''] = NAME_SERVERS.keys();
  return { name, ttl: TTL_SECONDS, type: 'SOA', data: { mname, rname: 'awsdns-hostmaster.amazon.com', ...timers } };
}
