// The thread of a watch: a hundred looks a second, of its own, so that neither the servers of the stage nor the deployment hold it up.
import { Resolver } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { policyId } from '../../../lib/protocol/policy-id';
import { EDGES, RESOLVER } from './addresses';
import type { Look, Seen, WatchOptions } from './look';

/** How far the looks may be behind their pace, and catch up. */
const CATCHING_UP_MILLISECONDS = 500;

/** So many looks at once at most: a slow answer holds up no other look. */
const LOOKERS = 32;

const TELLING_MILLISECONDS = 50;

class Lookers {
  private looks: Look[] = [];
  private blind: string[] = [];
  private readonly agent: Agent;
  private readonly resolver = new Resolver({ timeout: 5_000, tries: 1 });
  private readonly domain: string;
  /** From the beginning of one look to that of the next. */
  private readonly paceMilliseconds: number;
  private next = Date.now();
  private stopped = false;

  public constructor(private readonly options: WatchOptions, private readonly tell: (seen: Seen) => void) {
    const { domain = 'example.test', looksASecond = 110 } = options;
    this.domain = domain;
    this.paceMilliseconds = 1000 / looksASecond;
    this.agent = new Agent({ keepAlive: true, ca: options.ca, maxSockets: LOOKERS });
    this.resolver.setServers([RESOLVER]);
  }

  public async run(): Promise<void> {
    const telling = setInterval(() => {
      this.tellNow(false);
    }, TELLING_MILLISECONDS);
    await Promise.all(Array.from({ length: LOOKERS }, (_, index) => this.repeat(index)));
    clearInterval(telling);
    this.resolver.cancel();
    this.agent.destroy();
    this.tellNow(true);
  }

  public stop(): void {
    this.stopped = true;
  }

  private tellNow(last: boolean): void {
    this.tell({ looks: this.looks, blind: this.blind, last });
    this.looks = [];
    this.blind = [];
  }

  private async repeat(index: number): Promise<void> {
    for (;;) {
      this.next = Math.max(this.next + this.paceMilliseconds, Date.now() - CATCHING_UP_MILLISECONDS);
      await sleep(Math.max(0, this.next - Date.now()));
      if (this.stopped) return;
      const at = Date.now();
      try {
        const look = this.options.first === 'record'
          ? { at, announced: await this.announced(), served: await this.served(index) }
          : { at, served: await this.served(index), announced: await this.announced() };
        this.looks.push(look);
      } catch (error) {
        this.blind.push(error instanceof Error ? error.message : String(error));
      }
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

if (parentPort !== null) {
  const port = parentPort;
  const lookers = new Lookers(workerData as WatchOptions, (seen) => {
    port.postMessage(seen);
  });
  port.once('message', () => {
    lookers.stop();
  });
  void lookers.run().then(() => {
    port.close();
  });
}
