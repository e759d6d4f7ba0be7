// Parses and renders the `_smtp._tls` TXT record (RFC 8460 §3): the addresses to which senders send TLS reports.
import type { Finding } from '../findings/finding';
import { FindingCollector } from '../findings/collector';
import { reportingUriDoubt, reportingUriProblem } from './reporting-uri';
import { safeText, trimBlanks } from '../../util/safe-text';
import { checkOther, splitFields } from './txt-fields';
import type { TxtField } from './txt-fields';
import { selectRecord } from './txt-selection';
import type { ChosenRecord, TxtKind, TxtRecord } from './txt-kind';

export { reportingUriDoubt, reportingUriProblem as reportingUriFault };

/** Content of a valid record. */
export interface TlsRptRecord {
  /** Addresses as written in the record, in its order. */
  readonly rua: readonly string[];
}

/** Result of parsing the TXT records at `_smtp._tls.<domain>`. */
export interface TlsRptResult {
  /** `none`: no record begins with the version. `multiple`: several records do. */
  readonly verdict: 'valid' | 'invalid' | 'none' | 'multiple';
  /** The record, if the verdict is `valid`. */
  readonly record?: TlsRptRecord;
  /** Text of the chosen record, with its character-strings joined, if the verdict is `valid` or `invalid`. */
  readonly text?: string;
  readonly findings: readonly Finding[];
}

const KIND: TxtKind = { version: 'v=TLSRPTv1', codes: 'tls-rpt', name: 'TLSRPT' };

/**
 * Parses the TXT records at `_smtp._tls.<domain>` strictly by RFC 8460 §3. Never throws.
 *
 * @param records - every TXT record at the name
 */
export function parseTlsRpt(records: readonly TxtRecord[]): TlsRptResult {
  const findings = new FindingCollector();
  const selection = selectRecord(records, KIND, findings);
  if (selection.verdict !== 'one') return { ...selection, findings: findings.list() };
  const rua = readRua(selection, findings);
  return {
    ...(findings.valid ? { verdict: 'valid', record: { rua } } : { verdict: 'invalid' }),
    text: selection.text,
    findings: findings.list(),
  };
}

/**
 * Renders the record in the form that all known senders accept: `v=TLSRPTv1; rua=<uri>,<uri>`.
 *
 * @throws RangeError if there is no address, or if `reportingUriProblem` or `reportingUriDoubt` finds a problem in one
 */
export function renderTlsRpt(rua: readonly string[]): string {
  if (rua.length === 0) throw new RangeError('`rua` must contain at least one `mailto:` or `https:` address (RFC 8460 §3), got none');
  for (const uri of rua) {
    const problem = reportingUriProblem(uri) ?? reportingUriDoubt(uri);
    if (problem !== undefined) throw new RangeError(`the reporting address \`${safeText(uri)}\` ${problem} (RFC 8460 §3)`);
  }
  return `${KIND.version}; rua=${rua.join(',')}`;
}

/** Reads the addresses of every `rua`: RFC 8460 has no rule for a second one. */
function readRua(chosen: ChosenRecord, findings: FindingCollector): readonly string[] {
  const { fields } = splitFields(chosen, findings);
  const { line } = chosen;
  const addresses = fields.filter((field) => field.name === 'rua');
  const [first, second] = addresses;
  if (first === undefined) {
    findings.add('tls-rpt-rua-missing', { message: 'the record has no `rua` field', line, column: 1 });
  } else if (first !== fields[0]) {
    findings.add('tls-rpt-rua-not-second', { message: '`rua` does not directly follow the version', line, column: first.column });
  }
  if (second !== undefined) {
    findings.add('tls-rpt-rua-duplicate', { message: 'field `rua` appears twice; RFC 8460 does not say which one counts', line, column: second.column });
  }
  for (const field of fields) {
    if (field.name !== 'rua') checkOther(field, 'rua', findings);
  }
  return addresses.flatMap((field) => readUris(field, findings));
}

function readUris({ value, line, valueColumn }: TxtField, findings: FindingCollector): readonly string[] {
  let column = valueColumn;
  return value.split(',').map((piece) => {
    const uri = trimBlanks(piece);
    const at = { line, column: column + piece.indexOf(uri) };
    column += piece.length + 1;
    const problem = reportingUriProblem(uri);
    const doubt = problem === undefined ? reportingUriDoubt(uri) : undefined;
    if (problem !== undefined) findings.add('tls-rpt-uri', { message: `reporting address \`${safeText(uri)}\` ${problem}`, ...at });
    if (doubt !== undefined) findings.add('tls-rpt-uri-host', { message: `reporting address \`${safeText(uri)}\` ${doubt}`, ...at });
    return uri;
  });
}
