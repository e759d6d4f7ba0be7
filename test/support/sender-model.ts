// A simple model of senders that cache policies (RFC 8461 §3, §5). It has the DNS records, the policy hosts and the clock that they share
// with the function.
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
const MINUTE_MS = 60_000;

/** Maximum time from the file at the edge to the last resolver that returns the old record. */
const MAX_LAG_MS = 50 * MINUTE_MS;

/** Maximum duration of a fetch plus the error of a sender's clock. */
const MAX_SKEW_MS = 6 * MINUTE_MS;

/** A policy with its policy file. */
export interface Served extends Policy {
  readonly hash: string;
  readonly text: string;
}

export function servedPolicy(policy: Policy): Served {
  const text = renderPolicy(policy);
  return { ...policy, text, hash: policyHash(text) };
}

interface Cached {
  readonly policy: Served;
  /** The id of the record that caused the fetch. */
  readonly id: string;
  readonly fetched: number;
  expires: number;
}

/** One `_mta-sts` record that resolvers may return. */
interface PublishedRecord {
  readonly id: string;
  /** The time from which no resolver returns it. */
  goneAt: number;
}

/** The outcome of a deployment. */
export type Outcome
  = | 'success'
    /** It succeeds, and the event is delivered again later. */
    | 'success, repeated later'
    /** It succeeds, and the event is delivered twice at the same time. */
    | 'success, delivered twice'
    /** The file never becomes live, and CloudFormation rolls back. */
    | 'not live'
    /** Like `not live`, and the file of the rollback is not confirmed live either. */
    | 'never live'
    /** The file is live, and another resource fails before the record changes. */
    | 'record unchanged'
    /** The record changes, and the verification fails. */
    | 'verification failed';

/** Returns a generator of numbers from 0 to 1. The same seed gives the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An assertion of a model that does not hold. */
export class BrokenAssertion extends Error {}

/** Senders with cached policies, a domain whose deployments run the real handler, and the assertions about both. */
export class Senders {
  public mx: readonly string[];
  /** Whether warnings can be complete. They cannot after a publication history was lost. */
  public hasCompleteHistory = true;
  /** The attribute `EarliestRemoval` of the last answer. */
  public earliestRemoval: string | undefined;
  /** Number of checks of each assertion. A number of zero would prove nothing. */
  public readonly checked = { removal: 0, conflict: 0, prolonged: 0 };
  private readonly environment: TestServices;
  private readonly caches: (Cached | undefined)[] = Array.from({ length: 8 }, () => undefined);
  /** The policies that an address may serve. Only one is left once the function has confirmed it live at every address. */
  private servable: Served[] = [];
  private records: PublishedRecord[] = [];
  private deployed: Served | undefined;
  /** The id in the record of `deployed`. */
  private deployedId = '';
  /** Every id that the function returned, in order. */
  private readonly returnedIds: string[] = [];
  /** Time of the first publication. The function makes no statement about older cached policies. */
  private startedAt = 0;
  /** Number of fetches that do not return the new file yet. */
  private failingAttempts = 0;
  private lastEvent: { readonly mx: readonly string[]; readonly logged: number } | undefined;

  constructor(private readonly policies: readonly Served[], mx: readonly string[], private readonly next: () => number) {
    this.mx = mx;
    this.environment = testServices({ stackStatus: 'UPDATE_IN_PROGRESS' }, {
      resolver: plainDns(() => this.mx),
      fetchPolicy: async () => Promise.resolve(this.fetch()),
    });
    const { s3 } = this.environment.aws;
    const put = s3.on(PutObjectCommand, { Bucket: BUCKET, Key: KEY });
    put.callsFake(({ Body }: { Body: Uint8Array }) => {
      const text = Buffer.from(Body).toString('utf8');
      this.servable.push(...this.policies.filter((policy) => policy.text === text));
      this.sendMail();
      return {};
    });
    s3.on(DeleteObjectCommand, { Bucket: BUCKET, Key: KEY }).callsFake(() => {
      this.servable = [];
      return {};
    });
  }

  /** Whether `EarliestRemoval` has passed, so that no cached policy makes a sender refuse mail. */
  public get isRemovable(): boolean {
    return this.removalTime !== undefined && this.removalTime < this.now;
  }

  private get removalTime(): number | undefined {
    return this.earliestRemoval !== undefined && /^\d{4}-/.test(this.earliestRemoval) ? Date.parse(this.earliestRemoval.slice(0, 20)) : undefined;
  }

  public get now(): number {
    return this.environment.clock.now();
  }

  /** The objects in S3, with the publication history, so that a test can damage it. */
  public get objects(): Map<string, string> {
    return this.environment.objects;
  }

  public async publish(policy: Served, outcome: Outcome): Promise<void> {
    const before = this.deployed;
    if (before === undefined) this.startedAt = this.now;
    const properties = templateProperties(policy);
    const event = before === undefined
      ? createEvent(TYPE, properties)
      : updateEvent(TYPE, OBJECT_URL, properties, templateProperties(before));
    const fails = outcome === 'not live' || outcome === 'never live';
    const id = await this.handleEvent(event, policy, outcome === 'success, delivered twice' ? 2 : 1, fails);
    if (id === undefined) {
      await this.rollBack(policy, before, outcome === 'never live');
      return;
    }
    await this.wait(this.next() * 10 * MINUTE_MS);
    if (outcome !== 'record unchanged') {
      this.publishRecord(id);
      // Resolvers drop the old record one by one.
      await this.wait(this.next() * MAX_LAG_MS);
    }
    if (outcome === 'record unchanged' || outcome === 'verification failed') {
      await this.rollBack(policy, before, false);
      return;
    }
    this.deployed = policy;
    this.deployedId = id;
    if (outcome === 'success, repeated later') {
      await this.wait(this.next() * 30 * MINUTE_MS);
      const again = await this.handleEvent(event, policy, 1, false);
      if (again !== id) throw new BrokenAssertion(`the same event had the id ${id}, and then ${again}`);
    }
  }

  /** Lets time pass until `EarliestRemoval`, if it is known. */
  public async waitForRemoval(): Promise<void> {
    const { removalTime = 0 } = this;
    if (removalTime >= this.now) await this.wait(removalTime + 4 - this.now);
  }

  /** Removes MTA-STS: first the record, and the file when no resolver returns the record. */
  public async withdraw(): Promise<void> {
    this.removeRecord();
    await this.wait(MAX_LAG_MS);
    await this.delete();
  }

  public async wait(milliseconds: number): Promise<void> {
    for (let step = 0; step < 4; step += 1) {
      await this.environment.clock.sleep(Math.ceil(milliseconds / 4));
      this.sendMail();
    }
  }

  private async rollBack(failed: Served, before: Served | undefined, isNeverLive: boolean): Promise<void> {
    if (before === undefined) {
      this.removeRecord();
      await this.wait(MAX_LAG_MS);
      await this.delete();
      return;
    }
    const event = updateEvent(TYPE, OBJECT_URL, templateProperties(before), templateProperties(failed));
    const id = await this.handleEvent(event, before, 1, isNeverLive, true);
    // CloudFormation may give the record the new attribute or its value from before.
    if (id !== undefined && this.next() < 0.5) this.deployedId = id;
    this.publishRecord(this.deployedId);
    this.deployed = before;
  }

  private async delete(): Promise<void> {
    await createHandler(this.environment.services)(deleteEvent(TYPE, OBJECT_URL, {}), lambdaContext());
    if (this.environment.objects.size > 0) throw new BrokenAssertion(`left in the bucket: ${[...this.environment.objects.keys()].join(', ')}`);
    this.deployed = undefined;
    this.earliestRemoval = undefined;
    this.lastEvent = undefined;
    this.hasCompleteHistory = true;
  }

  /** @returns the id that CloudFormation receives; undefined for a failure */
  private async handleEvent(event: Event, policy: Served, times: number, fails: boolean, rollingBack = false): Promise<string | undefined> {
    this.failingAttempts = fails ? Infinity : Math.floor(this.next() * 3);
    this.lastEvent = { mx: this.mx, logged: this.environment.log.length };
    this.earliestRemoval = undefined;
    const handle = async (): Promise<HandlerAnswer> => createHandler(this.environment.services)(event, lambdaContext());
    if (fails && !rollingBack) {
      await failure(handle());
      this.sendMail();
      return undefined;
    }
    if (rollingBack) this.setStackStatus('UPDATE_ROLLBACK_IN_PROGRESS');
    const answers = await Promise.all(Array.from({ length: times }, handle));
    this.setStackStatus('UPDATE_IN_PROGRESS');
    this.earliestRemoval = answers.at(-1)?.Data?.EarliestRemoval;
    this.sendMail();
    const ids = new Set(answers.map(({ Data: data }) => data?.PolicyId ?? ''));
    const [id = ''] = ids;
    if (ids.size !== 1 || hashOfPolicyId(id) !== policy.hash) throw new BrokenAssertion(`the ids ${[...ids].join(', ')} do not contain the hash ${policy.hash}`);
    if (id !== this.returnedIds.at(-1) && this.returnedIds.some((used) => used >= id)) throw new BrokenAssertion(`the id ${id} is not later than all earlier ids`);
    this.returnedIds.push(id);
    return id;
  }

  private setStackStatus(StackStatus: 'UPDATE_IN_PROGRESS' | 'UPDATE_ROLLBACK_IN_PROGRESS'): void {
    this.environment.state.stackStatus = StackStatus;
  }

  private publishRecord(id: string): void {
    this.removeRecord();
    this.records.push({ id, goneAt: Infinity });
  }

  private removeRecord(): void {
    const gone = this.now + (this.next() < 0.5 ? 1 : this.next()) * MAX_LAG_MS;
    for (const one of this.records) one.goneAt = Math.min(one.goneAt, gone);
    this.records = this.records.filter(({ goneAt }) => goneAt > this.now);
  }

  /** Lets some senders send mail to the domain. Then compares all statements of the function with the cached policies. */
  private sendMail(): void {
    this.caches.forEach((_, index) => {
      // The first senders often send mail, the last ones rarely, so their policies stay cached for the longest time.
      if (this.next() < 0.5 / (1 + index)) this.send(index);
    });
    this.check();
  }

  private send(index: number): void {
    const { now } = this;
    let cached = this.caches[index];
    if (cached !== undefined && cached.expires < now) cached = undefined;
    const ids = this.records.filter(({ goneAt }) => goneAt > now);
    const record = ids.at(Math.floor(this.next() * ids.length));
    if (record !== undefined && cached?.id === record.id) {
      // Half of the senders prolong a cached policy when the id is unchanged, as seven real ones do. The others wait until it expires.
      if (index % 2 === 0) {
        cached.expires = now + cached.policy.maxAge * 1000 + this.next() * MAX_SKEW_MS;
        if (cached.policy.hash !== hashOfPolicyId(record.id)) this.checked.prolonged += 1;
      }
    } else if (record !== undefined && this.servable.length > 0) {
      const policy = this.servable.at(Math.floor(this.next() * this.servable.length));
      cached = policy && { policy, id: record.id, fetched: now, expires: now + policy.maxAge * 1000 + this.next() * MAX_SKEW_MS };
    }
    this.caches[index] = cached;
  }

  private check(): void {
    const cachedNow = this.caches.flatMap((cached) => cached !== undefined && cached.expires >= this.now ? [cached] : []);
    const own = cachedNow.filter(({ fetched }) => fetched >= this.startedAt);
    if (this.isRemovable) {
      this.checked.removal += 1;
      const unexpired = (this.earliestRemoval?.includes('if nothing published') === true ? own : cachedNow).find(({ policy }) => policy.mode !== 'none');
      if (unexpired !== undefined) throw new BrokenAssertion(`${this.describe(unexpired)} is cached after ${this.earliestRemoval}`);
    }
    if (this.lastEvent?.mx !== this.mx || !this.hasCompleteHistory) return;
    const warnings = this.environment.log.slice(this.lastEvent.logged).filter(({ conflicts }) => conflicts !== undefined);
    const conflictsInLog = warnings.at(-1)?.conflicts as MxConflict[] | undefined;
    for (const cached of own.filter(({ policy }) => policy.mode === 'enforce')) {
      const { covered } = mxCoverage(cached.policy.mx, this.mx);
      for (const host of this.mx.filter((_, at) => !covered[at])) {
        this.checked.conflict += 1;
        const conflict = conflictsInLog?.find(({ id, hosts }) => hashOfPolicyId(id) === cached.policy.hash && hosts.includes(host));
        if (conflict === undefined) throw new BrokenAssertion(`no warning says that senders may refuse mail to ${host}: ${this.describe(cached)}`);
        if (this.now > (conflict.cachedUntil ?? Infinity)) {
          throw new BrokenAssertion(`senders refuse mail to ${host} for longer than the warning says: ${this.describe(cached)}`);
        }
      }
    }
  }

  private describe({ policy, id, expires }: Cached): string {
    const index = this.policies.indexOf(policy);
    return `policy ${index} (${policy.mode}, ${policy.maxAge} s), fetched by the id ${id}, cached until ${new Date(expires).toISOString()}; now ${new Date(this.now).toISOString()}`;
  }

  private fetch(): PolicyResponse {
    this.failingAttempts -= 1;
    this.sendMail();
    const [policy, ...before] = [...this.servable].reverse();
    const isLive = this.failingAttempts < 0;
    const old = before.find(({ hash }) => hash !== policy?.hash);
    const seen = isLive ? policy : this.failingAttempts < Infinity ? old : undefined;
    if (isLive) this.servable = this.servable.slice(-1);
    return serving(seen?.text);
  }
}

function templateProperties({ text, hash }: Served): Event {
  return publicationProperties({ Policy: policyLines(text), PolicyHash: hash });
}
