// The rights of the Lambda functions: that they suffice, that each is needed, and that they end there. The emulator enforces them.
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { CloudFormationClient, DeleteStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ChangeResourceRecordSetsCommand, GetHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import {
  DeleteBucketCommand, DeleteObjectCommand, GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, PutBucketPolicyCommand,
  PutObjectCommand, S3Client,
} from '@aws-sdk/client-s3';
import { at, itemsOf, membersOf, textOf } from '../../../../lib/preview/json';
import { PROXY } from '../aws-proxy';
import { record } from '../domain';
import { ACCOUNT, ENDPOINT, REGION } from '../emulator';
import { functionProcesses } from '../processes';
import { signedFetch } from '../signed-calls';
import { asked, isOf, isUsed, rightsOf } from '../rights-log';
import type { Asked } from '../rights-log';
import { resourcesOf, stackOf } from '../stacks';
import { places, standing } from '../standing';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';

const FUNCTION_ROLE = 'CdkMtaStsHandlerRole';
const FRAMEWORK_ROLE = 'CdkMtaStsHandlerProviderRole';
const POLICY_FILE = 'mta-sts.example.test/.well-known/mta-sts.txt';

/** Of `cdk bootstrap`. */
const ASSETS = `cdk-hnb659fds-assets-${ACCOUNT}-${REGION}`;

const STANDS: AppContext = { mode: 'testing' };
const WANTED: AppContext = { mode: 'enforce' };

interface Taken {
  readonly action: string;
  /** A part of the resource that the statement names. */
  readonly of: string;
  /** What the command says of a deployment that fails, or the output of one that does without. */
  readonly says: RegExp;
  /** @default fails */
  readonly outcome?: 'does without';
}

const TAKEN: readonly Taken[] = [
  {
    action: 'route53:ListResourceRecordSets',
    of: ':hostedzone/',
    says: /route53:ListResourceRecordSets failed: AccessDenied: .*the function's role must be allowed route53:ListResourceRecordSets/,
  },
  { action: 's3:PutObject', of: POLICY_FILE, says: /s3:PutObject failed: AccessDenied: .*the function's role must be allowed s3:PutObject/ },
  {
    action: 's3:PutObject',
    of: 'ledger/',
    outcome: 'does without',
    says: /s3:PutObject failed: AccessDenied: .*the function's role must be allowed s3:PutObject/,
  },
];

/** What this run has really taken away; in `quick` nothing. */
const took: Taken[] = [];

/** What a signature of another time than now is refused with. */
const WRONG_TIME = 'RequestTimeTooSkewed';

/** Rights that no call on the stage shows, and why they are given. */
const UNSEEN: Readonly<Record<string, string>> = {
  'lambda:GetFunction': 'the framework asks while a new function is not active yet',
  'logs:CreateLogStream': 'Lambda itself uses it',
  'logs:PutLogEvents': 'Lambda itself uses it',
};

/** Whether this part of an action selects any right that can be taken away. */
export function hasRight(only: string): boolean {
  return TAKEN.some(({ action }) => action.includes(only));
}

/** @param only - a part of the action to take away, or `quick` for none: the function waits a minute for rights that come late */
export async function rightsScene(stage: Stage, only = ''): Promise<void> {
  const { table } = stage;
  table.begin('Rights');
  await stage.ensure(STANDS);
  await table.prove('each call of a function so far was its own role\'s, and none was denied', () => {
    const calls = ofFunctions(stage);
    const foreign = calls.filter((call) => roleIn(call) === undefined || call.denied !== '');
    if (calls.length === 0 || foreign.length > 0) throw new Error(`of ${calls.length} calls: ${foreign.map(words).join(', ') || 'none seen'}`);
    return [FUNCTION_ROLE, FRAMEWORK_ROLE].map((role) => {
      const actions = calls.filter((call) => roleIn(call) === role).map(({ action }) => action);
      return `${role}: ${actions.length} calls, ${[...new Set(actions)].sort().join(', ')}`;
    }).join('\n');
  });
  await table.prove('with its credentials nothing else can be done', () => attempts(stage));
  await table.prove('the bucket is open to nobody else but CloudFront\'s reads, over https, with a true signature', () => strangers(stage));
  const taken = TAKEN.filter(({ action }) => only !== 'quick' && action.includes(only));
  for (const right of taken) {
    const outcome = right.outcome ?? 'the deployment fails, says so and is taken back';
    await table.prove(`without ${right.action} (${right.of}): ${outcome}`, () => without(stage, right));
  }
  if (taken.length === 0) return;
  await table.prove('with all rights back the same deployment goes through', async () => {
    const { status, seconds, output } = await stage.deploy(WANTED);
    expectEnd({ status, seconds, output }, 0, 'cdk deploy');
    return `after ${seconds.toFixed(1)} s`;
  });
}

/** After the stack is gone: what it was allowed, against all that it asked for. Needs `preflight`, `deploy`, `change` and `destroy`. */
export async function usedScene(stage: Stage): Promise<void> {
  const { table } = stage;
  table.begin('Rights used');
  await table.prove('each right of the roles was used in deployments, changes, rollbacks and the end', () => {
    const calls = ofFunctions(stage);
    const rights = rightsOf(template(stage.assembly(STANDS)));
    const lines = rights.map((right) => {
      const reason = Object.hasOwn(UNSEEN, right.action) ? UNSEEN[right.action] : undefined;
      const used = isUsed(right, STACK, calls);
      return { wrong: used === (reason !== undefined), line: `${right.role} ${right.action} ${right.resource}: ${used ? 'used' : reason ?? 'never used'}` };
    });
    const wrong = lines.filter((line) => line.wrong);
    if (lines.length === 0 || wrong.length > 0) throw new Error(wrong.map(({ line }) => line).join('\n') || 'the template gives no rights');
    return lines.map(({ line }) => line).join('\n');
  });
  await table.prove('denied was nothing but what had been taken away', () => {
    const calls = ofFunctions(stage);
    if (calls.length === 0) throw new Error('no call of a function was seen');
    // A clock that was made wrong is no question of rights: the SDK puts it right by the answer, and asks again.
    const denied = calls.filter((call) => call.denied !== '' && call.denied !== WRONG_TIME);
    const wrong = denied.filter((call) => !took.some(({ action, of }) => call.action === action && call.resource.includes(of)));
    if (wrong.length > 0) throw new Error(wrong.map(words).join(', '));
    return `${denied.length} calls of ${calls.length}; taken away was ${took.map(({ action, of }) => `${action} (${of})`).join(', ') || 'nothing'}`;
  });
}

function ofFunctions({ emulator }: Stage): readonly Asked[] {
  const { host } = new URL(PROXY);
  return asked(emulator).filter((call) => call.host === host);
}

function roleIn(call: Asked): string | undefined {
  return [FUNCTION_ROLE, FRAMEWORK_ROLE].find((role) => isOf(call, STACK, role));
}

function words({ principal, action, resource, denied }: Asked): string {
  return `${action} on ${resource} by ${principal || 'nobody'}: ${denied || 'allowed'}`;
}

/** What the function's process has. */
function credentials({ paths }: Stage): { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string } {
  const pid = functionProcesses(paths.folder).at(0);
  if (pid === undefined) throw new Error('no process runs the function');
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const valueOf = (name: string): string => {
    const entry = environment.find((line) => line.startsWith(`${name}=`));
    if (entry === undefined) throw new Error(`the function has no ${name}`);
    return entry.slice(name.length + 1);
  };
  return { accessKeyId: valueOf('AWS_ACCESS_KEY_ID'), secretAccessKey: valueOf('AWS_SECRET_ACCESS_KEY'), sessionToken: valueOf('AWS_SESSION_TOKEN') };
}

async function attempts(stage: Stage): Promise<string> {
  const { emulator, zoneId } = stage;
  const config = { endpoint: ENDPOINT, region: REGION, credentials: credentials(stage) };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const route53 = new Route53Client(config);
  const cloudformation = new CloudFormationClient(config);
  const { ledger: { bucket: Bucket, key: Key } } = await places(stage);
  const certificate = (await resourcesOf(emulator.cloudformation, STACK)).find(({ ResourceType: type }) => type === 'AWS::CertificateManager::Certificate');
  // Else all that follows could be denied for another reason.
  await s3.send(new GetObjectCommand({ Bucket, Key }));
  await route53.send(new GetHostedZoneCommand({ Id: zoneId }));
  const forbidden: Readonly<Record<string, () => Promise<unknown>>> = {
    'write another object': () => s3.send(new PutObjectCommand({ Bucket, Key: 'index.html', Body: 'x' })),
    'write the policy of another domain': () => s3.send(new PutObjectCommand({ Bucket, Key: POLICY_FILE.replace('example', 'other'), Body: 'x' })),
    'delete another object': () => s3.send(new DeleteObjectCommand({ Bucket, Key: 'index.html' })),
    'list the bucket': () => s3.send(new ListObjectsV2Command({ Bucket })),
    'change the bucket\'s policy': () => s3.send(new PutBucketPolicyCommand({ Bucket, Policy: '{"Version":"2012-10-17","Statement":[]}' })),
    'delete the bucket': () => s3.send(new DeleteBucketCommand({ Bucket })),
    'list another bucket': () => s3.send(new ListObjectsV2Command({ Bucket: ASSETS })),
    'read another bucket': () => s3.send(new GetObjectCommand({ Bucket: ASSETS, Key })),
    'list all buckets': () => s3.send(new ListBucketsCommand({})),
    'change a record set': () => route53.send(new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId, ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: record('_mta-sts.example.test', 'TXT', '"x"') }] },
    })),
    'read another zone': () => route53.send(new GetHostedZoneCommand({ Id: 'Z00000000000000000000' })),
    'read another stack': () => cloudformation.send(new DescribeStacksCommand({ StackName: 'CDKToolkit' })),
    'delete its own stack': () => cloudformation.send(new DeleteStackCommand({ StackName: STACK })),
    'read the certificate': () => new ACMClient(config).send(new DescribeCertificateCommand({ CertificateArn: certificate?.PhysicalResourceId })),
  };
  const outcomes = await Promise.all(Object.entries(forbidden).map(async ([what, attempt]) => [what, await refusal(attempt)] as const));
  const wrong = outcomes.filter(([, outcome]) => !/^AccessDenied(?:Exception)?$/.test(outcome));
  if (wrong.length > 0) throw new Error(wrong.map(([what, outcome]) => `${what}: ${outcome}`).join(', '));
  return `AccessDenied: ${outcomes.map(([what]) => what).join(', ')}`;
}

async function strangers(stage: Stage): Promise<string> {
  const { origin } = stage.emulator;
  const own = credentials(stage);
  const { ledger: { bucket: Bucket, key: Key } } = await places(stage);
  const forged = new S3Client({ endpoint: ENDPOINT, region: REGION, forcePathStyle: true, credentials: { ...own, secretAccessKey: `${own.secretAccessKey}0` } });
  const statusOf = async (answer: Promise<Response>): Promise<string> => {
    const response = await answer;
    return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? ''}`;
  };
  const outcomes: Readonly<Record<string, readonly [expected: string, got: string]>> = {
    'the ledger without credentials': ['403 AccessDenied', await statusOf(fetch(`${ENDPOINT}/${Bucket}/${Key}`))],
    'the policy file without credentials': ['403 AccessDenied', await statusOf(fetch(`${ENDPOINT}/${Bucket}/${POLICY_FILE}`))],
    'CloudFront, the policy file': ['allowed', await refusal(() => origin.send(new GetObjectCommand({ Bucket, Key: POLICY_FILE })))],
    'CloudFront, a write': ['AccessDenied', await refusal(() => origin.send(new PutObjectCommand({ Bucket, Key: POLICY_FILE, Body: 'x' })))],
    'CloudFront, another bucket': ['AccessDenied', await refusal(() => origin.send(new GetObjectCommand({ Bucket: ASSETS, Key })))],
    'over plain http as administrator': [
      '403 AccessDenied', await statusOf(signedFetch({ service: 's3', path: `/${Bucket}/${Key}`, unsigned: { 'x-forwarded-proto': 'http' } })),
    ],
    'over https as administrator': ['200 ', await statusOf(signedFetch({ service: 's3', path: `/${Bucket}/${Key}` }))],
    'signed with another secret': ['SignatureDoesNotMatch', await refusal(() => forged.send(new GetObjectCommand({ Bucket, Key })))],
  };
  const wrong = Object.entries(outcomes).filter(([, [expected, got]]) => got !== expected);
  if (wrong.length > 0) throw new Error(wrong.map(([what, [expected, got]]) => `${what}: ${got}, expected ${expected}`).join('; '));
  return Object.entries(outcomes).map(([what, [, got]]) => `${what}: ${got.trim()}`).join(', ');
}

async function refusal(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return 'allowed';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

async function without(stage: Stage, right: Taken): Promise<string> {
  const { action, of, says, outcome } = right;
  const { emulator, paths, cli } = stage;
  await stage.synth(WANTED);
  const before = await standing(stage);
  const denied = ofFunctions(stage).length;
  const app = join(paths.folder, `without-${action.replace(':', '-')}-${denied}`);
  cpSync(stage.assembly(WANTED), app, { recursive: true });
  take(app, action, of);
  took.push(right);
  const ended = await cli.cdk('deploy', '--app', app, '--require-approval', 'never');
  if (!ofFunctions(stage).slice(denied).some((call) => call.action === action && call.resource.includes(of) && call.denied !== '')) {
    throw new Error(`no such call was denied; cdk deploy ended with status ${ended.status ?? 'none'}:\n${ended.output}`);
  }
  if (outcome === 'does without') {
    expectEnd(ended, 0, 'cdk deploy');
    const { output } = await standing(stage);
    if (!says.test(output)) throw new Error(`the output says ${output}`);
    // As it was, for what follows.
    expectEnd(await cli.cdk('deploy', '--app', stage.assembly(STANDS), '--require-approval', 'never'), 0, 'cdk deploy');
    return `the output: ${output.slice(0, 300)}`;
  }
  expectEnd(ended, 1, 'cdk deploy');
  const reason = ended.output.split('\n').find((line) => says.test(line));
  if (reason === undefined) throw new Error(`the command did not say ${String(says)}:\n${ended.output}`);
  const stack = await stackOf(emulator.cloudformation, STACK);
  const after = await standing(stage);
  const isSame = after.records.join() === before.records.join() && after.files.every((file, index) => file.equals(before.files[index]));
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE' || !isSame) {
    throw new Error(`the stack is ${stack?.status ?? 'gone'}, announced is ${after.records.join(', ')}, was ${before.records.join(', ')}`);
  }
  return `${stack.status} after ${ended.seconds.toFixed(1)} s: ${reason.trim().slice(0, 400)}`;
}

/** Takes an action out of the statements of an assembly, and gives its template another name in the bucket of assets. */
function take(app: string, action: string, of: string): void {
  const file = join(app, `${STACK}.template.json`);
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  let count = 0;
  const rest = (statement: unknown): readonly unknown[] => {
    const given = at(statement, 'Action');
    const actions = Array.isArray(given) ? itemsOf(given) : [given];
    if (textOf(at(statement, 'Effect')) !== 'Allow' || !actions.includes(action) || !JSON.stringify(statement).includes(of)) return [statement];
    count += 1;
    const left = actions.filter((item) => item !== action);
    return left.length === 0 ? [] : [{ ...Object.fromEntries(membersOf(statement)), Action: left }];
  };
  const changed: unknown = JSON.parse(JSON.stringify(parsed), (name, value: unknown) => name === 'Statement' ? itemsOf(value).flatMap(rest) : value);
  if (count !== 1) throw new Error(`${count} statements allow ${action} on ${of}`);
  writeFileSync(file, JSON.stringify(changed));
  const manifest = readFileSync(join(app, `${STACK}.assets.json`), 'utf8');
  const hash = /"([0-9a-f]{64})": \{\s*"displayName": "[^"]*Template"/.exec(manifest)?.at(1);
  if (hash === undefined) throw new Error(`the manifest of assets has no template: ${manifest}`);
  const other = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  for (const name of [`${STACK}.assets.json`, 'manifest.json']) {
    writeFileSync(join(app, name), readFileSync(join(app, name), 'utf8').replaceAll(hash, other));
  }
}

function template(assembly: string): unknown {
  return JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
}
