// Starts the AWS emulator (ministack), and creates SDK clients for it.
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

/** User of the account with all rights, who deploys and reads. The keys are those of the examples of AWS. */
export const ADMINISTRATOR = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' } as const;

/** Environment variables by which a program uses the emulator instead of AWS. */
export const AWS_ENVIRONMENT = {
  AWS_ENDPOINT_URL: ENDPOINT,
  AWS_ACCESS_KEY_ID: ADMINISTRATOR.accessKeyId,
  AWS_SECRET_ACCESS_KEY: ADMINISTRATOR.secretAccessKey,
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

/** Time limit of a call. On a busy machine, some answers take seconds. */
export const CALL_TIMEOUT_MS = 60_000;

export interface EmulatorOptions {
  /** Folder of the repository. */
  readonly root: string;
  /** Python of the virtual environment that has ministack. */
  readonly python: string;
  /** Node.js that runs the functions, of the major version that Lambda uses. */
  readonly node: string;
  /** Folder for its files and its log. */
  readonly folder: string;
  /** PEM file of the private certificate authority, which the functions trust beside the system's roots. */
  readonly caFile: string;
  /** URL by which the functions reach AWS. */
  readonly proxy: string;
}

/** Header that gives a call the rights of CloudFront, see emulator/rights.py. */
export const AS_CLOUDFRONT = { 'x-stage-service': 'cloudfront.amazonaws.com' } as const;

/** Clients of one Region. */
export interface Regional {
  readonly acm: ACMClient;
  readonly cloudformation: CloudFormationClient;
}

export interface Emulator extends Regional {
  readonly route53: Route53Client;
  readonly s3: S3Client;
  readonly inRegion: (region: string) => Regional;
  /** S3 client with the rights of CloudFront instead of the administrator's. */
  readonly origin: S3Client;
  readonly logFile: string;
  /** Log of each right that was checked, one JSON object in each line, see emulator/rights.py. */
  readonly rightsLog: string;
}

/**
 * Starts the emulator, which runs until the process ends.
 *
 * @throws Error if it does not answer within a minute
 */
export async function startEmulator({ root, python, node, folder, caFile, proxy }: EmulatorOptions): Promise<Emulator> {
  const logFile = join(folder, 'ministack.log');
  const rightsLog = join(folder, 'rights.jsonl');
  const log = openSync(logFile, 'a');
  const child = spawn(python, [join(root, 'test', 'e2e', 'environment', 'aws', 'emulator', 'main.py')], {
    cwd: folder,
    stdio: ['ignore', log, log],
    env: {
      // The emulator runs the functions with the first `node` in the PATH.
      PATH: [dirname(node), process.env.PATH].join(delimiter),
      HOME: folder,
      TMPDIR: folder,
      PYTHONDONTWRITEBYTECODE: '1',
      // Check the signature of each call, and its right by the policies of roles, users and buckets.
      AUTH: 'true',
      RIGHTS_LOG: rightsLog,
      ADMINISTRATOR_ACCESS_KEY_ID: ADMINISTRATOR.accessKeyId,
      ADMINISTRATOR_SECRET_ACCESS_KEY: ADMINISTRATOR.secretAccessKey,
      LOG_LEVEL: 'INFO',
      BIND_HOST: EMULATOR,
      MINISTACK_HOST: EMULATOR,
      MINISTACK_REGION: REGION,
      IOT_MTLS_ENABLED: '0',
      // The functions connect to the edges of the test environment, whose certificates come from a private authority.
      NODE_EXTRA_CA_CERTS: caFile,
      // The functions reach AWS through the proxy, which can fail their calls and their answers to CloudFormation.
      AWS_ENDPOINT_URL: proxy,
      NODE_OPTIONS: `--require ${writeClockScript(folder)}`,
      // The Lambda runtime provides the AWS SDK, so the bundle does not contain it.
      NODE_PATH: join(root, 'node_modules'),
    },
  });
  closeSync(log);
  await waitUntilHealthy(child, logFile);
  // Report the cause here: later errors would only say that the emulator gave no answer.
  child.once('exit', (status, signal) => {
    console.error(`\nthe AWS emulator ended with ${signal ?? `status ${status ?? 'none'}`}, ${lastLines(logFile)}`);
  });
  const requestHandler = { connectionTimeout: CALL_TIMEOUT_MS, requestTimeout: CALL_TIMEOUT_MS, throwOnRequestTimeout: true };
  const config = { endpoint: ENDPOINT, region: REGION, credentials: ADMINISTRATOR, requestHandler };
  const inRegion = (region: string): Regional => ({
    acm: new ACMClient({ ...config, region }), cloudformation: new CloudFormationClient({ ...config, region }),
  });
  const origin = new S3Client({ ...config, forcePathStyle: true });
  origin.middlewareStack.add((next) => (args) => {
    const headers = at(args.request, 'headers');
    if (!isObject(headers)) throw new Error('the request of the SDK has no headers');
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
  throw new Error(`ministack did not answer within 60 s, ${lastLines(logFile)}`);
}

/** Faults inside the emulator, see emulator/faults.py. */
export interface EmulatorFaults {
  /** Error message with which CloudFormation's next creation or update of a distribution fails. */
  readonly distribution?: string;
  /** Timeout of this project's function, instead of the template's. */
  readonly functionSeconds?: number;
}

/** Replaces the faults inside the emulator. */
export function setEmulatorFaults(folder: string, faults: EmulatorFaults): void {
  const file = join(folder, FAULTS_FILE);
  // Rename instead of writing in place: the emulator may be reading the file.
  writeFileSync(`${file}.new`, JSON.stringify(faults));
  renameSync(`${file}.new`, file);
}

/**
 * Sets whether a rollback evaluates `Fn::GetAtt` again, so that a resource gets the attribute that the other resource returned in the
 * rollback. AWS does not document whether it does. The emulator by itself does not. See emulator/rollback.py.
 */
export function setReevaluation(folder: string, isEnabled: boolean): void {
  const file = join(folder, 'reevaluate-in-rollbacks');
  if (isEnabled) writeFileSync(file, '');
  else rmSync(file, { force: true });
}

/** Returns whether the fault of the distribution has occurred. The emulator removes a fault when it occurs. */
export function hasDistributionFailed(folder: string): boolean {
  const faults: unknown = JSON.parse(readFileSync(join(folder, FAULTS_FILE), 'utf8'));
  return textOf(at(faults, 'distribution')) === undefined;
}

const FAULTS_FILE = 'emulator-faults.json';
