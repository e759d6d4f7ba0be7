// Faults of the world while a policy changes: the deployment waits, or is taken back; senders are never told of what is not there.
import { setTimeout as sleep } from 'node:timers/promises';
import { disagreements } from '../agreement';
import type { Policy, Served } from '../agreement';
import { FAULTS } from '../faults';
import type { Fault } from '../faults';
import { mend } from '../faults/fault';
import { stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { standing } from '../standing';
import { synthesized } from '../synthesized';
import { Watch } from '../watch';
import { failedCreation } from './failed-creation';
import { printFaults } from './fault-table';
import type { FaultRow } from './fault-table';

const CONTEXTS: readonly AppContext[] = [{ mode: 'enforce' }, { mode: 'testing' }];

/** @param only - `quick` for those that take little time, or an expression that what the faults are called must match */
export async function faultsScene(stage: Stage, only = ''): Promise<void> {
  const { table } = stage;
  table.begin('Faults');
  for (const context of CONTEXTS) await stage.synth(context);
  await stage.ensure(CONTEXTS[1]);
  const isWanted = ({ what, slow }: Pick<Fault, 'what' | 'slow'>): boolean => only === 'quick' ? slow !== true : new RegExp(only).test(what);
  const rows: FaultRow[] = [];
  const scene = new Faults(stage);
  for (const fault of FAULTS.filter(isWanted)) {
    await table.prove(`${fault.what}: ${fault.outcome ?? 'deployed'}, nothing lost`, async () => {
      const { evidence, ...row } = await scene.prove(fault).finally(() => {
        mend(stage);
      });
      rows.push(row);
      if (row.lost.length > 0) throw new Error(`${row.lost.join('\n')}\n${evidence}`);
      return evidence;
    });
  }
  const creation = { what: 'CloudFront\'s API throttles the creation of the distribution', slow: true } as const;
  if (isWanted(creation)) {
    await table.prove(`${creation.what}: rolled back, and nothing was announced`, async () => {
      const { evidence, ...row } = await failedCreation(stage, creation.what);
      rows.push(row);
      return evidence;
    });
  }
  printFaults(rows);
}

class Faults {
  /** What stands. */
  private context = CONTEXTS[1];
  private readonly history: Served[] = [];

  public constructor(private readonly stage: Stage) {}

  /** Changes the policy under a fault, watched. */
  public async prove({ what, begin, outcome = 'deployed', says, deploy }: Fault): Promise<FaultRow & { readonly evidence: string }> {
    const { stage } = this;
    const wanted = this.context === CONTEXTS[0] ? CONTEXTS[1] : CONTEXTS[0];
    const [before, after] = [this.context, wanted].map((context) => this.policy(context));
    const { output } = await standing(stage);
    const watch = new Watch({ ca: stage.authority.certificatePem, first: 'record' });
    await sleep(500);
    const end = await begin(stage);
    const ended = await (deploy?.(stage, wanted) ?? stage.deploy(wanted)).finally(() => watch.stop());
    const isDeployed = ended.status === 0;
    this.history.push({ ...before, last: Date.now() });
    if (isDeployed) this.context = wanted;
    end?.();
    expectEnd(ended, outcome === 'deployed' ? 0 : 1, 'cdk deploy');
    const reason = /\| (?:UPDATE|CREATE)_FAILED .*?\) (.*)/.exec(ended.output)?.[1];
    if (says !== undefined && !says.test(ended.output)) throw new Error(`the command must say something like ${String(says)}:\n${ended.output}`);
    const stack = await stackOf(stage.emulator.cloudformation, STACK);
    if (stack?.status !== (isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE')) throw new Error(`the stack is ${stack?.status ?? 'gone'}`);
    // The new id beside the old bytes: never on the way there; in a rollback the bytes go back first, as in every change.
    const early = watch.looks.filter(({ announced, served }) => announced === after.id && served === before.id);
    const withoutFile = watch.unreached.filter(({ announced }) => announced === after.id);
    const lost = [
      ...isDeployed && early.length > 0 ? [`${early.length} looks saw the new id before its bytes`] : [],
      ...isDeployed ? count(withoutFile.length, 'looks saw the new id and reached no file') : [],
      ...count([...watch.looks, ...watch.unreached].filter(({ announced }) => announced !== before.id && announced !== after.id).length,
        'looks saw no record or another one'),
      ...count(watch.looks.filter(({ served }) => served !== before.id && served !== after.id).length, 'looks were served no policy or another one'),
      ...await this.missing(isDeployed ? after : before, isDeployed ? undefined : output),
    ];
    return {
      what, outcome, lost, seconds: ended.seconds, looks: watch.looks.length, unanswered: watch.unanswered, early: early.length,
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}\n${watch.summary()}`,
    };
  }

  /** What is not as it must be in the end. */
  private async missing(policy: Policy, outputBefore: string | undefined): Promise<readonly string[]> {
    const { status, output } = await this.stage.cli.mtaSts('verify', 'example.test');
    return [
      ...disagreements(await standing(this.stage), { policy, history: this.history, outputBefore }),
      ...status === 0 ? [] : [`mta-sts verify ended with status ${status ?? 'none'}: ${output}`],
    ];
  }

  private policy(context: AppContext): Policy {
    const published = synthesized(this.stage.assembly(context));
    const maxAgeDays = Number(/^max_age: (\d+)\r$/m.exec(published.text)?.[1]) / 86_400;
    return { ...published, mode: context.mode, mx: 'mx1.example.test', maxAgeDays };
  }
}

function count(number: number, what: string): readonly string[] {
  return number === 0 ? [] : [`${number} ${what}`];
}
