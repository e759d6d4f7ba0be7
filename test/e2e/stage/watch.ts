// A sender that never sleeps: looks at the TXT record and the file again and again while something changes.
import { Resolver } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { policyId } from '../../../lib/protocol/policy-id';
import { EDGES, RESOLVER } from './addresses';

/** What one look saw. */
interface Look {
  /** Milliseconds since the epoch, when the look began. */
  readonly at: number;
  /** The id in the TXT record. */
  readonly announced?: string;
  /** The id that belongs to the bytes that were served. */
  readonly served?: string;
}

export interface WatchOptions {
  /** PEM of what is to be trusted. */
  readonly ca: string;
  /** Which of the two is looked at first: what must be there already when the other one is seen must be looked at later. */
  readonly first: 'record' | 'file';
  /** @default example.test */
  readonly domain?: string;
  /** How many look, each ten times a second: fewer where several watches share the machine. @default 10 */
  readonly lookers?: number;
}

/** How many looks at once, and how long each waits for the next: a hundred a second where the machine can. */
const LOOKERS = 10;
const PAUSE_MILLISECONDS = 100;

export class Watch {
  public readonly looks: Look[] = [];
  /** Looks that got no answer, by DNS or from the edge: nothing was seen. */
  private readonly blind: string[] = [];
  private readonly started = Date.now();
  private readonly agent: Agent;
  private readonly resolver = new Resolver({ timeout: 5_000, tries: 1 });
  private readonly domain: string;
  private readonly lookers: Promise<void>[];
  private stopped = false;
  private ended = 0;

  public constructor(private readonly options: WatchOptions) {
    const { lookers = LOOKERS } = options;
    this.agent = new Agent({ keepAlive: true, ca: options.ca, maxSockets: lookers });
    this.resolver.setServers([RESOLVER]);
    this.domain = options.domain ?? 'example.test';
    this.lookers = Array.from({ length: lookers }, async (_, index) => this.repeat(index));
  }

  public async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.lookers);
    this.resolver.cancel();
    this.ended = Date.now();
    this.agent.destroy();
    this.looks.sort((one, other) => one.at - other.at);
  }

  /** The looks that a claim forbids, in words; empty where it held. */
  public against(forbidden: (look: Look) => boolean): readonly string[] {
    return this.looks.filter(forbidden).map(({ at, announced, served }) => {
      return `${new Date(at).toISOString()}: announced ${announced ?? 'none'}, served ${served ?? 'none'}`;
    });
  }

  /** @throws Error where more than one look in fifty saw nothing: then it proves little */
  public expectSight(): void {
    if (this.looks.length === 0 || this.blind.length * 50 > this.looks.length) {
      throw new Error(`${this.blind.length} of ${this.blind.length + this.looks.length} looks got no answer: ${[...new Set(this.blind)].join(', ')}`);
    }
  }

  /** How many looks got no answer. */
  public get unanswered(): number {
    return this.blind.length;
  }

  /** In figures: `912 looks in 9.1 s, 100 a second; ...`. */
  public summary(): string {
    const seconds = (this.ended - this.started) / 1000;
    const pairs = new Map<string, { count: number; from: number; to: number }>();
    for (const { at, announced, served } of this.looks) {
      const pair = `record ${announced?.slice(0, 6) ?? 'none'}, file ${served?.slice(0, 6) ?? 'none'}`;
      const known = pairs.get(pair) ?? { count: 0, from: at, to: at };
      pairs.set(pair, { count: known.count + 1, from: Math.min(known.from, at), to: Math.max(known.to, at) });
    }
    return [
      `${this.looks.length} looks in ${seconds.toFixed(1)} s, ${Math.round(this.looks.length / seconds)} a second${
        this.blind.length === 0 ? '' : `, ${this.blind.length} more got no answer (${[...new Set(this.blind)].join(', ')})`}`,
      ...[...pairs].map(([pair, { count, from, to }]) => `  ${pair}: ${count} looks, ${from - this.started} to ${to - this.started} ms`),
    ].join('\n');
  }

  private async repeat(index: number): Promise<void> {
    await sleep(index * PAUSE_MILLISECONDS / (this.options.lookers ?? LOOKERS));
    while (!this.stopped) {
      const at = Date.now();
      try {
        this.looks.push(this.options.first === 'record'
          ? { at, announced: await this.announced(), served: await this.served(index) }
          : { at, served: await this.served(index), announced: await this.announced() });
      } catch (error) {
        this.blind.push(error instanceof Error ? error.message : String(error));
      }
      await sleep(Math.max(0, at + PAUSE_MILLISECONDS - Date.now()));
    }
  }

  private async announced(): Promise<string | undefined> {
    try {
      const records = await this.resolver.resolveTxt(`_mta-sts.${this.domain}`);
      return records.map((strings) => /^v=STSv1; id=([^;]+);/.exec(strings.join(''))?.[1]).find((id) => id !== undefined);
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')) return undefined;
      throw error;
    }
  }

  /** From one edge and then another. */
  private served(index: number): Promise<string | undefined> {
    const policyHost = `mta-sts.${this.domain}`;
    return new Promise((resolve, reject) => {
      const get = request({
        host: EDGES.v4[index % EDGES.v4.length],
        servername: policyHost,
        path: '/.well-known/mta-sts.txt',
        headers: { host: policyHost },
        agent: this.agent,
        timeout: 5_000,
      }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(policyId(Buffer.concat(chunks)));
          else if (response.statusCode === 403 || response.statusCode === 404) resolve(undefined);
          else reject(new Error(`status ${response.statusCode ?? 'none'}`));
        });
      });
      get.on('error', reject).on('timeout', () => get.destroy(new Error('no answer from the edge'))).end();
    });
  }
}
