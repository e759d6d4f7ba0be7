// The plan for one domain: what the deployment is about to publish, and how it differs from the deployment before.
import type { Policy } from '../../protocol/policy/policy';

/** A record set that the stack makes. */
export interface PlannedRecord {
  /** In lower case, without a dot at the end. */
  readonly name: string;
  readonly type: string;
  readonly logicalId: string;
}

/** A domain as the template states it, compared with the template before. */
export interface PlannedDomain {
  readonly domain: string;
  /** Undefined with external DNS: then no zone can be read, and no record is made. */
  readonly zoneId?: string;
  /** Undefined while no construct publishes one. */
  readonly policy?: Policy;
  readonly records: readonly PlannedRecord[];
  /** The records of the domain before this update. */
  readonly recordsBefore: readonly PlannedRecord[];
  /** The domain of the same Publication before this update, where it was another one. */
  readonly domainBefore?: string;
  /** Whether another resource than before this update publishes the policy file. */
  readonly changesPublisher: boolean;
  /** Whether this update moves the domain to another hosted zone, in which the stack has no record yet. */
  readonly changesZone: boolean;
  /** Whether this is a relaxing update: only the policy changes, and it asks less of senders. */
  readonly relaxesPolicy: boolean;
}
