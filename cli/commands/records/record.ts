// DNS records that a person creates by hand, and for which domain.
import { policyHostName } from '../../../lib/protocol/policy/url';
import { renderRecord } from '../../../lib/protocol/records/sts-record';
import { RECORD_TTL, stsRecordName, reportingName } from '../../../lib/protocol/records/record-names';

/** One record. */
export interface ManualRecord {
  /** Fully qualified, without a dot at the end. */
  readonly name: string;
  readonly type: 'CNAME' | 'TXT';
  /** Seconds. */
  readonly ttl: number;
  /** A name without a dot at the end, or a text as it is, without quotes; null where it is not known yet. */
  readonly value: string | null;
}

/** What is to be published for one domain. */
export interface PublishedDomain {
  readonly domain: string;
  /** Null where the deployment has yet to make it. */
  readonly id: string | null;
  /** The host that serves the policy; null where it is not known yet. */
  readonly target: string | null;
  /** Where to read the target: a phrase. */
  readonly whereTarget: string;
  /** The text of the reporting record. */
  readonly tlsRpt?: string;
  /** The CNAME that validates the certificate: it must stay, since each renewal looks for it. */
  readonly validation?: { readonly name: string; readonly value: string };
}

/** The records in the order of `MtaSts.records`. */
export function recordsOf({ domain, id, target, tlsRpt, validation }: PublishedDomain): readonly ManualRecord[] {
  return [
    ...validation === undefined ? [] : [{ ...validation, type: 'CNAME', ttl: RECORD_TTL } as const],
    { name: policyHostName(domain), type: 'CNAME', ttl: RECORD_TTL, value: target },
    { name: stsRecordName(domain), type: 'TXT', ttl: RECORD_TTL, value: id === null ? null : renderRecord(id) },
    ...tlsRpt === undefined ? [] : [{ name: reportingName(domain), type: 'TXT', ttl: RECORD_TTL, value: tlsRpt } as const],
  ];
}

/** Where the id is to be read once the deployment has made it: a phrase. */
export const WHERE_ID = 'the id that the deployment makes; deploy with `--outputs-file cdk-outputs.json`, then take the record from '
  + '`npx cdk-mta-sts records --outputs cdk-outputs.json`';

/** Where to read a value that is not known yet: a phrase. */
export function whereOf({ type }: ManualRecord, { whereTarget }: PublishedDomain): string {
  return type === 'TXT' ? WHERE_ID : whereTarget;
}
