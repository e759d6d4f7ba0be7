// The `_smtp._tls` TXT record (RFC 8460 §3): where senders report failures to.
import type { Finding } from '../findings/finding';
import { FindingCollector } from '../findings/collector';
import { reportingUriDoubt, reportingUriProblem } from './reporting-uri';
import { safeText, trimBlanks } from '../../util/safe-text';
import { checkOther, splitFields } from './txt-fields';
import type { TxtField } from './txt-fields';
import { selectRecord } from './txt-selection';
import type { ChosenRecord, TxtKind, TxtRecord } from './txt-selection';

export { reportingUriDoubt, reportingUriProblem as reportingUriFault };

/** What a valid record says. */
export interface TlsRptRecord {
  /** The addresses in the order of the record, as written there. */
  readonly rua: readonly string[];
}

/** What the TXT records at `_smtp._tls.<domain>` come to. */
export interface TlsRptResult {
  /** `none`: nothing that begins with the version. `multiple`: more than one does, whatever else they hold. */
  readonly verdict: 'valid' | 'invalid' | 'none' | 'multiple';
  /** Where the verdict is `valid`. */
  readonly record?: TlsRptRecord;
  /** The record that was chosen, joined and as found, where the verdict is `valid` or `invalid`. */
  readonly text?: string;
  readonly findings: readonly Finding[];
}

const KIND: TxtKind = { version: 'v=TLSRPTv1', codes: 'tls-rpt', name: 'TLSRPT' };

/**
 * Reads the TXT records found at `_smtp._tls.<domain>` as RFC 8460 §3 says, nothing more lenient. Never throws.
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
 * Writes the record as all known readers accept it: `v=TLSRPTv1; rua=<uri>,<uri>`.
 *
 * @throws RangeError when there is no address, or one that `reportingUriFault` or `reportingUriDoubt` objects to
 */
export function renderTlsRpt(rua: readonly string[]): string {
  if (rua.length === 0) throw new RangeError('`rua` must hold at least one `mailto:` or `https:` address (RFC 8460 §3), got none');
  for (const uri of rua) {
    const fault = reportingUriProblem(uri) ?? reportingUriDoubt(uri);
    if (fault !== undefined) throw new RangeError(`the reporting address \`${safeText(uri)}\` ${fault} (RFC 8460 §3)`);
  }
  return `${KIND.version}; rua=${rua.join(',')}`;
}

/** RFC 8460 has no rule for a second `rua`, so both count. */
function readRua(chosen: ChosenRecord, findings: FindingCollector): readonly string[] {
  const { fields } = splitFields(chosen, findings);
  const { line } = chosen;
  const addresses = fields.filter((field) => field.name === 'rua');
  const [first, second] = addresses;
  if (addresses.length === 0) {
    findings.add('tls-rpt-rua-missing', { message: 'the record has no `rua` field', line, column: 1 });
  } else if (first !== fields[0]) {
    findings.add('tls-rpt-rua-not-second', { message: '`rua` does not directly follow the version', line, column: first.column });
  }
  if (addresses.length > 1) {
    findings.add('tls-rpt-rua-duplicate', { message: 'field `rua` is there twice; the RFC does not say which counts', line, column: second.column });
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
    const fault = reportingUriProblem(uri);
    const doubt = fault === undefined ? reportingUriDoubt(uri) : undefined;
    if (fault !== undefined) findings.add('tls-rpt-uri', { message: `reporting address \`${safeText(uri)}\` ${fault}`, ...at });
    if (doubt !== undefined) findings.add('tls-rpt-uri-host', { message: `reporting address \`${safeText(uri)}\` ${doubt}`, ...at });
    return uri;
  });
}
