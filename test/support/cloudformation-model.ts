// A model of CloudFormation for one Publication and its record: it creates, updates, rolls back and deletes. Events arrive late, twice,
// out of order or never. The handler is the real one.
import { DescribeStackEventsCommand, DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { Handler } from '../../lib/functions/deployment/handler';
import { parseHistory } from '../../lib/operations/history/format';
import { hashOfPolicyId } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import { plainDns, serving } from './plain-services';
import { BrokenAssertion, servedPolicy } from './sender-model';
import type { Served } from './sender-model';
import { BUCKET, KEY, HISTORY_KEY, OBJECT_URL, RESOURCE, awsError, etag, createEvent, lambdaContext, publicationProperties, testServices } from './deployment';
import type { Event } from './deployment';

const TYPE = 'Custom::MtaStsPublication';
const FILE = `${BUCKET}/${KEY}`;
const HISTORY = `${BUCKET}/${HISTORY_KEY}`;

export const POLICIES: readonly Served[] = ['mx1.example.com', 'mx2.example.com', 'mx3.example.com'].map((host) => {
  return servedPolicy({ mode: 'enforce', maxAge: 86_400, mx: [host] });
});

/** The outcome of one event. */
export type EventOutcome
  = | 'answered'
    /** The event does not arrive while CloudFormation waits. */
    | 'lost'
    /** The function handles it, and CloudFormation never receives the answer. */
    | 'answer lost'
    /** No address serves the file. */
    | 'not live'
    /** The file is live, and a later resource fails: the record or the verification. */
    | 'fails later';

/** A deployment of the stack. */
export type Order
  = | { readonly kind: 'deploy'; readonly policy: number; readonly outcome: EventOutcome; readonly rollback: readonly EventOutcome[] }
    | { readonly kind: 'remove'; readonly outcomes: readonly EventOutcome[] };

/** The input of the commands of the SDK. */
interface CommandInput {
  readonly Key?: string;
  readonly Prefix?: string;
  readonly Body?: string | Uint8Array;
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** An event that CloudFormation sent before and that arrives again. */
interface Redelivery {
  /** Settles when the handler has answered. */
  readonly done: Promise<void>;
}

interface Resource {
  status: string;
  physicalId?: string;
  /** The policy in the template. */
  policy: Served;
  /** The attribute `PolicyId` of the last answer. */
  id?: string;
}

/** One stack. `next` makes all random decisions. */
export class StackModel {
  /** Counts of the cases that the model produced. A count of zero would prove nothing. */
  public static readonly seen = { redeliveries: 0, refused: 0, rollbacks: 0, answers: 0 };

  private readonly environment = testServices({}, {
    resolver: plainDns(() => ['mx1.example.com']),
    fetchPolicy: async () => {
      await this.tick();
      return serving(this.isLive ? this.environment.objects.get(FILE) : undefined);
    },
    log: () => undefined,
  });

  private readonly handler: Handler = createHandler(this.environment.services);
  private next: () => number = () => 0;
  private resource: Resource | undefined;
  private stackStatus = 'CREATE_COMPLETE';
  private events: { LogicalResourceId: string; ResourceStatus: string; ResourceProperties: string }[] = [];
  private sent: Event[] = [];
  private redeliveries: Redelivery[] = [];
  private record: string | undefined;
  private isLive = true;
  private requests = 0;
  private returnedIds: string[] = [];

  constructor() {
    const { s3, cloudformation, route53 } = this.environment.services;
    // Replaces the SDK's mocks, because they keep every call in memory. Each call takes some turns, so that concurrent events interleave at
    // any point.
    for (const client of [s3, cloudformation, route53]) {
      Object.assign(client, { send: async (command: { readonly input: CommandInput }) => {
        await this.tick();
        return this.answer(command);
      } });
    }
  }

  /** Runs the orders on a new, empty stack. */
  public async run(orders: readonly Order[], next: () => number): Promise<void> {
    this.next = next;
    try {
      for (const order of orders) {
        await this.execute(order);
        await this.redeliver(0.3);
      }
      await this.settle();
      this.check();
      // Deliver half of the earlier events again, in any order.
      await this.redeliver(0.5);
      await this.settle();
      this.check();
    } finally {
      await this.settle();
      this.reset();
    }
  }

  private async settle(): Promise<void> {
    await Promise.all(this.redeliveries.map(async ({ done }) => done));
  }

  private reset(): void {
    this.environment.objects.clear();
    this.resource = undefined;
    this.record = undefined;
    this.events = [];
    this.sent = [];
    this.redeliveries = [];
    this.returnedIds = [];
    this.isLive = true;
  }

  private async execute(order: Order): Promise<void> {
    if (order.kind === 'remove') {
      await this.remove(order.outcomes);
      return;
    }
    const policy = POLICIES.at(order.policy);
    if (policy === undefined) throw new BrokenAssertion(`the model has no policy ${order.policy}`);
    if (this.resource === undefined) await this.create(policy, order.outcome, order.rollback);
    else if (this.resource.policy !== policy) await this.update(policy, order.outcome, order.rollback);
  }

  private async create(policy: Served, outcome: EventOutcome, rollback: readonly EventOutcome[]): Promise<void> {
    this.resource = { status: 'CREATE_IN_PROGRESS', policy };
    this.stackStatus = 'UPDATE_IN_PROGRESS';
    const id = await this.send('Create', templateProperties(policy), {}, outcome);
    if (id !== undefined) {
      Object.assign(this.resource, { status: 'CREATE_COMPLETE', physicalId: OBJECT_URL, id });
      if (outcome !== 'fails later') {
        this.publishRecord(id);
        return;
      }
    } else {
      this.resource.status = 'CREATE_FAILED';
    }
    this.stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
    StackModel.seen.rollbacks += 1;
    // The provider framework does not pass the Delete on to the function after a failed Create.
    if (id === undefined && outcome === 'not live') this.resource = undefined;
    else await this.remove(rollback);
  }

  private async update(policy: Served, outcome: EventOutcome, rollback: readonly EventOutcome[]): Promise<void> {
    const { resource } = this;
    if (resource === undefined) return;
    const before = resource.policy;
    this.stackStatus = 'UPDATE_IN_PROGRESS';
    resource.status = 'UPDATE_IN_PROGRESS';
    const old = this.record;
    const id = await this.send('Update', templateProperties(policy), { OldResourceProperties: templateProperties(before), PhysicalResourceId: OBJECT_URL }, outcome);
    if (id !== undefined) {
      Object.assign(resource, { status: 'UPDATE_COMPLETE', policy, id });
      if (outcome !== 'fails later' || this.next() < 0.5) this.publishRecord(id);
      if (outcome !== 'fails later') return;
    } else {
      resource.status = 'UPDATE_FAILED';
    }
    StackModel.seen.rollbacks += 1;
    // A rollback fails when its event is lost. Then it is continued.
    for (const one of [...rollback, 'answered' as const]) {
      this.stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
      resource.status = 'UPDATE_IN_PROGRESS';
      const fields = { OldResourceProperties: templateProperties(policy), PhysicalResourceId: OBJECT_URL };
      const back = await this.send('Update', templateProperties(before), fields, one === 'lost' || one === 'answer lost' ? one : 'answered');
      resource.status = back === undefined ? 'UPDATE_FAILED' : 'UPDATE_COMPLETE';
      if (back === undefined) continue;
      resource.policy = before;
      resource.id = back;
      // CloudFormation gives the record the new attribute or its value from before.
      this.record = this.next() < 0.5 ? back : old;
      break;
    }
  }

  private async remove(outcomes: readonly EventOutcome[]): Promise<void> {
    const { resource } = this;
    if (resource === undefined) return;
    this.record = undefined;
    for (const outcome of [...outcomes, 'answered' as const]) {
      resource.status = 'DELETE_IN_PROGRESS';
      const fields = { PhysicalResourceId: resource.physicalId ?? 'Mail-Publication-1XYZ' };
      const done = await this.send('Delete', templateProperties(resource.policy), fields, outcome === 'lost' || outcome === 'answer lost' ? outcome : 'answered');
      if (done !== undefined) break;
      resource.status = 'DELETE_FAILED';
    }
    this.resource = undefined;
    // The publication history is deleted as well, so only the clock makes later ids larger.
    await this.environment.clock.sleep(2000);
  }

  /** @returns the id that CloudFormation receives, empty for a Delete; undefined for a failure or without an answer */
  private async send(RequestType: string, properties: Event, fields: Event, outcome: EventOutcome): Promise<string | undefined> {
    this.requests += 1;
    const event = createEvent(TYPE, properties, { ...fields, RequestType, RequestId: `request-${this.requests}` });
    const { ResourceProperties } = event;
    const ResourceStatus = `${RequestType.toUpperCase()}_IN_PROGRESS`;
    this.events.unshift({ LogicalResourceId: RESOURCE, ResourceStatus, ResourceProperties: JSON.stringify(ResourceProperties) });
    await this.redeliver(0.15);
    const answer = outcome === 'lost' ? undefined : await this.deliver(event, outcome);
    this.sent.push(event);
    return answer;
  }

  private async deliver(event: Event, outcome: EventOutcome): Promise<string | undefined> {
    this.isLive = outcome !== 'not live';
    const isDeliveredTwice = this.next() < 0.2;
    const answers = [this.handle(event), ...isDeliveredTwice ? [this.handle(event)] : []];
    await this.redeliver(0.15);
    // CloudFormation uses the first answer.
    const answer = await Promise.race(answers);
    if (isDeliveredTwice) this.redeliveries.push({ done: Promise.all(answers).then(() => undefined) });
    if (outcome === 'not live') await Promise.all(answers);
    this.isLive = true;
    return outcome === 'answer lost' ? undefined : answer;
  }

  /** Delivers earlier events again. The stack does not wait for some of them. */
  private async redeliver(chance: number): Promise<void> {
    for (const event of this.sent.filter(() => this.next() < chance)) {
      StackModel.seen.redeliveries += 1;
      const done = this.handle(event).then((id) => {
        if (id === undefined) StackModel.seen.refused += 1;
      });
      this.redeliveries.push({ done });
      // A Delete makes two calls. No function could know of an event between them.
      if (event.RequestType === 'Delete' || this.next() < 0.5) await done;
    }
  }

  private async handle(event: Event): Promise<string | undefined> {
    try {
      const { Data: data } = await this.handler(event, lambdaContext(80_000));
      return data?.PolicyId ?? '';
    } catch {
      return undefined;
    }
  }

  private publishRecord(id: string): void {
    StackModel.seen.answers += 1;
    if (hashOfPolicyId(id) !== this.resource?.policy.hash) throw new BrokenAssertion(`the id ${id} does not contain the hash of the policy in the template`);
    if (!this.returnedIds.includes(id) && this.returnedIds.some((used) => used >= id)) throw new BrokenAssertion(`the id ${id} is not later than all earlier ids`);
    this.returnedIds.push(id);
    this.record = id;
  }

  /** Compares the state of CloudFormation with the file, the record and the publication history. */
  private check(): void {
    const { objects } = this.environment;
    const file = objects.get(FILE);
    if (this.resource === undefined) {
      if (objects.size > 0) throw new BrokenAssertion(`left in the bucket: ${[...objects.keys()].join(', ')}`);
      return;
    }
    const { policy, id } = this.resource;
    if (file !== policy.text) throw new BrokenAssertion(`the template has ${policy.mx[0]}, the file has ${String(file)}`);
    if (this.record === undefined || hashOfPolicyId(this.record) !== policy.hash) throw new BrokenAssertion(`the id in the record, ${this.record}, does not contain the hash of the file`);
    const reading = parseHistory(Buffer.from(objects.get(HISTORY) ?? ''));
    if ('problem' in reading) throw new BrokenAssertion(`the publication history ${reading.problem}`);
    const last = reading.history.entries.at(-1);
    if (last?.hash !== policy.hash || last.id !== id || last.confirmedLiveAt === undefined) {
      throw new BrokenAssertion(`the publication history ends with ${JSON.stringify(last)}, and CloudFormation has the attribute ${String(id)}`);
    }
  }

  private answer(command: { readonly input: CommandInput }): unknown {
    if (command instanceof DescribeStacksCommand) return { Stacks: [{ StackStatus: this.stackStatus }] };
    if (command instanceof DescribeStackEventsCommand) return { StackEvents: this.events };
    if (command instanceof DescribeStackResourcesCommand) return { StackResources: [this.describeResource()] };
    if (command instanceof GetHostedZoneCommand) return { HostedZone: { Name: 'example.com.' }, DelegationSet: { NameServers: ['ns.test'] } };
    if (command instanceof ListResourceRecordSetsCommand) {
      const Value = `"v=STSv1; id=${this.record};"`;
      const found = { Name: '_mta-sts.example.com.', Type: 'TXT', ResourceRecords: [{ Value }] };
      return { ResourceRecordSets: this.record === undefined ? [] : [found] };
    }
    return this.answerS3(command);
  }

  private describeResource(): unknown {
    if (this.resource === undefined) throw awsError('ValidationError', `Resource ${RESOURCE} does not exist for stack Mail`);
    return { LogicalResourceId: RESOURCE, ResourceStatus: this.resource.status, PhysicalResourceId: this.resource.physicalId };
  }

  /** Answers as S3 does, with conditional writes. */
  private answerS3(command: { readonly input: CommandInput }): unknown {
    const { Key = '', Body = '', IfMatch, IfNoneMatch, Prefix = '' } = command.input;
    const { objects } = this.environment;
    const text = objects.get(`${BUCKET}/${Key}`);
    if (command instanceof ListObjectsV2Command) {
      const listed = objects.get(`${BUCKET}/${Prefix}`);
      return { Contents: listed === undefined ? [] : [{ Key: Prefix, Size: listed.length }] };
    }
    if (command instanceof DeleteObjectCommand) return { deleted: objects.delete(`${BUCKET}/${Key}`) };
    if (command instanceof GetObjectCommand) {
      if (text === undefined) throw awsError('NoSuchKey', 'The specified key does not exist.');
      return { ETag: etag(text), Body: { transformToByteArray: () => Promise.resolve(Buffer.from(text)) } };
    }
    if (!(command instanceof PutObjectCommand)) throw new BrokenAssertion(`the model has no answer to ${command.constructor.name}`);
    if (IfMatch !== undefined && text === undefined) throw awsError('NoSuchKey', 'The specified key does not exist.');
    if ((IfMatch !== undefined && IfMatch !== etag(text)) || (IfNoneMatch !== undefined && text !== undefined)) {
      throw awsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
    objects.set(`${BUCKET}/${Key}`, Buffer.from(Body).toString('utf8'));
    return { ETag: etag(Buffer.from(Body).toString('utf8')) };
  }

  private async tick(): Promise<void> {
    for (let left = Math.floor(this.next() * 4); left > 0; left -= 1) await Promise.resolve();
  }
}

function templateProperties({ text, hash }: Served): Event {
  return publicationProperties({ Policy: policyLines(text), PolicyHash: hash });
}
