// Faults of the world while a policy changes: the deployment waits, or is taken back; senders are never told of what is not there.
import { setTimeout as sleep } from 'node:timers/promises';
import { disagreements, idOf, idsOfLedger } from '../agreement';
import type { Expected, Policy, Served } from '../agreement';
import { FAULTS, SHORT_FAULTS } from '../faults';
import type { Fault } from '../faults';
import { nextWrite, underFault } from '../faults/fault';
import { namedBy } from '../policy-ids';
import { stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { standing } from '../standing';
import { policyOf } from '../synthesized';
import { Watch, announcesNeither, servesNeither } from '../watch';
import { CREATIONS, FreshDomain } from './failed-creation';
import { printFaults } from './fault-table';
import type { FaultRow } from './fault-table';
import { expectHangsEnd } from './hanging';

const CONTEXTS: readonly AppContext[] = [{ mode: 'enforce' }, { mode: 'testing' }];

/** @param only - `quick` for those that take little time, or an expression that what the faults are called must match */
export async function faultsScene(stage: Stage, only = ''): Promise<void> {
  const { table } = stage;
  table.begin('Faults');
  for (const context of CONTEXTS) await stage.synth(context);
  await stage.ensure(CONTEXTS[1]);
  const isQuick = only === 'quick';
  const isWanted = ({ what, slow }: Pick<Fault, 'what' | 'slow'>): boolean => isQuick ? slow !== true : new RegExp(only).test(what);
  await table.prove('control: requests that hang are broken off when the fault ends', () => expectHangsEnd(stage));
  const rows: FaultRow[] = [];
  const scene = new Faults(stage);
  for (const fault of (isQuick ? SHORT_FAULTS : FAULTS).filter(isWanted)) {
    await table.prove(`${fault.what}: ${fault.outcome ?? 'deployed'}, nothing lost`, async () => {
      const { evidence, ...row } = await scene.prove(fault);
      rows.push(row);
      if (row.lost.length > 0) throw new Error(`${row.lost.join('\n')}\n${evidence}`);
      return evidence;
    });
  }
  const creations = CREATIONS.filter(isWanted);
  if (creations.length > 0) {
    const fresh = await FreshDomain.open(stage);
    for (const creation of creations) {
      await table.prove(`${creation.what}: rolled back, and nothing stays`, async () => {
        const { evidence, ...row } = await fresh.prove(creation);
        rows.push(row);
        if (row.lost.length > 0) throw new Error(`${row.lost.join('\n')}\n${evidence}`);
        return evidence;
      });
    }
    await fresh.close();
  }
  printFaults(rows);
}

/** Less than of a change without faults: a silent edge holds up whoever looks there for five seconds. */
const LEAST_LOOKS_A_SECOND = 10;

const NEVER_LIVE = 'the last entry was never seen live';

class Faults {
  /** What stands. */
  private context = CONTEXTS[1];
  private readonly history: Served[] = [];

  public constructor(private readonly stage: Stage) {}

  /** Changes the policy under a fault, watched. */
  public async prove(fault: Fault): Promise<FaultRow & { readonly evidence: string }> {
    const { stage } = this;
    const { what, outcome = 'deployed', says, deploy } = fault;
    const wanted = this.context === CONTEXTS[0] ? CONTEXTS[1] : CONTEXTS[0];
    const [before, after] = [this.context, wanted].map((context) => policyOf(stage, context));
    const { output, records, ledger } = await standing(stage);
    const idsBefore = [...idsOfLedger(ledger), ...records.flatMap((record) => idOf(record) ?? [])];
    const write = nextWrite(stage);
    const activity = new Watch({ ca: stage.authority.certificatePem, first: 'record' });
    await sleep(500);
    let end = Infinity;
    const { ended, unmet } = await underFault(fault, stage, () => deploy?.(stage, wanted) ?? stage.deploy(wanted)).finally(async () => {
      end = Date.now();
      await seenAfter(activity, end);
      await activity.stop();
    });
    const isDeployed = ended.status === 0;
    const idSeen = ({ hash }: Policy): string | undefined => activity.ids.filter((id) => namedBy(id) === hash).at(-1);
    this.history.push({ ...before, last: end, id: idSeen(before) });
    if (isDeployed) this.context = wanted;
    else if (idSeen(after) !== undefined) this.history.push({ ...after, last: end, id: idSeen(after) });
    expectEnd(ended, outcome === 'deployed' ? 0 : 1, 'cdk deploy');
    if (unmet !== undefined) throw new Error(`${unmet.message}\n${activity.summary()}`);
    const reason = /\| (?:UPDATE|CREATE)_FAILED .*?\) (.*)/.exec(ended.output)?.[1];
    if (says !== undefined && !says.test(ended.output)) throw new Error(`the command must say something like ${String(says)}:\n${ended.output}`);
    const stack = await stackOf(stage.emulator.cloudformation, STACK);
    if (stack?.status !== (isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE')) throw new Error(`the stack is ${stack?.status ?? 'gone'}`);
    expectWatched(activity, fault, write(), end);
    // The new id beside the old bytes: never on the way there; in a rollback the bytes go back first, as in every change.
    const early = activity.looks.filter(({ names, served }) => names === after.hash && served === before.hash);
    const lost = [
      ...isDeployed ? count(early.length, 'looks saw the new id before its bytes') : [],
      ...this.untimely(activity, fault, after.hash, write()),
      ...count([...activity.looks, ...activity.unreached].filter((look) => {
        return announcesNeither(look, before.hash, after.hash) && !(fault.doubles === true && look.several === true);
      }).length, 'looks saw no record or another one'),
      ...count(activity.looks.filter((observation) => servesNeither(observation, before.hash, after.hash)).length, 'looks were served no policy or another one'),
      ...await this.missing(fault, isDeployed ? { policy: after, idsBefore } : { policy: before, outputBefore: output }),
    ];
    const late = activity.looks.filter(({ names, served }) => names === before.hash && served === after.hash).length;
    return {
      what, outcome, lost, seconds: ended.seconds, looks: activity.looks.length, unanswered: activity.unanswered, early: early.length,
      ...!isDeployed && { late },
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}\n${activity.summary()}`,
    };
  }

  /** New ids where none may be. */
  private untimely(activity: Watch, { announced, holdsBack = 0 }: Fault, hash: string, written = Infinity): readonly string[] {
    const withNewId = [...activity.looks, ...activity.unreached].filter((look) => look.names === hash);
    return [
      ...count(announced === 'never' ? withNewId.length : 0, 'looks saw the new id, which must not be announced'),
      ...count(announced === undefined ? activity.unreached.filter((look) => look.names === hash).length : 0, 'looks saw the new id and reached no file'),
      ...count(withNewId.filter(({ at }) => at < written + holdsBack * 1000).length, `looks saw the new id earlier than ${holdsBack} s after the write`),
    ];
  }

  /** What is not as it must be in the end. */
  private async missing({ unseen }: Fault, expected: Omit<Expected, 'history'>): Promise<readonly string[]> {
    const { status, output } = await this.stage.cli.mtaSts('verify', 'example.test');
    const found = disagreements(await standing(this.stage), { ...expected, history: this.history });
    return [
      ...unseen === true ? found.filter((words) => words !== NEVER_LIVE) : found,
      ...unseen === true && !found.includes(NEVER_LIVE) ? ['the ledger says that the policy was seen live, which it was not'] : [],
      ...status === 0 ? [] : [`mta-sts verify ended with status ${status ?? 'none'}: ${output}`],
    ];
  }
}

/** Waits for a look from then on, not for ever. */
async function seenAfter({ looks }: Watch, end: number): Promise<void> {
  while (!looks.some(({ at }) => at > end) && Date.now() < end + 10_000) await sleep(100);
}

/** @throws Error where the watch saw too little, or was blind where nothing blinds it */
function expectWatched(activity: Watch, { blinds }: Fault, written: number | undefined, ended: number): void {
  if (activity.rate < LEAST_LOOKS_A_SECOND) throw new Error(`expected ${LEAST_LOOKS_A_SECOND} looks a second or more:\n${activity.summary()}`);
  const [first, last] = [activity.looks.at(0), activity.looks.at(-1)];
  if (first === undefined || first.at >= (written ?? ended)) throw new Error(`no look was before the write:\n${activity.summary()}`);
  if (last === undefined || last.at <= ended) throw new Error(`no look was after the end:\n${activity.summary()}`);
  if (blinds !== true) activity.expectSight();
}

function count(number: number, what: string): readonly string[] {
  return number === 0 ? [] : [`${number} ${what}`];
}
