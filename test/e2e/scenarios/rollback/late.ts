// Events that come late or twice, and functions that are killed: bytes, id and ledger end as CloudFormation has it.
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
import { page } from '../../faults/edge';
import { isPolicyWrite, reply } from '../../faults/fault';
import { expectNamed, idsSoFar } from './after-rollback';

const CURRENT: AppContext = { mode: 'testing' };
const WANTED: AppContext = { mode: 'enforce' };

const PUBLICATION = 'Custom::MtaStsPublication';
const POLICY_HOST = 'mta-sts.example.test';

/** How long the rollback waits: by then the function has asked several times whether the late event is current. */
const DELAY_MILLISECONDS = 12_000;

/** Looks overlap: one that began earlier can see what is newer. */
const OVERLAP_MILLISECONDS = 1_000;

/** @param only - `quick` without the second kill */
export async function lateScenario(environment: TestEnvironment, only?: string): Promise<void> {
  const { table } = environment;
  table.begin('Events that come late or twice');
  for (const context of [CURRENT, WANTED]) await environment.synth(context);
  await environment.ensureDeployed(CURRENT);
  const from = environment.aws.invocations.length;
  await table.prove('an update is rolled back; while the old bytes are put back its own event comes again, and changes nothing', () => rolledBack(environment, from));
  await afterwards(environment, updateAfter(environment, from));
  const kills: readonly Kill[] = [
    {
      what: 'the function and the framework are killed right after the write: Lambda calls them again with the same event, and the deployment goes through',
      kill: (folder) => {
        killFramework(folder);
        killFunction(folder);
      },
    },
    ...only === 'quick'
      ? []
      : [{
          what: 'the framework alone is killed while the function waits: two work on the same event, and the deployment goes through', kill: killFramework,
        }],
  ];
  for (const [index, { what, kill }] of kills.entries()) {
    await table.prove(what, () => killed(environment, index % 2 === 0 ? WANTED : CURRENT, kill));
  }
}

export function isLatePart(part: string): boolean {
  return part === 'quick';
}

interface Kill {
  readonly what: string;
  readonly kill: (folder: string) => void;
}

/** The first update of the Publication since then. */
function updateAfter(environment: TestEnvironment, from: number): Invocation | undefined {
  return publications(environment, from).find(({ event }) => textOf(at(event, 'RequestType')) === 'Update');
}

async function rolledBack(environment: TestEnvironment, from: number): Promise<string> {
  const { dns, aws, authority } = environment;
  const given = await publishedId();
  let answer: Promise<Answer> | undefined;
  let writes = 0;
  let isOver = false;
  aws.onAnswer((call) => {
    if (!isPolicyWrite(call)) return;
    writes += 1;
    const event = updateAfter(environment, from);
    if (writes !== 2 || event === undefined) return;
    answer = delivered(event);
    setTimeout(() => {
      isOver = true;
    }, DELAY_MILLISECONDS);
  });
  const beside = secondRecord(RECORD_NAME, (text) => writes < 2 && !text.includes(given));
  dns.fail((server, answering) => async (question) => {
    // The rollback is held up where the function looks for the host.
    const holdsUp = writes >= 2 && !isOver;
    if (holdsUp && server === 'ns-2.awsdns-2.net' && question.name === POLICY_HOST) return { ...reply('NXDOMAIN'), authoritative: true };
    return beside(server, answering)(question);
  });
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'record' }, () => environment.deploy(WANTED).finally(() => {
    reset(environment);
  }));
  if (answer === undefined) throw new Error(`the policy file was written ${writes} times:\n${ended.output}`);
  const said = expectRefused(await answer);
  expectEnd(ended, 1, 'cdk deploy');
  const stack = await findStack(environment.emulator.cloudformation, STACK);
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
  const [old, taken] = [CURRENT, WANTED].map((context) => findPolicy(environment, context).hash);
  if (observer.observations.at(-1)?.served !== old || observer.observations.at(-1)?.names !== old) throw new Error(`the old bytes do not stand:\n${observer.summary()}`);
  const times = observer.observations.filter(({ served }) => served === taken).map(({ at: time }) => time);
  const [first, last] = [times[0] + OVERLAP_MILLISECONDS, times[times.length - 1] - OVERLAP_MILLISECONDS];
  const between = observer.observations.filter(({ at: time, served }) => time > first && time < last && served === old);
  if (between.length > 0) throw new Error(`the bytes that were taken back came once more:\n${observer.summary()}`);
  return `${said}\n${await expectNamed(environment)}\n${observer.summary()}`;
}

/** All at once, since the function takes its time before it believes that an event is not current. */
async function afterwards(environment: TestEnvironment, update: Invocation | undefined): Promise<void> {
  const { table, aws, edge } = environment;
  const before = await readLiveState(environment);
  const calls = aws.calls.length;
  // Who publishes now would fail, and take away what it has put.
  edge.fail(() => page(500));
  const stack = await findStack(environment.emulator.cloudformation, STACK);
  const create = publications(environment).find(({ event }) => textOf(at(event, 'RequestType')) === 'Create' && textOf(at(event, 'StackId')) === stack?.id);
  const made = (await stackResources(environment.emulator.cloudformation, STACK)).find(({ ResourceType: type }) => type === PUBLICATION);
  const again: readonly (readonly [string, Invocation | undefined, (answer: Answer) => string])[] = [
    ['the update that was rolled back comes once more: it is refused', update, expectRefused],
    ['the first Create comes once more, and could not see its file live: it is refused', create, expectRefused],
    [
      'a Delete of the resource that stands comes late: it succeeds',
      create && { ...create, event: { ...objectOf(create.event), RequestType: 'Delete', PhysicalResourceId: made?.PhysicalResourceId } },
      expectAnswered,
    ],
  ];
  await Promise.all(again.map(async ([assertion, context, expectation]) => table.prove(assertion, async () => {
    if (context === undefined) throw new Error('there was no such event');
    return expectation(await delivered(context));
  })));
  edge.fail(undefined);
  await table.prove('after all of them bytes, id, ledger and output are as before, and nothing was written or deleted', async () => {
    const after = await readLiveState(environment);
    if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error(`there stands ${JSON.stringify(after)}, stood ${JSON.stringify(before)}`);
    const changes = aws.calls.slice(calls).filter(isChange);
    if (changes.length > 0) throw new Error(changes.map(({ method, path }) => `${method} ${path}`).join(', '));
    return `${before.records[0]}, ${aws.calls.length - calls} calls of the function`;
  });
}

/** Kills something right after the write of a deployment, which ends well all the same. */
async function killed(environment: TestEnvironment, context: AppContext, kill: Kill['kill']): Promise<string> {
  const { aws, edge, paths } = environment;
  const [idsBefore, from] = [await idsSoFar(environment), aws.invocations.length];
  const killings: number[] = [];
  // So that the function has not seen its file live by then.
  edge.freeze();
  aws.onAnswer((call) => {
    if (killings.length > 0 || !isPolicyWrite(call)) return;
    killings.push(call.at);
    kill(paths.folder);
    edge.thaw();
  });
  const ended = await environment.deploy(context).finally(() => {
    reset(environment);
  });
  expectEnd(ended, 0, 'cdk deploy');
  if (killings.length === 0) throw new Error('the policy file was never written');
  const requests = publications(environment, from).map(({ event }) => textOf(at(event, 'RequestId')));
  if (requests.length !== 2 || requests[0] !== requests[1]) throw new Error(`the events were ${requests.join(', ')}, expected the same twice`);
  const found = findDisagreements(await readLiveState(environment), { policy: findPolicy(environment, context), servedBefore: [], idsBefore });
  if (found.length > 0) throw new Error(found.join('\n'));
  return `after ${ended.seconds.toFixed(1)} s; ${requests.length} times the event ${requests[0] ?? ''}; ${await publishedId()}`;
}

/** The events of Publications that the framework has handed on. */
function publications({ aws }: TestEnvironment, from = 0): readonly Invocation[] {
  return aws.invocations.slice(from).filter(({ event }) => textOf(at(event, 'ResourceType')) === PUBLICATION);
}

/** Whether an event is of the Publication of a domain. */
export function isPublicationOf(event: unknown, requestType: 'Create' | 'Update' | 'Delete', domain: string): boolean {
  return textOf(at(event, 'ResourceType')) === PUBLICATION && textOf(at(event, 'RequestType')) === requestType
    && textOf(at(event, 'ResourceProperties', 'DomainName')) === domain;
}

/** Whether a call of a function changes what lies in a bucket. */
export function isChange({ service, method }: AwsCall): boolean {
  return service === 's3' && method !== 'GET' && method !== 'HEAD';
}

interface Answer {
  readonly isError: boolean;
  readonly text: string;
}

/** Calls the function as the framework has. */
export async function delivered({ path, event }: Invocation): Promise<Answer> {
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
  if (!isObject(value)) throw new Error('an event is no object');
  return value;
}
