// What a rollback cannot mend where the old id stands again, and what does: a sender that came while the new file stood beside the old id
// keeps the policy of a failed deployment under it, until the next publication, of whatever policy.
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { publishedId } from '../../environment/app/live-state';
import { isLater } from '../../environment/app/policy-ids';
import { readSynthesizedPolicy } from '../../environment/app/synthesized';
import { killFunction } from '../../environment/aws/function-processes';
import { findStack } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';
import { expectCached, readIdCachedByPostfix, waitUntilCached } from '../../environment/mail/cached-policy';
import { GOOD_HOST, UNTRUSTED_HOST, serveMail } from '../../environment/mail/mail';
import type { Deviation } from '../../environment/mail/mail';
import { Prediction, deliver } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import { observeWhile } from '../../environment/observer/observer';
import { nextWrite, reply } from '../../faults/fault';
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
export async function stuckScenario(environment: TestEnvironment, senders: Senders, only?: string): Promise<void> {
  for (const way of waysOf(only)) {
    environment.table.begin(`A policy that outlives its rollback; ${way.words}`);
    await inWay(environment, way, () => stuck(environment, senders, way));
  }
}

async function stuck(environment: TestEnvironment, senders: Senders, way: Way): Promise<void> {
  const { table } = environment;
  await environment.ensureDeployed(DEPLOYED);
  await environment.synth(FAILING);
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('refuse');
  await senders.each(({ name }) => `before: foretold ${predicted.delivery} of an untrusted certificate, ${name} learns enforce and does so`, environment, async (sender) => {
    await sender.forget();
    const words = await delivered(environment, senders, sender, 'enforce, before a deployment that dies', predicted);
    const cached = expectCached(sender, environment.paths, DEPLOYED.mode);
    await sender.saveCache('before');
    return `${words}\n${cached}`;
  });
  const id = await publishedId();
  const between = new Map<string, Promise<string>>();
  let used: readonly string[] = [];
  await table.prove(`a deployment dies while it waits for the host, and is rolled back: the bytes changed and changed back; ${way.words}`, async () => {
    const { ids, evidence } = await failedDeployment(environment, way, id, async () => {
      const midway = Prediction.now(environment);
      for (const sender of senders.all) between.set(sender.name, learnt(environment, senders, sender, midway, id));
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
  const after = (await Prediction.now(environment)).expect('refuse');
  await senders.each(({ name, tracksIds }) => afterwards(way, name, tracksIds, after.delivery), environment, async (sender) => {
    const isLeft = !sender.tracksIds || !way.evaluates;
    const words: string[] = [];
    if (isLeft) {
      words.push(await delivered(environment, senders, sender, 'the policy of a failed deployment held', after, {
        delivery: 'deliver-unverified',
        why: sender.tracksIds ? 'holds the policy of a failed deployment under the id that stands' : 'holds a policy that was taken back',
      }), expectCached(sender, environment.paths, FAILING.mode));
    }
    if (!sender.tracksIds) words.push(await refreshed(environment, sender));
    if (!sender.tracksIds || way.evaluates) {
      words.push(await delivered(environment, senders, sender, 'enforce, after a failed deployment', after), expectCached(sender, environment.paths, DEPLOYED.mode));
    }
    return words.join('\n');
  });
  await deployedAgain(environment, senders, { context: FAILING, what: 'the same policy deployed again', before: used, holdings: HOLDINGS });
  const all = [...used, ...await idsSoFar(environment)];
  await deployedAgain(environment, senders, { context: DEPLOYED, what: 'and the one of before', before: all, holdings: HOLDINGS });
  await serveMail(environment, GOOD_HOST);
}

function afterwards({ evaluates }: Way, name: string, tracksIds: boolean, delivery: string): string {
  if (!tracksIds) return `afterwards foretold ${delivery}: ${name} looks at no record while it holds a policy, delivers by testing, and does so after its own refresh`;
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
  environment: TestEnvironment, way: Way, id: string, meanwhile: () => Promise<void>,
): Promise<{ readonly ids: readonly string[]; readonly evidence: string }> {
  const { dns, aws, authority, emulator, paths } = environment;
  const written = nextWrite(environment);
  // One name server does not know the host: the function waits for it. Everybody else asks the resolver.
  dns.fail((server) => ({ name }) => server === 'ns-2.awsdns-2.net' && name === POLICY_HOST
    ? { ...reply('NXDOMAIN'), authoritative: true }
    : undefined);
  let visit: Promise<void> | undefined;
  aws.onAnswer(() => {
    if (written() === undefined || visit !== undefined) return;
    visit = meanwhile().finally(() => {
      dns.fail(undefined);
      killFunction(paths.folder);
    });
  });
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'record' }, () => environment.deploy(FAILING).finally(() => {
    aws.onAnswer(undefined);
    dns.fail(undefined);
  }));
  await visit;
  expectEnd(ended, 1, 'cdk deploy');
  observer.expectAnswers();
  const reason = ended.output.split('\n').find((line) => /UPDATE_FAILED .*MtaStsPublication/.test(line));
  if (reason === undefined) throw new Error(`it did not fail at the Publication:\n${ended.output}`);
  const stack = await findStack(emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
  const [failed, stands] = [FAILING, DEPLOYED].map((context) => readSynthesizedPolicy(environment.assembly(context)).hash);
  if (!observer.observations.some(({ served }) => served === failed) || observer.observations.at(-1)?.served !== stands) throw new Error(`the bytes did not change and change back:\n${observer.summary()}`);
  if (observer.observations.some(({ names }) => names !== stands)) throw new Error(`the announced id did not name the old bytes all the time:\n${observer.summary()}`);
  const now = await expectNamed(environment);
  if (way.evaluates ? !isLater(now, id) : now !== id) throw new Error(`announced is ${now}, before the deployment it was ${id}; expected: ${way.words}\n${observer.summary()}`);
  return { ids: await idsSoFar(environment, observer), evidence: `${reason.trim().slice(0, 200)}\n${observer.summary()}` };
}

/** As one that comes for the first time. */
async function learnt(environment: TestEnvironment, senders: Senders, sender: Sender, midway: Promise<Prediction>, id: string): Promise<string> {
  await sender.forget();
  const predicted = (await midway).expect('deliver-unverified');
  const words = await delivered(environment, senders, sender, 'nothing held, the file of a failing deployment', predicted);
  const cached = expectCached(sender, environment.paths, FAILING.mode);
  if (sender.tracksIds && readIdCachedByPostfix(environment.paths) !== id) throw new Error(`${sender.name} holds it under another id than ${id}:\n${cached}`);
  await sender.saveCache('between');
  return `${words}\n${cached}`;
}

function delivered(
  environment: TestEnvironment, senders: Senders, sender: Sender, what: string, predicted: Prediction, deviation?: Deviation,
): Promise<string> {
  return deliver(environment, senders, sender, { what: `${what}: ${UNTRUSTED_HOST.what}`, mail: UNTRUSTED_HOST, predicted, deviation });
}

/** @returns the sender's own words */
async function refreshed(environment: TestEnvironment, sender: Sender): Promise<string> {
  await sender.refresh();
  return waitUntilCached(sender, environment.paths, DEPLOYED.mode);
}
