// Changes of a policy: while each is under way a sender looks a hundred times a second.
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

/** From `testing` to `enforce`. */
export async function changeScenario(environment: TestEnvironment): Promise<void> {
  environment.table.begin('Change, watched');
  await environment.ensureDeployed({ mode: 'testing' });
  for (const [what, context] of CHANGES) await change(environment, what, context, what === CONTROLLED);
}

/** A second watch looks at this one, and is lied to. */
const CONTROLLED = 'a mail host is added';

/** A busy machine gives less than it is asked for; with less than this little is shown. */
const MIN_OBSERVATIONS_PER_SECOND = 40;

export async function change(environment: TestEnvironment, what: string, context: AppContext, isControlled = false): Promise<void> {
  let control: Control | undefined;
  await environment.table.prove(`${what}: no look sees the new id before its bytes, or anything but the two policies`, async () => {
    await environment.synth(context);
    const after = readSynthesizedPolicy(environment.assembly(context)).hash;
    if (isControlled) control = await Control.start(environment, after);
    const { observer, ended } = await observeWhile({ ca: environment.authority.certificatePem, first: 'record' }, () => environment.deploy(context))
      .finally(() => control?.stop());
    expectEnd(ended, 0, 'cdk deploy');
    observer.expectAnswers();
    if (observer.rate < MIN_OBSERVATIONS_PER_SECOND) {
      throw new Error(`expected ${MIN_OBSERVATIONS_PER_SECOND} looks a second or more, the machine gave ${observer.rate.toFixed(1)}:\n${observer.summary()}`);
    }
    const { publishedIds: ids } = observer;
    const [before] = ids.map(parseIdHash);
    if (ids.length !== 2 || before === undefined || before === after || parseIdHash(ids[1]) !== after || !isLater(ids[1], ids[0])) {
      throw new Error(`expected one id, and a later one for ${after} after it, saw ${ids.join(', ')}:\n${observer.summary()}`);
    }
    const against = violations(observer, before, after);
    if (against.length > 0) throw new Error(`${against.length} looks saw it otherwise:\n${against.slice(0, 5).join('\n')}\n${observer.summary()}`);
    const first = (seen: (observation: Observation) => boolean): number => observer.observations.find(seen)?.at ?? NaN;
    observer.expectAnswersAt([first(({ served }) => served === after), first(({ names }) => names === after)], 1_000);
    if (!observer.observations.some(({ names, served }) => names === before && served === after)) {
      throw new Error(`no look saw the new bytes beside the old id, so none was in between:\n${observer.summary()}`);
    }
    // RACE=docs/figures/race.json: for the figure of the README.
    const { RACE: file } = process.env;
    if (file !== undefined) {
      writeRace(resolve(environment.paths.root, file), summarizeRace(what, observer, before, after));
    }
    return observer.summary();
  });
  if (isControlled) {
    await environment.table.prove('control: one edge gave a second watch the old bytes for a second beside the new id, and its looks say so', () => {
      if (control === undefined) throw new Error('it did not come so far');
      return control.expectSeen();
    });
  }
}

/** The looks that saw the new id without its bytes, or at record or file neither what was before nor what is after, by their hashes. */
function violations(observer: Observer, before: string, after: string): readonly string[] {
  return observer.findViolations(
    (observation) => publishesNeither(observation, before, after) || servesNeither(observation, before, after)
      || (observation.names === after && observation.served !== after),
    (look) => publishesNeither(look, before, after) || look.names === after,
  );
}

/** A watch that one edge gives the old bytes for a second, from when the resolver gives the new id; everybody else gets what is right. */
class Control {
  /** @param hash - of the bytes that the new id names */
  public static async start(environment: TestEnvironment, hash: string): Promise<Control> {
    const [old] = (await readLiveState(environment)).files;
    let from = Infinity;
    environment.dns.fail((server, answer) => async (question) => {
      if (server !== 'resolver' || question.type !== 'TXT') return undefined;
      const reply = await answer(question);
      const isNew = reply !== 'drop' && reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(hash));
      if (isNew && from === Infinity) from = Date.now();
      return reply;
    });
    environment.edge.fail((address, { headers }) => {
      const isOn = address === LYING && Date.now() >= from && Date.now() < from + 1_000;
      const isMeant = headers.some(([name, value]) => name.toLowerCase() === 'user-agent' && value === CONTROL);
      return isOn && isMeant ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body: old } : undefined;
    });
    const observer = new Observer({ ca: environment.authority.certificatePem, first: 'record', observationsPerSecond: 20, name: CONTROL });
    return new Control(environment, observer, hashPolicy(old), hash);
  }

  private constructor(
    private readonly environment: TestEnvironment, private readonly observer: Observer, private readonly before: string, private readonly after: string,
  ) {}

  public async stop(): Promise<void> {
    await this.observer.stop();
    this.environment.dns.fail(undefined);
    this.environment.edge.fail(undefined);
  }

  /** @throws Error where its looks did not see the old bytes, or saw them elsewhere */
  public expectSeen(): string {
    const { observer, before, after } = this;
    const against = violations(observer, before, after);
    const elsewhere = against.filter((look) => !look.endsWith(`(${LYING})`));
    if (against.length === 0 || elsewhere.length > 0) {
      throw new Error(`${against.length} looks saw it, ${elsewhere.length} of them elsewhere than at ${LYING}:\n${against.join('\n')}\n${observer.summary()}`);
    }
    return `${against.length} looks saw it:\n${against.slice(0, 3).join('\n')}\n${observer.summary()}`;
  }
}

const CONTROL = 'control of the stage';
const LYING: string = EDGES.v4[1];

/** To `none`, the first step of a removal. */
export async function noneScenario(environment: TestEnvironment): Promise<void> {
  environment.table.begin('None, watched');
  await environment.ensureDeployed({ mode: 'testing' });
  await change(environment, 'testing becomes none', { mode: 'none' });
}
