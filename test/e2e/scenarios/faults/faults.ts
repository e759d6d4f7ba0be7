// Faults of the world while a policy changes: the deployment waits, or is taken back; senders are never told of what is not there.
import { setTimeout as sleep } from 'node:timers/promises';
import { findDisagreements, listHistoryIds } from '../../environment/app/agreement';
import type { ExpectedState, Policy, ServedPolicy } from '../../environment/app/agreement';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readLiveState } from '../../environment/app/live-state';
import { parseRecordId, parseIdHash } from '../../environment/app/policy-ids';
import { findPolicy } from '../../environment/app/synthesized';
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
  await environment.ensureDeployed(CONTEXTS[1]);
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
  private readonly history: ServedPolicy[] = [];

  public constructor(private readonly environment: TestEnvironment) {}

  /** Changes the policy under a fault, watched. */
  public async prove(fault: Fault): Promise<FaultRow & { readonly evidence: string }> {
    const { environment } = this;
    const { what, outcome = 'deployed', says, deploy } = fault;
    const wanted = this.context === CONTEXTS[0] ? CONTEXTS[1] : CONTEXTS[0];
    const [before, after] = [this.context, wanted].map((context) => findPolicy(environment, context));
    const { output, records, historyText } = await readLiveState(environment);
    const idsBefore = [...listHistoryIds(historyText), ...records.flatMap((record) => parseRecordId(record) ?? [])];
    const write = nextWrite(environment);
    const observer = new Observer({ ca: environment.authority.certificatePem, first: 'record' });
    await sleep(500);
    let end = Infinity;
    const { ended, unmet } = await underFault(fault, environment, () => deploy?.(environment, wanted) ?? environment.deploy(wanted)).finally(async () => {
      end = Date.now();
      await seenAfter(observer, end);
      await observer.stop();
    });
    const isDeployed = ended.status === 0;
    const idSeen = ({ hash }: Policy): string | undefined => observer.publishedIds.filter((id) => parseIdHash(id) === hash).at(-1);
    this.history.push({ ...before, lastServedAt: end, id: idSeen(before) });
    if (isDeployed) this.context = wanted;
    else if (idSeen(after) !== undefined) this.history.push({ ...after, lastServedAt: end, id: idSeen(after) });
    expectEnd(ended, outcome === 'deployed' ? 0 : 1, 'cdk deploy');
    if (unmet !== undefined) throw new Error(`${unmet.message}\n${observer.summary()}`);
    const reason = /\| (?:UPDATE|CREATE)_FAILED .*?\) (.*)/.exec(ended.output)?.[1];
    if (says !== undefined && !says.test(ended.output)) throw new Error(`the command must say something like ${String(says)}:\n${ended.output}`);
    const stack = await findStack(environment.emulator.cloudformation, STACK);
    if (stack?.status !== (isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE')) throw new Error(`the stack is ${stack?.status ?? 'gone'}`);
    expectObserved(observer, fault, write(), end);
    // The new id beside the old bytes: never on the way there; in a rollback the bytes go back first, as in every change.
    const early = observer.observations.filter(({ names, served }) => names === after.hash && served === before.hash);
    const lost = [
      ...isDeployed ? count(early.length, 'looks saw the new id before its bytes') : [],
      ...this.untimely(observer, fault, after.hash, write()),
      ...count([...observer.observations, ...observer.unreached].filter((look) => {
        return publishesNeither(look, before.hash, after.hash) && !(fault.doubles === true && look.several === true);
      }).length, 'looks saw no record or another one'),
      ...count(observer.observations.filter((observation) => servesNeither(observation, before.hash, after.hash)).length, 'looks were served no policy or another one'),
      ...await this.missing(fault, isDeployed ? { policy: after, idsBefore } : { policy: before, outputBefore: output }),
    ];
    const late = observer.observations.filter(({ names, served }) => names === before.hash && served === after.hash).length;
    return {
      what, outcome, lost, seconds: ended.seconds, observations: observer.observations.length, unanswered: observer.unanswered, early: early.length,
      ...!isDeployed && { late },
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}\n${observer.summary()}`,
    };
  }

  /** New ids where none may be. */
  private untimely(observer: Observer, { published, holdsBack = 0 }: Fault, hash: string, written = Infinity): readonly string[] {
    const withNewId = [...observer.observations, ...observer.unreached].filter((look) => look.names === hash);
    return [
      ...count(published === 'never' ? withNewId.length : 0, 'looks saw the new id, which must not be announced'),
      ...count(published === undefined ? observer.unreached.filter((look) => look.names === hash).length : 0, 'looks saw the new id and reached no file'),
      ...count(withNewId.filter(({ at }) => at < written + holdsBack * 1000).length, `looks saw the new id earlier than ${holdsBack} s after the write`),
    ];
  }

  /** What is not as it must be in the end. */
  private async missing({ unseen }: Fault, expected: Omit<ExpectedState, 'servedBefore'>): Promise<readonly string[]> {
    const { status, output } = await this.environment.cli.mtaSts('verify', 'example.test');
    const found = findDisagreements(await readLiveState(this.environment), { ...expected, servedBefore: this.history });
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
function expectObserved(observer: Observer, { blinds }: Fault, written: number | undefined, ended: number): void {
  if (observer.rate < MIN_OBSERVATIONS_PER_SECOND) throw new Error(`expected ${MIN_OBSERVATIONS_PER_SECOND} looks a second or more:\n${observer.summary()}`);
  const [first, last] = [observer.observations.at(0), observer.observations.at(-1)];
  if (first === undefined || first.at >= (written ?? ended)) throw new Error(`no look was before the write:\n${observer.summary()}`);
  if (last === undefined || last.at <= ended) throw new Error(`no look was after the end:\n${observer.summary()}`);
  if (blinds !== true) observer.expectAnswers();
}

function count(number: number, what: string): readonly string[] {
  return number === 0 ? [] : [`${number} ${what}`];
}
