// The services of the deployment function for tests: AWS as the SDK's own mocks, DNS as a real server on loopback, and a fake clock.
import { createHash } from 'node:crypto';
import { ACMClient } from '@aws-sdk/client-acm';
import { CloudFormationClient, DescribeStackEventsCommand, DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { StackResource, StackStatus } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { ListResourceRecordSetsCommandOutput, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import type { AwsClientStub } from 'aws-sdk-client-mock';
import type { LambdaContext } from '../../lib/functions/deployment/handler';
import { Activity } from '../../lib/operations/context/activity';
import { createLog } from '../../lib/functions/runtime/log';
import type { OperationContext } from '../../lib/operations/context/operation-context';
import type { Services } from '../../lib/operations/context/services';
import type { DnsRecord, DnsAnswerer, DnsServer } from '../../lib/preview/dns-server/server';
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server/server';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import type { Policy } from '../../lib/protocol/policy/policy';
import { policyHash, renderPolicyId } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import { createResolver } from '../../lib/verifier/dns/resolver';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import { FakeClock } from './fake-clock';

export const DOMAIN = 'example.com';
export const ZONE_ID = 'Z0123456789ABCDEFGHIJ';
export const STACK_ID = 'arn:aws:cloudformation:us-east-1:123456789012:stack/Mail/3d2c1b0a-0000-0000-0000-000000000000';
export const NAME_SERVERS = ['ns-1.awsdns-01.test', 'ns-2.awsdns-02.test'];
export const POLICY: Policy = { mode: 'enforce', maxAge: 2_592_000, mx: ['mx1.example.com', 'mx2.example.com'] };
export const POLICY_TEXT = renderPolicy(POLICY);
/** An id of a possible publication of `POLICY`. */
export const POLICY_ID = renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), policyHash(POLICY_TEXT));
/** Matches each id that contains the hash of `POLICY_TEXT`. */
export const NAMES_POLICY = new RegExp(`^\\d{8}T\\d{6}${policyHash(POLICY_TEXT)}$`);
export const RESOURCE = 'Resource1A2B3C4D';
export const BUCKET = 'policies';
export const KEY = 'mta-sts.example.com/.well-known/mta-sts.txt';
export const HISTORY_KEY = 'ledger/example.com.json';
export const OBJECT_URL = `s3://${BUCKET}/${KEY}`;

export type Event = Readonly<Record<string, unknown>>;

/** Returns a Create event of CloudFormation in the form in which the provider framework passes it on. */
export function createEvent(resourceType: string, properties: Event, more: Event = {}): Event {
  return {
    RequestType: 'Create',
    ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:framework',
    ResponseURL: 'https://response.test/secret?signature=abc',
    StackId: STACK_ID,
    RequestId: 'b0b0b0b0-0000-0000-0000-000000000000',
    LogicalResourceId: RESOURCE,
    ResourceType: resourceType,
    ResourceProperties: { ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:framework', ServiceTimeout: '900', ...properties },
    ...more,
  };
}

export function updateEvent(resourceType: string, physicalId: string, properties: Event, oldProperties: Event, more: Event = {}): Event {
  return createEvent(resourceType, properties, {
    RequestType: 'Update', PhysicalResourceId: physicalId, OldResourceProperties: oldProperties, ...more,
  });
}

export function deleteEvent(resourceType: string, physicalId: string, properties: Event, more: Event = {}): Event {
  return createEvent(resourceType, properties, { RequestType: 'Delete', PhysicalResourceId: physicalId, ...more });
}

/** Returns the properties of a Preflight of one domain. The given properties replace those of the template. */
export function preflightProperties({ Certificate, ...domain }: Event = {}): Event {
  return { ...Certificate === undefined ? {} : { Certificate }, Domains: [preflightDomain(domain)] };
}

/** Returns one of the domains of a Preflight. */
export function preflightDomain(more: Event = {}): Event {
  return {
    DomainName: DOMAIN,
    HostedZoneId: ZONE_ID,
    Policy: policyLines(POLICY_TEXT),
    Records: [
      { Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'Records' },
      { Name: 'mta-sts.example.com', Type: 'AAAA', LogicalId: 'Records' },
      { Name: '_mta-sts.example.com', Type: 'TXT', LogicalId: 'Announcement' },
      { Name: '_smtp._tls.example.com', Type: 'TXT', LogicalId: 'Records' },
    ],
    ...more,
  };
}

export function publicationProperties(more: Event = {}): Event {
  return {
    DomainName: DOMAIN,
    HostedZoneId: ZONE_ID,
    Policy: policyLines(POLICY_TEXT),
    PolicyHash: policyHash(POLICY_TEXT),
    BucketName: BUCKET,
    ObjectKey: KEY,
    ...more,
  };
}

export function verificationProperties(more: Event = {}): Event {
  return {
    DomainName: DOMAIN, HostedZoneId: ZONE_ID, Policy: policyLines(POLICY_TEXT), PolicyId: POLICY_ID, OnFailure: 'fail', ...more,
  };
}

export function lambdaContext(remaining = 840_000): LambdaContext {
  return { awsRequestId: 'c0c0c0c0-0000-0000-0000-000000000000', getRemainingTimeInMillis: () => remaining };
}

/** The AWS services that the function calls. */
export interface Aws {
  readonly acm: AwsClientStub<ACMClient>;
  readonly route53: AwsClientStub<Route53Client>;
  readonly s3: AwsClientStub<S3Client>;
  readonly cloudformation: AwsClientStub<CloudFormationClient>;
}

export interface AwsState {
  readonly zoneName?: string;
  readonly nameServers?: readonly string[];
  /** The record sets of the hosted zone. */
  readonly recordSets?: readonly ResourceRecordSet[];
  /** Number of record sets on a page of the Route 53 API. */
  readonly pageSize?: number;
  stackStatus?: StackStatus;
  /** Without resources, CloudFormation waits for the event that the function received last. */
  readonly stackResources?: readonly StackResource[];
}

export interface TestServices {
  readonly services: Services;
  readonly aws: Aws;
  /** The state from which AWS answers. A test may change the status of the stack. */
  readonly state: AwsState;
  readonly clock: FakeClock;
  /** The objects in S3, by `bucket/key`. */
  readonly objects: Map<string, string>;
  /** The parsed lines of the log. */
  readonly log: readonly LogEntry[];
}

export interface LogEntry {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Returns services in which AWS answers from the given state. DNS and HTTPS reject every call unless the test replaces them. */
export function testServices(given: AwsState = {}, parts: Partial<Services> = {}): TestServices {
  const state = { ...given };
  const options = { region: 'us-east-1', credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } };
  const clients = {
    acm: new ACMClient(options),
    route53: new Route53Client(options),
    s3: new S3Client(options),
    cloudformation: new CloudFormationClient(options),
  };
  const aws: Aws = {
    acm: mockClient(clients.acm),
    route53: mockClient(clients.route53),
    s3: mockClient(clients.s3),
    cloudformation: mockClient(clients.cloudformation),
  };
  answerRoute53(aws.route53, state);
  const objects = new Map<string, string>();
  answerS3(aws.s3, objects);
  const log: LogEntry[] = [];
  answerCloudFormation(aws.cloudformation, state, () => [...log].reverse().find(({ message }) => message === 'event received')?.event);
  const clock = new FakeClock();
  const services: Services = {
    ...clients,
    resolver: { query: (name, type) => Promise.reject(new Error(`this test has no DNS answer for ${name} ${type}`)) },
    fetchPolicy: ({ address }) => Promise.reject(new Error(`this test has no policy host at ${address}`)),
    clock,
    log: (line) => {
      const entry: LogEntry = JSON.parse(line) as LogEntry;
      log.push(entry);
    },
    ...parts,
  };
  return { services, aws, state, clock, objects, log };
}

/** Returns the context of an operation that has a minute. */
export function operationContext({ services, clock }: TestServices): OperationContext {
  const { signal } = new AbortController();
  return { services, log: createLog(services), activity: new Activity(), deadline: clock.now() + 60_000, signal };
}

/** Returns an error with the name that AWS would give it. */
export function awsError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
}

/** Stores objects in a map. Like S3, it is strongly consistent: a listing and a read see each write at once. */
export function answerS3(s3: Aws['s3'], objects: Map<string, string>): void {
  s3.on(PutObjectCommand).callsFake(({ Bucket, Key, Body, IfMatch, IfNoneMatch }: ObjectInput & Conditions & Content) => {
    const before = objects.get(`${Bucket}/${Key}`);
    if (IfMatch !== undefined && before === undefined) throw awsError('NoSuchKey', 'The specified key does not exist.');
    if ((IfMatch !== undefined && IfMatch !== etag(before)) || (IfNoneMatch === '*' && before !== undefined)) {
      throw awsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
    const text = Buffer.from(Body).toString('utf8');
    objects.set(`${Bucket}/${Key}`, text);
    return { ETag: etag(text) };
  });
  s3.on(DeleteObjectCommand).callsFake(({ Bucket, Key }: ObjectInput) => {
    objects.delete(`${Bucket}/${Key}`);
    return {};
  });
  s3.on(ListObjectsV2Command).callsFake(({ Bucket, Prefix, MaxKeys }: { Bucket: string; Prefix: string; MaxKeys: number }) => {
    const keys = [...objects].filter(([name]) => name.startsWith(`${Bucket}/${Prefix}`)).sort(([a], [b]) => a < b ? -1 : 1);
    const contents = keys.map(([name, text]) => ({ Key: name.slice(Bucket.length + 1), Size: Buffer.byteLength(text) }));
    return { Contents: contents.slice(0, MaxKeys) };
  });
  s3.on(GetObjectCommand).callsFake(({ Bucket, Key }: ObjectInput) => {
    const text = objects.get(`${Bucket}/${Key}`);
    if (text === undefined) throw awsError('NoSuchKey', 'The specified key does not exist.');
    return { ETag: etag(text), Body: { transformToByteArray: () => Promise.resolve(Buffer.from(text)) } };
  });
}

interface Content {
  readonly Body: string | Uint8Array;
}

/** The conditions of a conditional write to S3. */
interface Conditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** Returns the ETag that S3 gives an object of a single upload: the MD5 of its bytes. */
export function etag(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `"${createHash('md5').update(text).digest('hex')}"`;
}

function answerRoute53(route53: Aws['route53'], state: AwsState): void {
  route53.on(GetHostedZoneCommand).resolves({
    HostedZone: { Id: `/hostedzone/${ZONE_ID}`, Name: `${state.zoneName ?? DOMAIN}.`, CallerReference: 'x', Config: { PrivateZone: false } },
    DelegationSet: { NameServers: [...state.nameServers ?? NAME_SERVERS] },
  });
  route53.on(ListResourceRecordSetsCommand).callsFake((input: { StartRecordName: string; StartRecordType?: string }) => {
    return page(state, input.StartRecordName, input.StartRecordType ?? '');
  });
}

/** Returns a page as the Route 53 API does: sorted by reversed labels, from the requested name and type on, names after it included. */
function page(state: AwsState, name: string, type: string): Omit<ListResourceRecordSetsCommandOutput, '$metadata'> {
  const from = sortKey(name, type);
  const all = [...state.recordSets ?? []]
    .filter((set) => sortKey(set.Name ?? '', set.Type ?? '') >= from)
    .sort((a, b) => sortKey(a.Name ?? '', a.Type ?? '') < sortKey(b.Name ?? '', b.Type ?? '') ? -1 : 1);
  const size = state.pageSize ?? 100;
  const next = all.at(size);
  return {
    ResourceRecordSets: all.slice(0, size),
    IsTruncated: next !== undefined,
    NextRecordName: next?.Name,
    NextRecordType: next?.Type,
    MaxItems: size,
  };
}

function sortKey(name: string, type: string): string {
  const plain = name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return `${plain.replace(/\.$/, '').split('.').reverse().join('\x01')}\x00${type}`;
}

function answerCloudFormation(cloudformation: Aws['cloudformation'], state: AwsState, received: () => unknown): void {
  cloudformation.on(DescribeStacksCommand).callsFake(() => ({
    Stacks: [{ StackName: 'Mail', CreationTime: new Date(), StackStatus: state.stackStatus ?? 'CREATE_IN_PROGRESS' }],
  }));
  const waitsFor = (): { readonly LogicalResourceId: string; readonly ResourceStatus: string; readonly ResourceProperties: string } => {
    const { LogicalResourceId = '', RequestType = '', ResourceProperties } = received() as Readonly<Record<string, string | undefined>>;
    return { LogicalResourceId, ResourceStatus: `${RequestType.toUpperCase()}_IN_PROGRESS`, ResourceProperties: JSON.stringify(ResourceProperties) };
  };
  cloudformation.on(DescribeStackEventsCommand).callsFake(() => ({ StackEvents: [waitsFor()] }));
  cloudformation.on(DescribeStackResourcesCommand).callsFake((input: { StackName: string; LogicalResourceId: string }) => {
    if (state.stackResources === undefined && received() !== undefined && waitsFor().LogicalResourceId === input.LogicalResourceId) {
      return { StackResources: [waitsFor()] };
    }
    const found = (state.stackResources ?? []).filter(({ LogicalResourceId: id }) => id === input.LogicalResourceId);
    if (found.length > 0) return { StackResources: found };
    throw awsError('ValidationError', `Resource ${input.LogicalResourceId} does not exist for stack ${input.StackName}`);
  });
}

/** A DNS server on loopback. A test can replace its records, or the function that answers. */
export class TestDns {
  public static async start(address = '127.0.0.1', port?: number): Promise<TestDns> {
    const dns = new TestDns();
    dns.server = await startDnsServer({ address, port, answer: async (question) => dns.answer(question) });
    return dns;
  }

  public answer: DnsAnswerer = () => ({ rcode: 'REFUSED', answers: [], authorities: [], authoritative: false });
  private server: DnsServer | undefined;

  public get port(): number {
    return this.server?.port ?? 0;
  }

  /** Each question so far as `name type`. */
  public get asked(): readonly string[] {
    return (this.server?.queries ?? []).map(({ name, type }) => `${name} ${type}`);
  }

  public serve(...records: readonly DnsRecord[]): void {
    this.answer = zoneAnswers(records);
  }

  public resolver(): Resolver {
    return createResolver({ servers: [`127.0.0.1:${this.port}`], timeoutMs: 10_000, tries: 1 });
  }

  public async close(): Promise<void> {
    await this.server?.close();
  }
}

export function soa(name: string): DnsRecord {
  const data = { mname: 'ns.test', rname: 'hostmaster.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
  return { name, type: 'SOA', ttl: 60, data };
}

export function record(name: string, type: 'A' | 'AAAA' | 'NS' | 'CNAME', data: string): DnsRecord {
  return { name, type, ttl: 60, data };
}

export function txt(name: string, ...data: readonly string[]): DnsRecord {
  return { name, type: 'TXT', ttl: 60, data };
}

export function mx(name: string, exchange: string, preference = 10): DnsRecord {
  return { name, type: 'MX', ttl: 60, data: { preference, exchange } };
}

export function caa(name: string, tag: string, value: string, critical = false): DnsRecord {
  return { name, type: 'CAA', ttl: 60, data: { critical, tag, value } };
}

/** Returns the error with which a promise rejects. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('the promise should reject, but it resolved');
}
