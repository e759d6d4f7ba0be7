// Changes of a policy: while each is under way a sender looks a hundred times a second.
import { resolve } from 'node:path';
import { EDGES } from '../addresses';
import { hashOf, isLater, namedBy } from '../policy-ids';
import { keepRace, raceOf } from '../race';
import { expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { standing } from '../standing';
import { synthesized } from '../synthesized';
import { Watch, announcesNeither, servesNeither, watched } from '../watch';
import type { Look } from '../watch';

const CHANGES: readonly (readonly [string, AppContext])[] = [
  ['testing becomes enforce', { mode: 'enforce' }],
  ['a mail host is added', { mode: 'enforce', mx: 'mx1.example.test,mx2.example.test' }],
  ['a mail host is removed', { mode: 'enforce' }],
];

/** From `testing` to `enforce`. */
export async function changeScene(stage: Stage): Promise<void> {
  stage.table.begin('Change, watched');
  await stage.ensure({ mode: 'testing' });
  for (const [what, context] of CHANGES) await change(stage, what, context, what === CONTROLLED);
}

/** A second watch looks at this one, and is lied to. */
const CONTROLLED = 'a mail host is added';

/** A busy machine gives less than it is asked for; with less than this little is shown. */
const LEAST_LOOKS_A_SECOND = 40;

export async function change(stage: Stage, what: string, context: AppContext, isControlled = false): Promise<void> {
  let control: Control | undefined;
  await stage.table.prove(`${what}: no look sees the new id before its bytes, or anything but the two policies`, async () => {
    await stage.synth(context);
    const after = synthesized(stage.assembly(context)).hash;
    if (isControlled) control = await Control.start(stage, after);
    const { activity, ended } = await watched({ ca: stage.authority.certificatePem, first: 'record' }, () => stage.deploy(context))
      .finally(() => control?.stop());
    expectEnd(ended, 0, 'cdk deploy');
    activity.expectSight();
    if (activity.rate < LEAST_LOOKS_A_SECOND) {
      throw new Error(`expected ${LEAST_LOOKS_A_SECOND} looks a second or more, the machine gave ${activity.rate.toFixed(1)}:\n${activity.summary()}`);
    }
    const { ids } = activity;
    const [before] = ids.map(namedBy);
    if (ids.length !== 2 || before === undefined || before === after || namedBy(ids[1]) !== after || !isLater(ids[1], ids[0])) {
      throw new Error(`expected one id, and a later one for ${after} after it, saw ${ids.join(', ')}:\n${activity.summary()}`);
    }
    const against = violations(activity, before, after);
    if (against.length > 0) throw new Error(`${against.length} looks saw it otherwise:\n${against.slice(0, 5).join('\n')}\n${activity.summary()}`);
    const first = (seen: (observation: Look) => boolean): number => activity.looks.find(seen)?.at ?? NaN;
    activity.expectSightAt([first(({ served }) => served === after), first(({ names }) => names === after)], 1_000);
    if (!activity.looks.some(({ names, served }) => names === before && served === after)) {
      throw new Error(`no look saw the new bytes beside the old id, so none was in between:\n${activity.summary()}`);
    }
    // RACE=docs/figures/race.json: for the figure of the README.
    const { RACE: file } = process.env;
    if (file !== undefined) {
      keepRace(resolve(stage.paths.root, file), { ...raceOf(what, activity.looks, before, after), ...activity.extent });
    }
    return activity.summary();
  });
  if (isControlled) {
    await stage.table.prove('control: one edge gave a second watch the old bytes for a second beside the new id, and its looks say so', () => {
      if (control === undefined) throw new Error('it did not come so far');
      return control.expectSeen();
    });
  }
}

/** The looks that saw the new id without its bytes, or at record or file neither what was before nor what is after, by their hashes. */
function violations(activity: Watch, before: string, after: string): readonly string[] {
  return activity.against(
    (observation) => announcesNeither(observation, before, after) || servesNeither(observation, before, after)
      || (observation.names === after && observation.served !== after),
    (look) => announcesNeither(look, before, after) || look.names === after,
  );
}

/** A watch that one edge gives the old bytes for a second, from when the resolver gives the new id; everybody else gets what is right. */
class Control {
  /** @param hash - of the bytes that the new id names */
  public static async start(stage: Stage, hash: string): Promise<Control> {
    const [old] = (await standing(stage)).files;
    let from = Infinity;
    stage.dns.fail((server, answer) => async (question) => {
      if (server !== 'resolver' || question.type !== 'TXT') return undefined;
      const reply = await answer(question);
      const isNew = reply !== 'drop' && reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(hash));
      if (isNew && from === Infinity) from = Date.now();
      return reply;
    });
    stage.edge.fail((address, { headers }) => {
      const isOn = address === LYING && Date.now() >= from && Date.now() < from + 1_000;
      const isMeant = headers.some(([name, value]) => name.toLowerCase() === 'user-agent' && value === CONTROL);
      return isOn && isMeant ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body: old } : undefined;
    });
    const activity = new Watch({ ca: stage.authority.certificatePem, first: 'record', looksASecond: 20, name: CONTROL });
    return new Control(stage, activity, hashOf(old), hash);
  }

  private constructor(
    private readonly stage: Stage, private readonly activity: Watch, private readonly before: string, private readonly after: string,
  ) {}

  public async stop(): Promise<void> {
    await this.activity.stop();
    this.stage.dns.fail(undefined);
    this.stage.edge.fail(undefined);
  }

  /** @throws Error where its looks did not see the old bytes, or saw them elsewhere */
  public expectSeen(): string {
    const { activity, before, after } = this;
    const against = violations(activity, before, after);
    const elsewhere = against.filter((look) => !look.endsWith(`(${LYING})`));
    if (against.length === 0 || elsewhere.length > 0) {
      throw new Error(`${against.length} looks saw it, ${elsewhere.length} of them elsewhere than at ${LYING}:\n${against.join('\n')}\n${activity.summary()}`);
    }
    return `${against.length} looks saw it:\n${against.slice(0, 3).join('\n')}\n${activity.summary()}`;
  }
}

const CONTROL = 'control of the stage';
const LYING: string = EDGES.v4[1];

/** To `none`, the first step of a removal. */
export async function noneScene(stage: Stage): Promise<void> {
  stage.table.begin('None, watched');
  await stage.ensure({ mode: 'testing' });
  await change(stage, 'testing becomes none', { mode: 'none' });
}
