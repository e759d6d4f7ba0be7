// Limits of the rights of the Lambda function: forbidden calls with its credentials, or without credentials, are refused.
import { readFileSync } from 'node:fs';
import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { CloudFormationClient, DeleteStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ChangeResourceRecordSetsCommand, GetHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import {
  DeleteBucketCommand, DeleteObjectCommand, GetObjectCommand, ListBucketsCommand, ListObjectVersionsCommand,
  ListObjectsV2Command, PutBucketPolicyCommand, PutObjectCommand, S3Client,
} from '@aws-sdk/client-s3';
import { STACK } from '../../environment/app/app';
import { locateObjects } from '../../environment/app/live-state';
import { ACCOUNT, CALL_TIMEOUT_MS, ENDPOINT, REGION } from '../../environment/aws/emulator';
import { findFunctionProcesses } from '../../environment/aws/function-processes';
import { signedFetch } from '../../environment/aws/signed-calls';
import { stackResources } from '../../environment/aws/stacks';
import { RECORD_NAME, record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';

const POLICY_FILE = 'mta-sts.example.test/.well-known/mta-sts.txt';

/** Bucket of `cdk bootstrap`. */
const ASSETS = `cdk-hnb659fds-assets-${ACCOUNT}-${REGION}`;

const CLIENT_OPTIONS = {
  endpoint: ENDPOINT,
  region: REGION,
  requestHandler: { requestTimeout: CALL_TIMEOUT_MS, throwOnRequestTimeout: true },
};

/** Tries forbidden calls with the credentials of the function's process. */
export async function expectForbiddenCallsDenied(environment: TestEnvironment): Promise<string> {
  const { emulator, zoneId } = environment;
  const config = { ...CLIENT_OPTIONS, credentials: readCredentials(environment) };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const route53 = new Route53Client(config);
  const cloudformation = new CloudFormationClient(config);
  const { history: { bucket: Bucket, key: Key } } = await locateObjects(environment);
  const certificate = (await stackResources(emulator.cloudformation, STACK)).find(({ ResourceType: type }) => type === 'AWS::CertificateManager::Certificate');
  // Permitted calls must succeed. Otherwise the forbidden calls could be denied for another reason.
  await s3.send(new GetObjectCommand({ Bucket, Key }));
  await route53.send(new GetHostedZoneCommand({ Id: zoneId }));
  const forbidden: Readonly<Record<string, () => Promise<unknown>>> = {
    'write another object': () => s3.send(new PutObjectCommand({ Bucket, Key: 'index.html', Body: 'x' })),
    'write the policy of another domain': () => s3.send(new PutObjectCommand({ Bucket, Key: POLICY_FILE.replace('example', 'other'), Body: 'x' })),
    'delete another object': () => s3.send(new DeleteObjectCommand({ Bucket, Key: 'index.html' })),
    'list the bucket': () => s3.send(new ListObjectsV2Command({ Bucket })),
    'change the bucket\'s policy': () => s3.send(new PutBucketPolicyCommand({ Bucket, Policy: '{"Version":"2012-10-17","Statement":[]}' })),
    'list the versions in the bucket': () => s3.send(new ListObjectVersionsCommand({ Bucket })),
    'delete a version of another object': () => s3.send(new DeleteObjectCommand({ Bucket, Key: 'index.html', VersionId: 'null' })),
    'delete the bucket': () => s3.send(new DeleteBucketCommand({ Bucket })),
    'list another bucket': () => s3.send(new ListObjectsV2Command({ Bucket: ASSETS })),
    'read another bucket': () => s3.send(new GetObjectCommand({ Bucket: ASSETS, Key })),
    'list all buckets': () => s3.send(new ListBucketsCommand({})),
    'change a record set': () => route53.send(new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId, ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: record(RECORD_NAME, 'TXT', '"x"') }] },
    })),
    'read another zone': () => route53.send(new GetHostedZoneCommand({ Id: 'Z00000000000000000000' })),
    'read another stack': () => cloudformation.send(new DescribeStacksCommand({ StackName: 'CDKToolkit' })),
    'delete its own stack': () => cloudformation.send(new DeleteStackCommand({ StackName: STACK })),
    'read the certificate': () => new ACMClient(config).send(new DescribeCertificateCommand({ CertificateArn: certificate?.PhysicalResourceId })),
  };
  const outcomes = await Promise.all(Object.entries(forbidden).map(async ([what, attempt]) => [what, await tryCall(attempt)] as const));
  const wrong = outcomes.filter(([, outcome]) => !/^AccessDenied(?:Exception)?$/.test(outcome));
  if (wrong.length > 0) throw new Error(wrong.map(([what, outcome]) => `${what}: ${outcome}`).join(', '));
  return `AccessDenied: ${outcomes.map(([what]) => what).join(', ')}`;
}

/** Tries calls without credentials, as CloudFront, over plain http, and with a wrong signature. */
export async function expectOtherPrincipalsDenied(environment: TestEnvironment): Promise<string> {
  const { origin } = environment.emulator;
  const own = readCredentials(environment);
  const { history: { bucket: Bucket, key: Key } } = await locateObjects(environment);
  const forged = new S3Client({ ...CLIENT_OPTIONS, forcePathStyle: true, credentials: { ...own, secretAccessKey: `${own.secretAccessKey}0` } });
  const unsigned = async (key = ''): Promise<Response> => fetch(`${ENDPOINT}/${Bucket}/${key}`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  const statusOf = async (answer: Promise<Response>): Promise<string> => {
    const response = await answer;
    return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? ''}`;
  };
  const outcomes: Readonly<Record<string, readonly [expected: string, got: string]>> = {
    'the publication history without credentials': ['403 AccessDenied', await statusOf(unsigned(Key))],
    'the policy file without credentials': ['403 AccessDenied', await statusOf(unsigned(POLICY_FILE))],
    'CloudFront, the policy file': ['allowed', await tryCall(() => origin.send(new GetObjectCommand({ Bucket, Key: POLICY_FILE })))],
    'CloudFront, the publication history': ['AccessDenied', await tryCall(() => origin.send(new GetObjectCommand({ Bucket, Key })))],
    'CloudFront, a write': ['AccessDenied', await tryCall(() => origin.send(new PutObjectCommand({ Bucket, Key: POLICY_FILE, Body: 'x' })))],
    'CloudFront, another bucket': ['AccessDenied', await tryCall(() => origin.send(new GetObjectCommand({ Bucket: ASSETS, Key })))],
    'over plain http as administrator': [
      '403 AccessDenied', await statusOf(signedFetch({ service: 's3', path: `/${Bucket}/${Key}`, unsigned: { 'x-forwarded-proto': 'http' } })),
    ],
    'over https as administrator': ['200 ', await statusOf(signedFetch({ service: 's3', path: `/${Bucket}/${Key}` }))],
    'signed with another secret': ['SignatureDoesNotMatch', await tryCall(() => forged.send(new GetObjectCommand({ Bucket, Key })))],
  };
  const wrong = Object.entries(outcomes).filter(([, [expected, got]]) => got !== expected);
  if (wrong.length > 0) throw new Error(wrong.map(([what, [expected, got]]) => `${what}: ${got}, expected ${expected}`).join('; '));
  return Object.entries(outcomes).map(([what, [, got]]) => `${what}: ${got.trim()}`).join(', ');
}

async function tryCall(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return 'allowed';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** Reads the credentials of the function's process. */
function readCredentials(
  { paths }: TestEnvironment,
): { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string } {
  const pid = findFunctionProcesses(paths.folder).at(0);
  if (pid === undefined) throw new Error('no process runs a function');
  const programEnvironment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const valueOf = (name: string): string => {
    const entry = programEnvironment.find((line) => line.startsWith(`${name}=`));
    if (entry === undefined) throw new Error(`the environment of the function has no ${name}`);
    return entry.slice(name.length + 1);
  };
  return { accessKeyId: valueOf('AWS_ACCESS_KEY_ID'), secretAccessKey: valueOf('AWS_SECRET_ACCESS_KEY'), sessionToken: valueOf('AWS_SESSION_TOKEN') };
}
