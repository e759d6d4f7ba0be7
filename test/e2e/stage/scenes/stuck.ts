// What a rollback cannot mend, and what does: a sender that came while the new file stood beside the old id keeps the policy of a failed
// deployment under the id that stands again, until there is another id.
import { nextWrite, reply } from '../faults/fault';
import { expectHeld, untilHeld } from '../held-policy';
import { GOOD, UNTRUSTED, serveMail } from '../mail';
import type { Otherwise } from '../mail';
import { Foretold, deliver } from '../message';
import { killFunction } from '../processes';
import type { Sender } from '../senders/sender';
import type { Senders } from '../senders/senders';
import { stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';
import { announcedId } from '../standing';
import { synthesized } from '../synthesized';
import { watched } from '../watch';

const POLICY_HOST = 'mta-sts.example.test';

const DEPLOYED: AppContext = { mode: 'enforce' };
const FAILING: AppContext = { mode: 'testing' };
/** Any other text has another id. */
const CURE: AppContext = { mode: 'enforce', maxAgeDays: 29 };

/** By both a sender does something else with a host that must not be trusted. */
export async function stuckScene(stage: Stage, senders: Senders): Promise<void> {
  const { table } = stage;
  table.begin('A policy that outlives its rollback');
  await stage.ensure(DEPLOYED);
  for (const context of [FAILING, CURE]) await stage.synth(context);
  await serveMail(stage, UNTRUSTED);
  const id = await announcedId();
  const between = new Map<string, Promise<string>>();
  await table.prove('a deployment dies while it waits for the host, and is rolled back: the id never changed, the bytes did', () => {
    return failedDeployment(stage, id, async () => {
      const midway = Foretold.now(stage);
      for (const sender of senders.all) between.set(sender.name, learnt(stage, senders, sender, midway, id));
      await Promise.allSettled(between.values());
    });
  });
  for (const { name } of senders.all) {
    await table.prove(`in between ${name}, which had forgotten all, fetched testing under the old id, and delivered by it`, () => {
      return between.get(name) ?? Promise.reject(new Error('it never came'));
    });
  }
  const after = (await Foretold.now(stage)).expect('refuse');
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `afterwards foretold ${after.delivery}: ${name} finds the id that it knows, and goes on to deliver by testing`
    : `afterwards foretold ${after.delivery}: ${name} looks at no record while it holds a policy, delivers by testing, and does so after its own refresh`,
  stage, async (sender) => {
    const words = [await delivered(stage, senders, sender, 'the policy of a failed deployment held under the id that stands', after, {
      delivery: 'deliver-unverified',
      why: sender.looksAtIds ? 'holds the policy of a failed deployment under the id that stands' : 'holds a policy that was taken back',
    })];
    words.push(expectHeld(sender, stage.paths, FAILING.mode));
    if (!sender.looksAtIds) words.push(await refreshed(stage, sender), await delivered(stage, senders, sender, 'enforce, after a failed deployment', after));
    return words.join('\n');
  });
  await cured(stage, senders, id);
  await serveMail(stage, GOOD);
}

/**
 * Holds a deployment between the write and the announcement, and kills it there.
 *
 * @param meanwhile - begins with the write
 */
async function failedDeployment(stage: Stage, id: string, meanwhile: () => Promise<void>): Promise<string> {
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
  const { watch, ended } = await watched({ ca: authority.certificatePem, first: 'record' }, () => stage.deploy(FAILING).finally(() => {
    aws.answered(undefined);
    dns.fail(undefined);
  }));
  await visit;
  expectEnd(ended, 1, 'cdk deploy');
  watch.expectSight();
  const reason = ended.output.split('\n').find((line) => /UPDATE_FAILED .*MtaStsPublication/.test(line));
  if (reason === undefined) throw new Error(`it did not fail at the Publication:\n${ended.output}`);
  const stack = await stackOf(emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
  const failed = synthesized(stage.assembly(FAILING)).id;
  const last = watch.looks.at(-1);
  if (watch.looks.some(({ announced }) => announced !== id)) throw new Error(`the id was not ${id} all the time:\n${watch.summary()}`);
  if (!watch.looks.some(({ served }) => served === failed) || last?.served !== id) throw new Error(`the bytes did not change and change back:\n${watch.summary()}`);
  return `${reason.trim().slice(0, 200)}\n${watch.summary()}`;
}

/** As one that comes for the first time. */
async function learnt(stage: Stage, senders: Senders, sender: Sender, midway: Promise<Foretold>, id: string): Promise<string> {
  await sender.forget();
  const foretold = (await midway).expect('deliver-unverified');
  const words = await delivered(stage, senders, sender, 'nothing held, the file of a failing deployment', foretold);
  const held = expectHeld(sender, stage.paths, FAILING.mode);
  if (sender.looksAtIds && !held.includes(id)) throw new Error(`${sender.name} holds it under another id than ${id}:\n${held}`);
  return `${words}\n${held}`;
}

async function cured(stage: Stage, senders: Senders, id: string): Promise<void> {
  const { table, paths } = stage;
  await table.prove('the cure: a policy with another max age is deployed, and has a new id', async () => {
    expectEnd(await stage.deploy(CURE), 0, 'cdk deploy');
    const now = await announcedId();
    if (now === id) throw new Error(`the id is still ${id}`);
    return `${id}, and now ${now}`;
  });
  const foretold = (await Foretold.now(stage)).expect('refuse');
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `foretold ${foretold.delivery}: ${name} sees the new id, fetches, and does so`
    : `foretold ${foretold.delivery}: ${name} does so`,
  stage, async (sender) => {
    const words = await delivered(stage, senders, sender, 'enforce, under a new id after a failed deployment', foretold);
    return `${words}\n${expectHeld(sender, paths, CURE.mode)}`;
  });
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
