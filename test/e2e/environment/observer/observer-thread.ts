// The thread of a watch: a hundred looks a second, of its own, so that neither the servers of the stage nor the deployment hold it up.
import { Resolver } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { parseRecord } from '../../../../lib/protocol/records/sts-record';
import { EDGES, RESOLVER, OBSERVER_RESOLVER } from '../addresses';
import { policyHash, namedBy } from '../app/policy-ids';
import type { FailedObservation, Observation, Seen, Unreached, ObserverOptions } from './observation';

/** How far the looks may be behind their pace, and catch up. */
const CATCHING_UP_MILLISECONDS = 500;

/** So many looks at once at most: a slow answer holds up no other look. */
const OBSERVERS = 32;

const TELLING_MILLISECONDS = 50;

/** Of so many looks one makes a connection of its own, with a whole TLS handshake: what is kept alive saw its certificate long ago. */
const OBSERVATIONS_PER_CONNECTION = 10;

/**
 * A CloudFront function has a quarter of a second, which a busy machine does not always give it; on AWS it takes a millisecond. Such an
 * answer, and no other, is asked for again, and counted.
 */
const BUSY = { status: 503, says: 'the CloudFront function associated with this distribution failed', times: 3, pauseMilliseconds: 50 } as const;

const DNS = { timeout: 5_000, tries: 1 } as const;

const ALL_EDGES: readonly string[] = [...EDGES.v4, ...EDGES.v6];

/** What the edge has shown: the hash of the bytes, none, or nothing to go by. */
type Served = { readonly hash: string | undefined } | { readonly unreached: string };

/** What the record says. */
type Announcement = Pick<Observation, 'published' | 'names' | 'several'>;

class Lookers {
  private observations: Observation[] = [];
  private unreached: Unreached[] = [];
  private blind: FailedObservation[] = [];
  private again = 0;
  private count = 0;
  private readonly keeping: Agent;
  private readonly connecting: Agent;
  private readonly resolver = new Resolver(DNS);
  private readonly addresses = new Resolver(DNS);
  private readonly domain: string;
  private readonly policyHost: string;
  /** From the beginning of one look to that of the next. */
  private readonly paceMilliseconds: number;
  private next = Date.now();
  private stopped = false;

  public constructor(private readonly options: ObserverOptions, private readonly tell: (seen: Seen) => void) {
    const { domain = 'example.test', observationsPerSecond = 110 } = options;
    this.domain = domain;
    this.policyHost = `mta-sts.${domain}`;
    this.paceMilliseconds = 1000 / observationsPerSecond;
    // No session of TLS is resumed.
    const agentOptions = { ca: options.ca, maxCachedSessions: 0 };
    this.keeping = new Agent({ ...agentOptions, keepAlive: true, maxSockets: OBSERVERS });
    this.connecting = new Agent({ ...agentOptions, keepAlive: false });
    this.resolver.setServers([RESOLVER]);
    this.addresses.setServers([OBSERVER_RESOLVER]);
  }

  public async run(): Promise<void> {
    const telling = setInterval(() => {
      this.tellNow(false);
    }, TELLING_MILLISECONDS);
    await Promise.all(Array.from({ length: OBSERVERS }, () => this.repeat()));
    clearInterval(telling);
    this.resolver.cancel();
    this.addresses.cancel();
    this.keeping.destroy();
    this.connecting.destroy();
    this.tellNow(true);
  }

  public stop(): void {
    this.stopped = true;
  }

  private tellNow(last: boolean): void {
    this.tell({ observations: this.observations, unreached: this.unreached, blind: this.blind, again: this.again, last });
    this.observations = [];
    this.unreached = [];
    this.blind = [];
    this.again = 0;
  }

  private async repeat(): Promise<void> {
    for (;;) {
      this.next = Math.max(this.next + this.paceMilliseconds, Date.now() - CATCHING_UP_MILLISECONDS);
      await sleep(Math.max(0, this.next - Date.now()));
      if (this.stopped) return;
      const at = Date.now();
      try {
        await this.look(at);
      } catch (error) {
        this.blind.push({ at, why: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  /** @throws Error where DNS gives no answer */
  private async look(at: number): Promise<void> {
    const number = this.count;
    this.count += 1;
    const edge = ALL_EDGES[number % ALL_EDGES.length];
    const agent = number % OBSERVATIONS_PER_CONNECTION === 0 ? this.connecting : this.keeping;
    let served: Served;
    let record: Announcement;
    if (this.options.first === 'record') {
      record = await this.published();
      served = await this.served(edge, agent);
    } else {
      served = await this.served(edge, agent);
      record = await this.published();
    }
    if ('unreached' in served) this.unreached.push({ at, ...record, edge, why: served.unreached });
    else this.observations.push({ at, ...record, edge, served: served.hash });
  }

  private async published(): Promise<Announcement> {
    try {
      const records = await this.resolver.resolveTxt(`_mta-sts.${this.domain}`);
      const isSeveral = records.filter((strings) => strings.join('').startsWith('v=STSv1')).length > 1;
      const published = parseRecord(records).record?.id;
      return { published, names: published === undefined ? undefined : namedBy(published), ...isSeveral && { several: true } };
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')) return {};
      throw error;
    }
  }

  private async served(edge: string, agent: Agent): Promise<Served> {
    const astray = await this.astray(edge);
    if (astray !== undefined) return { unreached: astray };
    for (let left: number = BUSY.times; ; left -= 1) {
      const served = await this.authorizedCalls(edge, agent);
      if (served !== 'busy') return served;
      if (left === 0) return { unreached: `status ${BUSY.status}, and ${BUSY.times} times again` };
      this.again += 1;
      await sleep(BUSY.pauseMilliseconds);
    }
  }

  /** Why DNS does not lead to this edge; undefined where it does. */
  private async astray(edge: string): Promise<string | undefined> {
    const isIPv6 = edge.includes(':');
    const name = `${this.policyHost} ${isIPv6 ? 'AAAA' : 'A'}`;
    try {
      const found = await (isIPv6 ? this.addresses.resolve6(this.policyHost) : this.addresses.resolve4(this.policyHost));
      return found.includes(edge) ? undefined : `${name} is ${found.join(', ')}, without ${edge}`;
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Never rejects. */
  private authorizedCalls(edge: string, agent: Agent): Promise<Served | 'busy'> {
    const { policyHost } = this;
    return new Promise((resolve) => {
      const fail = (error: Error): void => {
        resolve({ unreached: error.message });
      };
      const get = request({
        host: edge,
        servername: policyHost,
        path: '/.well-known/mta-sts.txt',
        headers: { host: policyHost, ...this.options.name === undefined ? {} : { 'user-agent': this.options.name } },
        agent,
        timeout: 5_000,
      }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', fail);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const mediaType = response.headers['content-type'] ?? 'none';
          // Whatever else is there is no policy (RFC 8461 §3.2), nor does it say that there is none.
          if (response.statusCode === 200) resolve(/^text\/plain\b/.test(mediaType) ? { hash: policyHash(body) } : { unreached: `media type ${mediaType}` });
          else if (response.statusCode === 403 || response.statusCode === 404) resolve({ hash: undefined });
          else if (response.statusCode === BUSY.status && body.includes(BUSY.says)) resolve('busy');
          else resolve({ unreached: `status ${response.statusCode ?? 'none'}` });
        });
      });
      get.on('error', fail).on('timeout', () => get.destroy(new Error('no answer from the edge'))).end();
    });
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const lookers = new Lookers(workerData as ObserverOptions, (seen) => {
    port.postMessage(seen);
  });
  port.once('message', () => {
    lookers.stop();
  });
  void lookers.run().then(() => {
    port.close();
  });
}
