// Answers questions from a list of records as an authoritative name server does (RFC 1034 §4.3.2).
import type { DnsRecord } from './records';
import type { DnsAnswerer, DnsReply } from './question';

/**
 * Makes the answers of a name server that holds these records. Each SOA record is the apex of a zone; names outside of all
 * zones are REFUSED. CNAMEs are followed within the zones, wildcards are expanded, names below an NS record that is not at an
 * apex are referred to it.
 *
 * @throws RangeError when there is no SOA record, a record lies outside of the zones, or a character-string is too long
 */
export function zoneAnswers(records: readonly DnsRecord[]): DnsAnswerer {
  const zones = new Zones(records);
  return (question) => new Walk(zones, question.type).from(canonical(question.name));
}

/** A real server gives up somewhere as well; nothing here needs more than two. */
const MAX_ALIASES = 8;

/** One question's way through the zones. */
class Walk {
  private readonly answers: DnsRecord[] = [];

  public constructor(private readonly zones: Zones, private readonly type: string) {}

  public from(name: string): DnsReply {
    for (let at = name; ;) {
      const zone = this.zones.zoneOf(at);
      // A target elsewhere is for the resolver to go on with; only a first name elsewhere is no business of this server.
      if (zone === undefined) return this.answers.length === 0 ? refused() : this.reply('NOERROR');
      const cut = this.zones.cut(at, zone);
      if (cut !== undefined) {
        return { rcode: 'NOERROR', answers: this.answers, authorities: cut, authoritative: this.answers.length > 0 };
      }
      const node = this.zones.node(at, zone);
      if (node === undefined) return this.reply('NXDOMAIN', zone);
      const found = node.filter((record) => record.type === this.type || this.type === 'ANY');
      const alias = node.find((record) => record.type === 'CNAME');
      if (found.length > 0 || alias?.type !== 'CNAME') {
        this.answers.push(...found);
        return found.length > 0 ? this.reply('NOERROR') : this.reply('NOERROR', zone);
      }
      this.answers.push(alias);
      if (this.answers.length === MAX_ALIASES) return this.reply('NOERROR');
      at = canonical(alias.data);
    }
  }

  /** A negative answer carries the zone's SOA (RFC 2308 §3). */
  private reply(rcode: 'NOERROR' | 'NXDOMAIN', negative?: DnsRecord): DnsReply {
    return { rcode, answers: this.answers, authorities: negative === undefined ? [] : [negative], authoritative: true };
  }
}

/** The records by name, and what names exist because of them. */
class Zones {
  private readonly nodes = new Map<string, DnsRecord[]>();
  private readonly apexes = new Map<string, DnsRecord>();

  public constructor(records: readonly DnsRecord[]) {
    for (const record of records) {
      if (record.type === 'SOA') this.apexes.set(canonical(record.name), record);
    }
    if (this.apexes.size === 0) throw new RangeError('a zone needs a SOA record at its apex, found none');
    for (const record of records) this.add(record);
  }

  /** The SOA of the closest zone that a name lies in. */
  public zoneOf(name: string): DnsRecord | undefined {
    return first(ancestors(name), (ancestor) => this.apexes.get(ancestor));
  }

  /** The NS records of the highest delegation on the way from a zone's apex to a name. */
  public cut(name: string, zone: DnsRecord): DnsRecord[] | undefined {
    const names = strictlyBelow(name, canonical(zone.name)).reverse();
    return first(names, (ancestor) => {
      const servers = (this.nodes.get(ancestor) ?? []).filter((record) => record.type === 'NS');
      return servers.length > 0 ? servers : undefined;
    });
  }

  /** The records at a name, those of a wildcard under the name's own; undefined when there is no such name. */
  public node(name: string, zone: DnsRecord): readonly DnsRecord[] | undefined {
    const own = this.nodes.get(name);
    if (own !== undefined) return own;
    // RFC 4592 §3.3.1: only a wildcard just below the closest name that exists speaks for this one.
    const closest = ancestors(name).find((ancestor) => this.nodes.has(ancestor)) ?? canonical(zone.name);
    return this.nodes.get(`*.${closest}`)?.map((record) => ({ ...record, name }));
  }

  private add(record: DnsRecord): void {
    const name = canonical(record.name);
    const zone = this.zoneOf(name);
    if (zone === undefined) throw new RangeError(`the record ${record.type} at ${record.name} lies in none of the zones`);
    if (record.type === 'TXT' && record.data.some((text) => text.length > 255)) {
      throw new RangeError(`a character-string holds at most 255 bytes (RFC 1035 §3.3), split the TXT at ${record.name}`);
    }
    // Empty names on the way exist too: they are NODATA, never NXDOMAIN (RFC 8020).
    for (const ancestor of strictlyBelow(name, canonical(zone.name))) this.nodes.set(ancestor, this.nodes.get(ancestor) ?? []);
    this.nodes.set(name, [...this.nodes.get(name) ?? [], record]);
  }
}

function refused(): DnsReply {
  return { rcode: 'REFUSED', answers: [], authorities: [], authoritative: false };
}

/** Lower case (RFC 4343) and without the dot at the end. */
function canonical(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

/** The name itself, its parent, and so on up to its top level. */
function ancestors(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, at) => labels.slice(at).join('.'));
}

/** Those of a name's ancestors that lie below an apex, the name first. */
function strictlyBelow(name: string, apex: string): string[] {
  const all = ancestors(name);
  return all.slice(0, all.length - ancestors(apex).length);
}

function first<T, R>(items: readonly T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const picked = pick(item);
    if (picked !== undefined) return picked;
  }
  return undefined;
}
