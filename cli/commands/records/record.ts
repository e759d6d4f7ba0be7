// The manual DNS records of a domain.
import { policyHostName } from '../../../lib/protocol/policy/url';
import { renderRecord } from '../../../lib/protocol/records/sts-record';
import { RECORD_TTL, stsRecordName, reportingName } from '../../../lib/protocol/records/record-names';

/** One manual record. */
export interface ManualRecord {
  /** Fully qualified, without a dot at the end. */
  readonly name: string;
  readonly type: 'CNAME' | 'TXT';
  /** Seconds. */
  readonly ttl: number;
  /** A name without a dot at the end, or a text without quotes. Null if it is not known yet. */
  readonly value: string | null;
}

/** The values that are published for one domain. */
export interface PublishedDomain {
  readonly domain: string;
  /** Null until a deployment has made it. */
  readonly id: string | null;
  /** The host that serves the policy. Null if it is not known yet. */
  readonly target: string | null;
  /** A phrase that says where to find the target. */
  readonly targetSource: string;
  /** The text of the reporting record. */
  readonly tlsRpt?: string;
  /** The CNAME that validates the certificate. It must stay: every renewal checks it. */
  readonly validation?: { readonly name: string; readonly value: string };
}

/** Returns the records in the order of `MtaSts.records`. */
export function listRecords({ domain, id, target, tlsRpt, validation }: PublishedDomain): readonly ManualRecord[] {
  return [
    ...validation === undefined ? [] : [{ ...validation, type: 'CNAME', ttl: RECORD_TTL } as const],
    { name: policyHostName(domain), type: 'CNAME', ttl: RECORD_TTL, value: target },
    { name: stsRecordName(domain), type: 'TXT', ttl: RECORD_TTL, value: id === null ? null : renderRecord(id) },
    ...tlsRpt === undefined ? [] : [{ name: reportingName(domain), type: 'TXT', ttl: RECORD_TTL, value: tlsRpt } as const],
  ];
}

/** A phrase that says where to find the id after the deployment. */
export const ID_SOURCE = 'the id that the deployment makes; deploy with `--outputs-file cdk-outputs.json`, then take the record from '
  + '`npx cdk-mta-sts records --outputs cdk-outputs.json`';

/** Returns a phrase that says where to find a value that is not known yet. */
export function valueSource({ type }: ManualRecord, { targetSource: whereTarget }: PublishedDomain): string {
  return type === 'TXT' ? ID_SOURCE : whereTarget;
}
