// Faults of the function: it is killed at different moments, reaches its time limit, or has a wrong clock.
import { at, itemsOf, textOf } from '../../../lib/preview/json';
import { publishedId, readLiveState } from '../environment/app/live-state';
import { setClockSkew } from '../environment/aws/clock';
import { setEmulatorFaults } from '../environment/aws/emulator';
import { killFunction } from '../environment/aws/function-processes';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { skewElevenMinutes } from './clock-skew';
import { failAfterWrite } from './edge';
import { afterWrite, isAboutRecord, isPolicyWrite, once } from './fault';
import type { End, Fault } from './fault';

/** Matches the error that the provider framework gets when the function was killed. */
const DIED = /Worker process died|Worker returned no response/;

const kill = ({ paths }: TestEnvironment): void => {
  killFunction(paths.folder);
};

export const FUNCTION_FAULTS: readonly Fault[] = [
  { what: 'the clock of the function is five minutes slow', early: true, begin: clock(-300) },
  { what: 'the clock of the function is five minutes fast', early: true, begin: clock(300) },
  {
    what: 'the function is killed during the Preflight',
    early: true,
    outcome: 'rolled back',
    published: 'never',
    says: DIED,
    begin: once('the Preflight sends a DNS query', kill, ({ dns }, now) => {
      // Only the Preflight queries CAA records.
      dns.fail((server) => ({ type }) => {
        if (server === 'resolver' && type === 'CAA') now();
        return undefined;
      });
    }),
  },
  {
    what: 'the function is killed right after the policy write',
    outcome: 'rolled back',
    published: 'never',
    says: DIED,
    begin: once('the function writes the policy file', kill, ({ aws }, now) => {
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
    begin: once('two seconds have passed since the policy write', (environment) => {
      killFunction(environment.paths.folder);
      environment.edge.thaw();
    }, (environment, now, signal) => {
      environment.edge.freeze();
      afterWrite(environment, 2, now, signal);
    }),
  },
  {
    what: 'the function is killed during the Verification',
    outcome: 'rolled back',
    published: 'for a moment',
    says: DIED,
    begin: async (environment: TestEnvironment, signal: AbortSignal): Promise<End> => {
      const before = await publishedId();
      return once('the Verification sees the new record', kill, ({ dns }, now) => {
        dns.fail((server, answer) => async (question) => {
          if (!isAboutRecord(server, question)) return undefined;
          const right = await answer(question);
          if (right !== 'drop' && right.answers.every((record) => record.type === 'TXT' && !record.data.join('').includes(before))) now();
          return right;
        });
      })(environment, signal);
    },
  },
  {
    what: 'the function reaches its time limit while the edge serves the old bytes',
    outcome: 'rolled back',
    published: 'never',
    says: /timed-out: the function gave up after 45 s, waiting (?:for|to) .*last seen: /,
    slow: true,
    soak: false,
    begin: (environment: TestEnvironment): End => {
      const { folder } = environment.paths;
      // Instead of fourteen minutes.
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
    begin: skewElevenMinutes(({ edge }) => {
      edge.freeze();
    }),
  },
  {
    what: 'the edge answers 500 for more than ten minutes, and again during the rollback',
    outcome: 'rolled back',
    published: 'never',
    says: /policy-not-live: https:\/\/mta-sts\.example\.test\/\S+ did not serve the new policy within \d+ s\. Last seen: .*status 500/,
    blinds: true,
    unseen: true,
    slow: true,
    // The soak asserts that every restored policy was seen live.
    soak: false,
    begin: skewElevenMinutes(failAfterWrite(500), 2),
  },
];

/**
 * Sets the clock of the function wrong. The fault is met if the publication history has the wrong time: its last entry was seen live by the
 * clock of the function, and the test environment knows the true time of the write.
 */
function clock(seconds: number): Fault['begin'] {
  return (environment) => {
    const calls = environment.aws.calls.length;
    setClockSkew(environment.paths.folder, seconds);
    return async () => {
      reset(environment);
      const written = environment.aws.calls.slice(calls).filter(({ method, path }) => method === 'PUT' && path.includes('/ledger/')).at(-1)?.at;
      if (written === undefined) throw new Error('the publication history was never written');
      const live = textOf(at(itemsOf(at(JSON.parse((await readLiveState(environment)).historyText), 'entries')).at(-1), 'live'));
      const offset = (Date.parse(live ?? '') - written) / 1000;
      if (!(Math.abs(offset - seconds) <= 30)) throw new Error(`the last time in the publication history, ${live ?? 'none'}, is wrong by ${offset} s, expected ${seconds} s`);
    };
  };
}
