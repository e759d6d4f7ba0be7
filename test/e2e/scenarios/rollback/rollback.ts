// A failed verification rolls the whole change back: the old bytes and an id that names them are restored, also for senders that fetched in
// between, and a new deployment of the same policy reaches each sender.
import type { DnsRecord } from '../../../../lib/preview/dns-server/server';
import type { Mode } from '../../../../lib/protocol/policy/policy';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { publishedId } from '../../environment/app/live-state';
import { isLater, parseIdHash } from '../../environment/app/policy-ids';
import { readSynthesizedPolicy } from '../../environment/app/synthesized';
import { findStack } from '../../environment/aws/stacks';
import { RECORD_NAME } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { expectCached, readIdCachedByPostfix, waitUntilCached } from '../../environment/mail/cached-policy';
import { GOOD_HOST, UNTRUSTED_HOST, serveMail } from '../../environment/mail/mail';
import { Prediction, deliver } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import { observeWhile } from '../../environment/observer/observer';
import { isPolicyWrite, reply } from '../../faults/fault';
import { proveRedeployment, expectIdNamesFile, listUsedIds, withVariant, selectVariants } from './after-rollback';
import type { CacheState, RollbackVariant } from './after-rollback';

const REASON = /UPDATE_FAILED .*MtaStsVerification.* record-multiple: _mta-sts\.example\.test/;
const POLICY_HOST = 'mta-sts.example.test';

const DEPLOYED: AppContext = { mode: 'enforce' };
const WANTED: AppContext = { mode: 'testing' };

const CACHE_STATES: readonly CacheState[] = [
  { what: 'an empty cache' },
  { savedAs: 'before', what: 'the old policy cached under the old id' },
  { savedAs: 'between', what: 'the new policy cached under the rolled back id' },
  { savedAs: 'back', what: 'the old policy cached under the rolled back id', needsIds: true },
];

/**
 * Changes `enforce` to `testing`, with a mail host that senders must not trust, so that each policy leads to another outcome.
 *
 * @param only - name of one variant. @default all
 */
export async function rollbackScenario(environment: TestEnvironment, senders: Senders, only?: string): Promise<void> {
  for (const variant of selectVariants(only)) {
    environment.table.begin(`A failed verification; ${variant.description}`);
    await withVariant(environment, variant, () => proveRollback(environment, senders, variant));
  }
}

async function proveRollback(environment: TestEnvironment, senders: Senders, variant: RollbackVariant): Promise<void> {
  const { table, cli } = environment;
  await environment.ensureDeployed(DEPLOYED);
  await environment.synth(WANTED);
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('refuse');
  const assertion = ({ name }: Sender): string => {
    return `before a failed verification, ${name} fetches enforce and refuses an untrusted certificate, as predicted: ${predicted.delivery}`;
  };
  await senders.each(assertion, environment, async (sender) => {
    await sender.forget();
    const message = { what: 'enforce, before a failure: an untrusted certificate', mail: UNTRUSTED_HOST, predicted };
    const evidence = await withCachedPolicy(environment, sender, deliver(environment, senders, sender, message), DEPLOYED.mode);
    await sender.saveCache('before');
    return evidence;
  });
  const deliveries: Deliveries = { between: new Map(), back: new Map() };
  let usedIds: readonly string[] = [];
  await table.prove(`a deployment whose verification fails prints the reason and is rolled back: ${variant.description}`, async () => {
    const { ids, evidence } = await failedDeployment(environment, senders, variant, deliveries);
    usedIds = ids;
    return evidence;
  });
  for (const { name, tracksIds } of senders.all) {
    await table.prove(`before the rollback, ${name} fetches the new policy and delivers with it`, () => deliveries.between.get(name) ?? Promise.reject(new Error('the sender never reached this moment')));
    if (tracksIds) {
      await table.prove(`during the rollback, ${name} with an empty cache fetches the old policy under the new id, and refuses with it`, () => {
        return deliveries.back.get(name) ?? Promise.reject(new Error('the sender never reached this moment'));
      });
    }
  }
  const predictedAfter = (await Prediction.now(environment)).expect(predicted.delivery);
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `after the rollback, ${name} with the new policy cached sees another id, fetches the old policy, and does as predicted: ${predictedAfter.delivery}`
    : `after the rollback, ${name} does not check the record while it has a cached policy, and does as predicted after its own refresh: ${predictedAfter.delivery}`,
  environment, async (sender) => {
    const evidence: string[] = [];
    if (sender.tracksIds) {
      await sender.restoreCache('between');
    } else {
      evidence.push(await withCachedPolicy(environment, sender, deliver(environment, senders, sender, {
        what: 'the policy of a failed deployment cached: an untrusted certificate',
        mail: UNTRUSTED_HOST,
        predicted: predictedAfter,
        deviation: { delivery: 'deliver-unverified', why: 'has cached a policy that was rolled back' },
      }), WANTED.mode));
      await refreshCache(environment, sender, DEPLOYED.mode);
    }
    evidence.push(await withCachedPolicy(environment, sender, deliver(environment, senders, sender, {
      what: 'enforce, after a rollback: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: predictedAfter,
    }), DEPLOYED.mode));
    return evidence.join('\n');
  });
  await proveRedeployment(environment, senders, { context: WANTED, what: 'the rolled back policy is deployed again', usedIds, cacheStates: CACHE_STATES });
  const allUsedIds = [...usedIds, ...await listUsedIds(environment)];
  await proveRedeployment(environment, senders, {
    context: DEPLOYED, what: 'the policy from before the rollback is deployed again', usedIds: allUsedIds, cacheStates: CACHE_STATES,
  });
  await serveMail(environment, GOOD_HOST);
  await table.prove('mta-sts verify passes after the deployments that follow a rollback', async () => {
    expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
    return expectIdNamesFile(environment);
  });
}

/** Evidence of senders that deliver while a deployment fails, by the names of the senders. */
interface Deliveries {
  /** Deliveries while the new id and the new bytes are published. */
  readonly between: Map<string, Promise<string>>;
  /** Deliveries in the rollback, while the new id and the old bytes are published. */
  readonly back: Map<string, Promise<string>>;
}

/** Deploys a policy whose verification fails. Returns all ids that were used, and the evidence. */
async function failedDeployment(
  environment: TestEnvironment, senders: Senders, variant: RollbackVariant, deliveries: Deliveries,
): Promise<{ readonly ids: readonly string[]; readonly evidence: string }> {
  const { dns, aws, emulator, authority } = environment;
  const before = await publishedId();
  let isDelivered = false;
  const deliverAll = async (): Promise<void> => {
    const midway = Prediction.now(environment);
    for (const sender of senders.all) deliveries.between.set(sender.name, deliverBeforeRollback(environment, senders, sender, midway));
    await Promise.allSettled(deliveries.between.values());
    isDelivered = true;
  };
  let deliveringAll: Promise<void> | undefined;
  let returning: Promise<void> | undefined;
  let hasReturned = false;
  // The rollback restores the bytes before the id. Between both, senders with empty caches deliver. One name server returns NXDOMAIN for
  // the policy host until they are done, which delays the rollback.
  let writes = 0;
  aws.onAnswer((call) => {
    if (!isPolicyWrite(call)) return;
    writes += 1;
    if (writes !== 2) return;
    returning = Promise.allSettled(senders.all.filter(({ tracksIds }) => tracksIds).map((sender) => {
      const delivery = deliverDuringRollback(environment, senders, sender, before);
      deliveries.back.set(sender.name, delivery);
      return delivery;
    })).then(() => {
      hasReturned = true;
    });
  });
  // The resolver answers correctly, so senders fetch the new policy. The name servers return the old record until the senders are done, and
  // the verification waits. Then they return a foreign record beside the new one, and the verification fails.
  dns.fail((server, answer) => async (question) => {
    if (server === 'resolver') return undefined;
    const isDelayed = writes === 2 && !hasReturned;
    if (isDelayed && server === 'ns-2.awsdns-2.net' && question.name === POLICY_HOST) return { ...reply('NXDOMAIN'), authoritative: true };
    if (question.name !== RECORD_NAME || question.type !== 'TXT') return undefined;
    const right = await answer(question);
    if (right === 'drop' || right.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(before))) return right;
    deliveringAll ??= deliverAll();
    const record = (id: string): DnsRecord => ({ name: question.name, ttl: 1, type: 'TXT', data: [`v=STSv1; id=${id};`] });
    if (!isDelivered) return { ...right, answers: [record(before)] };
    return writes < 2 ? { ...right, answers: [...right.answers, record('foreignrecord')] } : right;
  });
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'record' }, () => environment.deploy(WANTED).finally(() => {
    dns.fail(undefined);
    aws.onAnswer(undefined);
  }));
  await returning;
  expectEnd(ended, 1, 'cdk deploy');
  observer.expectAnswers();
  const reason = ended.output.split('\n').find((line) => REASON.test(line));
  if (reason === undefined) throw new Error(`the command must print a reason that matches ${String(REASON)}:\n${ended.output}`);
  const stack = await findStack(emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
  const id = await expectIdNamesFile(environment);
  const { hash } = readSynthesizedPolicy(environment.assembly(DEPLOYED));
  const isLatest = observer.publishedIds.every((used) => used === id || isLater(id, used));
  const isRight = variant.evaluates ? isLatest && id !== before : id === before;
  if (parseIdHash(id) !== hash || !isRight) throw new Error(`published is ${id}, before the deployment it was ${before}. Expected: ${variant.description}\n${observer.summary()}`);
  return { ids: await listUsedIds(environment, observer), evidence: `${reason.trim().slice(0, 300)}\n${observer.summary()}` };
}

/** Lets a sender find the new policy in its own way, and deliver with it. */
async function deliverBeforeRollback(
  environment: TestEnvironment, senders: Senders, sender: Sender, midway: Promise<Prediction>,
): Promise<string> {
  if (!sender.tracksIds) await refreshCache(environment, sender, WANTED.mode);
  const predicted = (await midway).expect('deliver-unverified');
  const evidence = await withCachedPolicy(environment, sender, deliver(environment, senders, sender, {
    what: 'the policy of a failing deployment: an untrusted certificate', mail: UNTRUSTED_HOST, predicted,
  }), WANTED.mode);
  await sender.saveCache('between');
  return evidence;
}

/** Lets a sender without a cached policy deliver. */
async function deliverDuringRollback(environment: TestEnvironment, senders: Senders, sender: Sender, before: string): Promise<string> {
  await sender.forget();
  const predicted = await Prediction.now(environment);
  const evidence = await withCachedPolicy(environment, sender, deliver(environment, senders, sender, {
    what: 'nothing cached, the old file with the new id: an untrusted certificate', mail: UNTRUSTED_HOST, predicted,
  }), DEPLOYED.mode);
  const id = readIdCachedByPostfix(environment.paths);
  if (id === before || parseIdHash(id) === parseIdHash(before)) throw new Error(`${sender.name} cached the policy under ${id}, which names the policy:\n${evidence}`);
  await sender.saveCache('back');
  return `${evidence}\ncached under ${id}`;
}

/** Adds the cached policy to the evidence of a delivery. */
async function withCachedPolicy({ paths }: TestEnvironment, sender: Sender, sent: Promise<string>, mode: Mode): Promise<string> {
  return `${await sent}\n${expectCached(sender, paths, mode)}`;
}

async function refreshCache(environment: TestEnvironment, sender: Sender, mode: Mode): Promise<string> {
  await sender.refresh();
  return waitUntilCached(sender, environment.paths, mode);
}
