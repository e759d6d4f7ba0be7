// The function itself: killed at different moments, out of time, or with a clock that is wrong.
import { at, itemsOf, textOf } from '../../../lib/preview/json';
import { publishedId, readLiveState } from '../environment/app/live-state';
import { setClockSkew } from '../environment/aws/clock';
import { setEmulatorFaults } from '../environment/aws/emulator';
import { killFunction } from '../environment/aws/function-processes';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { elevenMinutes } from './clock-skew';
import { failing } from './edge';
import { afterWrite, isAboutRecord, isPolicyWrite, once } from './fault';
import type { End, Fault } from './fault';

/** What the provider framework hears of it. */
const DIED = /Worker process died|Worker returned no response/;

const kill = ({ paths }: TestEnvironment): void => {
  killFunction(paths.folder);
};

export const FUNCTION_FAULTS: readonly Fault[] = [
  { what: 'the clock of the function is five minutes late', early: true, begin: clock(-300) },
  { what: 'the clock of the function is five minutes early', early: true, begin: clock(300) },
  {
    what: 'the function is killed in the Preflight',
    early: true,
    outcome: 'rolled back',
    published: 'never',
    says: DIED,
    begin: once('a question of the Preflight', kill, ({ dns }, now) => {
      // Nobody else asks for these, in any mode.
      dns.fail((server) => ({ type }) => {
        if (server === 'resolver' && type === 'CAA') now();
        return undefined;
      });
    }),
  },
  {
    what: 'the function is killed right after the write',
    outcome: 'rolled back',
    published: 'never',
    says: DIED,
    begin: once('the write', kill, ({ aws }, now) => {
      aws.onAnswer((call) => {
        if (isPolicyWrite(call)) now();
      });
    }),
  },
  {
    what: 'the function is killed while it waits for the edge',
    outcome: 'rolled back',
    published: 'never',
    says: DIED,
    begin: once('two seconds after the write', (environment) => {
      killFunction(environment.paths.folder);
      environment.edge.thaw();
    }, (environment, now, over) => {
      environment.edge.freeze();
      afterWrite(environment, 2, now, over);
    }),
  },
  {
    what: 'the function is killed in the Verification',
    outcome: 'rolled back',
    published: 'for a moment',
    says: DIED,
    begin: async (environment: TestEnvironment, over: AbortSignal): Promise<End> => {
      const before = await publishedId();
      return once('the Verification sees the new record', kill, ({ dns }, now) => {
        dns.fail((server, answer) => async (question) => {
          if (!isAboutRecord(server, question)) return undefined;
          const right = await answer(question);
          if (right !== 'drop' && right.answers.every((record) => record.type === 'TXT' && !record.data.join('').includes(before))) now();
          return right;
        });
      })(environment, over);
    },
  },
  {
    what: 'the time of the function is up while the edge serves the old bytes',
    outcome: 'rolled back',
    published: 'never',
    says: /timed-out: the function gave up after 45 s, waiting (?:for|to) .*last seen: /,
    slow: true,
    soak: false,
    begin: (environment: TestEnvironment): End => {
      const { folder } = environment.paths;
      // In place of fourteen minutes.
      setEmulatorFaults(folder, { functionSeconds: 60 });
      environment.edge.freeze();
      return () => {
        reset(environment);
      };
    },
  },
  {
    what: 'the edge serves the old bytes for more than ten minutes',
    outcome: 'rolled back',
    published: 'never',
    says: /policy-not-live: https:\/\/mta-sts\.example\.test\/\S+ did not serve the new policy within \d+ s\. Last seen: /,
    begin: elevenMinutes(({ edge }) => {
      edge.freeze();
    }),
  },
  {
    what: 'the edge fails with 500 for more than ten minutes, and again in the rollback',
    outcome: 'rolled back',
    published: 'never',
    says: /policy-not-live: https:\/\/mta-sts\.example\.test\/\S+ did not serve the new policy within \d+ s\. Last seen: .*status 500/,
    blinds: true,
    unseen: true,
    slow: true,
    // It holds that all was seen live in the end.
    soak: false,
    begin: elevenMinutes(failing(500), 2),
  },
];

/** Met where the ledger has the wrong time: of the file that was seen live, by the clock of the function, against that of the write. */
function clock(seconds: number): Fault['begin'] {
  return (environment) => {
    const calls = environment.aws.calls.length;
    setClockSkew(environment.paths.folder, seconds);
    return async () => {
      reset(environment);
      const written = environment.aws.calls.slice(calls).filter(({ method, path }) => method === 'PUT' && path.includes('/ledger/')).at(-1)?.at;
      if (written === undefined) throw new Error('the ledger was never written');
      const live = textOf(at(itemsOf(at(JSON.parse((await readLiveState(environment)).historyText), 'entries')).at(-1), 'live'));
      const off = (Date.parse(live ?? '') - written) / 1000;
      if (!(Math.abs(off - seconds) <= 30)) throw new Error(`the last time of the ledger, ${live ?? 'none'}, is ${off} s off, expected ${seconds} s`);
    };
  };
}
