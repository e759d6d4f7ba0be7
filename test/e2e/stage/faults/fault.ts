// What a fault of the world is, and what faults are made with.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DnsQuestion, DnsReply } from '../../../../lib/preview/dns-server';
import type { AwsCall } from '../aws-proxy';
import type { Ended } from '../cli';
import { setClock } from '../clock';
import { setEmulatorFaults } from '../emulator';
import type { AppContext, Stage } from '../stage';

export interface Fault {
  readonly what: string;
  /** Begins it, before the deployment. What it returns ends it afterwards, and throws where it was not met, or not in full. */
  readonly begin: (stage: Stage) => End | Promise<End>;
  /** @default deployed */
  readonly outcome?: 'deployed' | 'rolled back';
  /** Deploys in its own way. */
  readonly deploy?: (stage: Stage, context: AppContext) => Promise<Ended>;
  /** What the command must give as its reason, where it is rolled back. */
  readonly says?: RegExp;
  /** Longer than half a minute. */
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

export type End = (() => void) | undefined;

/** How long a fault of the edge or of DNS lasts after the policy file was written. */
export const SECONDS = 15;

export const DOMAIN_RECORD = '_mta-sts.example.test';

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
  edge.dead.clear();
}

/** The seconds since the policy file was written by the next deployment; undefined until then. */
export function sinceWrite({ aws: { calls } }: Stage): () => number | undefined {
  const before = calls.length;
  let written: number | undefined;
  return () => {
    if (written === undefined && calls.slice(before).some(isPolicyWrite)) written = Date.now();
    return written === undefined ? undefined : (Date.now() - written) / 1000;
  };
}

/** Something is wrong from the write on, or from the beginning, until so many seconds after the write. */
export function untilAfterWrite(
  from: 'beginning' | 'write', set: (stage: Stage, isOn: () => boolean) => void | Promise<void>, seconds = SECONDS,
): Fault['begin'] {
  return async (stage) => {
    const since = sinceWrite(stage);
    let isMet = false;
    await set(stage, () => {
      const passed = since();
      const isOn = passed === undefined ? from === 'beginning' : passed < seconds;
      isMet ||= isOn;
      return isOn;
    });
    return () => {
      mend(stage);
      if (since() === undefined) throw new Error('the policy file was never written');
      if (!isMet) throw new Error('nobody met it');
    };
  };
}

/** Does it once, when the time has come, and says in the end whether it had. */
export function once(what: string, act: (stage: Stage) => void, wait: (stage: Stage, now: () => void) => void): Fault['begin'] {
  return (stage) => {
    let state: 'waiting' | 'done' | Error = 'waiting';
    wait(stage, () => {
      if (state !== 'waiting') return;
      try {
        act(stage);
        state = 'done';
      } catch (error) {
        state = error instanceof Error ? error : new Error(String(error));
      }
    });
    return () => {
      mend(stage);
      if (state instanceof Error) throw state;
      if (state === 'waiting') throw new Error(`${what}: that moment never came`);
    };
  };
}

/** Calls back so long after the write. */
export function afterWrite(stage: Stage, seconds: number, now: () => void): void {
  const since = sinceWrite(stage);
  const end = Date.now() + 120_000;
  void (async () => {
    while ((since() ?? -1) < seconds && Date.now() < end) await sleep(50);
    if (Date.now() < end) now();
  })();
}

/** What the function asks for about the record; the watch asks the resolver. */
export function isAboutRecord(server: string, { name, type }: DnsQuestion): boolean {
  return server !== 'resolver' && type === 'TXT' && name === DOMAIN_RECORD;
}
