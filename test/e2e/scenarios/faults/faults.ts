// Faults of the world while a policy changes: the deployment waits, or is taken back; senders are never told of what is not there.
import { setTimeout as sleep } from 'node:timers/promises';
import { disagreements, historyIds } from '../../environment/app/agreement';
import type { Expected, Policy, Served } from '../../environment/app/agreement';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readLiveState } from '../../environment/app/live-state';
import { recordId, namedBy } from '../../environment/app/policy-ids';
import { policyOf } from '../../environment/app/synthesized';
import { findStack } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';
import { Observer, publishesNeither, servesNeither } from '../../environment/observer/observer';
import { FAULTS, SHORT_FAULTS } from '../../faults';
import type { Fault } from '../../faults';
import { nextWrite, underFault } from '../../faults/fault';
import { CREATIONS, FreshDomain } from '../deployment/failed-creation';
import { printFaults } from './fault-table';
import type { FaultRow } from './fault-table';
import { expectHangsEnd } from './hanging';

const CONTEXTS: readonly AppContext[] = [{ mode: 'enforce' }, { mode: 'testing' }];

/** @param only - `quick` for those that take little time, or an expression that what the faults are called must match */
export async function faultsScenario(environment: TestEnvironment, only = ''): Promise<void> {
  const { table } = environment;
  table.begin('Faults');
  for (const context of CONTEXTS) await environment.synth(context);
  await environment.ensure(CONTEXTS[1]);
  const isQuick = only === 'quick';
  const isWanted = ({ what, slow }: Pick<Fault, 'what' | 'slow'>): boolean => isQuick ? slow !== true : new RegExp(only).test(what);
  await table.prove('control: requests that hang are broken off when the fault ends', () => expectHangsEnd(environment));
  const rows: FaultRow[] = [];
  const scenario = new Faults(environment);
  for (const fault of (isQuick ? SHORT_FAULTS : FAULTS).filter(isWanted)) {
    await table.prove(`${fault.what}: ${fault.outcome ?? 'deployed'}, nothing lost`, async () => {
      const { evidence, ...row } = await scenario.prove(fault);
      rows.push(row);
      if (row.lost.length > 0) throw new Error(`${row.lost.join('\n')}\n${evidence}`);
      return evidence;
    });
  }
  const creations = CREATIONS.filter(isWanted);
  if (creations.length > 0) {
    const fresh = await FreshDomain.open(environment);
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
const MIN_OBSERVATIONS_PER_SECOND = 10;

const NEVER_LIVE = 'the last entry was never seen live';

class Faults {
  /** What stands. */
  private context = CONTEXTS[1];
  private readonly history: Served[] = [];

  public constructor(private readonly environment: TestEnvironment) {}

  /** Changes the policy under a fault, watched. */
  public async prove(fault: Fault): Promise<FaultRow & { readonly evidence: string }> {
    const { environment } = this;
    const { what, outcome = 'deployed', says, deploy } = fault;
    const wanted = this.context === CONTEXTS[0] ? CONTEXTS[1] : CONTEXTS[0];
    const [before, after] = [this.context, wanted].map((context) => policyOf(environment, context));
    const { output, records, ledger } = await readLiveState(environment);
    const idsBefore = [...historyIds(ledger), ...records.flatMap((record) => recordId(record) ?? [])];
    const write = nextWrite(environment);
    const activity = new Observer({ ca: environment.authority.certificatePem, first: 'record' });
    await sleep(500);
    let end = Infinity;
    const { ended, unmet } = await underFault(fault, environment, () => deploy?.(environment, wanted) ?? environment.deploy(wanted)).finally(async () => {
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
    const stack = await findStack(environment.emulator.cloudformation, STACK);
    if (stack?.status !== (isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE')) throw new Error(`the stack is ${stack?.status ?? 'gone'}`);
    expectObserved(activity, fault, write(), end);
    // The new id beside the old bytes: never on the way there; in a rollback the bytes go back first, as in every change.
    const early = activity.observations.filter(({ names, served }) => names === after.hash && served === before.hash);
    const lost = [
      ...isDeployed ? count(early.length, 'looks saw the new id before its bytes') : [],
      ...this.untimely(activity, fault, after.hash, write()),
      ...count([...activity.observations, ...activity.unreached].filter((look) => {
        return publishesNeither(look, before.hash, after.hash) && !(fault.doubles === true && look.several === true);
      }).length, 'looks saw no record or another one'),
      ...count(activity.observations.filter((observation) => servesNeither(observation, before.hash, after.hash)).length, 'looks were served no policy or another one'),
      ...await this.missing(fault, isDeployed ? { policy: after, idsBefore } : { policy: before, outputBefore: output }),
    ];
    const late = activity.observations.filter(({ names, served }) => names === before.hash && served === after.hash).length;
    return {
      what, outcome, lost, seconds: ended.seconds, observations: activity.observations.length, unanswered: activity.unanswered, early: early.length,
      ...!isDeployed && { late },
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}\n${activity.summary()}`,
    };
  }

  /** New ids where none may be. */
  private untimely(activity: Observer, { published, holdsBack = 0 }: Fault, hash: string, written = Infinity): readonly string[] {
    const withNewId = [...activity.observations, ...activity.unreached].filter((look) => look.names === hash);
    return [
      ...count(published === 'never' ? withNewId.length : 0, 'looks saw the new id, which must not be announced'),
      ...count(published === undefined ? activity.unreached.filter((look) => look.names === hash).length : 0, 'looks saw the new id and reached no file'),
      ...count(withNewId.filter(({ at }) => at < written + holdsBack * 1000).length, `looks saw the new id earlier than ${holdsBack} s after the write`),
    ];
  }

  /** What is not as it must be in the end. */
  private async missing({ unseen }: Fault, expected: Omit<Expected, 'history'>): Promise<readonly string[]> {
    const { status, output } = await this.environment.cli.mtaSts('verify', 'example.test');
    const found = disagreements(await readLiveState(this.environment), { ...expected, history: this.history });
    return [
      ...unseen === true ? found.filter((words) => words !== NEVER_LIVE) : found,
      ...unseen === true && !found.includes(NEVER_LIVE) ? ['the ledger says that the policy was seen live, which it was not'] : [],
      ...status === 0 ? [] : [`mta-sts verify ended with status ${status ?? 'none'}: ${output}`],
    ];
  }
}

/** Waits for a look from then on, not for ever. */
async function seenAfter({ observations }: Observer, end: number): Promise<void> {
  while (!observations.some(({ at }) => at > end) && Date.now() < end + 10_000) await sleep(100);
}

/** @throws Error where the watch saw too little, or was blind where nothing blinds it */
function expectObserved(activity: Observer, { blinds }: Fault, written: number | undefined, ended: number): void {
  if (activity.rate < MIN_OBSERVATIONS_PER_SECOND) throw new Error(`expected ${MIN_OBSERVATIONS_PER_SECOND} looks a second or more:\n${activity.summary()}`);
  const [first, last] = [activity.observations.at(0), activity.observations.at(-1)];
  if (first === undefined || first.at >= (written ?? ended)) throw new Error(`no look was before the write:\n${activity.summary()}`);
  if (last === undefined || last.at <= ended) throw new Error(`no look was after the end:\n${activity.summary()}`);
  if (blinds !== true) activity.expectSight();
}

function count(number: number, what: string): readonly string[] {
  return number === 0 ? [] : [`${number} ${what}`];
}
