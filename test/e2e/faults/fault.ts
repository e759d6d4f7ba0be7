// What a fault of the world is, and what faults are made with.
import type { DnsQuestion, DnsReply } from '../../../lib/preview/dns-server/server';
import type { AppContext } from '../environment/app/app';
import type { CommandResult } from '../environment/app/cdk-cli';
import type { AwsCall } from '../environment/aws/aws-proxy';
import { RECORD_NAME } from '../environment/dns/domain';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';

export type Fault = AnyFault & (Deployed | RolledBack);

interface AnyFault {
  readonly what: string;
  /**
   * Begins it, before the deployment. What it returns ends it afterwards, and throws where it was not met, or not in full.
   *
   * @param over - nothing of it acts any more once this is aborted
   */
  readonly begin: (environment: TestEnvironment, over: AbortSignal) => End | Promise<End>;
  /** The new id must not be announced earlier than so many seconds after the policy file was written: the product waits so long. */
  readonly holdsBack?: number;
  /** Whether looks get nothing from the edge, or from some of its addresses. */
  readonly blinds?: true;
  /** Lasts through the rollback, so that the policy that stands again was not seen live, and the ledger must not say so. */
  readonly unseen?: true;
  /** Whether looks see a second record beside the right one, which is none (RFC 8461 §3.1). */
  readonly doubles?: true;
  /** Deploys in its own way. */
  readonly deploy?: (environment: TestEnvironment, context: AppContext) => Promise<CommandResult>;
  /** What the command must give as its reason, where it is rolled back. */
  readonly says?: RegExp;
  /** Some half a minute or longer, or like another one that is quicker: not in `quick`. */
  readonly slow?: true;
  /** Met before anything is written. */
  readonly early?: true;
  /**
   * Whether the soak draws it.
   *
   * @default true
   */
  readonly soak?: false;
}

interface Deployed {
  /** @default deployed */
  readonly outcome?: 'deployed';
  readonly published?: undefined;
}

interface RolledBack {
  readonly outcome: 'rolled back';
  /** Whether the new id was in the record before it was taken back. */
  readonly published: 'never' | 'for a moment';
}

/** Called as soon as the deployment has ended. */
export type End = (() => void | Promise<void>) | undefined;

/**
 * Does something under a fault, of which nothing is left afterwards.
 *
 * @returns what came of it; `unmet` is why the fault was not met, or not in full
 */
export async function underFault<T>(
  { begin }: Pick<Fault, 'begin'>, environment: TestEnvironment, work: () => Promise<T>,
): Promise<{ readonly ended: T; readonly unmet?: Error }> {
  const over = new AbortController();
  try {
    const end = await begin(environment, over.signal);
    const ended = await work();
    try {
      await end?.();
      return { ended };
    } catch (error) {
      return { ended, unmet: error instanceof Error ? error : new Error(String(error)) };
    }
  } finally {
    over.abort();
    reset(environment);
  }
}

export const isPolicyWrite = ({ service, method, path }: AwsCall): boolean => service === 's3' && method === 'PUT' && path.includes('mta-sts.txt');

/** What CloudFormation waits for. */
export const isResponse = ({ service }: AwsCall): boolean => service === 'response';

export function reply(rcode: DnsReply['rcode']): DnsReply {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

/** When the policy file was written by the next deployment, in milliseconds since the epoch; undefined until then. */
export function nextWrite({ aws: { calls } }: TestEnvironment): () => number | undefined {
  const before = calls.length;
  return () => calls.slice(before).find(isPolicyWrite)?.at;
}

/** Does it once, when the time has come, and says in the end whether it had. */
export function once(what: string, act: (environment: TestEnvironment) => void, wait: (environment: TestEnvironment, now: () => void, over: AbortSignal) => void): Fault['begin'] {
  return (environment, over) => {
    let state: 'waiting' | 'done' | Error = 'waiting';
    wait(environment, () => {
      if (state !== 'waiting' || over.aborted) return;
      try {
        act(environment);
        state = 'done';
      } catch (error) {
        state = error instanceof Error ? error : new Error(String(error));
      }
    }, over);
    return () => {
      reset(environment);
      if (state instanceof Error) throw state;
      if (state === 'waiting') throw new Error(`${what}: that moment never came`);
    };
  };
}

/** Calls back so long after the write. */
export function afterWrite(environment: TestEnvironment, seconds: number, now: () => void, over: AbortSignal): void {
  const write = nextWrite(environment);
  whenOver(() => Date.now() < (write() ?? Infinity) + seconds * 1000, now, over);
}

/** Calls back when it is on no more. */
export function whenOver(isOn: () => boolean, end: () => void, over: AbortSignal): void {
  const timer = setInterval(() => {
    if (isOn()) return;
    clearInterval(timer);
    end();
  }, 50);
  over.addEventListener('abort', () => {
    clearInterval(timer);
  }, { once: true });
}

/** What the function asks for about the record; the watch asks the resolver, and nobody else asks name servers. */
export function isAboutRecord(server: string, { name, type }: DnsQuestion): boolean {
  return server !== 'resolver' && type === 'TXT' && name === RECORD_NAME;
}
