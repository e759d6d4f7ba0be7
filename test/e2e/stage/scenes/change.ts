// Changes of a policy: while each is under way a sender looks a hundred times a second.
import { resolve } from 'node:path';
import { keepRace, raceOf } from '../race';
import { expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { Watch } from '../watch';
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
  for (const [what, context] of CHANGES) await change(stage, what, context);
}

export async function change(stage: Stage, what: string, context: AppContext): Promise<void> {
  await stage.table.prove(`${what}: no look sees the new id before its bytes`, async () => {
    await stage.synth(context);
    const watch = new Watch({ ca: stage.authority.certificatePem, first: 'record' });
    const ended = await stage.deploy(context);
    await watch.stop();
    expectEnd(ended, 0, 'cdk deploy');
    watch.expectSight();
    const [before, after] = [watch.looks.at(0)?.announced, watch.looks.at(-1)?.announced];
    if (before === undefined || after === undefined || before === after) throw new Error(`the id did not change: ${watch.summary()}`);
    const against = watch.against(
      ({ announced, served }) => announced === undefined || (announced === after && served !== after),
      ({ announced }) => announced === undefined || announced === after,
    );
    if (against.length > 0) throw new Error(`${against.length} looks saw it otherwise:\n${against.slice(0, 5).join('\n')}\n${watch.summary()}`);
    const first = (seen: (look: Look) => boolean): number => watch.looks.find(seen)?.at ?? NaN;
    watch.expectSightAt([first(({ served }) => served === after), first(({ announced }) => announced === after)], 1_000);
    // RACE=docs/race.json: for the figure of the README.
    const { RACE: file } = process.env;
    if (file !== undefined) keepRace(resolve(stage.paths.root, file), { ...raceOf(what, watch.looks, before, after), ...watch.extent });
    return watch.summary();
  });
}

/** To `none`, the first step of a removal. */
export async function noneScene(stage: Stage): Promise<void> {
  stage.table.begin('None, watched');
  await stage.ensure({ mode: 'testing' });
  await change(stage, 'testing becomes none', { mode: 'none' });
}
