// What a rollback cannot mend where the old id stands again, and what does: a sender that came while the new file stood beside the old id
// keeps the policy of a failed deployment under it, until the next publication, of whatever policy.
import { nextWrite, reply } from '../faults/fault';
import { expectHeld, idHeldByPostfix, untilHeld } from '../held-policy';
import { GOOD, UNTRUSTED, serveMail } from '../mail';
import type { Otherwise } from '../mail';
import { Foretold, deliver } from '../message';
import { isLater } from '../policy-ids';
import { killFunction } from '../processes';
import type { Sender } from '../senders/sender';
import type { Senders } from '../senders/senders';
import { stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { announcedId } from '../standing';
import { synthesized } from '../synthesized';
import { watched } from '../watch';
import { deployedAgain, expectNamed, idsSoFar, inWay, waysOf } from './after-rollback';
import type { Holding, Way } from './after-rollback';

const POLICY_HOST = 'mta-sts.example.test';

const DEPLOYED: AppContext = { mode: 'enforce' };
const FAILING: AppContext = { mode: 'testing' };
const HOLDINGS: readonly Holding[] = [
  { what: 'which holds nothing' },
  { as: 'before', what: 'which holds the old policy under the old id' },
  { as: 'between', what: 'which holds the new policy under the old id' },
];

/**
 * By both a sender does something else with a host that must not be trusted.
 *
 * @param only - one of the ways; all where it is not given
 */
export async function stuckScene(stage: Stage, senders: Senders, only?: string): Promise<void> {
  for (const way of waysOf(only)) {
    stage.table.begin(`A policy that outlives its rollback; ${way.words}`);
    await inWay(stage, way, () => stuck(stage, senders, way));
  }
}

async function stuck(stage: Stage, senders: Senders, way: Way): Promise<void> {
  const { table } = stage;
  await stage.ensure(DEPLOYED);
  await stage.synth(FAILING);
  await serveMail(stage, UNTRUSTED);
  const foretold = (await Foretold.now(stage)).expect('refuse');
  await senders.each(({ name }) => `before: foretold ${foretold.delivery} of an untrusted certificate, ${name} learns enforce and does so`, stage, async (sender) => {
    await sender.forget();
    const words = await delivered(stage, senders, sender, 'enforce, before a deployment that dies', foretold);
    const held = expectHeld(sender, stage.paths, DEPLOYED.mode);
    await sender.keep('before');
    return `${words}\n${held}`;
  });
  const id = await announcedId();
  const between = new Map<string, Promise<string>>();
  let used: readonly string[] = [];
  await table.prove(`a deployment dies while it waits for the host, and is rolled back: the bytes changed and changed back; ${way.words}`, async () => {
    const { ids, evidence } = await failedDeployment(stage, way, id, async () => {
      const midway = Foretold.now(stage);
      for (const sender of senders.all) between.set(sender.name, learnt(stage, senders, sender, midway, id));
      await Promise.allSettled(between.values());
    });
    used = ids;
    return evidence;
  });
  for (const { name } of senders.all) {
    await table.prove(`in between ${name}, which had forgotten all, fetched testing under the old id, and delivered by it`, () => {
      return between.get(name) ?? Promise.reject(new Error('it never came'));
    });
  }
  const after = (await Foretold.now(stage)).expect('refuse');
  await senders.each(({ name, looksAtIds }) => afterwards(way, name, looksAtIds, after.delivery), stage, async (sender) => {
    const isLeft = !sender.looksAtIds || !way.evaluates;
    const words: string[] = [];
    if (isLeft) {
      words.push(await delivered(stage, senders, sender, 'the policy of a failed deployment held', after, {
        delivery: 'deliver-unverified',
        why: sender.looksAtIds ? 'holds the policy of a failed deployment under the id that stands' : 'holds a policy that was taken back',
      }), expectHeld(sender, stage.paths, FAILING.mode));
    }
    if (!sender.looksAtIds) words.push(await refreshed(stage, sender));
    if (!sender.looksAtIds || way.evaluates) {
      words.push(await delivered(stage, senders, sender, 'enforce, after a failed deployment', after), expectHeld(sender, stage.paths, DEPLOYED.mode));
    }
    return words.join('\n');
  });
  await deployedAgain(stage, senders, { context: FAILING, what: 'the same policy deployed again', before: used, holdings: HOLDINGS });
  const all = [...used, ...await idsSoFar(stage)];
  await deployedAgain(stage, senders, { context: DEPLOYED, what: 'and the one of before', before: all, holdings: HOLDINGS });
  await serveMail(stage, GOOD);
}

function afterwards({ evaluates }: Way, name: string, looksAtIds: boolean, delivery: string): string {
  if (!looksAtIds) return `afterwards foretold ${delivery}: ${name} looks at no record while it holds a policy, delivers by testing, and does so after its own refresh`;
  return evaluates
    ? `afterwards foretold ${delivery}: ${name} sees another id, fetches enforce and does so`
    : `afterwards foretold ${delivery}: ${name} finds the id that it knows, and goes on to deliver by testing until the next publication`;
}

/**
 * Holds a deployment between the write and the announcement, and kills it there.
 *
 * @param meanwhile - begins with the write
 * @returns all ids that were used by then
 */
async function failedDeployment(
  stage: Stage, way: Way, id: string, meanwhile: () => Promise<void>,
): Promise<{ readonly ids: readonly string[]; readonly evidence: string }> {
  const { dns, aws, authority, emulator, paths } = stage;
  const written = nextWrite(stage);
  // One name server does not know the host: the function waits for it. Everybody else asks the resolver.
  dns.fail((server) => ({ name }) => server === 'ns-2.awsdns-2.net' && name === POLICY_HOST
    ? { ...reply('NXDOMAIN'), authoritative: true }
    : undefined);
  let visit: Promise<void> | undefined;
  aws.answered(() => {
    if (written() === undefined || visit !== undefined) return;
    visit = meanwhile().finally(() => {
      dns.fail(undefined);
      killFunction(paths.folder);
    });
  });
  const { activity, ended } = await watched({ ca: authority.certificatePem, first: 'record' }, () => stage.deploy(FAILING).finally(() => {
    aws.answered(undefined);
    dns.fail(undefined);
  }));
  await visit;
  expectEnd(ended, 1, 'cdk deploy');
  activity.expectSight();
  const reason = ended.output.split('\n').find((line) => /UPDATE_FAILED .*MtaStsPublication/.test(line));
  if (reason === undefined) throw new Error(`it did not fail at the Publication:\n${ended.output}`);
  const stack = await stackOf(emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
  const [failed, stands] = [FAILING, DEPLOYED].map((context) => synthesized(stage.assembly(context)).hash);
  if (!activity.looks.some(({ served }) => served === failed) || activity.looks.at(-1)?.served !== stands) throw new Error(`the bytes did not change and change back:\n${activity.summary()}`);
  if (activity.looks.some(({ names }) => names !== stands)) throw new Error(`the announced id did not name the old bytes all the time:\n${activity.summary()}`);
  const now = await expectNamed(stage);
  if (way.evaluates ? !isLater(now, id) : now !== id) throw new Error(`announced is ${now}, before the deployment it was ${id}; expected: ${way.words}\n${activity.summary()}`);
  return { ids: await idsSoFar(stage, activity), evidence: `${reason.trim().slice(0, 200)}\n${activity.summary()}` };
}

/** As one that comes for the first time. */
async function learnt(stage: Stage, senders: Senders, sender: Sender, midway: Promise<Foretold>, id: string): Promise<string> {
  await sender.forget();
  const foretold = (await midway).expect('deliver-unverified');
  const words = await delivered(stage, senders, sender, 'nothing held, the file of a failing deployment', foretold);
  const held = expectHeld(sender, stage.paths, FAILING.mode);
  if (sender.looksAtIds && idHeldByPostfix(stage.paths) !== id) throw new Error(`${sender.name} holds it under another id than ${id}:\n${held}`);
  await sender.keep('between');
  return `${words}\n${held}`;
}

function delivered(
  stage: Stage, senders: Senders, sender: Sender, what: string, foretold: Foretold, otherwise?: Otherwise,
): Promise<string> {
  return deliver(stage, senders, sender, { what: `${what}: ${UNTRUSTED.what}`, mail: UNTRUSTED, foretold, otherwise });
}

/** @returns the sender's own words */
async function refreshed(stage: Stage, sender: Sender): Promise<string> {
  await sender.refresh();
  return untilHeld(sender, stage.paths, DEPLOYED.mode);
}
