// Faults of the world while a policy changes: the deployment waits, or is taken back; senders are never told of what is not there.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DnsRecord } from '../../../../lib/preview/dns-server';
import type { AwsCall, AwsFault, AwsFaults } from '../aws-proxy';
import { EDGES } from '../addresses';
import { setClock } from '../clock';
import { killFunction } from '../processes';
import { stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { announcedId } from '../standing';
import { Watch } from '../watch';

export interface Fault {
  readonly what: string;
  /** Begins it. What it returns ends it, where it does not end by itself. */
  readonly begin: (stage: Stage) => End | Promise<End>;
  /** Longer than half a minute. */
  readonly slow?: true;
  /** @default deployed */
  readonly outcome?: 'deployed' | 'rolled back';
  /** Met before anything is written. */
  readonly early?: true;
  /** Whether the soak can draw it. @default true */
  readonly soak?: false;
}

type End = (() => void) | undefined;

/** How long a fault of the edge or of DNS lasts after the file was written. */
const SECONDS = 15;

const isWrite = ({ service, method }: AwsCall): boolean => service === 's3' && method === 'PUT';
const isRoute53 = ({ service }: AwsCall): boolean => service === 'route53';
const isResponse = ({ service }: AwsCall): boolean => service === 'response';

const FAULTS: readonly Fault[] = [
  { what: 'S3 throttles three writes', begin: aws(isWrite, 3, { status: 503, code: 'SlowDown' }) },
  { what: 'S3 fails three times with 500', begin: aws(isWrite, 3, { status: 500, code: 'InternalError' }) },
  { what: 'S3 does not answer a write', slow: true, begin: aws(isWrite, 1, 'hang') },
  { what: 'Route 53 throttles four calls', early: true, begin: aws(isRoute53, 4, { status: 400, code: 'Throttling' }) },
  { what: 'Route 53 fails three times with 503', early: true, begin: aws(isRoute53, 3, { status: 503, code: 'ServiceUnavailable' }) },
  { what: 'the ResponseURL fails three times', early: true, begin: aws(isResponse, 3, { status: 503, code: 'ServiceUnavailable' }) },
  { what: 'the resolver answers SERVFAIL to its first three questions', early: true, begin: resolver('SERVFAIL') },
  { what: 'the resolver is silent to its first three questions', early: true, begin: resolver('drop') },
  {
    what: `a name server is lame for ${SECONDS} s after the write`,
    slow: true,
    begin: ({ dns, aws: proxy }) => {
      const isOver = afterWrite(proxy.calls);
      dns.fail((server) => () => server === 'ns-2.awsdns-2.net' && !isOver() ? { ...EMPTY, rcode: 'REFUSED' } : undefined);
      return () => {
        dns.fail(undefined);
      };
    },
  },
  {
    what: `a name server gives the old record for ${SECONDS} s after the write`,
    slow: true,
    begin: ({ dns, aws: proxy }) => {
      const isOver = afterWrite(proxy.calls);
      let old: readonly DnsRecord[] | undefined;
      dns.fail((server, answer) => async (question) => {
        if (server !== 'ns-3.awsdns-3.org' || question.type !== 'TXT' || question.name !== '_mta-sts.example.test' || isOver()) return undefined;
        const reply = await answer(question);
        if (reply === 'drop') return undefined;
        old ??= reply.answers;
        return { ...reply, answers: old };
      });
      return () => {
        dns.fail(undefined);
      };
    },
  },
  {
    what: `the edge serves the old bytes for ${SECONDS} s after the write`,
    slow: true,
    begin: ({ edge, aws: proxy }) => {
      const isOver = afterWrite(proxy.calls);
      edge.freeze();
      void (async () => {
        while (!isOver()) await sleep(100);
        edge.thaw();
      })();
      return () => {
        edge.thaw();
      };
    },
  },
  {
    what: `one address of the edge is dead for ${SECONDS} s after the write`,
    slow: true,
    begin: ({ edge, aws: proxy }) => {
      const isOver = afterWrite(proxy.calls);
      edge.dead.add(EDGES.v4[1]);
      void (async () => {
        while (!isOver()) await sleep(100);
        edge.dead.delete(EDGES.v4[1]);
      })();
      return () => {
        edge.dead.delete(EDGES.v4[1]);
      };
    },
  },
  {
    what: 'the clock of the function is five minutes late',
    early: true,
    begin: ({ paths }) => {
      setClock(paths.folder, -300);
      return () => {
        setClock(paths.folder, 0);
      };
    },
  },
  {
    what: 'the function is killed while it waits for the edge',
    outcome: 'rolled back',
    begin: ({ edge, aws: proxy, paths }) => {
      const before = proxy.calls.length;
      edge.freeze();
      void (async () => {
        while (!proxy.calls.slice(before).some(isWrite)) await sleep(50);
        await sleep(2_000);
        killFunction(paths.folder);
        edge.thaw();
      })();
      return () => {
        edge.thaw();
      };
    },
  },
  {
    what: 'somebody else\'s record appears beside the new one',
    outcome: 'rolled back',
    begin: async ({ dns }) => {
      const before = await announcedId();
      dns.fail((_, answer) => async (question) => {
        const reply = await answer(question);
        if (reply === 'drop' || question.name !== '_mta-sts.example.test' || question.type !== 'TXT') return reply;
        if (reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(before))) return reply;
        return { ...reply, answers: [...reply.answers, { name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=somebodyelses;'] }] };
      });
      return () => {
        dns.fail(undefined);
      };
    },
  },
];

const EMPTY = { rcode: 'NOERROR', answers: [], authorities: [], authoritative: false } as const;

/** For the soak as well. */
export const allFaults = (): readonly Fault[] => FAULTS;

/** @param only - `quick` for those that take little time, or a part of what the faults to make are called */
export async function faultsScene(stage: Stage, only = ''): Promise<void> {
  const { table } = stage;
  table.begin('Faults');
  const contexts: readonly AppContext[] = [{ mode: 'enforce' }, { mode: 'testing' }];
  await stage.ensure(contexts[1]);
  await stage.synth(contexts[0]);
  let stands = contexts[1];
  for (const { what, begin, outcome = 'deployed' } of FAULTS.filter((fault) => only === 'quick' ? fault.slow !== true : fault.what.includes(only))) {
    const wanted = stands === contexts[0] ? contexts[1] : contexts[0];
    await table.prove(`${what}: ${outcome}, nothing lost`, async () => {
      const evidence = await change(stage, wanted, begin, outcome);
      if (outcome === 'deployed') stands = wanted;
      return evidence;
    });
  }
}

async function change(stage: Stage, wanted: AppContext, begin: Fault['begin'], outcome: Fault['outcome']): Promise<string> {
  const { authority, cli, emulator } = stage;
  const watch = new Watch({ ca: authority.certificatePem, first: 'record' });
  await sleep(500);
  const end = await begin(stage);
  const ended = await stage.deploy(wanted);
  end?.();
  await watch.stop();
  expectEnd(ended, outcome === 'deployed' ? 0 : 1, 'cdk deploy');
  const ids = [...new Set(watch.looks.map(({ announced }) => announced))];
  const after = outcome === 'deployed' ? ids.at(-1) : ids.at(0);
  const last = watch.looks.at(-1);
  if (after === undefined || last?.announced !== after || last.served !== after || (outcome === 'deployed') !== (ids.length > 1)) {
    throw new Error(`record and file are not as expected in the end:\n${watch.summary()}\n${ended.output}`);
  }
  const against = watch.against(({ announced, served }) => announced !== ids[0] && announced !== served && outcome === 'deployed');
  if (against.length > 0) throw new Error(`${against.length} looks saw a new id before its bytes:\n${against.slice(0, 5).join('\n')}`);
  const stack = await stackOf(emulator.cloudformation, STACK);
  expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
  const reason = /\| (?:UPDATE|CREATE)_FAILED .*?\) (.*)/.exec(ended.output)?.[1];
  return `${stack?.status ?? 'no stack'} after ${ended.seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}\n${watch.summary()}`;
}

/** AWS fails for the function so many times in a row. */
function aws(which: (call: AwsCall) => boolean, times: number, fault: AwsFault): Fault['begin'] {
  return ({ aws: proxy }) => {
    let left = times;
    const faults: AwsFaults = (call) => {
      if (!which(call) || left === 0) return undefined;
      left -= 1;
      return fault;
    };
    proxy.fail(faults);
    return () => {
      proxy.fail(undefined);
      if (left > 0) throw new Error(`only ${times - left} of ${times} calls were made to fail`);
    };
  };
}

/** The questions of the function, not those of the watch: that asks for nothing but TXT. */
function resolver(fault: 'SERVFAIL' | 'drop'): Fault['begin'] {
  return ({ dns }) => {
    let left = 3;
    dns.fail((server) => (question) => {
      if (server !== 'resolver' || question.type === 'TXT' || left === 0) return undefined;
      left -= 1;
      return fault === 'drop' ? 'drop' : { ...EMPTY, rcode: 'SERVFAIL' };
    });
    return () => {
      dns.fail(undefined);
      if (left > 0) throw new Error(`only ${3 - left} of 3 questions were made to fail`);
    };
  };
}

/** Tells when the fault's time is over, counted from the next write to S3. */
function afterWrite(calls: readonly AwsCall[]): () => boolean {
  const before = calls.length;
  let written: number | undefined;
  return () => {
    if (written === undefined && calls.slice(before).some(isWrite)) written = Date.now();
    return written !== undefined && Date.now() - written > SECONDS * 1000;
  };
}
