// Controls of the soak: makes each part that must agree wrong once, and proves that the soak would see it.
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { at, membersOf } from '../../../../lib/preview/json';
import { EDGES } from '../../environment/addresses';
import { findDisagreements } from '../../environment/app/agreement';
import type { ExpectedState } from '../../environment/app/agreement';
import { locateObjects, readLiveState } from '../../environment/app/live-state';
import type { LiveState } from '../../environment/app/live-state';
import type { TestEnvironment } from '../../environment/environment';

interface Control {
  readonly what: string;
  /** Matches the disagreement that must be found. */
  readonly says: RegExp;
  /** Returns the live state with the wrong part. */
  readonly wrong: (environment: TestEnvironment, right: LiveState) => LiveState | Promise<LiveState>;
}

const CONTROLS: readonly Control[] = [
  { what: 'a missing publication history', says: /^the last entry of the history: /, wrong: async (environment, right) => withHistory(environment, right, undefined) },
  { what: 'a publication history without its first entry', says: /^the history has lost /, wrong: async (environment, right) => withHistory(environment, right, withoutFirst(right.historyText)) },
  {
    what: 'a different byte at one edge',
    says: /^the served bytes: /,
    wrong: async (environment, { files: [file] }) => {
      if (file === undefined) throw new Error('no edge serves a file');
      environment.edge.fail((address) => address === EDGES.v4[1] ? { status: 200, headers: new Map(), body: Buffer.concat([file, Buffer.from('\n')]) } : undefined);
      const wrong = await readLiveState(environment);
      environment.edge.fail(undefined);
      return wrong;
    },
  },
  {
    what: 'a different id at one name server',
    says: /^the record: /,
    wrong: async (environment) => {
      environment.dns.fail((server, answer) => async (question) => {
        const reply = await answer(question);
        if (server !== 'ns-4.awsdns-4.co.uk' || reply === 'drop') return reply;
        return { ...reply, answers: [{ name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=another;'] }] };
      });
      const wrong = await readLiveState(environment);
      environment.dns.fail(undefined);
      return wrong;
    },
  },
  {
    what: 'an earliestRemoval that is one day too early',
    says: /^earliestRemoval .* before senders have dropped /,
    wrong: (_, right) => ({ ...right, output: right.output.replace(/("earliestRemoval":")([^",]+)/, (_match, name: string, moment: string) => {
      return `${name}${new Date(Date.parse(moment) - 86_400_000).toISOString()}`;
    }) }),
  },
];

/** @param expected - the expected state with mode `none`, because only that has an `earliestRemoval` */
export async function soakControls(environment: TestEnvironment, expected: ExpectedState): Promise<void> {
  for (const { what, says, wrong } of CONTROLS) {
    await environment.table.prove(`the soak reports ${what}, and nothing after it was restored`, async () => {
      const found = findDisagreements(await wrong(environment, await readLiveState(environment)), expected);
      const disagreement = found.find((line) => says.test(line));
      if (disagreement === undefined) throw new Error(`expected a disagreement that matches ${String(says)}, found ${JSON.stringify(found)}`);
      const after = findDisagreements(await readLiveState(environment), expected);
      if (after.length > 0) throw new Error(after.join('\n'));
      return `${found.length} disagreements, ${disagreement.slice(0, 250)}`;
    });
  }
}

async function withHistory(environment: TestEnvironment, { historyText }: LiveState, text: string | undefined): Promise<LiveState> {
  const { s3 } = environment.emulator;
  const { history: { bucket: Bucket, key: Key } } = await locateObjects(environment);
  const put = async (Body: string): Promise<unknown> => s3.send(new PutObjectCommand({
    Bucket, Key, Body, ContentType: 'application/json', CacheControl: 'no-store',
  }));
  await (text === undefined ? s3.send(new DeleteObjectCommand({ Bucket, Key })) : put(text));
  const wrong = await readLiveState(environment);
  await put(historyText);
  return wrong;
}

function withoutFirst(history: string): string {
  const whole: unknown = JSON.parse(history);
  const entries = at(whole, 'entries');
  return JSON.stringify({ ...Object.fromEntries(membersOf(whole)), entries: Array.isArray(entries) ? entries.slice(1) : [] });
}
