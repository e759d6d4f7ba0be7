// Runs many deployments of random policies under random faults. After each, record, bytes, publication history and output must agree.
//
// Each deployment is a `cdk deploy` of bin/app.ts with its context. The first one starts the app as users do. Later ones use one process
// that synthesizes the same template, as an assertion proves. 200 deployments take about 45 minutes. Several soaks can run in parallel.
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
const RETRY: Fault = { what: 'none, the same policy again after a rollback', begin: () => undefined };

interface Row {
  readonly fault: string;
  readonly seconds: number;
  /** Seconds from the first to the last event of the stack. */
  readonly stackSeconds: number;
  readonly isRolledBack: boolean;
  /** Whether the deployment met the whole fault. A deployment that ends early does not. */
  readonly isMet: boolean;
  /** Whether the Preflight refuses the policy, so that most of a fault cannot act. */
  readonly isRefused: boolean;
}

/**
 * @param count - number of deployments
 * @param seed - seed of an earlier run, to repeat that run
 */
export async function soakScenario(
  environment: TestEnvironment, count = String(DEPLOYMENTS), seed = String(Date.now() % 2 ** 31),
): Promise<void> {
  await bootstrapScenario(environment);
  environment.table.begin(`Soak: ${count} deployments, seed ${seed} (repeat it with npm run soak ${count} ${seed})`);
  await new Soak(environment, new Random(Number(seed))).run(Number(count));
}

/** Number of deployments without a fault in each round of all faults. */
const FAULTLESS_COUNT = 3;

class Soak {
  private readonly rows: Row[] = [];
  /** Policies that were served before the current one. A policy that a rollback restored is listed twice. */
  private readonly history: ServedPolicy[] = [];
  /** Number of rollbacks after which the output was older than the publication history. */
  private outdatedOutputs = 0;
  /** Ids that were published or chosen. */
  private readonly ids = new Set<string>();
  /** Whether CloudFormation evaluates attributes again in a rollback. Drawn for each deployment. */
  private evaluates = false;
  /** Output of the stack after the previous deployment. */
  private output = '';
  private readonly faults: Bag<Fault>;
  private readonly earlyFaults: Bag<Fault>;
  /** Options of the CDK command that start the synthesizer instead of the app. */
  private appOptions: readonly string[] = [];

  public constructor(private readonly environment: TestEnvironment, private readonly random: Random) {
    const faultless = Array.from({ length: FAULTLESS_COUNT }, () => NONE);
    this.faults = new Bag(random, [...FAULTS.filter(({ soak }) => soak !== false), ...faultless]);
    // A refused deployment writes no file, so a fault that waits for a write would never act.
    this.earlyFaults = new Bag(random, [...FAULTS.filter(({ early }) => early === true), NONE]);
  }

  public async run(count: number): Promise<void> {
    const { table } = this.environment;
    const started = Date.now();
    let current: Policy | undefined;
    await table.prove('the first deployment of the soak succeeds', async () => {
      current = await this.deploy(FIRST, NONE, 'deployed', undefined);
      return describe(current);
    });
    if (current !== undefined) await table.prove('the synthesizer of the soak gives the same template as the app', () => this.startSynthesizer());
    for (let number = 1; number <= count && current !== undefined; number += 1) {
      const before: Policy = current;
      const wanted = this.drawPolicy(before);
      const fault = (isRefused(wanted) ? this.earlyFaults : this.faults).draw();
      current = await this.prove(String(number), wanted, fault, isRefused(wanted) ? 'rolled back' : fault.outcome ?? 'deployed', before);
      // Operators fix the cause, and deploy the same policy again. By then, senders may have cached it under its own id or the old id.
      if (current !== undefined && fault.outcome === 'rolled back' && !isRefused(wanted)) {
        current = await this.prove(`${number} (retry)`, wanted, RETRY, 'deployed', current);
      }
    }
    if (current !== undefined) {
      const { maxAgeDays } = current;
      current = await this.prove('the last', { ...FIRST, mode: 'none', maxAgeDays: maxAgeDays === 1 ? 2 : 1 }, NONE, 'deployed', current);
    }
    if (current !== undefined) await soakControls(this.environment, { policy: current, servedBefore: this.history });
    this.printSummary((Date.now() - started) / 1000);
    await table.prove('every fault of the soak was completely met by at least one deployment', () => this.expectMet());
  }

  private async prove(name: string, wanted: Wanted, fault: Fault, outcome: Fault['outcome'], before: Policy): Promise<Policy | undefined> {
    let current: Policy | undefined;
    await this.environment.table.prove(`deployment ${name} of ${describe(wanted)}, fault ${fault.what}, is ${outcome ?? 'deployed'}, and the live state agrees`, async () => {
      current = await this.deploy(wanted, fault, outcome, before);
      return `${describe(current)}, ${await publishedId()}`;
    });
    return current;
  }

  /** @throws Error if the synthesizer gives another template than the first deployment used */
  private async startSynthesizer(): Promise<string> {
    const { paths, cli } = this.environment;
    this.appOptions = ['--app', await startSynthesizer(paths.root, paths.folder)];
    const [ofApp, ofSynthesizer] = [this.assembly, join(paths.folder, 'cdk.out.synthesizer')];
    expectEnd(await cli.cdk('synth', '--quiet', ...this.appOptions, ...this.context(FIRST), '-o', ofSynthesizer), 0, 'cdk synth');
    const [expected, actual] = [readTemplate(ofApp), readTemplate(ofSynthesizer)];
    if (actual !== expected) throw new Error(`the templates differ: ${ofApp} and ${ofSynthesizer}`);
    return `${actual.length} characters, identical`;
  }

  /** Draws a policy that differs from the current one. */
  private drawPolicy(before: Wanted): Wanted {
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
   * Deploys a policy under a fault.
   *
   * @returns the policy after the deployment
   * @throws Error if the outcome is not as expected, or the live state does not agree
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
      return cli.cdk('deploy', ...this.appOptions, ...this.context(wanted), '-o', this.assembly, '--require-approval', 'never');
    });
    const policy = { ...wanted, ...readSynthesizedPolicy(this.assembly) };
    const isDeployed = ended.status === 0;
    const events = await stackEvents(emulator.cloudformation, STACK, started);
    const times = events.map(({ Timestamp: time }) => Number(time));
    const stackSeconds = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
    // The first deployment creates all resources, so its duration is not comparable.
    if (before !== undefined) {
      this.rows.push({
        fault: fault.what,
        seconds: ended.seconds,
        stackSeconds,
        isRolledBack: !isDeployed,
        isMet: unmet === undefined,
        isRefused: isRefused(wanted),
      });
    }
    // A rolled back policy may have been served for a short time.
    const published = listPublishedIds(events);
    if (!isDeployed && aws.calls.slice(calls).some(isPolicyWrite)) {
      this.history.push({ ...policy, lastServedAt: Date.now(), id: published.find((id) => parseIdHash(id) === policy.hash) });
    }
    expectEnd(ended, outcome === 'rolled back' ? 1 : 0, 'cdk deploy');
    const { status } = await findStack(emulator.cloudformation, STACK) ?? { status: 'gone' };
    const expected = before === undefined ? 'CREATE_COMPLETE' : isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE';
    if (status !== expected) throw new Error(`the stack is ${status}, expected ${expected}:\n${ended.output}`);
    const current = isDeployed || before === undefined ? policy : before;
    await this.expectAgreement(current, isDeployed);
    for (const id of [...published, ...await this.idsNow()]) this.ids.add(id);
    return current;
  }

  private async expectAgreement(policy: Policy, isDeployed: boolean): Promise<void> {
    const { history, ids, evaluates } = this;
    const isOutputKept = !isDeployed && !evaluates;
    const found = await this.check({
      policy, servedBefore: history, ...isOutputKept && { outputBefore: this.output }, ...isDeployed && { idsBefore: [...ids] },
    });
    if (found.length > 0) throw new Error(`${evaluates ? 'with attributes that CloudFormation evaluates again in a rollback:\n' : ''}${found.join('\n')}`);
    if (isOutputKept && (await this.check({ policy, servedBefore: history })).length > 0) this.outdatedOutputs += 1;
    this.output = (await readLiveState(this.environment)).output;
  }

  private async check(expected: ExpectedState): Promise<readonly string[]> {
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

  /** @throws Error if no deployment met a fault completely */
  private expectMet(): string {
    const faults = [...new Set(this.rows.filter((row) => !row.isRefused).map(({ fault }) => fault))];
    const unmet = faults.filter((fault) => !this.rows.some((row) => row.fault === fault && row.isMet));
    if (unmet.length > 0) throw new Error(`no deployment met these faults completely: ${unmet.join('; ')}`);
    return `${faults.length} faults`;
  }

  private printSummary(seconds: number): void {
    if (this.rows.length === 0) return;
    const faults = [...new Set(this.rows.map(({ fault }) => fault))];
    const cells = [...faults.map((name) => [name, this.rows.filter((row) => row.fault === name)] as const), ['all', this.rows] as const].map(([fault, rows]) => {
      const times = rows.map((row) => row.seconds);
      const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
      const counts = [rows.length, rows.filter((row) => row.isRolledBack).length, rows.filter((row) => row.isMet).length].map(String);
      return [fault, ...counts, ...[Math.min(...times), mean, Math.max(...times)].map((time) => time.toFixed(1))];
    });
    console.log(`\n${textTable(['fault', 'deployments', 'rolled back', 'met completely', 'seconds: minimum', 'mean', 'maximum'], cells)}`);
    const stackMean = this.rows.reduce((sum, row) => sum + row.stackSeconds, 0) / this.rows.length;
    console.log(`  CloudFormation took ${stackMean.toFixed(1)} s of the mean, the CDK command with its synthesis the rest`);
    console.log(`  ${this.ids.size} ids were used`);
    console.log(`  ${new Set(this.history.map(({ hash }) => hash)).size} policies were served and replaced in ${(seconds / 60).toFixed(1)} minutes; after ${
      this.outdatedOutputs} rollbacks the output was older than the publication history`);
  }
}

/** Whether the Preflight refuses the policy. */
function isRefused({ mode, mx }: Wanted): boolean {
  return mode === 'enforce' && (NOT_COVERING as readonly string[]).includes(mx);
}

function readTemplate(assembly: string): string {
  return readFileSync(join(assembly, `${STACK}.template.json`), 'utf8');
}

function describe({ mode, mx, maxAgeDays }: Wanted): string {
  return `${mode}, ${mx}, ${maxAgeDays} ${maxAgeDays === 1 ? 'day' : 'days'}`;
}
