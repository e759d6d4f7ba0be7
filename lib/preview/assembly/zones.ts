// The zones of a preview: the template's record sets as a name server would answer them, and the MX records that it says nothing of.
import { isIPv6 } from 'node:net';
import { parsePolicy } from '../../protocol/policy/policy';
import { safeText } from '../../util/safe-text';
import type { Assembly, Publication } from './assembly';
import type { DnsRecord } from '../dns-server/records';
import { readValue } from './record-values';
import type { RecordSet } from './record-sets';

/** An MX host that the user gave. */
export interface MxHost {
  readonly host: string;
  readonly address: string;
}

/** The MX hosts of a domain, and where they come from. */
export interface PreviewMx {
  readonly domain: string;
  readonly hosts: readonly string[];
  /** `given` by the user, in the `template`, or made from the patterns of the `policy`. */
  readonly origin: 'given' | 'template' | 'policy';
}

/** Where the preview serves. */
export interface Addresses {
  readonly v4?: string;
  readonly v6?: string;
}

/** Reserved for what exists nowhere (RFC 6761 §6.4). */
const SERVER_ZONE = 'preview.invalid';
const NAME_SERVER = `ns.${SERVER_ZONE}`;
const TTL = 300;

/** The records to serve. Each zone has a SOA and a name server; what Route 53 would refuse is left out with a note. */
export function previewZones(
  assembly: Assembly, publications: readonly Publication[], addresses: Addresses, mx: readonly MxHost[],
): { records: readonly DnsRecord[]; mx: readonly PreviewMx[] } {
  const zones = new Zones(assembly, addresses);
  zones.addServer();
  zones.addDistributions();
  const apexes = apexesOf(assembly, publications);
  for (const set of assembly.recordSets) zones.addRecordSet(set, apexes(set));
  return { mx: publications.map((publication) => zones.addMx(publication, mx)), records: zones.records };
}

class Zones {
  public readonly records: DnsRecord[] = [];
  private readonly apexes = new Set<string>();

  public constructor(private readonly assembly: Assembly, private readonly addresses: Addresses) {}

  public addServer(): void {
    this.open(SERVER_ZONE);
    this.addAddresses(NAME_SERVER, this.addresses);
  }

  /** Where `CNAME` records lead that stand in for alias records. */
  public addDistributions(): void {
    for (const { domainName, ipv6 } of this.assembly.distributions) {
      this.open(domainName);
      this.addAddresses(domainName, { v4: this.addresses.v4, v6: ipv6 ? this.addresses.v6 : undefined });
    }
  }

  public addRecordSet(set: RecordSet, apex: string | undefined): void {
    const { notes } = this.assembly;
    if (apex === undefined) {
      notes.add(set.path, 'names no hosted zone; it is left out');
    } else if (set.name !== apex && !set.name.endsWith(`.${apex}`)) {
      notes.add(set.path, `${safeText(set.name)} does not lie in its hosted zone ${safeText(apex)}, which Route 53 refuses; it is left out`);
    } else {
      this.open(apex);
      this.records.push(...set.aliasTarget === undefined ? this.plainRecords(set) : this.aliasRecords(set, set.aliasTarget));
    }
  }

  /** Whatever the template says of MX, the user's word counts first; without either the policy tells what hosts it expects. */
  public addMx({ domain, policyText }: Publication, given: readonly MxHost[]): PreviewMx {
    this.openFor(domain);
    if (given.length > 0) {
      this.remove((record) => record.type === 'MX' && record.name === domain);
      const hosts = [...new Set(given.map(({ host }) => host))];
      for (const host of hosts) {
        this.remove((record) => record.name === host && (record.type === 'A' || record.type === 'AAAA' || record.type === 'CNAME'));
      }
      for (const { host, address } of given) this.addHost(host, isIPv6(address) ? { v6: address } : { v4: address });
      return { domain, hosts: this.addMxRecords(domain, hosts), origin: 'given' };
    }
    const stated = this.records.flatMap((record) => record.type === 'MX' && record.name === domain ? [record.data.exchange] : []);
    if (stated.length > 0) {
      // What the world has beside the template is taken to be in order.
      for (const host of stated.filter((name) => name !== '.' && !this.holds(name))) this.addHost(host, this.addresses);
      return { domain, hosts: stated, origin: 'template' };
    }
    const patterns = parsePolicy(Buffer.from(policyText, 'utf8')).policy?.mx ?? [];
    const hosts = [...new Set(patterns.map((pattern) => pattern.toLowerCase().replace(/^\*\./, 'mx.')))];
    for (const host of hosts) {
      if (!this.records.some(({ name }) => name === host)) this.addHost(host, this.addresses);
    }
    return { domain, hosts: this.addMxRecords(domain, hosts), origin: 'policy' };
  }

  private plainRecords({ path, name, type, ttl, values }: RecordSet): DnsRecord[] {
    return values.flatMap((value) => {
      const data = readValue(type, value);
      if (typeof data !== 'string') return [{ name, ttl, ...data }];
      this.assembly.notes.add(path, `the value ${JSON.stringify(safeText(value))} of ${safeText(name)} ${safeText(data)}; it is left out`);
      return [];
    });
  }

  private aliasRecords({ path, name, type, ttl }: RecordSet, target: string): DnsRecord[] {
    const distribution = this.assembly.distributions.find(({ domainName }) => domainName === target);
    if (distribution === undefined || (type !== 'A' && type !== 'AAAA')) {
      this.assembly.notes.add(path, `the alias record ${safeText(name)} leads to ${safeText(target)}, which is not previewed; it is left out`);
      return [];
    }
    const address = type === 'A' ? this.addresses.v4 : distribution.ipv6 ? this.addresses.v6 : undefined;
    return address === undefined ? [] : [{ name, ttl, type, data: address }];
  }

  private addMxRecords(domain: string, hosts: readonly string[]): readonly string[] {
    hosts.forEach((exchange, index) => {
      this.records.push({ name: domain, ttl: TTL, type: 'MX', data: { preference: (index + 1) * 10, exchange } });
    });
    return hosts;
  }

  private addHost(host: string, addresses: Addresses): void {
    this.openFor(host);
    this.addAddresses(host, addresses);
  }

  private addAddresses(name: string, { v4, v6 }: Addresses): void {
    if (v4 !== undefined) this.records.push({ name, ttl: TTL, type: 'A', data: v4 });
    if (v6 !== undefined) this.records.push({ name, ttl: TTL, type: 'AAAA', data: v6 });
  }

  private remove(unwanted: (record: DnsRecord) => boolean): void {
    const kept = this.records.filter((record) => !unwanted(record));
    this.records.splice(0, this.records.length, ...kept);
  }

  /** A zone for a name that lies in none. */
  private openFor(name: string): void {
    if (!this.holds(name)) this.open(name);
  }

  /** Whether a name lies in a zone of the preview. */
  private holds(name: string): boolean {
    return [...this.apexes].some((apex) => name === apex || name.endsWith(`.${apex}`));
  }

  private open(apex: string): void {
    if (this.apexes.has(apex)) return;
    this.apexes.add(apex);
    const timers = { serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 };
    this.records.push(
      { name: apex, ttl: TTL, type: 'SOA', data: { mname: NAME_SERVER, rname: `hostmaster.${SERVER_ZONE}`, ...timers } },
      { name: apex, ttl: TTL, type: 'NS', data: NAME_SERVER },
    );
  }
}

/**
 * Tells the apex of each record set's zone. The name of a zone that the template makes stands in it; of an imported one only the
 * id does, so there it is the longest name that all its records, and the domains published from it, have in common.
 */
function apexesOf(assembly: Assembly, publications: readonly Publication[]): (set: RecordSet) => string | undefined {
  const names = new Map<string, string[]>();
  for (const { zoneId, domain } of publications) {
    if (zoneId !== undefined) names.set(zoneId, [...names.get(zoneId) ?? [], domain]);
  }
  for (const { zoneId, name } of assembly.recordSets) {
    if (zoneId !== undefined) names.set(zoneId, [...names.get(zoneId) ?? [], name]);
  }
  const shared = new Map([...names].map(([zoneId, all]) => [zoneId, commonName(all)]));
  return ({ zoneId, zoneName, name }) => {
    if (zoneName !== undefined) return zoneName;
    if (zoneId === undefined) return undefined;
    // Names without anything in common cannot be of one zone; each is taken for itself.
    return assembly.zones.get(zoneId) ?? shared.get(zoneId) ?? name.split('.').slice(-2).join('.');
  };
}

function commonName(names: readonly string[]): string | undefined {
  const [first = [], ...others] = names.map((name) => name.split('.').reverse());
  const differs = first.findIndex((label, index) => others.some((other) => other[index] !== label));
  const common = (differs === -1 ? first : first.slice(0, differs)).reverse();
  // A top-level domain alone is a chance likeness, unless it is a domain itself.
  const name = common.join('.');
  return common.length > 1 || names.includes(name) ? name : undefined;
}
