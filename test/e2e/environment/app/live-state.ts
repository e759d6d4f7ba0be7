// Reads the live state of the policy: the record from every name server, the file from every edge, the history from the bucket, and the
// output from the stack.
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
  /** TXT record set of each name server. More than one record is joined by ` | `. */
  readonly records: readonly string[];
  /** Policy file of each edge. */
  readonly files: readonly Buffer[];
  /** Publication history, as JSON. Empty if there is none. */
  readonly historyText: string;
  /** Value of the stack's output. */
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
  const [records, files, historyText, { Stacks: stacks = [] }] = await Promise.all([
    Promise.all([...NAME_SERVERS.values()].map(queryRecord)),
    Promise.all([...EDGES.v4, ...EDGES.v6].map(async (address) => fetchPolicyFile(address, authority.certificatePem))),
    emulator.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })).then(async ({ Body: body }) => await body?.transformToString() ?? '', (error: unknown) => {
      if (error instanceof Error && error.name === 'NoSuchKey') return '';
      throw error;
    }),
    emulator.cloudformation.send(new DescribeStacksCommand({ StackName: STACK })),
  ]);
  const output = stacks.at(0)?.Outputs?.find(({ OutputKey: name }) => name?.includes('Published'))?.OutputValue ?? '';
  return { records, files, historyText, output };
}

/**
 * Returns the id that the first name server publishes.
 *
 * @throws Error if it has no record with an id
 */
export async function publishedId(): Promise<string> {
  const [server] = NAME_SERVERS.values();
  if (server === undefined) throw new Error('the test environment has no name server');
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

/** Returns where the policy file is, by the physical id of the Publication, and where its history is. */
export async function locateObjects({ emulator }: Pick<Sources, 'emulator'>): Promise<{ readonly policy: ObjectLocation; readonly history: ObjectLocation }> {
  const publication = (await stackResources(emulator.cloudformation, STACK)).find(({ ResourceType: type }) => type === 'Custom::MtaStsPublication');
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(publication?.PhysicalResourceId ?? '') ?? [];
  if (bucket === undefined || key === undefined) throw new Error(`the Publication has the physical id ${publication?.PhysicalResourceId ?? 'none'}, expected s3://...`);
  return { policy: { bucket, key }, history: { bucket, key: 'ledger/example.test.json' } };
}

async function queryRecord(server: string): Promise<string> {
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([server]);
  return (await resolver.resolveTxt(RECORD_NAME)).map((strings) => strings.join('')).join(' | ');
}

/**
 * Fetches the policy file from one edge. Retries a 503, as senders do: on a busy machine, a CloudFront function may exceed its quarter of a
 * second.
 */
async function fetchPolicyFile(address: string, ca: string, attempts = 5): Promise<Buffer> {
  const { status, body } = await get(address, ca);
  if (status === 200) return body;
  if (status !== 503 || attempts === 1) throw new Error(`the edge ${address} serves no policy: status ${status}`);
  await sleep(1_000);
  return fetchPolicyFile(address, ca, attempts - 1);
}

async function get(address: string, ca: string): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: address, servername: POLICY_HOST, path: '/.well-known/mta-sts.txt', headers: { host: POLICY_HOST }, ca, agent: false, timeout: 10_000,
    }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', reject).on('timeout', () => outgoing.destroy(new Error(`no answer from the edge ${address}`))).end();
  });
}
