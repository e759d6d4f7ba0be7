// What stands at one moment, each read where it is used: the id from every name server, the bytes from every edge, the ledger from the
// bucket, the output from the stack.
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Resolver } from 'node:dns/promises';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateAuthority } from '../../../../lib/preview/tls/certificate-authority';
import { EDGES, NAME_SERVERS } from '../addresses';
import type { Emulator } from '../aws/emulator';
import { stackResources } from '../aws/stacks';
import { RECORD_NAME } from '../dns/domain';
import { STACK } from './app';
import { parseRecordId } from './policy-ids';

const POLICY_HOST = 'mta-sts.example.test';

export interface LiveState {
  /** The record set as each name server gives it. */
  readonly records: readonly string[];
  /** The policy file as each edge serves it. */
  readonly files: readonly Buffer[];
  /** The text of the ledger; empty where there is none. */
  readonly historyText: string;
  /** The value of the stack's output. */
  readonly output: string;
}

/** The parts of the test environment that the live state is read from. */
interface Sources {
  readonly emulator: Emulator;
  readonly authority: CertificateAuthority;
}

export async function readLiveState(environment: Sources): Promise<LiveState> {
  const { emulator, authority } = environment;
  const { history: { bucket, key } } = await locateObjects(environment);
  const [records, files, ledger, { Stacks: stacks = [] }] = await Promise.all([
    Promise.all([...NAME_SERVERS.values()].map(queryRecord)),
    Promise.all([...EDGES.v4, ...EDGES.v6].map(async (address) => fetchPolicyFile(address, authority.certificatePem))),
    emulator.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })).then(async ({ Body: body }) => await body?.transformToString() ?? '', (error: unknown) => {
      if (error instanceof Error && error.name === 'NoSuchKey') return '';
      throw error;
    }),
    emulator.cloudformation.send(new DescribeStacksCommand({ StackName: STACK })),
  ]);
  const output = stacks.at(0)?.Outputs?.find(({ OutputKey: name }) => name?.includes('Published'))?.OutputValue ?? '';
  return { records, files, historyText: ledger, output };
}

/** @throws Error where the first name server has no such record */
export async function publishedId(): Promise<string> {
  const [server] = NAME_SERVERS.values();
  const record = await queryRecord(server);
  const id = parseRecordId(record);
  if (id === undefined) throw new Error(`the record is ${record}, expected one with an id`);
  return id;
}

/** An object in a bucket. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/** Where the physical id of the Publication says that the policy file is, and the ledger beside it. */
export async function locateObjects({ emulator }: Pick<Sources, 'emulator'>): Promise<{ readonly policy: ObjectLocation; readonly history: ObjectLocation }> {
  const publication = (await stackResources(emulator.cloudformation, STACK)).find(({ ResourceType: type }) => type === 'Custom::MtaStsPublication');
  const parts = /^s3:\/\/([^/]+)\/(.+)$/.exec(publication?.PhysicalResourceId ?? '');
  if (parts === null) throw new Error(`the Publication has the physical id ${publication?.PhysicalResourceId ?? 'none'}, expected s3://...`);
  const [, bucket, key] = parts;
  return { policy: { bucket, key }, history: { bucket, key: 'ledger/example.test.json' } };
}

async function queryRecord(server: string): Promise<string> {
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([server]);
  return (await resolver.resolveTxt(RECORD_NAME)).map((strings) => strings.join('')).join(' | ');
}

/** A 503 is asked again, as senders do: a CloudFront function has a quarter of a second, which a busy machine does not always give it. */
async function fetchPolicyFile(address: string, ca: string, tries = 5): Promise<Buffer> {
  const { status, body } = await get(address, ca);
  if (status === 200) return body;
  if (status !== 503 || tries === 1) throw new Error(`the edge ${address} serves no policy: status ${status}`);
  await sleep(1_000);
  return fetchPolicyFile(address, ca, tries - 1);
}

async function get(address: string, ca: string): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asking = request({
      host: address, servername: POLICY_HOST, path: '/.well-known/mta-sts.txt', headers: { host: POLICY_HOST }, ca, agent: false, timeout: 10_000,
    }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
      });
    });
    asking.on('error', reject).on('timeout', () => asking.destroy(new Error(`no answer from the edge ${address}`))).end();
  });
}
