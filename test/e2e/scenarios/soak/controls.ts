// That the soak would see it: at its end each of the things that must agree is made wrong once.
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
  /** What must be said then. */
  readonly says: RegExp;
  /** What stands with it. */
  readonly wrong: (environment: TestEnvironment, right: LiveState) => LiveState | Promise<LiveState>;
}

const CONTROLS: readonly Control[] = [
  { what: 'a ledger that is gone', says: /^the last entry of the history: /, wrong: async (environment, right) => withLedger(environment, right, undefined) },
  { what: 'a ledger without its first entry', says: /^the history has lost /, wrong: async (environment, right) => withLedger(environment, right, withoutFirst(right.historyText)) },
  {
    what: 'another byte at one edge',
    says: /^the served bytes: /,
    wrong: async (environment, { files: [file] }) => {
      environment.edge.fail((address) => address === EDGES.v4[1] ? { status: 200, headers: new Map(), body: Buffer.concat([file, Buffer.from('\n')]) } : undefined);
      const seen = await readLiveState(environment);
      environment.edge.fail(undefined);
      return seen;
    },
  },
  {
    what: 'another id at one name server',
    says: /^the record: /,
    wrong: async (environment) => {
      environment.dns.fail((server, answer) => async (question) => {
        const reply = await answer(question);
        if (server !== 'ns-4.awsdns-4.co.uk' || reply === 'drop') return reply;
        return { ...reply, answers: [{ name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=another;'] }] };
      });
      const seen = await readLiveState(environment);
      environment.dns.fail(undefined);
      return seen;
    },
  },
  {
    what: 'an earliestRemoval that is a day early',
    says: /^earliestRemoval .* before senders have dropped /,
    wrong: (_, right) => ({ ...right, output: right.output.replace(/("earliestRemoval":")([^",]+)/, (_match, name: string, moment: string) => {
      return `${name}${new Date(Date.parse(moment) - 86_400_000).toISOString()}`;
    }) }),
  },
];

/** @param expected - what stands, which is `none`: only that has a moment of earliest removal */
export async function soakControls(environment: TestEnvironment, expected: ExpectedState): Promise<void> {
  for (const { what, says, wrong } of CONTROLS) {
    await environment.table.prove(`${what} is seen to disagree, and nothing does after it`, async () => {
      const found = findDisagreements(await wrong(environment, await readLiveState(environment)), expected);
      const said = found.find((disagreement) => says.test(disagreement));
      if (said === undefined) throw new Error(`expected one that is like ${String(says)}, found ${JSON.stringify(found)}`);
      const after = findDisagreements(await readLiveState(environment), expected);
      if (after.length > 0) throw new Error(after.join('\n'));
      return `${found.length} disagreements, ${said.slice(0, 250)}`;
    });
  }
}

async function withLedger(environment: TestEnvironment, { historyText }: LiveState, text: string | undefined): Promise<LiveState> {
  const { s3 } = environment.emulator;
  const { history: { bucket: Bucket, key: Key } } = await locateObjects(environment);
  const put = async (Body: string): Promise<unknown> => s3.send(new PutObjectCommand({
    Bucket, Key, Body, ContentType: 'application/json', CacheControl: 'no-store',
  }));
  await (text === undefined ? s3.send(new DeleteObjectCommand({ Bucket, Key })) : put(text));
  const seen = await readLiveState(environment);
  await put(historyText);
  return seen;
}

function withoutFirst(ledger: string): string {
  const whole: unknown = JSON.parse(ledger);
  const entries = at(whole, 'entries');
  return JSON.stringify({ ...Object.fromEntries(membersOf(whole)), entries: Array.isArray(entries) ? entries.slice(1) : [] });
}
