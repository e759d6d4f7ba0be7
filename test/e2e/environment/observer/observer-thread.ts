// The worker thread of an observer. It runs apart from the main thread, so that servers and deployment do not delay its observations.
import { Resolver } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { parseRecord } from '../../../../lib/protocol/records/sts-record';
import { EDGES, RESOLVER, OBSERVER_RESOLVER } from '../addresses';
import { hashPolicy, parseIdHash } from '../app/policy-ids';
import type { FailedObservation, Observation, ObservationBatch, UnreachedObservation, ObserverOptions } from './observation';

/** Maximum delay that later observations catch up with. */
const MAX_BACKLOG_MS = 500;

/** More than one, so that a slow answer delays no other observation. */
const MAX_CONCURRENT_OBSERVATIONS = 32;

const BATCH_INTERVAL_MS = 50;

/** One observation in ten opens its own connection, because a connection that is kept alive does not see a new certificate. */
const OBSERVATIONS_PER_CONNECTION = 10;

/**
 * The answer of an edge whose function exceeded its quarter of a second. Only this answer is retried: it comes from a busy machine, and on
 * AWS such a function takes a millisecond.
 */
const BUSY = { status: 503, text: 'the CloudFront function associated with this distribution failed', retries: 3, delayMs: 50 } as const;

const DNS = { timeout: 5_000, tries: 1 } as const;

const ALL_EDGES: readonly string[] = [...EDGES.v4, ...EDGES.v6];

/** What the edge served: the hash of the bytes, undefined for no file, or the reason why it gave no usable answer. */
type FileAnswer = { readonly hash: string | undefined } | { readonly unreached: string };

type RecordAnswer = Pick<Observation, 'published' | 'names' | 'several'>;

class ObservationLoop {
  private observations: Observation[] = [];
  private unreached: UnreachedObservation[] = [];
  private failed: FailedObservation[] = [];
  private edgeRetries = 0;
  private count = 0;
  private readonly keepAliveAgent: Agent;
  private readonly newConnectionAgent: Agent;
  private readonly recordResolver = new Resolver(DNS);
  private readonly addressResolver = new Resolver(DNS);
  private readonly domain: string;
  private readonly policyHost: string;
  /** Time from the start of one observation to the start of the next. */
  private readonly intervalMs: number;
  private nextStart = Date.now();
  private stopped = false;

  public constructor(private readonly options: ObserverOptions, private readonly send: (batch: ObservationBatch) => void) {
    const { domain = 'example.test', observationsPerSecond = 110 } = options;
    this.domain = domain;
    this.policyHost = `mta-sts.${domain}`;
    this.intervalMs = 1000 / observationsPerSecond;
    // Without resumed sessions, each handshake shows the certificate.
    const agentOptions = { ca: options.ca, maxCachedSessions: 0 };
    this.keepAliveAgent = new Agent({ ...agentOptions, keepAlive: true, maxSockets: MAX_CONCURRENT_OBSERVATIONS });
    this.newConnectionAgent = new Agent({ ...agentOptions, keepAlive: false });
    this.recordResolver.setServers([RESOLVER]);
    this.addressResolver.setServers([OBSERVER_RESOLVER]);
  }

  public async run(): Promise<void> {
    const timer = setInterval(() => {
      this.sendBatch(false);
    }, BATCH_INTERVAL_MS);
    await Promise.all(Array.from({ length: MAX_CONCURRENT_OBSERVATIONS }, () => this.observeRepeatedly()));
    clearInterval(timer);
    this.recordResolver.cancel();
    this.addressResolver.cancel();
    this.keepAliveAgent.destroy();
    this.newConnectionAgent.destroy();
    this.sendBatch(true);
  }

  public stop(): void {
    this.stopped = true;
  }

  private sendBatch(last: boolean): void {
    this.send({ observations: this.observations, unreached: this.unreached, failed: this.failed, edgeRetries: this.edgeRetries, last });
    this.observations = [];
    this.unreached = [];
    this.failed = [];
    this.edgeRetries = 0;
  }

  private async observeRepeatedly(): Promise<void> {
    for (;;) {
      this.nextStart = Math.max(this.nextStart + this.intervalMs, Date.now() - MAX_BACKLOG_MS);
      await sleep(Math.max(0, this.nextStart - Date.now()));
      if (this.stopped) return;
      const at = Date.now();
      try {
        await this.observe(at);
      } catch (error) {
        this.failed.push({ at, why: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  /** @throws Error if DNS gives no answer */
  private async observe(at: number): Promise<void> {
    const number = this.count;
    this.count += 1;
    const edge = ALL_EDGES[number % ALL_EDGES.length] ?? EDGES.v4[0];
    const agent = number % OBSERVATIONS_PER_CONNECTION === 0 ? this.newConnectionAgent : this.keepAliveAgent;
    let file: FileAnswer;
    let record: RecordAnswer;
    if (this.options.first === 'record') {
      record = await this.fetchRecord();
      file = await this.fetchFile(edge, agent);
    } else {
      file = await this.fetchFile(edge, agent);
      record = await this.fetchRecord();
    }
    if ('unreached' in file) this.unreached.push({ at, ...record, edge, why: file.unreached });
    else this.observations.push({ at, ...record, edge, served: file.hash });
  }

  private async fetchRecord(): Promise<RecordAnswer> {
    try {
      const records = await this.recordResolver.resolveTxt(`_mta-sts.${this.domain}`);
      const isSeveral = records.filter((strings) => strings.join('').startsWith('v=STSv1')).length > 1;
      const published = parseRecord(records).record?.id;
      return { published, names: published === undefined ? undefined : parseIdHash(published), ...isSeveral && { several: true } };
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')) return {};
      throw error;
    }
  }

  private async fetchFile(edge: string, agent: Agent): Promise<FileAnswer> {
    const addressProblem = await this.findAddressProblem(edge);
    if (addressProblem !== undefined) return { unreached: addressProblem };
    for (let left: number = BUSY.retries; ; left -= 1) {
      const file = await this.requestFile(edge, agent);
      if (file !== 'busy') return file;
      if (left === 0) return { unreached: `status ${BUSY.status}, also after ${BUSY.retries} retries` };
      this.edgeRetries += 1;
      await sleep(BUSY.delayMs);
    }
  }

  /** Returns why DNS does not lead to this edge, or undefined if it does. */
  private async findAddressProblem(edge: string): Promise<string | undefined> {
    const isIPv6 = edge.includes(':');
    const name = `${this.policyHost} ${isIPv6 ? 'AAAA' : 'A'}`;
    try {
      const found = await (isIPv6 ? this.addressResolver.resolve6(this.policyHost) : this.addressResolver.resolve4(this.policyHost));
      return found.includes(edge) ? undefined : `${name} is ${found.join(', ')}, without ${edge}`;
    } catch (error) {
      return `${name}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Never rejects. */
  private requestFile(edge: string, agent: Agent): Promise<FileAnswer | 'busy'> {
    const { policyHost } = this;
    return new Promise((resolve) => {
      const fail = (error: Error): void => {
        resolve({ unreached: error.message });
      };
      const outgoing = request({
        host: edge,
        servername: policyHost,
        path: '/.well-known/mta-sts.txt',
        headers: { host: policyHost, ...this.options.name !== undefined && { 'user-agent': this.options.name } },
        agent,
        timeout: 5_000,
      }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', fail);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const mediaType = response.headers['content-type'] ?? 'none';
          // Another media type is no policy (RFC 8461 §3.2), but does not prove that there is none either.
          if (response.statusCode === 200) resolve(/^text\/plain\b/.test(mediaType) ? { hash: hashPolicy(body) } : { unreached: `media type ${mediaType}` });
          else if (response.statusCode === 403 || response.statusCode === 404) resolve({ hash: undefined });
          else if (response.statusCode === BUSY.status && body.includes(BUSY.text)) resolve('busy');
          else resolve({ unreached: `status ${response.statusCode ?? 'none'}` });
        });
      });
      outgoing.on('error', fail).on('timeout', () => outgoing.destroy(new Error('no answer from the edge'))).end();
    });
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const loop = new ObservationLoop(workerData as ObserverOptions, (batch) => {
    port.postMessage(batch);
  });
  port.once('message', () => {
    loop.stop();
  });
  void loop.run().then(() => {
    port.close();
  });
}
