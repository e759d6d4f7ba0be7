// A simple model of what senders do with policies (RFC 8461 §3, §5), and of the world that they and the function share.
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import type { MxConflict } from '../../lib/operations/history/history';
import { mxCoverage } from '../../lib/protocol/mx/coverage';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import type { Policy } from '../../lib/protocol/policy/policy';
import { hashOfPolicyId, policyHash } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import type { PolicyResponse } from '../../lib/verifier/https/policy-response';
import { plainDns, serving } from './plain-services';
import { BUCKET, KEY, OBJECT_URL, createEvent, deleteEvent, failure, lambdaContext, publicationProperties, testServices, updateEvent } from './deployment';
import type { Event, TestServices } from './deployment';

const TYPE = 'Custom::MtaStsPublication';
const MINUTE = 60_000;

/** From the file at the edge to the last resolver that gives the old record, at most. */
const LAG = 50 * MINUTE;

/** A fetch on its way, and a clock that is wrong, at most. */
const SKEW = 6 * MINUTE;

/** A policy as it is served. */
export interface Served extends Policy {
  readonly hash: string;
  readonly text: string;
}

export function served(policy: Policy): Served {
  const text = renderPolicy(policy);
  return { ...policy, text, hash: policyHash(text) };
}

interface Cached {
  readonly policy: Served;
  /** The id of the record by which it was fetched. */
  readonly id: string;
  readonly fetched: number;
  expires: number;
}

/** One id that resolvers may give. */
interface Announced {
  readonly id: string;
  /** When none gives it any more. */
  until: number;
}

/** How a deployment goes. */
export type Course
  = | 'well'
    /** The event comes once more, later. */
    | 'again'
    /** The event comes twice at the same time. */
    | 'doubled'
    /** The file never becomes live; CloudFormation rolls back. */
    | 'not live'
    /** So it is, and the file of the rollback is not seen live either. */
    | 'never live'
    /** The file is live, and another resource fails before the record is changed. */
    | 'not announced'
    /** The record is changed, and the verification fails. */
    | 'taken back';

/** Numbers from 0 to 1 that a seed decides. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What was found that must not be. */
export class Broken extends Error {}

export class Senders {
  public mx: readonly string[];
  /** Whether warnings can be complete: not where a ledger was lost. */
  public complete = true;
  /** The value of the attribute, as the last answer had it. */
  public removal: string | undefined;
  /** How often a claim was put to the test, so that it is known that it was. */
  public readonly tried = { removal: 0, refusal: 0, prolonged: 0 };
  private readonly made: TestServices;
  private readonly caches: (Cached | undefined)[] = Array.from({ length: 8 }, () => undefined);
  /** What an edge may serve; one of them once the function has seen it everywhere. */
  private edge: Served[] = [];
  private announced: Announced[] = [];
  private deployed: Served | undefined;
  /** The id that the record of `deployed` has. */
  private deployedId = '';
  /** Every id that was answered, in order. */
  private readonly answered: string[] = [];
  /** When the construct published first: of what senders hold from before nothing is said. */
  private begun = 0;
  /** When the function sees what it has put; never, or after so many looks. */
  private looks = 0;
  private last: { readonly mx: readonly string[]; readonly logged: number } | undefined;

  constructor(private readonly policies: readonly Served[], mx: readonly string[], private readonly next: () => number) {
    this.mx = mx;
    this.made = testServices({ stackStatus: 'UPDATE_IN_PROGRESS' }, {
      resolver: plainDns(() => this.mx),
      fetchPolicy: async () => Promise.resolve(this.look()),
    });
    const { s3 } = this.made.aws;
    const put = s3.on(PutObjectCommand, { Bucket: BUCKET, Key: KEY });
    put.callsFake(({ Body }: { Body: Uint8Array }) => {
      const text = Buffer.from(Body).toString('utf8');
      this.edge.push(...this.policies.filter((policy) => policy.text === text));
      this.act();
      return {};
    });
    s3.on(DeleteObjectCommand, { Bucket: BUCKET, Key: KEY }).callsFake(() => {
      this.edge = [];
      return {};
    });
  }

  /** Whether it is time: no sender holds what would make a removal refuse mail. */
  public get removable(): boolean {
    return this.moment !== undefined && this.moment < this.now;
  }

  private get moment(): number | undefined {
    return this.removal !== undefined && /^\d{4}-/.test(this.removal) ? Date.parse(this.removal.slice(0, 20)) : undefined;
  }

  public get now(): number {
    return this.made.clock.now();
  }

  /** The text of the ledger, to damage it. */
  public get objects(): Map<string, string> {
    return this.made.objects;
  }

  public async publish(policy: Served, course: Course): Promise<void> {
    const before = this.deployed;
    if (before === undefined) this.begun = this.now;
    const properties = propertiesOf(policy);
    const event = before === undefined ? createEvent(TYPE, properties) : updateEvent(TYPE, OBJECT_URL, properties, propertiesOf(before));
    const fails = course === 'not live' || course === 'never live';
    const id = await this.event(event, policy, course === 'doubled' ? 2 : 1, fails);
    if (id === undefined) {
      await this.rollBack(policy, before, course === 'never live');
      return;
    }
    await this.wait(this.next() * 10 * MINUTE);
    if (course !== 'not announced') {
      this.announce(id);
      // The old record fades.
      await this.wait(this.next() * LAG);
    }
    if (course === 'not announced' || course === 'taken back') {
      await this.rollBack(policy, before, false);
      return;
    }
    this.deployed = policy;
    this.deployedId = id;
    if (course === 'again') {
      await this.wait(this.next() * 30 * MINUTE);
      const again = await this.event(event, policy, 1, false);
      if (again !== id) throw new Broken(`the same event had the id ${id}, and then ${again}`);
    }
  }

  /** Lets time pass until the first moment at which it may be taken away, where that is known. */
  public async waitForRemoval(): Promise<void> {
    const { moment = 0 } = this;
    if (moment >= this.now) await this.wait(moment + 4 - this.now);
  }

  /** Takes MTA-STS away: the record first, the file when no resolver gives the record any more. */
  public async withdraw(): Promise<void> {
    this.retire();
    await this.wait(LAG);
    await this.delete();
  }

  public async wait(milliseconds: number): Promise<void> {
    for (let step = 0; step < 4; step += 1) {
      await this.made.clock.sleep(Math.ceil(milliseconds / 4));
      this.act();
    }
  }

  private async rollBack(failed: Served, before: Served | undefined, unseen: boolean): Promise<void> {
    if (before === undefined) {
      this.retire();
      await this.wait(LAG);
      await this.delete();
      return;
    }
    const id = await this.event(updateEvent(TYPE, OBJECT_URL, propertiesOf(before), propertiesOf(failed)), before, 1, unseen, true);
    // CloudFormation may give the record the new attribute, or what it had before.
    if (id !== undefined && this.next() < 0.5) this.deployedId = id;
    this.announce(this.deployedId);
    this.deployed = before;
  }

  private async delete(): Promise<void> {
    await createHandler(this.made.services)(deleteEvent(TYPE, OBJECT_URL, {}), lambdaContext());
    if (this.made.objects.size > 0) throw new Broken(`left in the bucket: ${[...this.made.objects.keys()].join(', ')}`);
    this.deployed = undefined;
    this.removal = undefined;
    this.last = undefined;
    this.complete = true;
  }

  /** @returns the id that CloudFormation is told; undefined where it is told of a failure */
  private async event(event: Event, policy: Served, times: number, fails: boolean, rollingBack = false): Promise<string | undefined> {
    this.looks = fails ? Infinity : Math.floor(this.next() * 3);
    this.last = { mx: this.mx, logged: this.made.log.length };
    this.removal = undefined;
    const handle = async (): Promise<HandlerAnswer> => createHandler(this.made.services)(event, lambdaContext());
    if (fails && !rollingBack) {
      await failure(handle());
      this.act();
      return undefined;
    }
    if (rollingBack) this.status('UPDATE_ROLLBACK_IN_PROGRESS');
    const answers = await Promise.all(Array.from({ length: times }, handle));
    this.status('UPDATE_IN_PROGRESS');
    this.removal = answers.at(-1)?.Data?.EarliestRemoval;
    this.act();
    const ids = new Set(answers.map(({ Data: data }) => data?.PolicyId ?? ''));
    const [id = ''] = ids;
    if (ids.size !== 1 || hashOfPolicyId(id) !== policy.hash) throw new Broken(`the ids ${[...ids].join(', ')} do not name ${policy.hash}`);
    if (id !== this.answered.at(-1) && this.answered.some((used) => used >= id)) throw new Broken(`the id ${id} is not later than all before it`);
    this.answered.push(id);
    return id;
  }

  private status(StackStatus: 'UPDATE_IN_PROGRESS' | 'UPDATE_ROLLBACK_IN_PROGRESS'): void {
    this.made.state.stackStatus = StackStatus;
  }

  private announce(id: string): void {
    this.retire();
    this.announced.push({ id, until: Infinity });
  }

  private retire(): void {
    const gone = this.now + (this.next() < 0.5 ? 1 : this.next()) * LAG;
    for (const one of this.announced) one.until = Math.min(one.until, gone);
    this.announced = this.announced.filter(({ until }) => until > this.now);
  }

  /** Some senders have mail for the domain; then all that the function has said is held against what they hold. */
  private act(): void {
    this.caches.forEach((_, index) => {
      // The first ones all the time, the last ones hardly ever: those hold longest what they have.
      if (this.next() < 0.5 / (1 + index)) this.send(index);
    });
    this.check();
  }

  private send(index: number): void {
    const { now } = this;
    let cached = this.caches[index];
    if (cached !== undefined && cached.expires < now) cached = undefined;
    const ids = this.announced.filter(({ until }) => until > now);
    const record = ids.at(Math.floor(this.next() * ids.length));
    if (record !== undefined && cached?.id === record.id) {
      // As seven of the senders in use do; the others fetch again only when it is over.
      if (index % 2 === 0) {
        cached.expires = now + cached.policy.maxAge * 1000 + this.next() * SKEW;
        if (cached.policy.hash !== hashOfPolicyId(record.id)) this.tried.prolonged += 1;
      }
    } else if (record !== undefined && this.edge.length > 0) {
      const policy = this.edge.at(Math.floor(this.next() * this.edge.length));
      cached = policy && { policy, id: record.id, fetched: now, expires: now + policy.maxAge * 1000 + this.next() * SKEW };
    }
    this.caches[index] = cached;
  }

  private check(): void {
    const held = this.caches.flatMap((cached) => cached !== undefined && cached.expires >= this.now ? [cached] : []);
    const own = held.filter(({ fetched }) => fetched >= this.begun);
    if (this.removable) {
      this.tried.removal += 1;
      const asking = (this.removal?.includes('if nothing published') === true ? own : held).find(({ policy }) => policy.mode !== 'none');
      if (asking !== undefined) throw new Broken(`${this.shown(asking)} is held after ${this.removal}`);
    }
    if (this.last?.mx !== this.mx || !this.complete) return;
    const warnings = this.made.log.slice(this.last.logged).filter(({ conflicts }) => conflicts !== undefined);
    const warned = warnings.at(-1)?.conflicts as MxConflict[] | undefined;
    for (const cached of own.filter(({ policy }) => policy.mode === 'enforce')) {
      const { covered } = mxCoverage(cached.policy.mx, this.mx);
      for (const host of this.mx.filter((_, at) => !covered[at])) {
        this.tried.refusal += 1;
        const told = warned?.find(({ id, hosts }) => hashOfPolicyId(id) === cached.policy.hash && hosts.includes(host));
        if (told === undefined) throw new Broken(`nobody was told that mail to ${host} may be refused: ${this.shown(cached)}`);
        if (this.now > (told.cachedUntil ?? Infinity)) throw new Broken(`mail to ${host} is refused longer than was told: ${this.shown(cached)}`);
      }
    }
  }

  private shown({ policy, id, expires }: Cached): string {
    const index = this.policies.indexOf(policy);
    return `policy ${index} (${policy.mode}, ${policy.maxAge} s), by the id ${id}, until ${new Date(expires).toISOString()}; now ${new Date(this.now).toISOString()}`;
  }

  private look(): PolicyResponse {
    this.looks -= 1;
    this.act();
    const [policy, ...before] = [...this.edge].reverse();
    const isLive = this.looks < 0;
    const old = before.find(({ hash }) => hash !== policy?.hash);
    const seen = isLive ? policy : this.looks < Infinity ? old : undefined;
    if (isLive) this.edge = this.edge.slice(-1);
    return serving(seen?.text);
  }
}

function propertiesOf({ text, hash }: Served): Event {
  return publicationProperties({ Policy: policyLines(text), PolicyHash: hash });
}
