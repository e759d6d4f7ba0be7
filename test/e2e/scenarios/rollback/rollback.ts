// A verification that fails takes the whole change back: bytes and an id that names them stand again, also for senders that came in
// between, and the same policy deployed again reaches each of them.
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
import { deployedAgain, expectNamed, idsSoFar, inWay, waysOf } from './after-rollback';
import type { Holding, Way } from './after-rollback';

const REASON = /UPDATE_FAILED .*MtaStsVerification.* record-multiple: _mta-sts\.example\.test /;
const POLICY_HOST = 'mta-sts.example.test';

const DEPLOYED: AppContext = { mode: 'enforce' };
const WANTED: AppContext = { mode: 'testing' };

const HOLDINGS: readonly Holding[] = [
  { what: 'which holds nothing' },
  { as: 'before', what: 'which holds the old policy under the old id' },
  { as: 'between', what: 'which holds the new policy under the id that was taken back' },
  { as: 'back', what: 'which holds the old policy under the id that was taken back', byId: true },
];

/**
 * From `enforce` to `testing` and back: to a mail host that senders must not trust, so that each does something else by each policy.
 *
 * @param only - one of the ways; all where it is not given
 */
export async function rollbackScenario(environment: TestEnvironment, senders: Senders, only?: string): Promise<void> {
  for (const way of waysOf(only)) {
    environment.table.begin(`A verification that fails; ${way.words}`);
    await inWay(environment, way, () => rolledBack(environment, senders, way));
  }
}

async function rolledBack(environment: TestEnvironment, senders: Senders, way: Way): Promise<void> {
  const { table, cli } = environment;
  await environment.ensureDeployed(DEPLOYED);
  await environment.synth(WANTED);
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('refuse');
  const learns = ({ name }: Sender): string => `before: foretold ${predicted.delivery} of an untrusted certificate, ${name} learns enforce and does so`;
  await senders.each(learns, environment, async (sender) => {
    await sender.forget();
    const message = { what: 'enforce, before a failure: an untrusted certificate', mail: UNTRUSTED_HOST, predicted };
    const words = await withPolicy(environment, sender, deliver(environment, senders, sender, message), DEPLOYED.mode);
    await sender.saveCache('before');
    return words;
  });
  const visits: Visits = { between: new Map(), back: new Map() };
  let before: readonly string[] = [];
  await table.prove(`the deployment fails with its reason, and is rolled back: ${way.words}`, async () => {
    const { ids, evidence } = await failedDeployment(environment, senders, way, visits);
    before = ids;
    return evidence;
  });
  for (const { name, tracksIds } of senders.all) {
    await table.prove(`in between ${name} fetched the new policy, and delivered by it`, () => visits.between.get(name) ?? Promise.reject(new Error('it never came')));
    if (tracksIds) {
      await table.prove(`in the rollback ${name}, which had forgotten all, fetched the old policy under the new id, which still stood, and refused by it`, () => {
        return visits.back.get(name) ?? Promise.reject(new Error('it never came'));
      });
    }
  }
  const again = (await Prediction.now(environment)).expect(predicted.delivery);
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `afterwards foretold ${again.delivery}: ${name}, which holds the new policy, sees another id, fetches the old policy and does so`
    : `afterwards foretold ${again.delivery}: ${name} looks at no record while it holds a policy, delivers by that of in between, and does so after its own refresh`,
  environment, async (sender) => {
    const words: string[] = [];
    if (sender.tracksIds) {
      await sender.restoreCache('between');
    } else {
      words.push(await withPolicy(environment, sender, deliver(environment, senders, sender, {
        what: 'the policy of a failed deployment held: an untrusted certificate',
        mail: UNTRUSTED_HOST,
        predicted: again,
        deviation: { delivery: 'deliver-unverified', why: 'holds a policy that was taken back' },
      }), WANTED.mode));
      await refreshed(environment, sender, DEPLOYED.mode);
    }
    words.push(await withPolicy(environment, sender, deliver(environment, senders, sender, {
      what: 'enforce, after a rollback: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: again,
    }), DEPLOYED.mode));
    return words.join('\n');
  });
  await deployedAgain(environment, senders, { context: WANTED, what: 'the same policy deployed again', before, holdings: HOLDINGS });
  const used = await idsSoFar(environment);
  await deployedAgain(environment, senders, { context: DEPLOYED, what: 'and the one of before', before: [...before, ...used], holdings: HOLDINGS });
  await serveMail(environment, GOOD_HOST);
  await table.prove('after that mta-sts verify says pass', async () => {
    expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
    return expectNamed(environment);
  });
}

/** By the senders' names. */
interface Visits {
  /** While the new id stood beside the new bytes. */
  readonly between: Map<string, Promise<string>>;
  /** In the rollback, while the new id stood beside the old bytes. */
  readonly back: Map<string, Promise<string>>;
}

/** @returns all ids that were used by then */
async function failedDeployment(
  environment: TestEnvironment, senders: Senders, way: Way, visits: Visits,
): Promise<{ readonly ids: readonly string[]; readonly evidence: string }> {
  const { dns, aws, emulator, authority } = environment;
  const before = await publishedId();
  let isOver = false;
  const visit = async (): Promise<void> => {
    const midway = Prediction.now(environment);
    for (const sender of senders.all) visits.between.set(sender.name, visitedBetween(environment, senders, sender, midway));
    await Promise.allSettled(visits.between.values());
    isOver = true;
  };
  let visiting: Promise<void> | undefined;
  let returning: Promise<void> | undefined;
  let hasReturned = false;
  // The bytes go back before the id does: then senders come that hold nothing. Until they were there a name server does not know the host.
  let writes = 0;
  aws.onAnswer((call) => {
    if (!isPolicyWrite(call)) return;
    writes += 1;
    if (writes !== 2) return;
    returning = Promise.allSettled(senders.all.filter(({ tracksIds }) => tracksIds).map((sender) => {
      const came = visitedBack(environment, senders, sender, before);
      visits.back.set(sender.name, came);
      return came;
    })).then(() => {
      hasReturned = true;
    });
  });
  // The resolver gives what is right, so that senders learn the new policy. The name servers have the old record, for which the
  // verification waits, until the senders were there, and then somebody else's record beside the new one, for which it does not.
  dns.fail((server, answer) => async (question) => {
    if (server === 'resolver') return undefined;
    const holdsUp = writes === 2 && !hasReturned;
    if (holdsUp && server === 'ns-2.awsdns-2.net' && question.name === POLICY_HOST) return { ...reply('NXDOMAIN'), authoritative: true };
    if (question.name !== RECORD_NAME || question.type !== 'TXT') return undefined;
    const right = await answer(question);
    if (right === 'drop' || right.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(before))) return right;
    visiting ??= visit();
    const record = (id: string): DnsRecord => ({ name: question.name, ttl: 1, type: 'TXT', data: [`v=STSv1; id=${id};`] });
    if (!isOver) return { ...right, answers: [record(before)] };
    return writes < 2 ? { ...right, answers: [...right.answers, record('somebodyelses')] } : right;
  });
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'record' }, () => environment.deploy(WANTED).finally(() => {
    dns.fail(undefined);
    aws.onAnswer(undefined);
  }));
  await returning;
  expectEnd(ended, 1, 'cdk deploy');
  observer.expectAnswers();
  const reason = ended.output.split('\n').find((line) => REASON.test(line));
  if (reason === undefined) throw new Error(`the command must say something like ${String(REASON)}:\n${ended.output}`);
  const stack = await findStack(emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
  const id = await expectNamed(environment);
  const { hash } = readSynthesizedPolicy(environment.assembly(DEPLOYED));
  const isRight = way.evaluates ? observer.publishedIds.every((used) => used === id || isLater(id, used)) && id !== before : id === before;
  if (parseIdHash(id) !== hash || !isRight) throw new Error(`announced is ${id}, before the deployment it was ${before}; expected: ${way.words}\n${observer.summary()}`);
  return { ids: await idsSoFar(environment, observer), evidence: `${reason.trim().slice(0, 300)}\n${observer.summary()}` };
}

/** Looks for news, as each does, and finds a policy that will be taken back. */
async function visitedBetween(environment: TestEnvironment, senders: Senders, sender: Sender, midway: Promise<Prediction>): Promise<string> {
  if (!sender.tracksIds) await refreshed(environment, sender, WANTED.mode);
  const predicted = (await midway).expect('deliver-unverified');
  const words = await withPolicy(environment, sender, deliver(environment, senders, sender, {
    what: 'the policy of a failing deployment: an untrusted certificate', mail: UNTRUSTED_HOST, predicted,
  }), WANTED.mode);
  await sender.saveCache('between');
  return words;
}

/** As one that comes for the first time. */
async function visitedBack(environment: TestEnvironment, senders: Senders, sender: Sender, before: string): Promise<string> {
  await sender.forget();
  const predicted = await Prediction.now(environment);
  const words = await withPolicy(environment, sender, deliver(environment, senders, sender, {
    what: 'nothing held, the old file beside the new id: an untrusted certificate', mail: UNTRUSTED_HOST, predicted,
  }), DEPLOYED.mode);
  const id = readIdCachedByPostfix(environment.paths);
  if (id === before || parseIdHash(id) === parseIdHash(before)) throw new Error(`${sender.name} holds it under ${id}, which names it:\n${words}`);
  await sender.saveCache('back');
  return `${words}\nit holds it under ${id}`;
}

async function withPolicy({ paths }: TestEnvironment, sender: Sender, sent: Promise<string>, mode: Mode): Promise<string> {
  return `${await sent}\n${expectCached(sender, paths, mode)}`;
}

async function refreshed(environment: TestEnvironment, sender: Sender, mode: Mode): Promise<string> {
  await sender.refresh();
  return waitUntilCached(sender, environment.paths, mode);
}
