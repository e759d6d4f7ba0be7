// What a failed deployment leaves with senders, and what the next one makes of it: whatever they hold, they end with the policy that is
// published.
import { listHistoryIds } from '../../environment/app/agreement';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readLiveState } from '../../environment/app/live-state';
import { hashPolicy, parseRecordId, isLater, parseIdHash } from '../../environment/app/policy-ids';
import { setReevaluation } from '../../environment/aws/emulator';
import type { TestEnvironment } from '../../environment/environment';
import { expectCached, readIdCachedByPostfix, waitUntilCached } from '../../environment/mail/cached-policy';
import { UNTRUSTED_HOST } from '../../environment/mail/mail';
import { Prediction, deliver } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import type { Observer } from '../../environment/observer/observer';

/** Which of the two CloudFormation does in a rollback, AWS does not say. */
export interface Way {
  /** As a part of a scene is selected. */
  readonly part: 'kept' | 'evaluated';
  /** Whether `Fn::GetAtt` is evaluated again, so that the record gets what the Publication answers in the rollback. */
  readonly evaluates: boolean;
  readonly words: string;
}

const KEPT: Way = { part: 'kept', evaluates: false, words: 'the record gets the id of before again' };
const EVALUATED: Way = { part: 'evaluated', evaluates: true, words: 'the record gets the id that the rollback chooses' };

/** @param only - of the parts; `quick` for the way of the emulator itself */
export function waysOf(only?: string): readonly Way[] {
  return [KEPT, EVALUATED].filter(({ part }) => only === undefined || only === part || (only === 'quick' && part === 'kept'));
}

export function isWay(only: string): boolean {
  return waysOf(only).length > 0;
}

/** Does it in this way of CloudFormation, and afterwards all are as before. */
export async function inWay({ paths }: TestEnvironment, { evaluates }: Way, work: () => Promise<void>): Promise<void> {
  setReevaluation(paths.folder, evaluates);
  await work().finally(() => {
    setReevaluation(paths.folder, false);
  });
}

/** What a sender can hold by then. */
export interface Holding {
  /** Under which the sender has put it away; undefined for nothing held. */
  readonly as?: string;
  readonly what: string;
  /** Only of senders that look at ids: the others hold no id. */
  readonly byId?: true;
}

/** All ids that were announced or chosen so far: the next publication has one that is later than each. */
export async function idsSoFar(environment: TestEnvironment, observer?: Observer): Promise<readonly string[]> {
  const { historyText, records } = await readLiveState(environment);
  return [...new Set([...observer?.publishedIds ?? [], ...listHistoryIds(historyText), ...records.flatMap((record) => parseRecordId(record) ?? [])])];
}

/**
 * The claim of each end of a deployment, whether it went well or was taken back.
 *
 * @returns the id that is announced
 * @throws Error where it does not name the bytes that every edge serves, or the name servers do not agree
 */
export async function expectNamed(environment: TestEnvironment): Promise<string> {
  const { records, files } = await readLiveState(environment);
  const id = parseRecordId(records[0]);
  const hashes = new Set(files.map(hashPolicy));
  if (id === undefined || records.some((record) => record !== records[0]) || hashes.size !== 1 || !hashes.has(parseIdHash(id) ?? '')) {
    throw new Error(`announced is ${records.join(', ')}, which must name what is served: ${[...hashes].join(', ')}`);
  }
  return id;
}

/** Deploys a policy that senders may hold already, and proves that each of them ends with it, whatever it holds. */
export async function deployedAgain(
  environment: TestEnvironment, senders: Senders, { context, what, before, holdings }: {
    readonly context: AppContext; readonly what: string; readonly before: readonly string[]; readonly holdings: readonly Holding[];
  },
): Promise<void> {
  const { table } = environment;
  const delivery = context.mode === 'enforce' ? 'refuse' : 'deliver-unverified';
  let id = '';
  await table.prove(`${what}: it has an id that was never used, later than all before`, async () => {
    expectEnd(await environment.deploy(context), 0, 'cdk deploy');
    id = await expectNamed(environment);
    const late = before.filter((used) => !isLater(id, used));
    if (late.length > 0) throw new Error(`${id} is not later than ${late.join(', ')}`);
    return `${id}; ${new Set(before).size} were used before, the last of them ${[...before].sort().at(-1) ?? 'none'}`;
  });
  const predicted = (await Prediction.now(environment)).expect(delivery);
  for (const { as, what: cached, byId } of holdings) {
    const ending = async (sender: Sender): Promise<string> => {
      await (as === undefined ? sender.forget() : sender.restoreCache(as));
      // One that looks at no ids fetches when it starts.
      if (as !== undefined && !sender.tracksIds) await waitUntilCached(sender, environment.paths, context.mode);
      const words = await deliver(environment, senders, sender, { what: `${context.mode}, ${what}, ${cached}: ${UNTRUSTED_HOST.what}`, mail: UNTRUSTED_HOST, predicted });
      const holds = expectCached(sender, environment.paths, context.mode);
      if (!sender.tracksIds) return `${words}\n${holds}`;
      const under = readIdCachedByPostfix(environment.paths);
      if (under !== id) throw new Error(`${sender.name} holds it under ${under}, announced is ${id}:\n${holds}`);
      return `${words}\n${holds}\nit holds it under ${under}`;
    };
    await Promise.all(senders.all.filter(({ tracksIds }) => tracksIds || byId !== true).map((sender) => table.prove(
      `${sender.name}, ${cached}: ends with ${context.mode}`, () => ending(sender),
    )));
  }
}
