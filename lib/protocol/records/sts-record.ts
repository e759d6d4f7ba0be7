// Parses and renders the `_mta-sts` TXT record (RFC 8461 §3.1). A new id tells senders to fetch the policy again.
import type { Finding } from '../findings/finding';
import { FindingCollector } from '../findings/collector';
import { holds } from '../look-alikes';
import { recordTolerance } from './tolerance';
import { safeText } from '../../util/safe-text';
import { checkOther, splitFields } from './txt-fields';
import { selectRecord } from './txt-selection';
import type { ChosenRecord, TxtKind, TxtRecord } from './txt-kind';

export type { TxtRecord };

/** Content of a valid record. */
export interface StsRecord {
  /** 1 to 32 letters or digits. It changes with every change of the policy. */
  readonly id: string;
}

/** Result of parsing the TXT records at `_mta-sts.<domain>`. */
export interface RecordResult {
  /** `none`: no record begins with the version. `multiple`: several records do. */
  readonly verdict: 'valid' | 'invalid' | 'none' | 'multiple';
  /** The record, if the verdict is `valid`. */
  readonly record?: StsRecord;
  /** Text of the chosen record, with its character-strings joined, if the verdict is `valid` or `invalid`. */
  readonly text?: string;
  readonly findings: readonly Finding[];
}

const KIND: TxtKind = { version: 'v=STSv1', codes: 'record', name: 'MTA-STS' };

/**
 * Placeholder for the record before the policy is published, since the publication makes the id. It does not look like a record: if
 * somebody copies it by mistake, senders see no MTA-STS.
 */
export const UNPUBLISHED_RECORD = '<known after the deployment, whose outputs tell the id>';

/**
 * Parses the TXT records at `_mta-sts.<domain>` strictly by RFC 8461 §3.1. Never throws.
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
 * Renders the record in the form that all known senders accept: `v=STSv1; id=<id>;`.
 *
 * @throws RangeError if the id is not 1 to 32 ASCII letters or digits
 */
export function renderRecord(id: string): string {
  const problem = idProblem(id);
  if (problem !== undefined) throw new RangeError(`the id \`${safeText(id)}\` ${problem} (RFC 8461 §3.1)`);
  return `${KIND.version}; id=${id};`;
}

/**
 * Renders the record around a placeholder for the id: a token of CloudFormation or a variable of Terraform.
 *
 * @param late - the placeholder, which is not checked
 */
export function recordAround(late: string): string {
  const standIn = '0';
  return renderRecord(standIn).replace(`id=${standIn};`, () => `id=${late};`);
}

/** Returns the id, valid or not. The first of several counts (RFC 8461 §3.2, last paragraph). */
function readId(chosen: ChosenRecord, findings: FindingCollector): string | undefined {
  const { fields, tab } = splitFields(chosen, findings);
  const { line } = chosen;
  if (tab !== undefined) findings.add('record-tab', { message: 'a tab stands beside a semicolon', line, column: tab });
  const id = fields.find((field) => field.name === 'id');
  if (id === undefined) {
    const missing = /;[\t ]*\u00a0\s*id=/.test(chosen.text) ? 'id-behind-no-break-space' : 'id-missing';
    findings.add('record-id-missing', { message: 'the record has no `id` field', line, column: 1, quirks: recordTolerance('record', missing) });
  } else {
    const problem = idProblem(id.value);
    if (problem !== undefined) {
      const quirks = recordTolerance('record', id.value === '' ? 'id-empty' : id.value.includes('=') ? 'id-with-equals' : 'id-invalid');
      findings.add('record-id-invalid', { message: `the id \`${safeText(id.value)}\` ${problem}`, line, column: id.valueColumn, quirks });
    }
  }
  for (const field of fields.filter((other) => other !== id)) checkOther(field, id ?? 'id', findings);
  return id?.value;
}

function idProblem(id: string): string | undefined {
  if (id === '') return 'is empty; 1 to 32 letters or digits are expected';
  const strange = /[^A-Za-z0-9]/u.exec(id)?.at(0);
  if (strange !== undefined) return holds(strange, '; only ASCII letters and digits are allowed');
  return id.length > 32 ? `has ${id.length} characters; at most 32 are allowed` : undefined;
}
