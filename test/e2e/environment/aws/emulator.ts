// The emulator of AWS (ministack), and the SDK's clients for it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ACMClient } from '@aws-sdk/client-acm';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { Route53Client } from '@aws-sdk/client-route-53';
import { S3Client } from '@aws-sdk/client-s3';
import { at, isObject, textOf } from '../../../../lib/preview/json';
import { EMULATOR } from '../addresses';
import { lastLines } from '../last-lines';
import { writeClockScript } from './clock';

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
export const ENDPOINT = `http://${EMULATOR}:4566`;

/** Who deploys, and who looks: a user of the account that may do everything. The keys are those of AWS's own examples. */
export const ADMINISTRATOR = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' } as const;

/** For every program that shall meet the emulator in place of AWS. */
export const AWS_ENVIRONMENT = {
  AWS_ENDPOINT_URL: ENDPOINT,
  AWS_ACCESS_KEY_ID: ADMINISTRATOR.accessKeyId,
  AWS_SECRET_ACCESS_KEY: ADMINISTRATOR.secretAccessKey,
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

/** An answer that does not come by then never does; some come after seconds, where the machine is busy. */
export const CALL_TIMEOUT_MS = 60_000;

export interface EmulatorOptions {
  /** The repository. */
  readonly root: string;
  /** Of the virtual environment that has ministack. */
  readonly python: string;
  /** The Node.js that runs the functions, of the line that Lambda runs. */
  readonly node: string;
  /** For its files and its log. */
  readonly folder: string;
  /** The PEM file of what the Lambda function must trust beside the system's roots. */
  readonly caFile: string;
  /** Where the functions shall reach AWS. */
  readonly proxy: string;
}

/** With this header a call has CloudFront's rights, see emulator/rights.py. */
export const AS_CLOUDFRONT = { 'x-stage-service': 'cloudfront.amazonaws.com' } as const;

/** What each Region has of its own. */
export interface Regional {
  readonly acm: ACMClient;
  readonly cloudformation: CloudFormationClient;
}

export interface Emulator extends Regional {
  readonly route53: Route53Client;
  readonly s3: S3Client;
  readonly inRegion: (region: string) => Regional;
  /** With CloudFront's rights in place of the administrator's. */
  readonly origin: S3Client;
  readonly logFile: string;
  /** Who asked for which right, a line of JSON each; see emulator/rights.py. */
  readonly rightsLog: string;
}

/** @throws Error when it does not answer in time */
export async function startEmulator({ root, python, node, folder, caFile, proxy }: EmulatorOptions): Promise<Emulator> {
  const logFile = join(folder, 'ministack.log');
  const rightsLog = join(folder, 'rights.jsonl');
  const log = openSync(logFile, 'a');
  const child = spawn(python, [join(root, 'test', 'e2e', 'environment', 'aws', 'emulator', 'main.py')], {
    cwd: folder,
    stdio: ['ignore', log, log],
    env: {
      // It takes the first `node` for the functions.
      PATH: [dirname(node), process.env.PATH].join(delimiter),
      HOME: folder,
      TMPDIR: folder,
      PYTHONDONTWRITEBYTECODE: '1',
      // Each call needs a true signature and the right to it, by the policies of roles, users and buckets.
      AUTH: 'true',
      RIGHTS_LOG: rightsLog,
      ADMINISTRATOR_ACCESS_KEY_ID: ADMINISTRATOR.accessKeyId,
      ADMINISTRATOR_SECRET_ACCESS_KEY: ADMINISTRATOR.secretAccessKey,
      LOG_LEVEL: 'INFO',
      BIND_HOST: EMULATOR,
      MINISTACK_HOST: EMULATOR,
      MINISTACK_REGION: REGION,
      IOT_MTLS_ENABLED: '0',
      // It has no data plane for CloudFront: its functions meet ours on 443, which shows certificates of a private authority.
      NODE_EXTRA_CA_CERTS: caFile,
      // Its functions reach AWS through what can make it fail for them, and so does their answer to CloudFormation.
      AWS_ENDPOINT_URL: proxy,
      NODE_OPTIONS: `--require ${writeClockScript(folder)}`,
      // The Lambda runtime has the AWS SDK; the bundle leaves it out.
      NODE_PATH: join(root, 'node_modules'),
    },
  });
  closeSync(log);
  await waitUntilHealthy(child, logFile);
  // All that comes after would only say that nobody answers.
  child.once('exit', (status, signal) => {
    console.error(`\nthe emulator of AWS has ended with ${signal ?? `status ${status ?? 'none'}`}, ${lastLines(logFile)}`);
  });
  const requestHandler = { connectionTimeout: CALL_TIMEOUT_MS, requestTimeout: CALL_TIMEOUT_MS, throwOnRequestTimeout: true };
  const config = { endpoint: ENDPOINT, region: REGION, credentials: ADMINISTRATOR, requestHandler };
  const inRegion = (region: string): Regional => ({
    acm: new ACMClient({ ...config, region }), cloudformation: new CloudFormationClient({ ...config, region }),
  });
  const origin = new S3Client({ ...config, forcePathStyle: true });
  origin.middlewareStack.add((next) => (args) => {
    const headers = at(args.request, 'headers');
    if (!isObject(headers)) throw new Error('a request of the SDK has no headers');
    Object.assign(headers, AS_CLOUDFRONT);
    return next(args);
  }, { step: 'build' });
  return {
    ...inRegion(REGION),
    inRegion,
    route53: new Route53Client(config),
    origin,
    s3: new S3Client({ ...config, forcePathStyle: true }),
    logFile,
    rightsLog,
  };
}

async function waitUntilHealthy(child: ChildProcess, logFile: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`ministack ended with ${child.signalCode ?? `status ${child.exitCode ?? 'none'}`}, ${lastLines(logFile)}`);
    }
    const response = await fetch(`${ENDPOINT}/_ministack/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`ministack does not answer, ${lastLines(logFile)}`);
}

/** What fails in the emulator itself, see emulator/faults.py. */
export interface EmulatorFaults {
  /** The next time that CloudFormation makes or changes a distribution it fails, with these words. */
  readonly distribution?: string;
  /** How long this project's function may run, in place of what the template says. */
  readonly functionSeconds?: number;
}

/** From now on, until the next. */
export function setEmulatorFaults(folder: string, faults: EmulatorFaults): void {
  const file = join(folder, FAULTS_FILE);
  // In one step: the emulator may be reading it.
  writeFileSync(`${file}.new`, JSON.stringify(faults));
  renameSync(`${file}.new`, file);
}

/**
 * Whether CloudFormation evaluates attributes again when it rolls back, from now on: a resource that takes one is then given what the
 * other has answered in the rollback. AWS does not say which of the two it does; the emulator itself does not. See emulator/rollback.py.
 */
export function setReevaluation(folder: string, isWanted: boolean): void {
  const file = join(folder, 'reevaluate-in-rollbacks');
  if (isWanted) writeFileSync(file, '');
  else rmSync(file, { force: true });
}

/** Whether the distribution has failed; what has failed is no more among the faults. */
export function hasDistributionFailed(folder: string): boolean {
  const faults: unknown = JSON.parse(readFileSync(join(folder, FAULTS_FILE), 'utf8'));
  return textOf(at(faults, 'distribution')) === undefined;
}

const FAULTS_FILE = 'emulator-faults.json';
