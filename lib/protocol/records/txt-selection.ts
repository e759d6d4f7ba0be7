// Selects the record among the TXT records at a name, by the rule of RFC 8461 §3.1, which RFC 8460 §3 shares.
import type { SenderQuirk } from '../findings/finding';
import type { FindingCollector } from '../findings/collector';
import { lookAlikeRemark } from '../look-alikes';
import { nearVersion } from './near-version';
import type { ChosenRecord, TxtKind, TxtRecord, TxtVersion } from './txt-kind';
import { recordTolerance } from './tolerance';
import { safeText, trimBlanks } from '../../util/safe-text';

/** Result of the selection. */
export type Selection = ChosenRecord | { readonly verdict: 'invalid'; readonly text: string } | { readonly verdict: 'none' | 'multiple' };

/**
 * Selects the record among the TXT records at a name.
 *
 * If there are several, records that do not begin with the version and a semicolon are dropped, and exactly one must remain. For a single
 * record only the grammar counts, which allows blanks before that semicolon (erratum 6285).
 */
export function selectRecord(records: readonly TxtRecord[], kind: TxtKind, findings: FindingCollector): Selection {
  const texts = records.map((record, index) => readText(record, index + 1, kind));
  const [only, ...others] = texts;
  const candidates = texts.filter((one) => one.form === 'record');
  const [candidate, second] = candidates;
  if (second !== undefined) {
    findings.add(`${kind.codes}-multiple`, {
      message: `${candidates.length} TXT records begin with \`${kind.version};\` where one is expected`,
      line: second.line,
      column: 1,
    });
    return { verdict: 'multiple' };
  }
  if (candidate !== undefined) {
    for (const other of texts.filter((one) => one.form !== 'record')) reportBeside(other, kind, findings);
    return { verdict: 'one', codes: kind.codes, text: candidate.text, line: candidate.line };
  }
  if (only !== undefined && others.length === 0) {
    const selected = selectSole(only, kind, findings);
    if (selected !== undefined) return selected;
  }
  if (texts.every(({ form }) => form === 'unrelated')) {
    findings.add(`${kind.codes}-none`, {
      message: `the answer contains no ${kind.name} record: no TXT record begins with \`${kind.version};\``,
      line: 1,
      column: 1,
    });
  }
  for (const text of texts) reportUnusable(text, kind, findings, texts.length === 1);
  return { verdict: 'none' };
}

/**
 * The beginning of a text.
 *
 * - `record`: the version and a semicolon
 * - `blank`: the version, blanks and a semicolon
 * - `version`: the version and other text that does not make it another version
 * - `case`: the version in another letter case, and a semicolon
 * - `lookalike`: a text that was meant as the record: its version is quoted, escaped, indented, with blanks, of another number, misspelled,
 *   missing, or not in front
 * - `unrelated`: any other text
 */
type Form = 'record' | 'blank' | 'version' | 'case' | 'lookalike' | 'unrelated';

interface Text {
  readonly text: string;
  readonly line: number;
  readonly form: Form;
}

function readText(record: TxtRecord, line: number, kind: TxtKind): Text {
  const text = typeof record === 'string' ? record : record.join('');
  return { text, line, form: formOf(text, kind.version) };
}

function formOf(text: string, version: TxtVersion): Form {
  if (text.startsWith(version)) {
    const rest = text.slice(version.length);
    if (rest.startsWith(';')) return 'record';
    if (trimBlanks(rest).startsWith(';')) return 'blank';
    // `v=STSv10` is another version, and `v=STSv1\;` has the escape of a zone file. Neither is this version with a bad delimiter.
    return /^[A-Za-z0-9_.\\-]/.test(rest) ? 'lookalike' : 'version';
  }
  const folded = text.toLowerCase();
  if (folded.startsWith(`${version.toLowerCase()};`)) return 'case';
  return holdsVersion(text, version) || nearVersion(text, version) !== undefined ? 'lookalike' : 'unrelated';
}

/** Returns whether a text contains the letters and digits of the version, with other characters before and between them. */
function holdsVersion(text: string, version: string): boolean {
  return text.toLowerCase().replace(/[^a-z0-9=;]/g, '').includes(version.toLowerCase());
}

/** Senders that overlook a record with blanks after its version. Each was run. */
const BLANK_ALONE: Readonly<Record<TxtKind['codes'], readonly SenderQuirk[]>> = {
  'record': [{ senders: ['chasquid', 'aykevl', 'mailpiece'], effect: 'sees no policy' }],
  'tls-rpt': [{ senders: ['aykevl', 'mailpiece'], effect: 'sends no reports' }],
};

/** Senders that count such a text beside a record as a second record. */
const BLANK_BESIDE: Readonly<Record<TxtKind['codes'], readonly SenderQuirk[]>> = {
  'record': [{
    senders: ['mox', 'postfix-tlspol', 'rest-mail', 'postfix-mta-sts-resolver', 'mailauth', 'go-mtasts', 'kumomta', 'courier'], effect: 'sees no policy',
  }],
  'tls-rpt': [{ senders: ['mox'], effect: 'sends no reports' }],
};

/** Selects a single record that begins with the version, but not with a semicolon directly after it. */
function selectSole({ text, line, form }: Text, kind: TxtKind, findings: FindingCollector): Selection | undefined {
  const column = kind.version.length + 1;
  if (form === 'blank') {
    findings.add('txt-blank-before-delimiter', {
      message: `blanks stand between \`${kind.version}\` and the semicolon: the grammar allows them, but a sender that looks for \`${kind.version};\` overlooks the record`,
      line,
      column,
      quirks: BLANK_ALONE[kind.codes],
    });
    return { verdict: 'one', codes: kind.codes, text, line };
  }
  if (form !== 'version') return undefined;
  const rest = text.slice(kind.version.length);
  findings.add('txt-version-delimiter', {
    message: rest === ''
      ? `the record ends after \`${kind.version}\`; a semicolon and fields must follow`
      : `\`${kind.version}\` is followed by \`${safeText(rest, 40)}\`; a semicolon must follow it${lookAlikeRemark(rest.slice(0, 1))}`,
    line,
    column,
  });
  return { verdict: 'invalid', text };
}

/** Reports a text beside the record. It matters only to senders with another rule of selection. */
function reportBeside({ text, line, form }: Text, kind: TxtKind, findings: FindingCollector): void {
  const shown = `\`${safeText(text, 60)}\``;
  if (form === 'blank' || form === 'version') {
    findings.add(`${kind.codes}-version-text`, {
      message: `TXT record ${shown} beside the record begins with \`${kind.version}\` but not with \`${kind.version};\``,
      line,
      column: kind.version.length + 1,
      ...form === 'blank' ? { quirks: BLANK_BESIDE[kind.codes] } : {},
    });
  } else if (form === 'case') {
    findings.add(kind.codes === 'record' ? 'record-version-case' : 'tls-rpt-version-text', {
      message: `TXT record ${shown} beside the record differs from it in the case of its version; \`${kind.version}\` is case-sensitive`,
      line,
      column: 1,
    });
  } else {
    findings.add(`${kind.codes}-unrelated-txt`, {
      message: text === ''
        ? 'an empty TXT record stands beside the record'
        : `TXT record ${shown} beside the record ${form === 'lookalike' ? 'has an unrecognised version' : `does not begin with \`${kind.version};\``}`,
      line,
      column: 1,
      ...form === 'lookalike' ? { fix: `delete it: the record with the version \`${kind.version};\` is there already` } : otherPlace(text, kind),
    });
  }
}

/** Reports a text that is no record, if there is no record. */
function reportUnusable({ text, line, form }: Text, kind: TxtKind, findings: FindingCollector, isSole: boolean): void {
  const shown = `\`${safeText(text, 60)}\``;
  if (form === 'unrelated') {
    findings.add(`${kind.codes}-unrelated-txt`, {
      message: text === ''
        ? `an empty TXT record is no ${kind.name} record`
        : `TXT record ${shown} does not begin with \`${kind.version};\``,
      line,
      column: 1,
      // The senders of the catalogue differ only if there is a record beside the text.
      quirks: [],
      ...otherPlace(text, kind),
    });
  } else {
    const begin = form === 'blank' || form === 'version' ? `TXT record ${shown}` : `unrecognised version: TXT record ${shown}`;
    findings.add(`${kind.codes}-unrecognised`, {
      message: `${begin} does not begin with \`${kind.version};\`: ${versionProblem(text, form, kind.version)}${lookAlikeRemark(text.slice(0, VERSION_CHARACTERS))}`,
      line,
      column: 1,
      ...isSole ? { quirks: lookalikeQuirks(text, kind) } : {},
    });
  }
}

/** Returns the senders that read a single record although it does not begin with its version. */
function lookalikeQuirks(text: string, { version, codes }: TxtKind): readonly SenderQuirk[] {
  if (/^[\t ]/.test(text) && trimBlanks(text).startsWith(`${version};`)) return recordTolerance(codes, 'indented');
  return /^id=[A-Za-z0-9]{1,32};/.test(text) && text.includes(version) ? recordTolerance(codes, 'version-last') : [];
}

/** Returns another fix for a record that belongs to another name: move it instead of deleting it. */
function otherPlace(text: string, { codes }: TxtKind): { readonly fix?: string } {
  const { version, label, name } = OTHER[codes];
  return text.startsWith(version) ? { fix: `move it to \`${label}\`, where the ${name} record belongs; delete it only if that is there already` } : {};
}

const OTHER = {
  'record': { version: 'v=TLSRPTv1', label: '_smtp._tls', name: 'TLSRPT' },
  'tls-rpt': { version: 'v=STSv1', label: '_mta-sts', name: 'MTA-STS' },
} as const;

/** Characters at the beginning of a text that can belong to a malformed version. */
const VERSION_CHARACTERS = 40;

/** Returns the problem of the version of a text that is no record. */
function versionProblem(text: string, form: Form, version: TxtVersion): string {
  if (form === 'case') return 'the version is case-sensitive';
  if (form === 'blank' || form === 'version') return 'if there are several TXT records, a semicolon must follow the version directly';
  if (text.startsWith(`${version}\\`)) return 'a backslash before the semicolon belongs in a zone file, not in the record';
  if (text.startsWith(version)) return 'this is another version';
  const near = holdsVersion(text, version) ? undefined : nearVersion(text, version);
  if (near !== undefined) return near;
  if (/^["'`]/.test(text)) return 'quotation marks belong in a zone file, not in the record';
  if (/^[ \t]/.test(text)) return 'there are blanks before the version';
  return text.startsWith('v') ? 'the version is misspelled' : 'the version is not in front';
}
