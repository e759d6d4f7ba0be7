// Answers one DNS question: asks one server after the other and follows CNAMEs.
import type { Answer, DecodedPacket, SoaAnswer } from 'dns-packet';
import { safeText } from '../../util/safe-text';
import { ALIAS_PROBLEMS, MAX_ALIASES, normalizeName } from './answer';
import type { AnswerBase, DnsAnswer, DnsData, DnsEmpty, DnsFailed, DnsType } from './answer';
import { recordData } from './message';
import { formatServer, parseServer } from './server-address';
import type { DnsServerAddress } from './server-address';
import { NOERROR, NXDOMAIN, exchange, rcode } from './transport';

export interface QueryOptions {
  /**
   * Time to wait for one answer of one server, in milliseconds.
   *
   * @default 2000
   */
  readonly timeoutMs?: number;
  /**
   * How often to ask a server that does not answer.
   *
   * @default 2
   */
  readonly tries?: number;
  /** Cancels pending questions; their answer is `failed`. */
  readonly signal?: AbortSignal;
}

/** The parts of a question that stay the same from alias to alias. */
export interface QueryContext<T extends DnsType> extends QueryOptions {
  readonly type: T;
  /** The recursive resolvers. */
  readonly recursive: readonly DnsServerAddress[];
}

/**
 * Asks a question and follows aliases. Never rejects.
 *
 * @param server - the one server to ask; the recursive resolvers follow aliases that lead out of its zones
 */
export function queryServer<T extends DnsType>(context: QueryContext<T>, name: string, server?: string): Promise<DnsAnswer<T>> {
  return new Query(context).ask(normalizeName(name), server);
}

/** Lives for one question. */
class Query<T extends DnsType> {
  /** The name of the question and every alias target after it. */
  private readonly chain: string[] = [];
  private ttl = Infinity;
  private server = '';

  public constructor(private readonly context: QueryContext<T>) {}

  public async ask(name: string, server?: string): Promise<DnsAnswer<T>> {
    this.chain.push(name);
    this.server = server ?? 'no server';
    if (!isQueryName(name)) return this.failed(`\`${safeText(name)}\` is no domain name and cannot be asked for`);
    try {
      return await this.follow(name, server === undefined ? undefined : parseServer(server));
    } catch (error) {
      return this.failed(error instanceof Error ? safeText(error.message) : 'failed for an unknown reason');
    }
  }

  /** Asks the named server, or else the recursive resolvers. */
  private async follow(name: string, named?: DnsServerAddress): Promise<DnsAnswer<T>> {
    const packet = await this.firstUsable(name, named === undefined ? this.context.recursive : [named], named === undefined);
    return typeof packet === 'string' ? this.failed(packet) : this.read(packet, name, named);
  }

  /** Returns the first usable message, or the reason of the last failure. Asks again only the servers that did not answer. */
  private async firstUsable(name: string, servers: readonly DnsServerAddress[], recursive: boolean): Promise<DecodedPacket | string> {
    const { timeoutMs = 2000, tries = 2, signal } = this.context;
    let pending = servers;
    let reason = 'no DNS server is known to ask';
    for (let round = 0; round < tries; round += 1) {
      const silent: DnsServerAddress[] = [];
      for (const server of pending) {
        this.server = formatServer(server);
        const result = await exchange({ server, name, type: this.context.type, recursive, timeoutMs, signal });
        if ('problem' in result) {
          reason = result.problem;
          if (result.timedOut) silent.push(server);
        } else {
          const code = rcode(result.packet);
          if (code === NOERROR || code === NXDOMAIN) return result.packet;
          reason = RCODES.get(code) ?? `response code ${code}`;
        }
      }
      pending = silent;
    }
    return reason;
  }

  private async read(packet: DecodedPacket, name: string, named?: DnsServerAddress): Promise<DnsAnswer<T>> {
    // Ignore the cache of a server that is not responsible for the name (a lame delegation, RFC 8499 §7).
    if (named !== undefined && !packet.flag_aa) return this.failed('not authoritative for this name');
    for (let at = name; ;) {
      const here = (packet.answers ?? []).filter((record) => normalizeName(record.name) === at);
      // NXDOMAIN describes the last name of the chain (RFC 6604 §3). Resolvers drop records of that name beside it.
      const records = rcode(packet) === NXDOMAIN ? [] : this.take(here, this.context.type);
      if (records.length > 0) {
        return { status: 'found', records, ttl: this.ttl, authoritative: packet.flag_aa, ...this.base() };
      }
      const target = this.take(here, 'CNAME').at(0);
      if (target === undefined) return at === name ? this.empty(packet) : this.chainEnd(packet, at);
      if (this.chain.includes(target)) return this.failed(`${ALIAS_PROBLEMS.loop} at ${safeText(target)}`);
      if (this.chain.length > MAX_ALIASES) return this.failed(ALIAS_PROBLEMS.chain);
      this.chain.push(target);
      at = target;
    }
  }

  /** Handles the last name of a CNAME chain in a message, if the message has no record of the wanted type for it. */
  private chainEnd(packet: DecodedPacket, at: string): DnsAnswer<T> | Promise<DnsAnswer<T>> {
    // Without NXDOMAIN or an SOA record, the server knows nothing about the last name: the chain has left its zones.
    const isKnown = rcode(packet) === NXDOMAIN || findSoa(packet) !== undefined;
    return isKnown ? this.empty(packet) : this.follow(at);
  }

  private empty(packet: DecodedPacket): DnsEmpty | DnsFailed {
    const soa = findSoa(packet);
    const refers = packet.authorities?.some((record) => record.type === 'NS') === true;
    if (soa === undefined && refers && rcode(packet) === NOERROR) return this.failed('refers to other servers, as one that does no recursion');
    return {
      status: 'empty',
      reason: rcode(packet) === NXDOMAIN ? 'NXDOMAIN' : 'NODATA',
      authoritative: packet.flag_aa,
      ttl: soa && Math.min(seconds(soa.ttl), seconds(soa.data.minimum)),
      ...this.base(),
    };
  }

  /** Returns the data of the records of one type, and keeps the smallest TTL. */
  private take<K extends DnsType>(records: readonly Answer[], type: K): DnsData[K][] {
    return records.flatMap((record) => {
      const data = recordData(record, type);
      if (data === undefined) return [];
      this.ttl = Math.min(this.ttl, seconds('ttl' in record ? record.ttl : undefined));
      return [data];
    });
  }

  private failed(reason: string): DnsFailed {
    return { status: 'failed', reason, ...this.base() };
  }

  private base(): AnswerBase {
    return { server: this.server, cnames: this.chain.slice(1) };
  }
}

/** Response codes that leave a question unanswered (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9, RFC 8945 §3, RFC 7873 §8). */
const RCODES: ReadonlyMap<number, string> = new Map([
  [1, 'FORMERR'], [2, 'SERVFAIL'], [4, 'NOTIMP'], [5, 'REFUSED'], [6, 'YXDOMAIN'], [7, 'YXRRSET'], [8, 'NXRRSET'], [9, 'NOTAUTH'], [10, 'NOTZONE'],
  [16, 'BADVERS'], [17, 'BADKEY'], [18, 'BADTIME'], [19, 'BADMODE'], [20, 'BADNAME'], [21, 'BADALG'], [22, 'BADTRUNC'], [23, 'BADCOOKIE'],
]);

function findSoa(packet: DecodedPacket): SoaAnswer | undefined {
  return packet.authorities?.find((record): record is SoaAnswer => record.type === 'SOA');
}

/** Returns a TTL in seconds. A TTL with the highest bit set counts as 0 (RFC 2181 §8). */
function seconds(ttl = 0): number {
  return ttl > 0x7fffffff ? 0 : ttl;
}

/** Tells whether a question can carry a name: labels of 1 to 63 visible ASCII characters, 253 characters in all; or the root, empty. */
function isQueryName(name: string): boolean {
  return name.length <= 253 && (name === '' || name.split('.').every((label) => /^[\x21-\x7e]{1,63}$/.test(label)));
}
