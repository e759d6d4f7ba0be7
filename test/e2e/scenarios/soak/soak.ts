// Many deployments of random policies under random faults: each ends, and at each end record, bytes, ledger and output agree.
//
// Each is a `cdk deploy` of bin/app.ts with its context, as people do it. Only the first one starts the app as they do; the others let one
// process synthesize it, which is shown to give the same template. 200 take some three quarters of an hour; several can run side by side.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDisagreements, listHistoryIds } from '../../environment/app/agreement';
import type { ExpectedState, Policy, ServedPolicy } from '../../environment/app/agreement';
import { STACK, contextOptions } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { publishedId, readLiveState } from '../../environment/app/live-state';
import { parseIdHash } from '../../environment/app/policy-ids';
import { readSynthesizedPolicy } from '../../environment/app/synthesized';
import { startSynthesizer } from '../../environment/app/synthesizer';
import { textTable } from '../../environment/assertion-table';
import { setReevaluation } from '../../environment/aws/emulator';
import { listPublishedIds, stackEvents, findStack } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';
import { FAULTS } from '../../faults';
import type { Fault } from '../../faults';
import { isPolicyWrite, underFault } from '../../faults/fault';
import { bootstrapScenario } from '../deployment/deploy';
import { soakControls } from './controls';
import { Bag, Random } from './random';

type Wanted = Pick<Policy, 'mode' | 'mx' | 'maxAgeDays'>;

const DEPLOYMENTS = 200;
const FIRST: Wanted = { mode: 'testing', mx: 'mx1.example.test', maxAgeDays: 30 };

/** The domain has one MX, mx1.example.test. */
const COVERING = ['mx1.example.test', 'mx1.example.test,mx2.example.test', '*.example.test', 'mx2.example.test,*.example.test'] as const;
const NOT_COVERING = ['mx2.example.test', '*.other.test', 'mail.other.test,mx2.example.test'] as const;

const NONE: Fault = { what: 'none', begin: () => undefined };
const AGAIN: Fault = { what: 'none, the same policy again after a rollback', begin: () => undefined };

interface Row {
  readonly fault: string;
  readonly seconds: number;
  /** Of them, from the first to the last event of the stack. */
  readonly stack: number;
  readonly rolledBack: boolean;
  /** Whether all of the fault was met: a rollback ends before it, and a deployment that asks less. */
  readonly isMet: boolean;
  /** The policy is one that the Preflight refuses, so that much of a fault has no occasion. */
  readonly isRefused: boolean;
}

/**
 * @param count - how many deployments
 * @param seed - of an earlier run, to have the same again
 */
export async function soakScenario(environment: TestEnvironment, count = String(DEPLOYMENTS), seed = String(Date.now() % 2 ** 31)): Promise<void> {
  await bootstrapScenario(environment);
  environment.table.begin(`Soak: ${count} deployments, seed ${seed} (the same again: npm run soak ${count} ${seed})`);
  await new Soak(environment, new Random(Number(seed))).run(Number(count));
}

/** How often none is among the faults. */
const WITHOUT_FAULT = 3;

class Soak {
  private readonly rows: Row[] = [];
  /** All that was served before what stands; twice, where it stood again after a rollback. */
  private readonly history: ServedPolicy[] = [];
  private outdated = 0;
  /** All that were announced or chosen. */
  private readonly ids = new Set<string>();
  /** Whether CloudFormation evaluates attributes again in a rollback: of each deployment drawn anew. */
  private evaluates = false;
  /** Of the stack, after the deployment before. */
  private output = '';
  private readonly written: Bag<Fault>;
  private readonly refused: Bag<Fault>;
  /** What starts the app, once that is not the command's own business. */
  private app: readonly string[] = [];

  public constructor(private readonly environment: TestEnvironment, private readonly random: Random) {
    const without = Array.from({ length: WITHOUT_FAULT }, () => NONE);
    this.written = new Bag(random, [...FAULTS.filter(({ soak }) => soak !== false), ...without]);
    // What is refused never writes, so a fault that waits for a write would wait for the next deployment's.
    this.refused = new Bag(random, [...FAULTS.filter(({ early }) => early === true), NONE]);
  }

  public async run(count: number): Promise<void> {
    const { table } = this.environment;
    const started = Date.now();
    let stands: Policy | undefined;
    await table.prove('the first deployment', async () => {
      stands = await this.deploy(FIRST, NONE, 'deployed', undefined);
      return describe(stands);
    });
    if (stands !== undefined) await table.prove('one process synthesizes what the app does that the command starts', () => this.startSynthesizer());
    for (let number = 1; number <= count && stands !== undefined; number += 1) {
      const before: Policy = stands;
      const wanted = this.policy(before);
      const fault = (isRefused(wanted) ? this.refused : this.written).draw();
      stands = await this.prove(String(number), wanted, fault, isRefused(wanted) ? 'rolled back' : fault.outcome ?? 'deployed', before);
      // People mend what failed, and deploy what they wanted: senders may hold it by then, under its own id or under that of before.
      if (stands !== undefined && fault.outcome === 'rolled back' && !isRefused(wanted)) {
        stands = await this.prove(`${number} again`, wanted, AGAIN, 'deployed', stands);
      }
    }
    if (stands !== undefined) {
      const { maxAgeDays } = stands;
      stands = await this.prove('the last one', { ...FIRST, mode: 'none', maxAgeDays: maxAgeDays === 1 ? 2 : 1 }, NONE, 'deployed', stands);
    }
    if (stands !== undefined) await soakControls(this.environment, { policy: stands, servedBefore: this.history });
    this.summary((Date.now() - started) / 1000);
    await table.prove('each fault was met in full by one deployment or more, of those that its policy let come so far', () => this.expectMet());
  }

  private async prove(which: string, wanted: Wanted, fault: Fault, outcome: Fault['outcome'], before: Policy): Promise<Policy | undefined> {
    let stands: Policy | undefined;
    await this.environment.table.prove(`${which}: ${describe(wanted)}; fault: ${fault.what}; ${outcome ?? 'deployed'}, and all agree`, async () => {
      stands = await this.deploy(wanted, fault, outcome, before);
      return `${describe(stands)} stands, ${await publishedId()}`;
    });
    return stands;
  }

  /** @throws Error where it gives another template than the first deployment had */
  private async startSynthesizer(): Promise<string> {
    const { paths, cli } = this.environment;
    this.app = ['--app', await startSynthesizer(paths.root, paths.folder)];
    const [one, other] = [this.assembly, join(paths.folder, 'cdk.out.synthesizer')];
    expectEnd(await cli.cdk('synth', '--quiet', ...this.app, ...this.context(FIRST), '-o', other), 0, 'cdk synth');
    const [apart, together] = [one, other].map((folder) => readFileSync(join(folder, `${STACK}.template.json`), 'utf8'));
    if (apart !== together) throw new Error(`the templates differ: ${one} and ${other}`);
    return `${together.length} characters, all the same`;
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

  /**
   * @returns what stands then
   * @throws Error where it ends otherwise, or what stands does not agree
   */
  private async deploy(wanted: Wanted, fault: Fault, outcome: Fault['outcome'], before: Policy | undefined): Promise<Policy> {
    const { environment } = this;
    const { cli, emulator, aws } = environment;
    const calls = aws.calls.length;
    const started = new Date();
    const idBefore = before === undefined ? undefined : await publishedId();
    if (before !== undefined) this.history.push({ ...before, lastServedAt: Date.now(), id: idBefore });
    this.evaluates = this.random.happens(0.5);
    setReevaluation(environment.paths.folder, this.evaluates);
    const { ended, unmet } = await underFault(fault, environment, () => {
      return cli.cdk('deploy', ...this.app, ...this.context(wanted), '-o', this.assembly, '--require-approval', 'never');
    });
    const policy = { ...wanted, ...readSynthesizedPolicy(this.assembly) };
    const isDeployed = ended.status === 0;
    const events = await stackEvents(emulator.cloudformation, STACK, started);
    const times = events.map(({ Timestamp: time }) => Number(time));
    const stack = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
    // The first one makes everything, so it is not like the others.
    if (before !== undefined) {
      this.rows.push({
        fault: fault.what, seconds: ended.seconds, stack, rolledBack: !isDeployed, isMet: unmet === undefined, isRefused: isRefused(wanted),
      });
    }
    // It may have been served, though not for long.
    const published = listPublishedIds(events);
    if (!isDeployed && aws.calls.slice(calls).some(isPolicyWrite)) {
      this.history.push({ ...policy, lastServedAt: Date.now(), id: published.find((id) => parseIdHash(id) === policy.hash) });
    }
    expectEnd(ended, outcome === 'rolled back' ? 1 : 0, 'cdk deploy');
    const { status } = await findStack(emulator.cloudformation, STACK) ?? { status: 'gone' };
    const expected = before === undefined ? 'CREATE_COMPLETE' : isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE';
    if (status !== expected) throw new Error(`the stack is ${status}, expected ${expected}:\n${ended.output}`);
    const stands = isDeployed || before === undefined ? policy : before;
    await this.expectAgreement(stands, isDeployed);
    for (const id of [...published, ...await this.idsNow()]) this.ids.add(id);
    return stands;
  }

  private async expectAgreement(policy: Policy, isDeployed: boolean): Promise<void> {
    const { history, ids, evaluates } = this;
    const isOutputKept = !isDeployed && !evaluates;
    const found = await this.look({
      policy, servedBefore: history, ...isOutputKept && { outputBefore: this.output }, ...isDeployed && { idsBefore: [...ids] },
    });
    if (found.length > 0) throw new Error(`${evaluates ? 'with attributes that are evaluated again in a rollback:\n' : ''}${found.join('\n')}`);
    if (isOutputKept && (await this.look({ policy, servedBefore: history })).length > 0) this.outdated += 1;
    this.output = (await readLiveState(this.environment)).output;
  }

  private async look(expected: ExpectedState): Promise<readonly string[]> {
    return findDisagreements(await readLiveState(this.environment), expected);
  }

  private async idsNow(): Promise<readonly string[]> {
    return [await publishedId(), ...listHistoryIds((await readLiveState(this.environment)).historyText)];
  }

  private get assembly(): string {
    return join(this.environment.paths.folder, 'cdk.out.soak');
  }

  private context({ mode, mx, maxAgeDays }: Wanted): readonly string[] {
    return contextOptions({ domain: 'example.test', hostedZoneId: this.environment.zoneId, mode, mx, maxAgeDays: String(maxAgeDays) });
  }

  /** @throws Error with the faults that nobody ever met in full */
  private expectMet(): string {
    const faults = [...new Set(this.rows.filter((row) => !row.isRefused).map(({ fault }) => fault))];
    const unmet = faults.filter((fault) => !this.rows.some((row) => row.fault === fault && row.isMet));
    if (unmet.length > 0) throw new Error(`never met in full: ${unmet.join('; ')}`);
    return `${faults.length} faults`;
  }

  private summary(seconds: number): void {
    if (this.rows.length === 0) return;
    const faults = [...new Set(this.rows.map(({ fault }) => fault))];
    const cells = [...faults.map((name) => [name, this.rows.filter((row) => row.fault === name)] as const), ['all', this.rows] as const].map(([fault, rows]) => {
      const times = rows.map((row) => row.seconds);
      const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
      const counts = [rows.length, rows.filter((row) => row.rolledBack).length, rows.filter((row) => row.isMet).length].map(String);
      return [fault, ...counts, ...[Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(1))];
    });
    console.log(`\n${textTable(['fault', 'deployments', 'rolled back', 'met in full', 'seconds: least', 'mean', 'most'], cells)}`);
    const stack = this.rows.reduce((sum, row) => sum + row.stack, 0) / this.rows.length;
    console.log(`  CloudFormation had ${stack.toFixed(1)} s of the mean, the CDK command with its synthesis the rest`);
    console.log(`  ${this.ids.size} ids were used`);
    console.log(`  ${new Set(this.history.map(({ hash }) => hash)).size} policies were served and replaced in ${(seconds / 60).toFixed(1)} minutes; after ${
      this.outdated} rollbacks the output was the one from before while the ledger knew more`);
  }
}

/** Whether the Preflight ends it. */
function isRefused({ mode, mx }: Wanted): boolean {
  return mode === 'enforce' && (NOT_COVERING as readonly string[]).includes(mx);
}

function describe({ mode, mx, maxAgeDays }: Wanted): string {
  return `${mode}, ${mx}, ${maxAgeDays} ${maxAgeDays === 1 ? 'day' : 'days'}`;
}
