// Answers DNS questions from a list of records, as an authoritative name server does (RFC 1034 §4.3.2).
import { parentNames } from '../../protocol/domain-name';
import { normalizeName } from '../../verifier/dns/answer';
import type { DnsRecord } from './records';
import type { DnsAnswerer, DnsReply } from './question';

/**
 * Creates the answerer of a name server with these records.
 *
 * Each SOA record is the apex of a zone. The answer for a name outside of all zones is REFUSED. The answerer follows CNAME records
 * within the zones and expands wildcards. For a name below NS records that are not at an apex, it returns a referral.
 *
 * @throws RangeError if there is no SOA record, a record is outside of the zones, or a character-string is too long
 */
export function zoneAnswers(records: readonly DnsRecord[]): DnsAnswerer {
  const zones = new Zones(records);
  return (question) => new Lookup(zones, question.type).answer(normalizeName(question.name));
}

/** Maximum number of CNAME records to follow. Real servers have a limit too, and no test needs more than two. */
const MAX_ALIASES = 8;

/** The lookup of one question. */
class Lookup {
  private readonly answers: DnsRecord[] = [];

  public constructor(private readonly zones: Zones, private readonly type: string) {}

  public answer(name: string): DnsReply {
    for (let at = name; ;) {
      const zone = this.zones.findZone(at);
      // The resolver follows a CNAME to another server. REFUSED is only for a question about a name outside of the zones.
      if (zone === undefined) return this.answers.length === 0 ? refused() : this.reply('NOERROR');
      const delegation = this.zones.findDelegation(at, zone);
      if (delegation !== undefined) {
        return { rcode: 'NOERROR', answers: this.answers, authorities: delegation, authoritative: this.answers.length > 0 };
      }
      const node = this.zones.findNode(at, zone);
      if (node === undefined) return this.reply('NXDOMAIN', zone);
      const found = node.filter((record) => record.type === this.type || this.type === 'ANY');
      const alias = node.find((record) => record.type === 'CNAME');
      if (found.length > 0 || alias?.type !== 'CNAME') {
        this.answers.push(...found);
        return found.length > 0 ? this.reply('NOERROR') : this.reply('NOERROR', zone);
      }
      this.answers.push(alias);
      if (this.answers.length === MAX_ALIASES) return this.reply('NOERROR');
      at = normalizeName(alias.data);
    }
  }

  /** Returns a reply. A negative reply contains the SOA record of the zone (RFC 2308 §3). */
  private reply(rcode: 'NOERROR' | 'NXDOMAIN', negative?: DnsRecord): DnsReply {
    return { rcode, answers: this.answers, authorities: negative === undefined ? [] : [negative], authoritative: true };
  }
}

/** The records by name. A parent name without records has an empty list. */
class Zones {
  private readonly nodes = new Map<string, DnsRecord[]>();
  private readonly apexes = new Map<string, DnsRecord>();

  public constructor(records: readonly DnsRecord[]) {
    for (const record of records) {
      if (record.type === 'SOA') this.apexes.set(normalizeName(record.name), record);
    }
    if (this.apexes.size === 0) throw new RangeError('a zone needs a SOA record at its apex, found none');
    for (const record of records) this.add(record);
  }

  /** Returns the SOA record of the closest zone that contains a name. */
  public findZone(name: string): DnsRecord | undefined {
    return findFirst(parentNames(name), (parent) => this.apexes.get(parent));
  }

  /** Returns the NS records of the first delegation on the way from the apex of a zone to a name. */
  public findDelegation(name: string, zone: DnsRecord): DnsRecord[] | undefined {
    const names = parentNamesBelow(name, normalizeName(zone.name)).reverse();
    return findFirst(names, (parent) => {
      const servers = (this.nodes.get(parent) ?? []).filter((record) => record.type === 'NS');
      return servers.length > 0 ? servers : undefined;
    });
  }

  /** Returns the records at a name. Records of a wildcard get that name. Returns undefined if the name does not exist. */
  public findNode(name: string, zone: DnsRecord): readonly DnsRecord[] | undefined {
    const own = this.nodes.get(name);
    if (own !== undefined) return own;
    // Only a wildcard directly below the closest existing name applies (RFC 4592 §3.3.1).
    const closest = parentNames(name).find((parent) => this.nodes.has(parent)) ?? normalizeName(zone.name);
    return this.nodes.get(`*.${closest}`)?.map((record) => ({ ...record, name }));
  }

  private add(record: DnsRecord): void {
    const name = normalizeName(record.name);
    const zone = this.findZone(name);
    if (zone === undefined) throw new RangeError(`the record ${record.type} at ${record.name} is in none of the zones`);
    if (record.type === 'TXT' && record.data.some((text) => text.length > 255)) {
      throw new RangeError(`a character-string has at most 255 bytes (RFC 1035 §3.3). Split the TXT record at ${record.name}`);
    }
    // The names between the apex and a record exist too. Their answer is NODATA, never NXDOMAIN (RFC 8020).
    for (const parent of parentNamesBelow(name, normalizeName(zone.name))) this.nodes.set(parent, this.nodes.get(parent) ?? []);
    this.nodes.set(name, [...this.nodes.get(name) ?? [], record]);
  }
}

function refused(): DnsReply {
  return { rcode: 'REFUSED', answers: [], authorities: [], authoritative: false };
}

/** Returns the name and its parents below an apex. */
function parentNamesBelow(name: string, apex: string): string[] {
  const all = parentNames(name);
  return all.slice(0, all.length - parentNames(apex).length);
}

/** Returns the first result that is not undefined. */
function findFirst<T, R>(items: readonly T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const picked = pick(item);
    if (picked !== undefined) return picked;
  }
  return undefined;
}
