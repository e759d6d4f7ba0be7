// A limit of rollbacks that restore the old id: a sender that fetched the new file under the old id keeps the policy of the failed
// deployment, until the next publication of any policy.
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
import { proveRedeployment, expectIdNamesFile, listUsedIds, withVariant, selectVariants } from './after-rollback';
import type { CacheState, RollbackVariant } from './after-rollback';

const POLICY_HOST = 'mta-sts.example.test';

const DEPLOYED: AppContext = { mode: 'enforce' };
const FAILING: AppContext = { mode: 'testing' };
const CACHE_STATES: readonly CacheState[] = [
  { what: 'an empty cache' },
  { savedAs: 'before', what: 'the old policy cached under the old id' },
  { savedAs: 'between', what: 'the new policy cached under the old id' },
];

/**
 * Uses a mail host that senders must not trust, so that each policy leads to another outcome.
 *
 * @param only - name of one variant. @default all
 */
export async function stuckScenario(environment: TestEnvironment, senders: Senders, only?: string): Promise<void> {
  for (const variant of selectVariants(only)) {
    environment.table.begin(`A cached policy that outlives its rollback; ${variant.description}`);
    await withVariant(environment, variant, () => proveStuckPolicy(environment, senders, variant));
  }
}

async function proveStuckPolicy(environment: TestEnvironment, senders: Senders, variant: RollbackVariant): Promise<void> {
  const { table } = environment;
  await environment.ensureDeployed(DEPLOYED);
  await environment.synth(FAILING);
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('refuse');
  await senders.each(({ name }) => {
    return `before a deployment that dies, ${name} fetches enforce and refuses an untrusted certificate, as predicted: ${predicted.delivery}`;
  }, environment, async (sender) => {
    await sender.forget();
    const evidence = await deliverUntrusted(environment, senders, sender, 'enforce, before a deployment that dies', predicted);
    const cached = expectCached(sender, environment.paths, DEPLOYED.mode);
    await sender.saveCache('before');
    return `${evidence}\n${cached}`;
  });
  const id = await publishedId();
  const between = new Map<string, Promise<string>>();
  let usedIds: readonly string[] = [];
  await table.prove(`a deployment that dies while it waits for the host is rolled back, and so are the bytes; ${variant.description}`, async () => {
    const { ids, evidence } = await failedDeployment(environment, variant, id, async () => {
      const midway = Prediction.now(environment);
      for (const sender of senders.all) between.set(sender.name, fetchDuringDeployment(environment, senders, sender, midway, id));
      await Promise.allSettled(between.values());
    });
    usedIds = ids;
    return evidence;
  });
  for (const { name } of senders.all) {
    await table.prove(`before the rollback, ${name} with an empty cache fetches testing under the old id, and delivers with it`, () => {
      return between.get(name) ?? Promise.reject(new Error('the sender never reached this moment'));
    });
  }
  const after = (await Prediction.now(environment)).expect('refuse');
  await senders.each(({ name, tracksIds }) => describeAfterwards(variant, name, tracksIds, after.delivery), environment, async (sender) => {
    const isStuck = !sender.tracksIds || !variant.evaluates;
    const evidence: string[] = [];
    if (isStuck) {
      evidence.push(await deliverUntrusted(environment, senders, sender, 'the policy of a failed deployment cached', after, {
        delivery: 'deliver-unverified',
        why: sender.tracksIds ? 'has cached the policy of a failed deployment under the published id' : 'has cached a policy that was rolled back',
      }), expectCached(sender, environment.paths, FAILING.mode));
    }
    if (!sender.tracksIds) evidence.push(await refreshCache(environment, sender));
    if (!sender.tracksIds || variant.evaluates) {
      evidence.push(await deliverUntrusted(environment, senders, sender, 'enforce, after a failed deployment', after), expectCached(sender, environment.paths, DEPLOYED.mode));
    }
    return evidence.join('\n');
  });
  await proveRedeployment(environment, senders, { context: FAILING, what: 'the policy of the deployment that died is deployed again', usedIds, cacheStates: CACHE_STATES });
  const allUsedIds = [...usedIds, ...await listUsedIds(environment)];
  await proveRedeployment(environment, senders, { context: DEPLOYED, what: 'the policy from before the deployment that died is deployed again', usedIds: allUsedIds, cacheStates: CACHE_STATES });
  await serveMail(environment, GOOD_HOST);
}

/** Describes what a sender with the policy of the failed deployment does after the rollback. */
function describeAfterwards({ evaluates }: RollbackVariant, name: string, tracksIds: boolean, delivery: string): string {
  if (!tracksIds) {
    return `after the rollback, ${name} does not check the record while it has a cached policy, and does as predicted after its own refresh: ${delivery}`;
  }
  return evaluates
    ? `after the rollback, ${name} sees another id, fetches enforce, and does as predicted: ${delivery}`
    : `after the rollback, ${name} finds its cached id in the record, and delivers with testing until the next publication, not as predicted: ${delivery}`;
}

/**
 * Stops a deployment after it wrote the file and before it published the record, and kills its function there.
 *
 * @param meanwhile - runs after the write, until the function is killed
 * @returns all ids that were used so far, and the evidence
 */
async function failedDeployment(
  environment: TestEnvironment, variant: RollbackVariant, id: string, meanwhile: () => Promise<void>,
): Promise<{ readonly ids: readonly string[]; readonly evidence: string }> {
  const { dns, aws, authority, emulator, paths } = environment;
  const written = nextWrite(environment);
  // One name server returns NXDOMAIN for the policy host, and the function waits for it. Senders ask the resolver.
  dns.fail((server) => ({ name }) => server === 'ns-2.awsdns-2.net' && name === POLICY_HOST
    ? { ...reply('NXDOMAIN'), authoritative: true }
    : undefined);
  let deliveringAll: Promise<void> | undefined;
  aws.onAnswer(() => {
    if (written() === undefined || deliveringAll !== undefined) return;
    deliveringAll = meanwhile().finally(() => {
      dns.fail(undefined);
      killFunction(paths.folder);
    });
  });
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'record' }, () => environment.deploy(FAILING).finally(() => {
    aws.onAnswer(undefined);
    dns.fail(undefined);
  }));
  await deliveringAll;
  expectEnd(ended, 1, 'cdk deploy');
  observer.expectAnswers();
  const reason = ended.output.split('\n').find((line) => /UPDATE_FAILED .*MtaStsPublication/.test(line));
  if (reason === undefined) throw new Error(`the deployment did not fail at the Publication:\n${ended.output}`);
  const stack = await findStack(emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
  const failed = readSynthesizedPolicy(environment.assembly(FAILING)).hash;
  const restored = readSynthesizedPolicy(environment.assembly(DEPLOYED)).hash;
  if (!observer.observations.some(({ served }) => served === failed) || observer.observations.at(-1)?.served !== restored) throw new Error(`the bytes did not change and change back:\n${observer.summary()}`);
  if (observer.observations.some(({ names }) => names !== restored)) throw new Error(`the published id did not name the old bytes all the time:\n${observer.summary()}`);
  const now = await expectIdNamesFile(environment);
  if (variant.evaluates ? !isLater(now, id) : now !== id) throw new Error(`published is ${now}, before the deployment it was ${id}. Expected: ${variant.description}\n${observer.summary()}`);
  return { ids: await listUsedIds(environment, observer), evidence: `${reason.trim().slice(0, 200)}\n${observer.summary()}` };
}

/** Lets a sender with an empty cache fetch the policy of the failing deployment, and deliver with it. */
async function fetchDuringDeployment(
  environment: TestEnvironment, senders: Senders, sender: Sender, midway: Promise<Prediction>, id: string,
): Promise<string> {
  await sender.forget();
  const predicted = (await midway).expect('deliver-unverified');
  const evidence = await deliverUntrusted(environment, senders, sender, 'nothing cached, the file of a failing deployment', predicted);
  const cached = expectCached(sender, environment.paths, FAILING.mode);
  if (sender.tracksIds && readIdCachedByPostfix(environment.paths) !== id) throw new Error(`${sender.name} cached the policy under another id than ${id}:\n${cached}`);
  await sender.saveCache('between');
  return `${evidence}\n${cached}`;
}

function deliverUntrusted(
  environment: TestEnvironment, senders: Senders, sender: Sender, what: string, predicted: Prediction, deviation?: Deviation,
): Promise<string> {
  return deliver(environment, senders, sender, { what: `${what}: ${UNTRUSTED_HOST.what}`, mail: UNTRUSTED_HOST, predicted, deviation });
}

/** @returns the cached policy in the sender's own words */
async function refreshCache(environment: TestEnvironment, sender: Sender): Promise<string> {
  await sender.refresh();
  return waitUntilCached(sender, environment.paths, DEPLOYED.mode);
}
