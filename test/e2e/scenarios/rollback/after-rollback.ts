// Shared by the rollback scenarios: the two variants of a rollback, and the proof that the next deployment reaches every sender, whatever
// policy the sender has cached.
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

/** How CloudFormation treats attributes in a rollback. AWS does not document which variant it uses. */
export interface RollbackVariant {
  /** Name that selects the variant on the command line. */
  readonly part: 'kept' | 'evaluated';
  /** Whether CloudFormation evaluates `Fn::GetAtt` again, so that the record gets the id that the Publication returns in the rollback. */
  readonly evaluates: boolean;
  readonly description: string;
}

const KEPT: RollbackVariant = { part: 'kept', evaluates: false, description: 'the rollback restores the old id' };
const EVALUATED: RollbackVariant = { part: 'evaluated', evaluates: true, description: 'the rollback publishes a new id' };

/** @param only - name of one variant, or `quick` for the variant of the emulator. @default both */
export function selectVariants(only?: string): readonly RollbackVariant[] {
  return [KEPT, EVALUATED].filter(({ part }) => only === undefined || only === part || (only === 'quick' && part === 'kept'));
}

/** Whether this part selects a variant. */
export function isRollbackVariant(only: string): boolean {
  return selectVariants(only).length > 0;
}

/** Runs some work while CloudFormation rolls back in this variant. */
export async function withVariant({ paths }: TestEnvironment, { evaluates }: RollbackVariant, work: () => Promise<void>): Promise<void> {
  setReevaluation(paths.folder, evaluates);
  await work().finally(() => {
    setReevaluation(paths.folder, false);
  });
}

/** A state of a sender's cache before the next deployment. */
export interface CacheState {
  /** Name under which the cache was saved. Undefined for an empty cache. */
  readonly savedAs?: string;
  /** Description, to follow `with`. */
  readonly what: string;
  /** Whether only senders that track ids can have this state. */
  readonly needsIds?: true;
}

/** Returns all ids that were published or chosen so far. The next publication must have a later id. */
export async function listUsedIds(environment: TestEnvironment, observer?: Observer): Promise<readonly string[]> {
  const { historyText, records } = await readLiveState(environment);
  const publishedIds = records.flatMap((record) => parseRecordId(record) ?? []);
  return [...new Set([...observer?.publishedIds ?? [], ...listHistoryIds(historyText), ...publishedIds])];
}

/**
 * Asserts the state after each deployment, successful or rolled back: the published id names the served bytes.
 *
 * @returns the published id
 * @throws Error if the id does not name the bytes that every edge serves, or the name servers disagree
 */
export async function expectIdNamesFile(environment: TestEnvironment): Promise<string> {
  const { records, files } = await readLiveState(environment);
  const id = parseRecordId(records.at(0));
  const hashes = new Set(files.map(hashPolicy));
  if (id === undefined || records.some((record) => record !== records.at(0)) || hashes.size !== 1 || !hashes.has(parseIdHash(id) ?? '')) {
    throw new Error(`published is ${records.join(', ')}, which must name the served bytes: ${[...hashes].join(', ')}`);
  }
  return id;
}

/** Deploys a policy that senders may have cached already. Proves that each sender then uses it, whatever its cache has. */
export async function proveRedeployment(
  environment: TestEnvironment, senders: Senders, { context, what, usedIds, cacheStates }: {
    readonly context: AppContext; readonly what: string; readonly usedIds: readonly string[]; readonly cacheStates: readonly CacheState[];
  },
): Promise<void> {
  const { table } = environment;
  const delivery = context.mode === 'enforce' ? 'refuse' : 'deliver-unverified';
  let id = '';
  await table.prove(`when ${what}, its id is later than all used ids`, async () => {
    expectEnd(await environment.deploy(context), 0, 'cdk deploy');
    id = await expectIdNamesFile(environment);
    const later = usedIds.filter((used) => !isLater(id, used));
    if (later.length > 0) throw new Error(`${id} is not later than ${later.join(', ')}`);
    return `${id}; ${new Set(usedIds).size} ids were used before, the last is ${[...usedIds].sort().at(-1) ?? 'none'}`;
  });
  const predicted = (await Prediction.now(environment)).expect(delivery);
  for (const { savedAs, what: cacheState, needsIds } of cacheStates) {
    const expectPolicyUsed = async (sender: Sender): Promise<string> => {
      await (savedAs === undefined ? sender.forget() : sender.restoreCache(savedAs));
      // A sender that does not track ids fetches when it starts.
      if (savedAs !== undefined && !sender.tracksIds) await waitUntilCached(sender, environment.paths, context.mode);
      const evidence = await deliver(environment, senders, sender, { what: `${context.mode}, ${what}, ${cacheState}: ${UNTRUSTED_HOST.what}`, mail: UNTRUSTED_HOST, predicted });
      const cached = expectCached(sender, environment.paths, context.mode);
      if (!sender.tracksIds) return `${evidence}\n${cached}`;
      const cachedId = readIdCachedByPostfix(environment.paths);
      if (cachedId !== id) throw new Error(`${sender.name} cached the policy under ${cachedId}, published is ${id}:\n${cached}`);
      return `${evidence}\n${cached}\ncached under ${cachedId}`;
    };
    await Promise.all(senders.all.filter(({ tracksIds }) => tracksIds || needsIds !== true).map((sender) => table.prove(
      `when ${what}, ${sender.name} with ${cacheState} uses mode ${context.mode}`, () => expectPolicyUsed(sender),
    )));
  }
}
