// Changes of a policy, observed about a hundred times a second: no observation sees the new id before its file.
import { resolve } from 'node:path';
import { EDGES } from '../../environment/addresses';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readLiveState } from '../../environment/app/live-state';
import { hashPolicy, isLater, parseIdHash } from '../../environment/app/policy-ids';
import { readSynthesizedPolicy } from '../../environment/app/synthesized';
import type { TestEnvironment } from '../../environment/environment';
import { Observer, publishesNeither, servesNeither, observeWhile } from '../../environment/observer/observer';
import type { Observation } from '../../environment/observer/observer';
import { writeRace, summarizeRace } from '../../environment/observer/race';

const CHANGES: readonly (readonly [string, AppContext])[] = [
  ['testing becomes enforce', { mode: 'enforce' }],
  ['a mail host is added', { mode: 'enforce', mx: 'mx1.example.test,mx2.example.test' }],
  ['a mail host is removed', { mode: 'enforce' }],
];

/** Deploys changes of the policy. Begins with `testing` and ends with `enforce`. */
export async function changeScenario(environment: TestEnvironment): Promise<void> {
  environment.table.begin('Policy changes under observation');
  await environment.ensureDeployed({ mode: 'testing' });
  for (const [what, context] of CHANGES) await proveChange(environment, what, context, what === CONTROLLED);
}

/** The change that a second observer sees, which gets wrong answers. */
const CONTROLLED = 'a mail host is added';

/** Minimum observations per second that prove something. A busy machine makes fewer observations than asked for. */
const MIN_OBSERVATIONS_PER_SECOND = 40;

async function proveChange(environment: TestEnvironment, what: string, context: AppContext, isControlled = false): Promise<void> {
  let control: Control | undefined;
  await environment.table.prove(`when ${what}, no observation sees the new id before its bytes, or anything but the two policies`, async () => {
    await environment.synth(context);
    const after = readSynthesizedPolicy(environment.assembly(context)).hash;
    if (isControlled) control = await Control.start(environment, after);
    const { observer, ended } = await observeWhile({ ca: environment.authority.certificatePem, first: 'record' }, () => environment.deploy(context))
      .finally(() => control?.stop());
    expectEnd(ended, 0, 'cdk deploy');
    observer.expectAnswers();
    if (observer.rate < MIN_OBSERVATIONS_PER_SECOND) {
      throw new Error(`expected at least ${MIN_OBSERVATIONS_PER_SECOND} observations per second, the machine made ${observer.rate.toFixed(1)}:\n${observer.summary()}`);
    }
    const { publishedIds: ids } = observer;
    const [oldId = '', newId = ''] = ids;
    const before = parseIdHash(oldId);
    if (ids.length !== 2 || before === undefined || before === after || parseIdHash(newId) !== after || !isLater(newId, oldId)) {
      throw new Error(`expected one id, and a later one for ${after} after it, saw ${ids.join(', ')}:\n${observer.summary()}`);
    }
    const against = violations(observer, before, after);
    if (against.length > 0) throw new Error(`${against.length} observations saw something else:\n${against.slice(0, 5).join('\n')}\n${observer.summary()}`);
    const first = (seen: (observation: Observation) => boolean): number => observer.observations.find(seen)?.at ?? NaN;
    observer.expectAnswersAt([first(({ served }) => served === after), first(({ names }) => names === after)], 1_000);
    if (!observer.observations.some(({ names, served }) => names === before && served === after)) {
      throw new Error(`no observation saw the new bytes with the old id, so none was between the two steps:\n${observer.summary()}`);
    }
    // RACE=docs/figures/race.json writes the data for a figure of the documentation.
    const { RACE: file } = process.env;
    if (file !== undefined) {
      writeRace(resolve(environment.paths.root, file), summarizeRace(what, observer, before, after));
    }
    return observer.summary();
  });
  if (isControlled) {
    await environment.table.prove('control: a second observer, which gets the old bytes with the new id from one edge for a second, reports them', () => {
      if (control === undefined) throw new Error('the second observer was not started');
      return control.expectSeen();
    });
  }
}

/** Describes the observations that saw the new id without its bytes, or neither the old nor the new policy. */
function violations(observer: Observer, before: string, after: string): readonly string[] {
  return observer.findViolations(
    (observation) => publishesNeither(observation, before, after) || servesNeither(observation, before, after)
      || (observation.names === after && observation.served !== after),
    (observation) => publishesNeither(observation, before, after) || observation.names === after,
  );
}

/** A second observer that gets the old bytes from one edge for a second after the new id. Other clients get the right bytes. */
class Control {
  /** @param hash - hash of the bytes that the new id names */
  public static async start(environment: TestEnvironment, hash: string): Promise<Control> {
    const [oldFile] = (await readLiveState(environment)).files;
    if (oldFile === undefined) throw new Error('no edge serves a file');
    let from = Infinity;
    environment.dns.fail((server, answer) => async (question) => {
      if (server !== 'resolver' || question.type !== 'TXT') return undefined;
      const reply = await answer(question);
      const isNew = reply !== 'drop' && reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(hash));
      if (isNew && from === Infinity) from = Date.now();
      return reply;
    });
    environment.edge.fail((address, { headers }) => {
      const isOn = address === LYING_EDGE && Date.now() >= from && Date.now() < from + 1_000;
      const isControl = headers.some(([name, value]) => name.toLowerCase() === 'user-agent' && value === CONTROL);
      return isOn && isControl ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body: oldFile } : undefined;
    });
    const observer = new Observer({ ca: environment.authority.certificatePem, first: 'record', observationsPerSecond: 20, name: CONTROL });
    return new Control(environment, observer, hashPolicy(oldFile), hash);
  }

  private constructor(
    private readonly environment: TestEnvironment,
    private readonly observer: Observer,
    private readonly before: string,
    private readonly after: string,
  ) {}

  public async stop(): Promise<void> {
    await this.observer.stop();
    this.environment.dns.fail(undefined);
    this.environment.edge.fail(undefined);
  }

  /** @throws Error if the observer did not see the old bytes, or saw them at another edge */
  public expectSeen(): string {
    const { observer, before, after } = this;
    const against = violations(observer, before, after);
    const atOtherEdges = against.filter((line) => !line.endsWith(`(${LYING_EDGE})`));
    if (against.length === 0 || atOtherEdges.length > 0) {
      throw new Error(`${against.length} observations saw the old bytes with the new id, ${atOtherEdges.length} of them not at ${LYING_EDGE}:\n${against.join('\n')}\n${observer.summary()}`);
    }
    return `${against.length} observations saw the old bytes with the new id:\n${against.slice(0, 3).join('\n')}\n${observer.summary()}`;
  }
}

const CONTROL = 'control of the test environment';
const LYING_EDGE: string = EDGES.v4[1];

/** Deploys mode `none`, the first step of a removal. */
export async function noneScenario(environment: TestEnvironment): Promise<void> {
  environment.table.begin('Mode none under observation');
  await environment.ensureDeployed({ mode: 'testing' });
  await proveChange(environment, 'testing becomes none', { mode: 'none' });
}
