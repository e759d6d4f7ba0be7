// That the soak would see it: at its end each of the things that must agree is made wrong once.
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { at, membersOf } from '../../../../lib/preview/json';
import { EDGES } from '../addresses';
import { disagreements } from '../agreement';
import type { Expected } from '../agreement';
import type { Stage } from '../stage';
import { places, standing } from '../standing';
import type { Standing } from '../standing';

interface Control {
  readonly what: string;
  /** What must be said then. */
  readonly says: RegExp;
  /** What stands with it. */
  readonly wrong: (stage: Stage, right: Standing) => Standing | Promise<Standing>;
}

const CONTROLS: readonly Control[] = [
  { what: 'a ledger that is gone', says: /^the last entry of the ledger: /, wrong: async (stage, right) => withLedger(stage, right, undefined) },
  { what: 'a ledger without its first entry', says: /^the ledger has lost /, wrong: async (stage, right) => withLedger(stage, right, withoutFirst(right.ledger)) },
  {
    what: 'another byte at one edge',
    says: /^the served bytes: /,
    wrong: async (stage, { files: [file] }) => {
      stage.edge.fail((address) => address === EDGES.v4[1] ? { status: 200, headers: new Map(), body: Buffer.concat([file, Buffer.from('\n')]) } : undefined);
      const seen = await standing(stage);
      stage.edge.fail(undefined);
      return seen;
    },
  },
  {
    what: 'another id at one name server',
    says: /^the record: /,
    wrong: async (stage) => {
      stage.dns.fail((server, answer) => async (question) => {
        const reply = await answer(question);
        if (server !== 'ns-4.awsdns-4.co.uk' || reply === 'drop') return reply;
        return { ...reply, answers: [{ name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=another;'] }] };
      });
      const seen = await standing(stage);
      stage.dns.fail(undefined);
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
export async function soakControls(stage: Stage, expected: Expected): Promise<void> {
  for (const { what, says, wrong } of CONTROLS) {
    await stage.table.prove(`${what} is seen to disagree, and nothing does after it`, async () => {
      const found = disagreements(await wrong(stage, await standing(stage)), expected);
      const said = found.find((disagreement) => says.test(disagreement));
      if (said === undefined) throw new Error(`expected one that is like ${String(says)}, found ${JSON.stringify(found)}`);
      const after = disagreements(await standing(stage), expected);
      if (after.length > 0) throw new Error(after.join('\n'));
      return `${found.length} disagreements, ${said.slice(0, 250)}`;
    });
  }
}

async function withLedger(stage: Stage, { ledger }: Standing, text: string | undefined): Promise<Standing> {
  const { s3 } = stage.emulator;
  const { ledger: { bucket: Bucket, key: Key } } = await places(stage);
  const put = async (Body: string): Promise<unknown> => s3.send(new PutObjectCommand({
    Bucket, Key, Body, ContentType: 'application/json', CacheControl: 'no-store',
  }));
  await (text === undefined ? s3.send(new DeleteObjectCommand({ Bucket, Key })) : put(text));
  const seen = await standing(stage);
  await put(ledger);
  return seen;
}

function withoutFirst(ledger: string): string {
  const whole: unknown = JSON.parse(ledger);
  const entries = at(whole, 'entries');
  return JSON.stringify({ ...Object.fromEntries(membersOf(whole)), entries: Array.isArray(entries) ? entries.slice(1) : [] });
}
