// A model of CloudFormation for one Publication and its record: it creates, updates, rolls back and deletes, and events come late, twice,
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
import { Broken, served } from './sender-model';
import type { Served } from './sender-model';
import { BUCKET, KEY, HISTORY_KEY, OBJECT_URL, RESOURCE, awsError, etag, createEvent, lambdaContext, publicationProperties, testServices } from './deployment';
import type { Event } from './deployment';

const TYPE = 'Custom::MtaStsPublication';
const FILE = `${BUCKET}/${KEY}`;
const LEDGER = `${BUCKET}/${HISTORY_KEY}`;

export const POLICIES: readonly Served[] = ['mx1.example.com', 'mx2.example.com', 'mx3.example.com'].map((host) => {
  return served({ mode: 'enforce', maxAge: 86_400, mx: [host] });
});

/** What becomes of the event of a step. */
export type Fate
  = | 'answered'
    /** It never comes while CloudFormation waits. */
    | 'lost'
    /** The function works on it, and CloudFormation never gets the answer. */
    | 'unheard'
    /** No edge serves the file. */
    | 'not live'
    /** The file is live, and something after it fails: the record, or the verification. */
    | 'fails later';

/** What the stack is asked to do. */
export type Order
  = | { readonly kind: 'deploy'; readonly policy: number; readonly fate: Fate; readonly rollback: readonly Fate[] }
    | { readonly kind: 'remove'; readonly fates: readonly Fate[] };

/** What the commands of the SDK are given. */
interface CommandInput {
  readonly Key?: string;
  readonly Prefix?: string;
  readonly Body?: string | Uint8Array;
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** How an event comes that CloudFormation sent before. */
interface Ghost {
  readonly done: Promise<void>;
}

interface Resource {
  status: string;
  physicalId?: string;
  /** What the template says. */
  policy: Served;
  /** The attribute `PolicyId`, as it was answered last. */
  id?: string;
}

/** One stack; `next` decides all that is left to chance. */
export class StackModel {
  /** How often something happened, so that it is known that it did. */
  public static readonly seen = { ghosts: 0, refused: 0, rollbacks: 0, answers: 0 };

  private readonly made = testServices({}, {
    resolver: plainDns(() => ['mx1.example.com']),
    fetchPolicy: async () => {
      await this.tick();
      return serving(this.isLive ? this.made.objects.get(FILE) : undefined);
    },
    log: () => undefined,
  });

  private readonly handler: Handler = createHandler(this.made.services);
  private next: () => number = () => 0;
  private resource: Resource | undefined;
  private stackStatus = 'CREATE_COMPLETE';
  private events: { LogicalResourceId: string; ResourceStatus: string; ResourceProperties: string }[] = [];
  private sent: Event[] = [];
  private ghosts: Ghost[] = [];
  private record: string | undefined;
  private isLive = true;
  private requests = 0;
  private answered: string[] = [];

  constructor() {
    const { s3, cloudformation, route53 } = this.made.services;
    // In place of the SDK's mocks, which keep every call. Each call takes a while, so that events that run at once cross each other
    // anywhere.
    for (const client of [s3, cloudformation, route53]) {
      Object.assign(client, { send: async (command: { readonly input: CommandInput }) => {
        await this.tick();
        return this.answer(command);
      } });
    }
  }

  /** A new stack, with nothing in it. */
  public async run(orders: readonly Order[], next: () => number): Promise<void> {
    this.next = next;
    try {
      for (const order of orders) {
        await this.obey(order);
        await this.haunt(0.3);
      }
      await this.settled();
      this.check();
      // All that was ever sent, once more, in any order.
      await this.haunt(0.5);
      await this.settled();
      this.check();
    } finally {
      await this.settled();
      this.reset();
    }
  }

  private async settled(): Promise<void> {
    await Promise.all(this.ghosts.map(async ({ done }) => done));
  }

  private reset(): void {
    this.made.objects.clear();
    this.resource = undefined;
    this.record = undefined;
    this.events = [];
    this.sent = [];
    this.ghosts = [];
    this.answered = [];
    this.isLive = true;
  }

  private async obey(order: Order): Promise<void> {
    if (order.kind === 'remove') {
      await this.remove(order.fates);
      return;
    }
    const policy = POLICIES.at(order.policy);
    if (policy === undefined) throw new Broken(`the model has no policy ${order.policy}`);
    if (this.resource === undefined) await this.create(policy, order.fate, order.rollback);
    else if (this.resource.policy !== policy) await this.update(policy, order.fate, order.rollback);
  }

  private async create(policy: Served, fate: Fate, rollback: readonly Fate[]): Promise<void> {
    this.resource = { status: 'CREATE_IN_PROGRESS', policy };
    this.stackStatus = 'UPDATE_IN_PROGRESS';
    const id = await this.send('Create', propertiesOf(policy), {}, fate);
    if (id !== undefined) {
      Object.assign(this.resource, { status: 'CREATE_COMPLETE', physicalId: OBJECT_URL, id });
      if (fate !== 'fails later') {
        this.announce(id);
        return;
      }
    } else {
      this.resource.status = 'CREATE_FAILED';
    }
    this.stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
    StackModel.seen.rollbacks += 1;
    // The provider framework keeps from the function the Delete of a Create that it has answered as failed.
    if (id === undefined && fate === 'not live') this.resource = undefined;
    else await this.remove(rollback);
  }

  private async update(policy: Served, fate: Fate, rollback: readonly Fate[]): Promise<void> {
    const { resource } = this;
    if (resource === undefined) return;
    const before = resource.policy;
    this.stackStatus = 'UPDATE_IN_PROGRESS';
    resource.status = 'UPDATE_IN_PROGRESS';
    const old = this.record;
    const id = await this.send('Update', propertiesOf(policy), { OldResourceProperties: propertiesOf(before), PhysicalResourceId: OBJECT_URL }, fate);
    if (id !== undefined) {
      Object.assign(resource, { status: 'UPDATE_COMPLETE', policy, id });
      if (fate !== 'fails later' || this.next() < 0.5) this.announce(id);
      if (fate !== 'fails later') return;
    } else {
      resource.status = 'UPDATE_FAILED';
    }
    StackModel.seen.rollbacks += 1;
    // A rollback whose event is lost fails, and is continued.
    for (const one of [...rollback, 'answered' as const]) {
      this.stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
      resource.status = 'UPDATE_IN_PROGRESS';
      const more = { OldResourceProperties: propertiesOf(policy), PhysicalResourceId: OBJECT_URL };
      const back = await this.send('Update', propertiesOf(before), more, one === 'lost' || one === 'unheard' ? one : 'answered');
      resource.status = back === undefined ? 'UPDATE_FAILED' : 'UPDATE_COMPLETE';
      if (back === undefined) continue;
      resource.policy = before;
      resource.id = back;
      // The attribute is read again, or the record has what it had before.
      this.record = this.next() < 0.5 ? back : old;
      break;
    }
  }

  private async remove(fates: readonly Fate[]): Promise<void> {
    const { resource } = this;
    if (resource === undefined) return;
    this.record = undefined;
    for (const fate of [...fates, 'answered' as const]) {
      resource.status = 'DELETE_IN_PROGRESS';
      const more = { PhysicalResourceId: resource.physicalId ?? 'Mail-Publication-1XYZ' };
      const done = await this.send('Delete', propertiesOf(resource.policy), more, fate === 'lost' || fate === 'unheard' ? fate : 'answered');
      if (done !== undefined) break;
      resource.status = 'DELETE_FAILED';
    }
    this.resource = undefined;
    // The ledger is gone as well: from here on the clock alone makes ids later.
    await this.made.clock.sleep(2000);
  }

  /** @returns the id that CloudFormation is told, an empty one of a Delete; undefined of a failure or no answer at all */
  private async send(RequestType: string, properties: Event, more: Event, fate: Fate): Promise<string | undefined> {
    this.requests += 1;
    const event = createEvent(TYPE, properties, { ...more, RequestType, RequestId: `request-${this.requests}` });
    const { ResourceProperties } = event;
    const ResourceStatus = `${RequestType.toUpperCase()}_IN_PROGRESS`;
    this.events.unshift({ LogicalResourceId: RESOURCE, ResourceStatus, ResourceProperties: JSON.stringify(ResourceProperties) });
    await this.haunt(0.15);
    const answer = fate === 'lost' ? undefined : await this.work(event, fate);
    this.sent.push(event);
    return answer;
  }

  private async work(event: Event, fate: Fate): Promise<string | undefined> {
    this.isLive = fate !== 'not live';
    const twice = this.next() < 0.2;
    const answers = [this.handle(event), ...twice ? [this.handle(event)] : []];
    await this.haunt(0.15);
    // The first answer is the one that counts.
    const answer = await Promise.race(answers);
    if (twice) this.ghosts.push({ done: Promise.all(answers).then(() => undefined) });
    if (fate === 'not live') await Promise.all(answers);
    this.isLive = true;
    return fate === 'unheard' ? undefined : answer;
  }

  /** Brings back events that were sent before; some take so long that the stack goes on meanwhile. */
  private async haunt(chance: number): Promise<void> {
    for (const event of this.sent.filter(() => this.next() < chance)) {
      StackModel.seen.ghosts += 1;
      const done = this.handle(event).then((id) => {
        if (id === undefined) StackModel.seen.refused += 1;
      });
      this.ghosts.push({ done });
      // A Delete is two calls; what comes between them no function could know.
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

  private announce(id: string): void {
    StackModel.seen.answers += 1;
    if (hashOfPolicyId(id) !== this.resource?.policy.hash) throw new Broken(`the id ${id} does not name the policy of the template`);
    if (!this.answered.includes(id) && this.answered.some((used) => used >= id)) throw new Broken(`the id ${id} is not later than all before it`);
    this.answered.push(id);
    this.record = id;
  }

  /** What CloudFormation holds is what senders get. */
  private check(): void {
    const { objects } = this.made;
    const file = objects.get(FILE);
    if (this.resource === undefined) {
      if (objects.size > 0) throw new Broken(`left in the bucket: ${[...objects.keys()].join(', ')}`);
      return;
    }
    const { policy, id } = this.resource;
    if (file !== policy.text) throw new Broken(`the template says ${policy.mx[0]}, the file says ${String(file)}`);
    if (this.record === undefined || hashOfPolicyId(this.record) !== policy.hash) throw new Broken(`the record has ${this.record}, which does not name the file`);
    const reading = parseHistory(Buffer.from(objects.get(LEDGER) ?? ''));
    if ('problem' in reading) throw new Broken(`the ledger ${reading.problem}`);
    const last = reading.history.entries.at(-1);
    if (last?.hash !== policy.hash || last.id !== id || last.confirmedLiveAt === undefined) {
      throw new Broken(`the ledger says ${JSON.stringify(last)}, CloudFormation has the attribute ${String(id)}`);
    }
  }

  private answer(command: { readonly input: CommandInput }): unknown {
    if (command instanceof DescribeStacksCommand) return { Stacks: [{ StackStatus: this.stackStatus }] };
    if (command instanceof DescribeStackEventsCommand) return { StackEvents: this.events };
    if (command instanceof DescribeStackResourcesCommand) return { StackResources: [this.described()] };
    if (command instanceof GetHostedZoneCommand) return { HostedZone: { Name: 'example.com.' }, DelegationSet: { NameServers: ['ns.test'] } };
    if (command instanceof ListResourceRecordSetsCommand) {
      const Value = `"v=STSv1; id=${this.record};"`;
      const found = { Name: '_mta-sts.example.com.', Type: 'TXT', ResourceRecords: [{ Value }] };
      return { ResourceRecordSets: this.record === undefined ? [] : [found] };
    }
    return this.bucket(command);
  }

  private described(): unknown {
    if (this.resource === undefined) throw awsError('ValidationError', `Resource ${RESOURCE} does not exist for stack Mail`);
    return { LogicalResourceId: RESOURCE, ResourceStatus: this.resource.status, PhysicalResourceId: this.resource.physicalId };
  }

  /** S3, with conditional writes. */
  private bucket(command: { readonly input: CommandInput }): unknown {
    const { Key = '', Body = '', IfMatch, IfNoneMatch, Prefix = '' } = command.input;
    const { objects } = this.made;
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
    if (!(command instanceof PutObjectCommand)) throw new Broken(`nobody answers ${command.constructor.name}`);
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

function propertiesOf({ text, hash }: Served): Event {
  return publicationProperties({ Policy: policyLines(text), PolicyHash: hash });
}
