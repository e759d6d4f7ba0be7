// One DNS question, asked of one server after the other and followed from alias to alias, until it has an answer.
import type { Answer, DecodedPacket, SoaAnswer } from 'dns-packet';
import { safeText } from '../../util/safe-text';
import { dataOf } from './answer';
import { formatServer, parseServer } from './server-address';
import type { DnsServerAddress } from './server-address';
import { NOERROR, NXDOMAIN, normalizeName, exchange, rcode } from './transport';
import type { AnswerBase, DnsAnswer, DnsData, DnsEmpty, DnsFailed, DnsType, ResolverOptions } from './resolver';

/** What does not change from alias to alias. */
export interface QueryContext<T extends DnsType> extends Pick<ResolverOptions, 'timeoutMs' | 'tries' | 'signal'> {
  readonly type: T;
  /** The resolvers that find the answer wherever it is. */
  readonly recursive: readonly DnsServerAddress[];
}

/**
 * Asks and follows. Never rejects.
 *
 * @param server - the one server to ask; aliases that lead out of its zones are followed by the recursive ones
 */
export function queryServer<T extends DnsType>(setting: QueryContext<T>, name: string, server?: string): Promise<DnsAnswer<T>> {
  return new Inquiry(setting).ask(normalizeName(name), server);
}

/** RFC 1034 §3.6.2 wants chains to be short; resolvers stop somewhere between 8 and 16. */
const MAX_ALIASES = 8;

/** The reasons of a failure that trying again does not mend. */
export const ALIAS_FAULTS = { chain: `more than ${MAX_ALIASES} CNAMEs in a row`, loop: 'CNAME loop' } as const;

/** One question, followed from alias to alias. */
class Inquiry<T extends DnsType> {
  /** Every name on the way, the one asked for first. */
  private readonly path: string[] = [];
  private ttl = Infinity;
  private server = '';

  public constructor(private readonly setting: QueryContext<T>) {}

  public async ask(name: string, server?: string): Promise<DnsAnswer<T>> {
    this.path.push(name);
    this.server = server ?? 'no server';
    if (!isQueryName(name)) return this.failed(`\`${safeText(name)}\` is no domain name and cannot be asked for`);
    try {
      return await this.follow(name, server === undefined ? undefined : parseServer(server));
    } catch (error) {
      return this.failed(error instanceof Error ? safeText(error.message) : 'failed for an unknown reason');
    }
  }

  /** Asks one server, or else the recursive ones. */
  private async follow(name: string, named?: DnsServerAddress): Promise<DnsAnswer<T>> {
    const packet = await this.firstUsable(name, named === undefined ? this.setting.recursive : [named], named === undefined);
    return typeof packet === 'string' ? this.failed(packet) : this.read(packet, name, named);
  }

  /** The first usable message, or why there is none. Who stays silent is asked again, who has answered is not. */
  private async firstUsable(name: string, servers: readonly DnsServerAddress[], recursive: boolean): Promise<DecodedPacket | string> {
    const { timeoutMs = 2000, tries = 2, signal } = this.setting;
    let waiting = servers;
    let reason = 'no DNS server is known to ask';
    for (let round = 0; round < tries; round += 1) {
      const silent: DnsServerAddress[] = [];
      for (const server of waiting) {
        this.server = formatServer(server);
        const result = await exchange({ server, name, type: this.setting.type, recursive, timeoutMs, signal });
        if ('fault' in result) {
          reason = result.fault;
          if (result.timedOut) silent.push(server);
        } else {
          const code = rcode(result.packet);
          if (code === NOERROR || code === NXDOMAIN) return result.packet;
          reason = RCODES.get(code) ?? `response code ${code}`;
        }
      }
      waiting = silent;
    }
    return reason;
  }

  private async read(packet: DecodedPacket, name: string, named?: DnsServerAddress): Promise<DnsAnswer<T>> {
    // A server that is asked without being responsible says nothing, whatever it remembers (a lame delegation, RFC 8499 §7).
    if (named !== undefined && !packet.flag_aa) return this.failed('not authoritative for this name');
    for (let at = name; ;) {
      const here = (packet.answers ?? []).filter((record) => normalizeName(record.name) === at);
      // "No such name" is said of the last name of the chain (RFC 6604 §3), and resolvers drop what an answer holds beside it.
      const records = rcode(packet) === NXDOMAIN ? [] : this.take(here, this.setting.type);
      if (records.length > 0) {
        return { status: 'found', records, ttl: this.ttl, authoritative: packet.flag_aa, ...this.base() };
      }
      const target = this.take(here, 'CNAME').at(0);
      if (target === undefined) return at === name ? this.absent(packet) : this.end(packet, at);
      if (this.path.includes(target)) return this.failed(`${ALIAS_FAULTS.loop} at ${safeText(target)}`);
      if (this.path.length > MAX_ALIASES) return this.failed(ALIAS_FAULTS.chain);
      this.path.push(target);
      at = target;
    }
  }

  /** The end of a chain of aliases, without the type that was asked for. */
  private end(packet: DecodedPacket, at: string): DnsAnswer<T> | Promise<DnsAnswer<T>> {
    // Without a word on the last name the chain has left what this server knows.
    const known = rcode(packet) === NXDOMAIN || soaOf(packet) !== undefined;
    return known ? this.absent(packet) : this.follow(at);
  }

  private absent(packet: DecodedPacket): DnsEmpty | DnsFailed {
    const soa = soaOf(packet);
    const refers = packet.authorities?.some((record) => record.type === 'NS') === true;
    if (soa === undefined && refers && rcode(packet) === NOERROR) return this.failed('refers to other servers, as one that does no recursion');
    const ttl = soa === undefined ? undefined : Math.min(seconds(soa.ttl), seconds(soa.data.minimum));
    return {
      status: 'empty',
      reason: rcode(packet) === NXDOMAIN ? 'NXDOMAIN' : 'NODATA',
      authoritative: packet.flag_aa,
      ...(ttl === undefined ? {} : { ttl }),
      ...this.base(),
    };
  }

  /** The data of the records of one type; the smallest TTL on the way is kept. */
  private take<K extends DnsType>(records: readonly Answer[], type: K): DnsData[K][] {
    return records.flatMap((record) => {
      const data = dataOf(record, type);
      if (data === undefined) return [];
      this.ttl = Math.min(this.ttl, seconds('ttl' in record ? record.ttl : undefined));
      return [data];
    });
  }

  private failed(reason: string): DnsFailed {
    return { status: 'failed', reason, ...this.base() };
  }

  private base(): AnswerBase {
    return { server: this.server, cnames: this.path.slice(1) };
  }
}

/** The response codes that leave a question unanswered (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9, RFC 8945 §3, RFC 7873 §8). */
const RCODES: ReadonlyMap<number, string> = new Map([
  [1, 'FORMERR'], [2, 'SERVFAIL'], [4, 'NOTIMP'], [5, 'REFUSED'], [6, 'YXDOMAIN'], [7, 'YXRRSET'], [8, 'NXRRSET'], [9, 'NOTAUTH'], [10, 'NOTZONE'],
  [16, 'BADVERS'], [17, 'BADKEY'], [18, 'BADTIME'], [19, 'BADMODE'], [20, 'BADNAME'], [21, 'BADALG'], [22, 'BADTRUNC'], [23, 'BADCOOKIE'],
]);

function soaOf(packet: DecodedPacket): SoaAnswer | undefined {
  return packet.authorities?.find((record): record is SoaAnswer => record.type === 'SOA');
}

/** RFC 2181 §8: a TTL with the highest bit set counts as 0. */
function seconds(ttl = 0): number {
  return ttl > 0x7fffffff ? 0 : ttl;
}

/** What can be put into a question: labels of 1 to 63 visible ASCII characters, 253 characters in all; or the root, empty. */
function isQueryName(name: string): boolean {
  return name.length <= 253 && (name === '' || name.split('.').every((label) => /^[\x21-\x7e]{1,63}$/.test(label)));
}
