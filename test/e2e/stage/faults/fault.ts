// What a fault of the world is, and what faults are made with.
import type { DnsQuestion, DnsReply } from '../../../../lib/preview/dns-server/server';
import type { AwsCall } from '../aws-proxy';
import type { Ended } from '../cli';
import { setClock } from '../clock';
import { ANNOUNCEMENT } from '../domain';
import { setEmulatorFaults } from '../emulator';
import type { AppContext, Stage } from '../stage';

export type Fault = AnyFault & (Deployed | RolledBack);

interface AnyFault {
  readonly what: string;
  /**
   * Begins it, before the deployment. What it returns ends it afterwards, and throws where it was not met, or not in full.
   *
   * @param over - nothing of it acts any more once this is aborted
   */
  readonly begin: (stage: Stage, over: AbortSignal) => End | Promise<End>;
  /** The new id must not be announced earlier than so many seconds after the policy file was written: the product waits so long. */
  readonly holdsBack?: number;
  /** Whether looks get nothing from the edge, or from some of its addresses. */
  readonly blinds?: true;
  /** Lasts through the rollback, so that the policy that stands again was not seen live, and the ledger must not say so. */
  readonly unseen?: true;
  /** Whether looks see a second record beside the right one, which is none (RFC 8461 §3.1). */
  readonly doubles?: true;
  /** Deploys in its own way. */
  readonly deploy?: (stage: Stage, context: AppContext) => Promise<Ended>;
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
  readonly announced?: undefined;
}

interface RolledBack {
  readonly outcome: 'rolled back';
  /** Whether the new id was in the record before it was taken back. */
  readonly announced: 'never' | 'for a moment';
}

/** Called as soon as the deployment has ended. */
export type End = (() => void | Promise<void>) | undefined;

/**
 * Does something under a fault, of which nothing is left afterwards.
 *
 * @returns what came of it; `unmet` is why the fault was not met, or not in full
 */
export async function underFault<T>(
  { begin }: Pick<Fault, 'begin'>, stage: Stage, work: () => Promise<T>,
): Promise<{ readonly ended: T; readonly unmet?: Error }> {
  const over = new AbortController();
  try {
    const end = await begin(stage, over.signal);
    const ended = await work();
    try {
      await end?.();
      return { ended };
    } catch (error) {
      return { ended, unmet: error instanceof Error ? error : new Error(String(error)) };
    }
  } finally {
    over.abort();
    mend(stage);
  }
}

export const isPolicyWrite = ({ service, method, path }: AwsCall): boolean => service === 's3' && method === 'PUT' && path.includes('mta-sts.txt');

/** What CloudFormation waits for. */
export const isResponse = ({ service }: AwsCall): boolean => service === 'response';

export function reply(rcode: DnsReply['rcode']): DnsReply {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

/** Everything that can fail is as it should be again. */
export function mend({ aws, dns, edge, paths: { folder } }: Stage): void {
  setClock(folder, 0);
  setEmulatorFaults(folder, {});
  aws.fail(undefined);
  aws.answered(undefined);
  dns.fail(undefined);
  edge.fail(undefined);
  edge.thaw();
  edge.certificates.clear();
}

/** When the policy file was written by the next deployment, in milliseconds since the epoch; undefined until then. */
export function nextWrite({ aws: { calls } }: Stage): () => number | undefined {
  const before = calls.length;
  return () => calls.slice(before).find(isPolicyWrite)?.at;
}

/** Does it once, when the time has come, and says in the end whether it had. */
export function once(what: string, act: (stage: Stage) => void, wait: (stage: Stage, now: () => void, over: AbortSignal) => void): Fault['begin'] {
  return (stage, over) => {
    let state: 'waiting' | 'done' | Error = 'waiting';
    wait(stage, () => {
      if (state !== 'waiting' || over.aborted) return;
      try {
        act(stage);
        state = 'done';
      } catch (error) {
        state = error instanceof Error ? error : new Error(String(error));
      }
    }, over);
    return () => {
      mend(stage);
      if (state instanceof Error) throw state;
      if (state === 'waiting') throw new Error(`${what}: that moment never came`);
    };
  };
}

/** Calls back so long after the write. */
export function afterWrite(stage: Stage, seconds: number, now: () => void, over: AbortSignal): void {
  const write = nextWrite(stage);
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
  return server !== 'resolver' && type === 'TXT' && name === ANNOUNCEMENT;
}
