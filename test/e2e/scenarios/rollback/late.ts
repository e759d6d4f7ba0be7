// Late and repeated events, and killed functions: bytes, id and publication history agree with the state of CloudFormation afterwards.
import { at, isObject, textOf } from '../../../../lib/preview/json';
import { findDisagreements } from '../../environment/app/agreement';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { publishedId, readLiveState } from '../../environment/app/live-state';
import { findPolicy } from '../../environment/app/synthesized';
import type { AwsCall, Invocation } from '../../environment/aws/aws-proxy';
import { killFramework, killFunction } from '../../environment/aws/function-processes';
import { signedFetch } from '../../environment/aws/signed-calls';
import { stackResources, findStack } from '../../environment/aws/stacks';
import { RECORD_NAME } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { observeWhile } from '../../environment/observer/observer';
import { reset } from '../../environment/reset';
import { secondRecord } from '../../faults/dns';
import { htmlPage } from '../../faults/edge';
import { isPolicyWrite, reply } from '../../faults/fault';
import { expectIdNamesFile, listUsedIds } from './after-rollback';

const CURRENT: AppContext = { mode: 'testing' };
const WANTED: AppContext = { mode: 'enforce' };

const PUBLICATION = 'Custom::MtaStsPublication';
const POLICY_HOST = 'mta-sts.example.test';

/** Delay of the rollback. By then, the function has checked several times whether the late event is current. */
const ROLLBACK_DELAY_MS = 12_000;

/** Observations overlap: an earlier one can see a newer state. */
const OVERLAP_MS = 1_000;

/** @param only - `quick` leaves out the second kill */
export async function lateScenario(environment: TestEnvironment, only?: string): Promise<void> {
  const { table } = environment;
  table.begin('Late and repeated events');
  for (const context of [CURRENT, WANTED]) await environment.synth(context);
  await environment.ensureDeployed(CURRENT);
  const from = environment.aws.invocations.length;
  await table.prove('an event of a rolled back update that is repeated during the rollback changes nothing', () => repeatDuringRollback(environment, from));
  await proveLateEvents(environment, firstUpdate(environment, from));
  const kills: readonly Kill[] = [
    {
      what: 'a deployment succeeds when function and framework are killed right after the write, because Lambda repeats the event',
      kill: (folder) => {
        killFramework(folder);
        killFunction(folder);
      },
    },
    ...only === 'quick'
      ? []
      : [{
          what: 'a deployment succeeds when only the framework is killed while the function waits, although two functions handle the same event', kill: killFramework,
        }],
  ];
  for (const [index, { what, kill }] of kills.entries()) {
    await table.prove(what, () => deployWithKill(environment, index % 2 === 0 ? WANTED : CURRENT, kill));
  }
}

export function isLatePart(part: string): boolean {
  return part === 'quick';
}

interface Kill {
  readonly what: string;
  readonly kill: (folder: string) => void;
}

/** Returns the first update event of the Publication after `from` events. */
function firstUpdate(environment: TestEnvironment, from: number): Invocation | undefined {
  return publications(environment, from).find(({ event }) => textOf(at(event, 'RequestType')) === 'Update');
}

/** Rolls back an update, and repeats its event while the rollback restores the old bytes. */
async function repeatDuringRollback(environment: TestEnvironment, from: number): Promise<string> {
  const { dns, aws, authority } = environment;
  const idBefore = await publishedId();
  let answer: Promise<Answer> | undefined;
  let writes = 0;
  let isDelayOver = false;
  aws.onAnswer((call) => {
    if (!isPolicyWrite(call)) return;
    writes += 1;
    const event = firstUpdate(environment, from);
    if (writes !== 2 || event === undefined) return;
    answer = sendEvent(event);
    setTimeout(() => {
      isDelayOver = true;
    }, ROLLBACK_DELAY_MS);
  });
  const addForeignRecord = secondRecord(RECORD_NAME, (text) => writes < 2 && !text.includes(idBefore));
  dns.fail((server, answering) => async (question) => {
    // The rollback waits until every name server knows the policy host.
    const isDelayed = writes >= 2 && !isDelayOver;
    if (isDelayed && server === 'ns-2.awsdns-2.net' && question.name === POLICY_HOST) return { ...reply('NXDOMAIN'), authoritative: true };
    return addForeignRecord(server, answering)(question);
  });
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'record' }, () => environment.deploy(WANTED).finally(() => {
    reset(environment);
  }));
  if (answer === undefined) throw new Error(`the policy file was written ${writes} times:\n${ended.output}`);
  const refusal = expectRefused(await answer);
  expectEnd(ended, 1, 'cdk deploy');
  const stack = await findStack(environment.emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
  const [old, rolledBack] = [findPolicy(environment, CURRENT).hash, findPolicy(environment, WANTED).hash];
  if (observer.observations.at(-1)?.served !== old || observer.observations.at(-1)?.names !== old) throw new Error(`record and file do not have the old policy:\n${observer.summary()}`);
  const times = observer.observations.filter(({ served }) => served === rolledBack).map(({ at: time }) => time);
  const [first, last] = [(times.at(0) ?? NaN) + OVERLAP_MS, (times.at(-1) ?? NaN) - OVERLAP_MS];
  const between = observer.observations.filter(({ at: time, served }) => time > first && time < last && served === old);
  if (between.length > 0) throw new Error(`the rolled back bytes were served again after the rollback:\n${observer.summary()}`);
  return `${refusal}\n${await expectIdNamesFile(environment)}\n${observer.summary()}`;
}

/** Sends late events after the rollback, all at the same time, because the function checks for a while whether an event is current. */
async function proveLateEvents(environment: TestEnvironment, update: Invocation | undefined): Promise<void> {
  const { table, aws, edge } = environment;
  const before = await readLiveState(environment);
  const calls = aws.calls.length;
  // A function that publishes now fails, and deletes the file that it wrote.
  edge.fail(() => htmlPage(500));
  const stack = await findStack(environment.emulator.cloudformation, STACK);
  const create = publications(environment).find(({ event }) => textOf(at(event, 'RequestType')) === 'Create' && textOf(at(event, 'StackId')) === stack?.id);
  const resources = await stackResources(environment.emulator.cloudformation, STACK);
  const publication = resources.find(({ ResourceType: type }) => type === PUBLICATION);
  const lateEvents: readonly (readonly [string, Invocation | undefined, (answer: Answer) => string])[] = [
    ['a repeated event of a rolled back update is refused', update, expectRefused],
    ['a repeated Create event, whose file is not live, is refused', create, expectRefused],
    [
      'a late Delete event of an existing resource succeeds',
      create && { ...create, event: { ...objectOf(create.event), RequestType: 'Delete', PhysicalResourceId: publication?.PhysicalResourceId } },
      expectAnswered,
    ],
  ];
  await Promise.all(lateEvents.map(async ([assertion, invocation, expectAnswer]) => table.prove(assertion, async () => {
    if (invocation === undefined) throw new Error('the scenario had no such event');
    return expectAnswer(await sendEvent(invocation));
  })));
  edge.fail(undefined);
  await table.prove('late events change neither bytes, id, publication history nor output', async () => {
    const after = await readLiveState(environment);
    if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error(`the live state is ${JSON.stringify(after)}, expected ${JSON.stringify(before)}`);
    const changes = aws.calls.slice(calls).filter(isChange);
    if (changes.length > 0) throw new Error(changes.map(({ method, path }) => `${method} ${path}`).join(', '));
    return `${before.records.at(0) ?? 'no record'}, ${aws.calls.length - calls} calls of the function`;
  });
}

/** Kills processes right after the policy write of a deployment, which must succeed anyway. */
async function deployWithKill(environment: TestEnvironment, context: AppContext, kill: Kill['kill']): Promise<string> {
  const { aws, edge, paths } = environment;
  const [idsBefore, from] = [await listUsedIds(environment), aws.invocations.length];
  const state = { isKilled: false };
  // The function must not see its file live before it is killed.
  edge.freeze();
  aws.onAnswer((call) => {
    if (state.isKilled || !isPolicyWrite(call)) return;
    state.isKilled = true;
    kill(paths.folder);
    edge.thaw();
  });
  const ended = await environment.deploy(context).finally(() => {
    reset(environment);
  });
  expectEnd(ended, 0, 'cdk deploy');
  if (!state.isKilled) throw new Error('the policy file was never written');
  const requests = publications(environment, from).map(({ event }) => textOf(at(event, 'RequestId')));
  const [first, second] = requests;
  if (requests.length !== 2 || first !== second) throw new Error(`the events were ${requests.join(', ')}, expected the same event twice`);
  const policy = findPolicy(environment, context);
  const found = findDisagreements(await readLiveState(environment), { policy, servedBefore: [], idsBefore });
  if (found.length > 0) throw new Error(found.join('\n'));
  return `after ${ended.seconds.toFixed(1)} s; the function got the event ${first ?? ''} twice; ${await publishedId()}`;
}

/** Returns the events of Publications that the framework has passed to the function. */
function publications({ aws }: TestEnvironment, from = 0): readonly Invocation[] {
  return aws.invocations.slice(from).filter(({ event }) => textOf(at(event, 'ResourceType')) === PUBLICATION);
}

/** Whether an event has this type and belongs to the Publication of this domain. */
export function isPublicationOf(event: unknown, requestType: 'Create' | 'Update' | 'Delete', domain: string): boolean {
  return textOf(at(event, 'ResourceType')) === PUBLICATION && textOf(at(event, 'RequestType')) === requestType
    && textOf(at(event, 'ResourceProperties', 'DomainName')) === domain;
}

/** Whether a call of a function changes a bucket. */
export function isChange({ service, method }: AwsCall): boolean {
  return service === 's3' && method !== 'GET' && method !== 'HEAD';
}

interface Answer {
  readonly isError: boolean;
  readonly text: string;
}

/** Calls the function with an event, as the framework did. */
export async function sendEvent({ path, event }: Invocation): Promise<Answer> {
  const response = await signedFetch({ service: 'lambda', path: decodeURIComponent(path), json: JSON.stringify(event) });
  const text = await response.text();
  if (!response.ok) throw new Error(`Lambda Invoke: status ${response.status}: ${text.slice(0, 300)}`);
  return { isError: response.headers.has('x-amz-function-error'), text };
}

function expectRefused({ isError, text }: Answer): string {
  const reason = textOf(at(JSON.parse(text), 'errorMessage')) ?? '';
  if (!isError || !reason.startsWith('event-not-current')) throw new Error(`the function answered ${text.slice(0, 500)}`);
  return reason;
}

export function expectAnswered({ isError, text }: Answer): string {
  if (isError) throw new Error(`the function failed: ${text.slice(0, 500)}`);
  return text;
}

function objectOf(value: unknown): object {
  if (!isObject(value)) throw new Error('an event is not an object');
  return value;
}
