// Many deployments of random policies under random faults: each ends, and at each end record, bytes, ledger and output agree.
//
// Each is a `cdk deploy` that synthesizes bin/app.ts anew, as people do it. A change set through the SDK would take a few seconds in
// place of some twenty; but it would need a template that is not synthesized from the policy. 200 by the command take an hour and a half.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { at, itemsOf, membersOf, textOf } from '../../../../lib/preview/json';
import { disagreements } from '../agreement';
import type { Policy, Served } from '../agreement';
import { Random } from '../random';
import { STACK, expectEnd } from '../stage';
import type { Stage } from '../stage';
import { ledgerPlace, standing } from '../standing';
import { eventsOf, stackOf } from '../stacks';
import { bootstrapScene } from './deploy';
import { allFaults } from './faults';
import type { Fault } from './faults';

type Wanted = Pick<Policy, 'mode' | 'mx' | 'maxAgeDays'>;

const DEPLOYMENTS = 200;
const FIRST: Wanted = { mode: 'testing', mx: 'mx1.example.test', maxAgeDays: 30 };

/** The domain has one MX, mx1.example.test. */
const COVERING = ['mx1.example.test', 'mx1.example.test,mx2.example.test', '*.example.test', 'mx2.example.test,*.example.test'] as const;
const NOT_COVERING = ['mx2.example.test', '*.other.test', 'mail.other.test,mx2.example.test'] as const;

/** Longer than CloudFormation waits for a function here: what takes that long never ends. */
const MOST_MILLISECONDS = 20 * 60_000;

const NONE: Fault = { what: 'none', begin: () => undefined };

interface Row {
  readonly fault: string;
  readonly seconds: number;
  /** Of them, from the first to the last event of the stack. */
  readonly stack: number;
  readonly rolledBack: boolean;
}

/**
 * @param count - how many deployments
 * @param seed - of an earlier run, to have the same again
 */
export async function soakScene(stage: Stage, count = String(DEPLOYMENTS), seed = String(Date.now() % 2 ** 31)): Promise<void> {
  for (const [what, text] of [['number of deployments', count], ['seed', seed]]) {
    if (!/^\d{1,10}$/.test(text)) throw new Error(`the ${what} must be a whole number, got ${text}; for example: npm run soak 20 4711`);
  }
  await bootstrapScene(stage);
  stage.table.begin(`Soak: ${count} deployments, seed ${seed} (the same again: npm run soak ${count} ${seed})`);
  await new Soak(stage, new Random(Number(seed))).run(Number(count));
}

class Soak {
  private readonly rows: Row[] = [];
  /** All that was served before what stands; twice, where it stood again after a rollback. */
  private readonly history: Served[] = [];
  private partly = 0;
  private outdated = 0;
  /** Of the stack, after the deployment before. */
  private output = '';

  public constructor(private readonly stage: Stage, private readonly random: Random) {}

  public async run(count: number): Promise<void> {
    const { table } = this.stage;
    const started = Date.now();
    let stands: Policy | undefined;
    await table.prove('the first deployment', async () => {
      stands = await this.deploy(FIRST, NONE, 'deployed', undefined);
      return describe(stands);
    });
    for (let number = 1; number <= count && stands !== undefined; number += 1) {
      const before: Policy = stands;
      const wanted = this.policy(before);
      const isRefused = wanted.mode === 'enforce' && (NOT_COVERING as readonly string[]).includes(wanted.mx);
      const fault = this.fault(isRefused, before);
      const outcome = isRefused ? 'rolled back' : fault.outcome ?? 'deployed';
      stands = undefined;
      await table.prove(`${number}: ${describe(wanted)}; fault: ${fault.what}; ${outcome}, and all agree`, async () => {
        stands = await this.deploy(wanted, fault, outcome, before);
        return `${describe(stands)} stands, ${stands.id}`;
      });
    }
    if (stands !== undefined) await this.controls(stands);
    this.summary((Date.now() - started) / 1000);
  }

  private policy(before: Wanted): Wanted {
    for (;;) {
      const wanted: Wanted = {
        mode: this.random.oneOf(['enforce', 'testing', 'none']),
        mx: this.random.happens(0.75) ? this.random.oneOf(COVERING) : this.random.oneOf(NOT_COVERING),
        maxAgeDays: 1 + this.random.below(365),
      };
      if (describe(wanted) !== describe(before)) return wanted;
    }
  }

  /** What is refused never writes, so a fault that waits for a write would wait for the next deployment's. */
  private fault(isRefused: boolean, before: Policy): Fault {
    if (this.random.happens(isRefused ? 0.5 : 0.3)) return NONE;
    const possible = isRefused
      ? allFaults().filter(({ what }) => /^(?:Route 53|the resolver|the ResponseURL|the clock) /.test(what))
      : [...allFaults(), somebodyElse(before)];
    return possible[this.random.below(possible.length)];
  }

  /**
   * @returns what stands then
   * @throws Error where it ends otherwise, or what stands does not agree
   */
  private async deploy(wanted: Wanted, fault: Fault, outcome: Fault['outcome'], before: Policy | undefined): Promise<Policy> {
    const { stage } = this;
    const { cli, emulator, aws, paths, zoneId } = stage;
    const calls = aws.calls.length;
    const started = new Date();
    const assembly = join(paths.folder, 'cdk.out.soak');
    if (before !== undefined) this.history.push({ ...before, last: Date.now() });
    const end = fault.begin(stage);
    const ended = await timed(cli.cdk('deploy', '-o', assembly, '--require-approval', 'never', ...[
      'domain=example.test', `hostedZoneId=${zoneId}`, `mode=${wanted.mode}`, `mx=${wanted.mx}`, `maxAgeDays=${wanted.maxAgeDays}`,
    ].flatMap((item) => ['-c', item])));
    try {
      end?.();
    } catch {
      // It ended before all of the fault was met: a rollback does, and a deployment that asks less.
      this.partly += 1;
    }
    const policy = { ...wanted, ...synthesized(assembly) };
    const isDeployed = ended.status === 0;
    const times = (await eventsOf(emulator.cloudformation, STACK, started)).map(({ Timestamp: time }) => Number(time));
    const stack = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
    // The first one makes everything, so it is not like the others.
    if (before !== undefined) this.rows.push({ fault: fault.what, seconds: ended.seconds, stack, rolledBack: !isDeployed });
    // It may have been served, though not for long.
    if (!isDeployed && aws.calls.slice(calls).some(({ service, method, path }) => service === 's3' && method === 'PUT' && path.includes('mta-sts.txt'))) {
      this.history.push({ ...policy, last: 0 });
    }
    expectEnd(ended, outcome === 'rolled back' ? 1 : 0, 'cdk deploy');
    const { status } = await stackOf(emulator.cloudformation, STACK) ?? { status: 'gone' };
    const expected = before === undefined ? 'CREATE_COMPLETE' : isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE';
    if (status !== expected) throw new Error(`the stack is ${status}, expected ${expected}:\n${ended.output}`);
    const stands = isDeployed || before === undefined ? policy : before;
    await this.expectAgreement(stands, isDeployed);
    return stands;
  }

  private async expectAgreement(policy: Policy, isDeployed: boolean): Promise<void> {
    const found = await this.look(policy, isDeployed ? undefined : this.output);
    if (found.length > 0) throw new Error(found.join('\n'));
    if (!isDeployed && (await this.look(policy)).length > 0) this.outdated += 1;
    this.output = (await standing(this.stage)).output;
  }

  private async look(policy: Policy, outputBefore?: string): Promise<readonly string[]> {
    return disagreements(await standing(this.stage), { policy, history: this.history, outputBefore });
  }

  /** That the look can see something at all. */
  private async controls(policy: Policy): Promise<void> {
    const { table, emulator: { s3 } } = this.stage;
    await table.prove('a ledger that is taken away, and one without its first entry, are seen to disagree', async () => {
      const place = await ledgerPlace(this.stage);
      const seen = { bucket: place.bucket, ...await standing(this.stage) };
      const put = async (text: string): Promise<void> => {
        await s3.send(new PutObjectCommand({ Bucket: place.bucket, Key: place.key, Body: text, ContentType: 'application/json', CacheControl: 'no-store' }));
      };
      const whole: unknown = JSON.parse(seen.ledger);
      const entries: unknown = at(whole, 'entries');
      await s3.send(new DeleteObjectCommand({ Bucket: place.bucket, Key: place.key }));
      const gone = await this.look(policy);
      await put(JSON.stringify({ ...Object.fromEntries(membersOf(whole)), entries: Array.isArray(entries) ? entries.slice(1) : [] }));
      const cut = await this.look(policy);
      await put(seen.ledger);
      if (gone.length === 0 || cut.length === 0) throw new Error(`${gone.length} and ${cut.length} disagreements were seen`);
      return `${gone.length} and ${cut.length} disagreements: ${gone[0]}; ${cut[0]}`;
    });
  }

  private summary(seconds: number): void {
    if (this.rows.length === 0) return;
    const faults = [...new Set(this.rows.map(({ fault }) => fault))];
    console.log('\n  deployments | rolled back | seconds: least, mean, most | fault');
    for (const [fault, rows] of [...faults.map((name) => [name, this.rows.filter((row) => row.fault === name)] as const), ['all', this.rows] as const]) {
      const times = rows.map((row) => row.seconds);
      const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
      const figures = [Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(1).padStart(6)).join(', ');
      console.log(`  ${String(rows.length).padStart(11)} | ${String(rows.filter((row) => row.rolledBack).length).padStart(11)} | ${figures.padStart(26)} | ${fault}`);
    }
    const stack = this.rows.reduce((sum, row) => sum + row.stack, 0) / this.rows.length;
    console.log(`  CloudFormation had ${stack.toFixed(1)} s of the mean, the CDK command with its synthesis the rest`);
    console.log(`  ${new Set(this.history.map(({ id }) => id)).size} policies were served and replaced in ${(seconds / 60).toFixed(1)} minutes; ${this.partly} faults were met in part only; after ${
      this.outdated} rollbacks the output was the one from before while the ledger knew more`);
  }
}

/** From the moment that another id stands there, somebody else's record stands beside it. */
function somebodyElse({ id }: Policy): Fault {
  return {
    what: 'somebody else\'s record appears beside the new one',
    outcome: 'rolled back',
    begin: ({ dns }) => {
      dns.fail((_, answer) => async (question) => {
        const reply = await answer(question);
        if (reply === 'drop' || question.name !== '_mta-sts.example.test' || question.type !== 'TXT') return reply;
        if (reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(id))) return reply;
        return { ...reply, answers: [...reply.answers, { name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=somebodyelses;'] }] };
      });
      return () => {
        dns.fail(undefined);
      };
    },
  };
}

/** Id and text of the policy, as the template hands them to the function. */
function synthesized(assembly: string): Pick<Policy, 'id' | 'text'> {
  const template: unknown = JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
  const publication = membersOf(at(template, 'Resources')).map(([, resource]) => resource).find((resource) => at(resource, 'Type') === 'Custom::MtaStsPublication');
  const id = textOf(at(publication, 'Properties', 'PolicyId'));
  const lines = itemsOf(at(publication, 'Properties', 'Policy')).map(String);
  if (id === undefined || lines.length === 0) throw new Error('the template has no Publication with `PolicyId` and `Policy`');
  return { id, text: lines.map((line) => `${line}\r\n`).join('') };
}

async function timed<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the deployment did not end within ${MOST_MILLISECONDS / 60_000} minutes`));
    }, MOST_MILLISECONDS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function describe({ mode, mx, maxAgeDays }: Wanted): string {
  return `${mode}, ${mx}, ${maxAgeDays} ${maxAgeDays === 1 ? 'day' : 'days'}`;
}
