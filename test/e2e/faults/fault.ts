// The type of a fault of AWS, DNS, an edge or the function, and the helpers that build faults.
import type { DnsQuestion, DnsReply } from '../../../lib/preview/dns-server/server';
import type { AppContext } from '../environment/app/app';
import type { CommandResult } from '../environment/app/cdk-cli';
import type { AwsCall } from '../environment/aws/aws-proxy';
import { RECORD_NAME } from '../environment/dns/domain';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';

export type Fault = AnyFault & (Deployed | RolledBack);

interface AnyFault {
  /** Name of the fault, by which the command line selects it. */
  readonly what: string;
  /**
   * Begins the fault before the deployment. Returns the function that ends the fault. That function throws if the deployment did not meet
   * the fault, or not completely.
   *
   * @param signal - aborted when the fault must stop acting
   */
  readonly begin: (environment: TestEnvironment, signal: AbortSignal) => End | Promise<End>;
  /** Minimum seconds between the policy write and the publication of the new id: the product must wait until the fault has ended. */
  readonly holdsBack?: number;
  /** Whether observations get no answer from some or all addresses of the edge. */
  readonly blinds?: true;
  /** Whether the fault lasts through the rollback. Then the restored policy was never seen live, and the history must agree. */
  readonly unseen?: true;
  /** Whether observations see a second record beside the right one. Senders then find no policy (RFC 8461 §3.1). */
  readonly doubles?: true;
  /** Deploys the change. @default the usual deployment */
  readonly deploy?: (environment: TestEnvironment, context: AppContext) => Promise<CommandResult>;
  /** Matches the reason that the command must print when the deployment is rolled back. */
  readonly says?: RegExp;
  /** Whether `quick` leaves the fault out: it takes half a minute or more, or a quicker fault shows the same. */
  readonly slow?: true;
  /** Whether the deployment meets the fault before it writes anything. */
  readonly early?: true;
  /**
   * Whether the soak uses the fault.
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
  /** Whether the record had the new id before the rollback. */
  readonly published: 'never' | 'for a moment';
}

/** Ends a fault. Called as soon as the deployment has ended. */
export type End = (() => void | Promise<void>) | undefined;

/**
 * Runs some work under a fault, and resets the test environment afterwards.
 *
 * @returns the result of the work. `unmet` is the reason why the fault was not met, or not completely
 */
export async function underFault<T>(
  { begin }: Pick<Fault, 'begin'>, environment: TestEnvironment, work: () => Promise<T>,
): Promise<{ readonly ended: T; readonly unmet?: Error }> {
  const controller = new AbortController();
  try {
    const end = await begin(environment, controller.signal);
    const ended = await work();
    try {
      await end?.();
      return { ended };
    } catch (error) {
      return { ended, unmet: error instanceof Error ? error : new Error(String(error)) };
    }
  } finally {
    controller.abort();
    reset(environment);
  }
}

export const isPolicyWrite = ({ service, method, path }: AwsCall): boolean => service === 's3' && method === 'PUT' && path.includes('mta-sts.txt');

/** Whether the call sends the response for which CloudFormation waits. */
export const isResponse = ({ service }: AwsCall): boolean => service === 'response';

export function reply(rcode: DnsReply['rcode']): DnsReply {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

/** Returns a function that gives the time of the next policy write in milliseconds since the epoch. Undefined until the write. */
export function nextWrite({ aws: { calls } }: TestEnvironment): () => number | undefined {
  const before = calls.length;
  return () => calls.slice(before).find(isPolicyWrite)?.at;
}

/**
 * Acts once, at a certain moment of the deployment. The end of the fault fails if the moment never came.
 *
 * @param moment - name of the moment
 * @param wait - calls `now` at the moment
 */
export function once(
  moment: string,
  act: (environment: TestEnvironment) => void,
  wait: (environment: TestEnvironment, now: () => void, signal: AbortSignal) => void,
): Fault['begin'] {
  return (environment, signal) => {
    let state: 'waiting' | 'done' | Error = 'waiting';
    wait(environment, () => {
      if (state !== 'waiting' || signal.aborted) return;
      try {
        act(environment);
        state = 'done';
      } catch (error) {
        state = error instanceof Error ? error : new Error(String(error));
      }
    }, signal);
    return () => {
      reset(environment);
      if (state instanceof Error) throw state;
      if (state === 'waiting') throw new Error(`this moment never came: ${moment}`);
    };
  };
}

/** Calls back some seconds after the next policy write. */
export function afterWrite(environment: TestEnvironment, seconds: number, now: () => void, signal: AbortSignal): void {
  const write = nextWrite(environment);
  whenOver(() => Date.now() < (write() ?? Infinity) + seconds * 1000, now, signal);
}

/** Calls back as soon as the fault is no longer on. */
export function whenOver(isOn: () => boolean, end: () => void, signal: AbortSignal): void {
  const timer = setInterval(() => {
    if (isOn()) return;
    clearInterval(timer);
    end();
  }, 50);
  signal.addEventListener('abort', () => {
    clearInterval(timer);
  }, { once: true });
}

/** Whether the function asks a name server for the record. The observer asks the resolver, and nothing else asks name servers. */
export function isAboutRecord(server: string, { name, type }: DnsQuestion): boolean {
  return server !== 'resolver' && type === 'TXT' && name === RECORD_NAME;
}
