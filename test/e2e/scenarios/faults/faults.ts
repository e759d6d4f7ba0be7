// Changes a policy under each fault: the deployment waits or is rolled back, and the record never names a file that is not served.
import { setTimeout as sleep } from 'node:timers/promises';
import { findDisagreements, listHistoryIds } from '../../environment/app/agreement';
import type { ExpectedState, Policy, ServedPolicy } from '../../environment/app/agreement';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import type { CommandResult } from '../../environment/app/cdk-cli';
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

const ENFORCE: AppContext = { mode: 'enforce' };
const TESTING: AppContext = { mode: 'testing' };

/** @param only - `quick` for the faults that take little time, or a regular expression that the names of the faults must match */
export async function faultsScenario(environment: TestEnvironment, only = ''): Promise<void> {
  const { table } = environment;
  table.begin('Faults');
  for (const context of [ENFORCE, TESTING]) await environment.synth(context);
  await environment.ensureDeployed(TESTING);
  const isQuick = only === 'quick';
  const isWanted = ({ what, slow }: Pick<Fault, 'what' | 'slow'>): boolean => isQuick ? slow !== true : new RegExp(only).test(what);
  await table.prove('control: the test environment closes hanging requests when a fault ends', () => expectHangsEnd(environment));
  const rows: FaultRow[] = [];
  const scenario = new Faults(environment);
  for (const fault of (isQuick ? SHORT_FAULTS : FAULTS).filter(isWanted)) {
    await table.prove(`when ${fault.what}, the change is ${fault.outcome ?? 'deployed'} and nothing is lost`, async () => {
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
      await table.prove(`when ${creation.what}, the deployment is rolled back and nothing remains`, async () => {
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

/** Less than for a change without faults: an observation waits five seconds for an edge that does not answer. */
const MIN_OBSERVATIONS_PER_SECOND = 10;

const NEVER_LIVE = 'the last entry was never seen live';

class Faults {
  /** Context of the deployed policy. */
  private context = TESTING;
  private readonly history: ServedPolicy[] = [];

  public constructor(private readonly environment: TestEnvironment) {}

  /** Changes the policy under a fault, and observes the change. */
  public async prove(fault: Fault): Promise<FaultRow & { readonly evidence: string }> {
    const { environment } = this;
    const { what, outcome = 'deployed', says, deploy } = fault;
    const wanted = this.context === ENFORCE ? TESTING : ENFORCE;
    const [before, after] = [findPolicy(environment, this.context), findPolicy(environment, wanted)];
    const { output, records, historyText } = await readLiveState(environment);
    const idsBefore = [...listHistoryIds(historyText), ...records.flatMap((record) => parseRecordId(record) ?? [])];
    const write = nextWrite(environment);
    const observer = new Observer({ ca: environment.authority.certificatePem, first: 'record' });
    await sleep(500);
    let end = Infinity;
    const change = (): Promise<CommandResult> => deploy?.(environment, wanted) ?? environment.deploy(wanted);
    const { ended, unmet } = await underFault(fault, environment, change).finally(async () => {
      end = Date.now();
      await waitForObservationAfter(observer, end);
      await observer.stop();
    });
    const isDeployed = ended.status === 0;
    const lastSeenId = ({ hash }: Policy): string | undefined => observer.publishedIds.filter((id) => parseIdHash(id) === hash).at(-1);
    this.history.push({ ...before, lastServedAt: end, id: lastSeenId(before) });
    if (isDeployed) this.context = wanted;
    else if (lastSeenId(after) !== undefined) this.history.push({ ...after, lastServedAt: end, id: lastSeenId(after) });
    expectEnd(ended, outcome === 'deployed' ? 0 : 1, 'cdk deploy');
    if (unmet !== undefined) throw new Error(`${unmet.message}\n${observer.summary()}`);
    const reason = /\| (?:UPDATE|CREATE)_FAILED .*?\) (.*)/.exec(ended.output)?.[1];
    if (says !== undefined && !says.test(ended.output)) throw new Error(`the command must print a reason that matches ${String(says)}:\n${ended.output}`);
    const stack = await findStack(environment.emulator.cloudformation, STACK);
    if (stack?.status !== (isDeployed ? 'UPDATE_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE')) throw new Error(`the stack is ${stack?.status ?? 'gone'}`);
    expectObserved(observer, fault, write(), end);
    // The new id with the old bytes: never while deploying. A rollback restores the bytes before the id, as every change does.
    const early = observer.observations.filter(({ names, served }) => names === after.hash && served === before.hash);
    const lost = [
      ...isDeployed ? count(early.length, 'observations saw the new id before its bytes') : [],
      ...listEarlyIds(observer, fault, after.hash, write()),
      ...count([...observer.observations, ...observer.unreached].filter((observation) => {
        return publishesNeither(observation, before.hash, after.hash) && !(fault.doubles === true && observation.several === true);
      }).length, 'observations saw no record or another one'),
      ...count(observer.observations.filter((observation) => servesNeither(observation, before.hash, after.hash)).length, 'observations were served no policy or another one'),
      ...await this.checkEnd(fault, isDeployed ? { policy: after, idsBefore } : { policy: before, outputBefore: output }),
    ];
    const late = observer.observations.filter(({ names, served }) => names === before.hash && served === after.hash).length;
    return {
      what,
      outcome,
      lost,
      seconds: ended.seconds,
      observations: observer.observations.length,
      unanswered: observer.unanswered,
      early: early.length,
      late: isDeployed ? undefined : late,
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s${reason === undefined ? '' : `: ${reason.slice(0, 300)}`}\n${observer.summary()}`,
    };
  }

  /** Lists what is wrong after the deployment. */
  private async checkEnd({ unseen }: Fault, expected: Omit<ExpectedState, 'servedBefore'>): Promise<readonly string[]> {
    const { status, output } = await this.environment.cli.mtaSts('verify', 'example.test');
    const found = findDisagreements(await readLiveState(this.environment), { ...expected, servedBefore: this.history });
    return [
      ...unseen === true ? found.filter((disagreement) => disagreement !== NEVER_LIVE) : found,
      ...unseen === true && !found.includes(NEVER_LIVE) ? ['the publication history states that the policy was seen live, but it was not'] : [],
      ...status === 0 ? [] : [`mta-sts verify ended with status ${status ?? 'none'}: ${output}`],
    ];
  }
}

/** Lists observations of the new id at a time when it must not be published. */
function listEarlyIds(observer: Observer, { published, holdsBack = 0 }: Fault, hash: string, written = Infinity): readonly string[] {
  const withNewId = [...observer.observations, ...observer.unreached].filter(({ names }) => names === hash);
  const withoutFile = observer.unreached.filter(({ names }) => names === hash);
  return [
    ...count(published === 'never' ? withNewId.length : 0, 'observations saw the new id, which must not be published'),
    ...count(published === undefined ? withoutFile.length : 0, 'observations saw the new id and reached no file'),
    ...count(withNewId.filter(({ at }) => at < written + holdsBack * 1000).length, `observations saw the new id earlier than ${holdsBack} s after the write`),
  ];
}

/** Waits up to ten seconds for an observation after this time. */
async function waitForObservationAfter({ observations }: Observer, end: number): Promise<void> {
  while (!observations.some(({ at }) => at > end) && Date.now() < end + 10_000) await sleep(100);
}

/** @throws Error if the observer saw too little, or got no answers although the fault does not blind it */
function expectObserved(observer: Observer, { blinds }: Fault, written: number | undefined, ended: number): void {
  if (observer.rate < MIN_OBSERVATIONS_PER_SECOND) throw new Error(`expected at least ${MIN_OBSERVATIONS_PER_SECOND} observations per second:\n${observer.summary()}`);
  const [first, last] = [observer.observations.at(0), observer.observations.at(-1)];
  if (first === undefined || first.at >= (written ?? ended)) throw new Error(`no observation began before the write:\n${observer.summary()}`);
  if (last === undefined || last.at <= ended) throw new Error(`no observation began after the end:\n${observer.summary()}`);
  if (blinds !== true) observer.expectAnswers();
}

function count(number: number, problem: string): readonly string[] {
  return number === 0 ? [] : [`${number} ${problem}`];
}
