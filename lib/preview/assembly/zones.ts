// Builds the DNS zones of a preview from the record sets of the template, and adds MX records if the template has none.
import { isIPv6 } from 'node:net';
import { parsePolicy } from '../../protocol/policy/policy';
import { safeText } from '../../util/safe-text';
import type { Assembly, Publication } from './assembly';
import type { DnsRecord } from '../dns-server/records';
import { readValue } from './record-values';
import type { RecordSet } from './record-sets';

/** An MX host that the user gives. */
export interface MxHost {
  readonly host: string;
  readonly address: string;
}

/** The MX hosts of a domain and their origin. */
export interface PreviewMx {
  readonly domain: string;
  readonly hosts: readonly string[];
  /** `given` by the user, in the `template`, or created from the mx patterns of the `policy`. */
  readonly origin: 'given' | 'template' | 'policy';
}

/** The addresses of the preview. */
export interface Addresses {
  readonly v4?: string;
  readonly v6?: string;
}

/** Zone of the name server. The top-level domain `invalid` is reserved for names that do not exist (RFC 6761 §6.4). */
const SERVER_ZONE = 'preview.invalid';
const NAME_SERVER = `ns.${SERVER_ZONE}`;
const TTL_SECONDS = 300;

/** Returns the records to serve. Each zone gets a SOA record and a name server. A note names each record that Route 53 would refuse. */
export function previewZones(
  assembly: Assembly, publications: readonly Publication[], addresses: Addresses, mx: readonly MxHost[],
): { records: readonly DnsRecord[]; mx: readonly PreviewMx[] } {
  const zones = new Zones(assembly, addresses);
  zones.addServer();
  zones.addDistributions();
  const findApex = createApexFinder(assembly, publications);
  for (const set of assembly.recordSets) zones.addRecordSet(set, findApex(set));
  return { mx: publications.map((publication) => zones.addMx(publication, mx)), records: zones.records };
}

class Zones {
  public readonly records: DnsRecord[] = [];
  private readonly apexes = new Set<string>();

  public constructor(private readonly assembly: Assembly, private readonly addresses: Addresses) {}

  public addServer(): void {
    this.addZone(SERVER_ZONE);
    this.addAddresses(NAME_SERVER, this.addresses);
  }

  /** Adds the names of the distributions. A `CNAME` record in place of an alias record leads to such a name. */
  public addDistributions(): void {
    for (const { domainName, ipv6 } of this.assembly.distributions) {
      this.addZone(domainName);
      this.addAddresses(domainName, { v4: this.addresses.v4, v6: ipv6 ? this.addresses.v6 : undefined });
    }
  }

  public addRecordSet(set: RecordSet, apex: string | undefined): void {
    const { notes } = this.assembly;
    if (apex === undefined) {
      notes.add(set.path, 'has no hosted zone. It is left out');
    } else if (set.name !== apex && !set.name.endsWith(`.${apex}`)) {
      notes.add(set.path, `${safeText(set.name)} is not in its hosted zone ${safeText(apex)}, so Route 53 refuses it. It is left out`);
    } else {
      this.addZone(apex);
      this.records.push(...set.aliasTarget === undefined ? this.createRecords(set) : this.createAliasRecords(set, set.aliasTarget));
    }
  }

  /** Adds the MX records of a domain: the given hosts, or else those of the template, or else hosts that the policy covers. */
  public addMx({ domain, policyText }: Publication, given: readonly MxHost[]): PreviewMx {
    this.ensureZone(domain);
    if (given.length > 0) {
      this.remove((record) => record.type === 'MX' && record.name === domain);
      const hosts = [...new Set(given.map(({ host }) => host))];
      for (const host of hosts) {
        this.remove((record) => record.name === host && (record.type === 'A' || record.type === 'AAAA' || record.type === 'CNAME'));
      }
      for (const { host, address } of given) this.addHost(host, isIPv6(address) ? { v6: address } : { v4: address });
      return { domain, hosts: this.addMxRecords(domain, hosts), origin: 'given' };
    }
    const inTemplate = this.records.flatMap((record) => record.type === 'MX' && record.name === domain ? [record.data.exchange] : []);
    if (inTemplate.length > 0) {
      // Hosts outside of the zones of the preview are assumed to exist.
      for (const host of inTemplate.filter((name) => name !== '.' && !this.contains(name))) this.addHost(host, this.addresses);
      return { domain, hosts: inTemplate, origin: 'template' };
    }
    const patterns = parsePolicy(Buffer.from(policyText, 'utf8')).policy?.mx ?? [];
    const hosts = [...new Set(patterns.map((pattern) => pattern.toLowerCase().replace(/^\*\./, 'mx.')))];
    for (const host of hosts) {
      if (!this.records.some(({ name }) => name === host)) this.addHost(host, this.addresses);
    }
    return { domain, hosts: this.addMxRecords(domain, hosts), origin: 'policy' };
  }

  private createRecords({ path, name, type, ttl, values }: RecordSet): DnsRecord[] {
    return values.flatMap((value) => {
      const data = readValue(type, value);
      if (typeof data !== 'string') return [{ name, ttl, ...data }];
      this.assembly.notes.add(path, `the value ${JSON.stringify(safeText(value))} of ${safeText(name)} ${safeText(data)}. It is left out`);
      return [];
    });
  }

  private createAliasRecords({ path, name, type, ttl }: RecordSet, target: string): DnsRecord[] {
    const distribution = this.assembly.distributions.find(({ domainName }) => domainName === target);
    if (distribution === undefined || (type !== 'A' && type !== 'AAAA')) {
      this.assembly.notes.add(path, `the alias record ${safeText(name)} leads to ${safeText(target)}, which the preview does not serve. It is left out`);
      return [];
    }
    const address = type === 'A' ? this.addresses.v4 : distribution.ipv6 ? this.addresses.v6 : undefined;
    return address === undefined ? [] : [{ name, ttl, type, data: address }];
  }

  private addMxRecords(domain: string, hosts: readonly string[]): readonly string[] {
    hosts.forEach((exchange, index) => {
      this.records.push({ name: domain, ttl: TTL_SECONDS, type: 'MX', data: { preference: (index + 1) * 10, exchange } });
    });
    return hosts;
  }

  private addHost(host: string, addresses: Addresses): void {
    this.ensureZone(host);
    this.addAddresses(host, addresses);
  }

  private addAddresses(name: string, { v4, v6 }: Addresses): void {
    if (v4 !== undefined) this.records.push({ name, ttl: TTL_SECONDS, type: 'A', data: v4 });
    if (v6 !== undefined) this.records.push({ name, ttl: TTL_SECONDS, type: 'AAAA', data: v6 });
  }

  private remove(unwanted: (record: DnsRecord) => boolean): void {
    const kept = this.records.filter((record) => !unwanted(record));
    this.records.splice(0, this.records.length, ...kept);
  }

  /** Adds a zone for a name that is in no zone of the preview. */
  private ensureZone(name: string): void {
    if (!this.contains(name)) this.addZone(name);
  }

  /** Returns whether a name is in a zone of the preview. */
  private contains(name: string): boolean {
    return [...this.apexes].some((apex) => name === apex || name.endsWith(`.${apex}`));
  }

  private addZone(apex: string): void {
    if (this.apexes.has(apex)) return;
    this.apexes.add(apex);
    const timers = { serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 };
    this.records.push(
      { name: apex, ttl: TTL_SECONDS, type: 'SOA', data: { mname: NAME_SERVER, rname: `hostmaster.${SERVER_ZONE}`, ...timers } },
      { name: apex, ttl: TTL_SECONDS, type: 'NS', data: NAME_SERVER },
    );
  }
}

/**
 * Returns a function that finds the zone apex of a record set. The template contains the name of a zone that it creates, but only
 * the id of an imported zone. The apex of an imported zone is assumed to be the longest common parent of its records and its policy
 * domains.
 */
function createApexFinder(assembly: Assembly, publications: readonly Publication[]): (set: RecordSet) => string | undefined {
  const names = new Map<string, string[]>();
  for (const { zoneId, domain } of publications) {
    if (zoneId !== undefined) names.set(zoneId, [...names.get(zoneId) ?? [], domain]);
  }
  for (const { zoneId, name } of assembly.recordSets) {
    if (zoneId !== undefined) names.set(zoneId, [...names.get(zoneId) ?? [], name]);
  }
  const commonNames = new Map([...names].map(([zoneId, all]) => [zoneId, commonName(all)]));
  return ({ zoneId, zoneName, name }) => {
    if (zoneName !== undefined) return zoneName;
    if (zoneId === undefined) return undefined;
    // Names without a common parent cannot be in one zone. Assume a zone for each of them.
    return assembly.zones.get(zoneId) ?? commonNames.get(zoneId) ?? name.split('.').slice(-2).join('.');
  };
}

/** Returns the longest common parent of names, or undefined if they have none. */
function commonName(names: readonly string[]): string | undefined {
  const [first = [], ...others] = names.map((name) => name.split('.').reverse());
  const differs = first.findIndex((label, index) => others.some((other) => other[index] !== label));
  const common = (differs === -1 ? first : first.slice(0, differs)).reverse();
  // A common top-level domain is a coincidence, unless it is one of the names.
  const name = common.join('.');
  return common.length > 1 || names.includes(name) ? name : undefined;
}
