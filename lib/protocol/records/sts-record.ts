// The `_mta-sts` TXT record (RFC 8461 §3.1): its id tells senders whether the policy has changed.
import type { Finding } from '../findings/finding';
import { FindingCollector } from '../findings/collector';
import { holds } from '../look-alikes';
import { recordTolerance } from './tolerance';
import { safeText } from '../../util/safe-text';
import { checkOther, splitFields } from './txt-fields';
import { selectRecord } from './txt-selection';
import type { ChosenRecord, TxtKind, TxtRecord } from './txt-selection';

export type { TxtRecord };

/** What a valid record says. */
export interface StsRecord {
  /** 1 to 32 letters or digits; changes whenever the policy does. */
  readonly id: string;
}

/** What the TXT records at `_mta-sts.<domain>` come to. */
export interface RecordResult {
  /** `none`: nothing that begins with the version. `multiple`: more than one does, whatever else they hold. */
  readonly verdict: 'valid' | 'invalid' | 'none' | 'multiple';
  /** Where the verdict is `valid`. */
  readonly record?: StsRecord;
  /** The record that was chosen, joined and as found, where the verdict is `valid` or `invalid`. */
  readonly text?: string;
  readonly findings: readonly Finding[];
}

const KIND: TxtKind = { version: 'v=STSv1', codes: 'record', name: 'MTA-STS' };

/**
 * Stands in place of the record until its policy is published, since the id is made only then. It is no record and begins as none: where it
 * is copied by mistake, senders see no MTA-STS.
 */
export const UNPUBLISHED_RECORD = '<known after the deployment, whose outputs tell the id>';

/**
 * Reads the TXT records found at `_mta-sts.<domain>` as RFC 8461 §3.1 says, nothing more lenient. Never throws.
 *
 * @param records - every TXT record at the name
 */
export function parseRecord(records: readonly TxtRecord[]): RecordResult {
  const findings = new FindingCollector();
  const selection = selectRecord(records, KIND, findings);
  if (selection.verdict !== 'one') return { ...selection, findings: findings.list() };
  const id = readId(selection, findings);
  return {
    ...(id !== undefined && findings.valid ? { verdict: 'valid', record: { id } } : { verdict: 'invalid' }),
    text: selection.text,
    findings: findings.list(),
  };
}

/**
 * Writes the record as all known senders accept it: `v=STSv1; id=<id>;`.
 *
 * @throws RangeError when the id is not 1 to 32 ASCII letters or digits
 */
export function renderRecord(id: string): string {
  const fault = idFault(id);
  if (fault !== undefined) throw new RangeError(`the id \`${safeText(id)}\` ${fault} (RFC 8461 §3.1)`);
  return `${KIND.version}; id=${id};`;
}

/**
 * Writes the same around what stands in place of the id until it is known: a token of CloudFormation, a variable of Terraform.
 *
 * @param late - not checked
 */
export function recordAround(late: string): string {
  const standIn = '0';
  return renderRecord(standIn).replace(`id=${standIn};`, () => `id=${late};`);
}

/** The id, valid or not: the first of several counts (RFC 8461 §3.2, last paragraph). */
function readId(chosen: ChosenRecord, findings: FindingCollector): string | undefined {
  const { fields, tab } = splitFields(chosen, findings);
  const { line } = chosen;
  if (tab !== undefined) findings.add('record-tab', { message: 'a tab stands beside a semicolon', line, column: tab });
  const id = fields.find((field) => field.name === 'id');
  if (id === undefined) {
    const missing = /;[\t ]*\u00a0\s*id=/.test(chosen.text) ? 'id-behind-no-break-space' : 'id-missing';
    findings.add('record-id-missing', { message: 'the record has no `id` field', line, column: 1, quirks: recordTolerance('record', missing) });
  } else {
    const fault = idFault(id.value);
    if (fault !== undefined) {
      const quirks = recordTolerance('record', id.value === '' ? 'id-empty' : id.value.includes('=') ? 'id-with-equals' : 'id-invalid');
      findings.add('record-id-invalid', { message: `the id \`${safeText(id.value)}\` ${fault}`, line, column: id.valueColumn, quirks });
    }
  }
  for (const field of fields.filter((other) => other !== id)) checkOther(field, id ?? 'id', findings);
  return id?.value;
}

function idFault(id: string): string | undefined {
  if (id === '') return 'is empty; 1 to 32 letters or digits are expected';
  const strange = /[^A-Za-z0-9]/u.exec(id)?.[0];
  if (strange !== undefined) return holds(strange, '; only ASCII letters and digits are allowed');
  return id.length > 32 ? `has ${id.length} characters; at most 32 are allowed` : undefined;
}
