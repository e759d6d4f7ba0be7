// Which of the TXT records at a name is the one: the rule of RFC 8461 §3.1, which RFC 8460 §3 shares.
import type { SenderQuirk } from '../findings/finding';
import type { FindingCollector } from '../findings/collector';
import { lookAlikeRemark } from '../look-alikes';
import { nearVersion } from './near-version';
import type { TxtVersion } from './near-version';
import { recordTolerance } from './tolerance';
import { safeText, trimBlanks } from '../../util/safe-text';

/** One TXT record: its text, or its character-strings, which are joined with nothing between (RFC 8461 §3.1). */
export type TxtRecord = string | readonly string[];

/** Which record is looked for. */
export interface TxtKind {
  readonly version: TxtVersion;
  readonly codes: 'record' | 'tls-rpt';
  readonly name: 'MTA-STS' | 'TLSRPT';
}

/** The record chosen. */
export interface ChosenRecord {
  readonly verdict: 'one';
  readonly codes: TxtKind['codes'];
  readonly text: string;
  /** The number of the record, from 1. */
  readonly line: number;
}

export type Selection = ChosenRecord | { readonly verdict: 'invalid'; readonly text: string } | { readonly verdict: 'none' | 'multiple' };

/**
 * Chooses among the TXT records found at a name.
 *
 * Of several, those that do not begin with the version and a semicolon are dropped, and exactly one must be left. A sole
 * record is judged by the grammar alone, which allows blanks before that semicolon (erratum 6285).
 */
export function selectRecord(records: readonly TxtRecord[], kind: TxtKind, findings: FindingCollector): Selection {
  const texts = records.map((record, index) => readText(record, index + 1, kind));
  const candidates = texts.filter((one) => one.form === 'record');
  if (candidates.length > 1) {
    findings.add(`${kind.codes}-multiple`, {
      message: `${candidates.length} TXT records begin with \`${kind.version};\` where one is expected`,
      line: candidates[1].line,
      column: 1,
    });
    return { verdict: 'multiple' };
  }
  if (candidates.length === 1) {
    for (const other of texts.filter((one) => one.form !== 'record')) reportBeside(other, kind, findings);
    const [{ text, line }] = candidates;
    return { verdict: 'one', codes: kind.codes, text, line };
  }
  if (texts.length === 1) {
    const sole = selectSole(texts[0], kind, findings);
    if (sole !== undefined) return sole;
  }
  if (texts.every(({ form }) => form === 'unrelated')) {
    findings.add(`${kind.codes}-none`, {
      message: `the answer holds no ${kind.name} record: no TXT record begins with \`${kind.version};\``,
      line: 1,
      column: 1,
    });
  }
  for (const text of texts) reportUnusable(text, kind, findings, texts.length === 1);
  return { verdict: 'none' };
}

/**
 * How a text begins, from the record itself to what has nothing to do with it.
 *
 * - `record`: the version and a semicolon
 * - `blank`: the version, blanks and a semicolon
 * - `version`: the version and something else that does not make it another one
 * - `case`: the version in other letters' case, and a semicolon
 * - `lookalike`: the version disguised: quoted, escaped, indented, with blanks, of another number, misspelled, missing, not in front
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
    // `v=STSv10` is another version and `v=STSv1\;` a zone file's escape: neither is this version with a bad delimiter.
    return /^[A-Za-z0-9_.\\-]/.test(rest) ? 'lookalike' : 'version';
  }
  const folded = text.toLowerCase();
  if (folded.startsWith(`${version.toLowerCase()};`)) return 'case';
  return holdsVersion(text, version) || nearVersion(text, version) !== undefined ? 'lookalike' : 'unrelated';
}

/** Whatever stands before it and between its letters. */
function holdsVersion(text: string, version: string): boolean {
  return text.toLowerCase().replace(/[^a-z0-9=;]/g, '').includes(version.toLowerCase());
}

/** Who overlooks a record whose version is followed by blanks; seen by running them. */
const BLANK_ALONE: Readonly<Record<TxtKind['codes'], readonly SenderQuirk[]>> = {
  'record': [{ senders: ['chasquid', 'aykevl', 'mailpiece'], effect: 'sees no policy' }],
  'tls-rpt': [{ senders: ['aykevl', 'mailpiece'], effect: 'sends no reports' }],
};

/** Who counts such a text as a second record where it stands beside one. */
const BLANK_BESIDE: Readonly<Record<TxtKind['codes'], readonly SenderQuirk[]>> = {
  'record': [{
    senders: ['mox', 'postfix-tlspol', 'rest-mail', 'postfix-mta-sts-resolver', 'mailauth', 'go-mtasts', 'kumomta', 'courier'], effect: 'sees no policy',
  }],
  'tls-rpt': [{ senders: ['mox'], effect: 'sends no reports' }],
};

/** A sole record that has the version in front, but not the semicolon directly behind it. */
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

/** What stands beside the one record harms only at senders that choose in another way. */
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

/** There is no record; what was meant to be it deserves an explanation. */
function reportUnusable({ text, line, form }: Text, kind: TxtKind, findings: FindingCollector, isSole: boolean): void {
  const shown = `\`${safeText(text, 60)}\``;
  if (form === 'unrelated') {
    findings.add(`${kind.codes}-unrelated-txt`, {
      message: text === ''
        ? `an empty TXT record is no ${kind.name} record`
        : `TXT record ${shown} does not begin with \`${kind.version};\``,
      line,
      column: 1,
      // Those who read it otherwise do so beside a record; here nobody sees one.
      quirks: [],
      ...otherPlace(text, kind),
    });
  } else {
    const begin = form === 'blank' || form === 'version' ? `TXT record ${shown}` : `unrecognised version: TXT record ${shown}`;
    findings.add(`${kind.codes}-unrecognised`, {
      message: `${begin} does not begin with \`${kind.version};\`: ${disguise(text, form, kind.version)}${lookAlikeRemark(text.slice(0, LONGEST_VERSION))}`,
      line,
      column: 1,
      ...isSole ? { quirks: disguisedDissent(text, kind) } : {},
    });
  }
}

/** Who reads a sole record although its version is not in front. */
function disguisedDissent(text: string, { version, codes }: TxtKind): readonly SenderQuirk[] {
  if (/^[\t ]/.test(text) && trimBlanks(text).startsWith(`${version};`)) return recordTolerance(codes, 'indented');
  return /^id=[A-Za-z0-9]{1,32};/.test(text) && text.includes(version) ? recordTolerance(codes, 'version-last') : [];
}

/** What stands at the name of the other record is not to be deleted. */
function otherPlace(text: string, { codes }: TxtKind): { readonly fix?: string } {
  const { version, label, name } = OTHER[codes];
  return text.startsWith(version) ? { fix: `move it to \`${label}\`, where the ${name} record belongs; delete it only if that is there already` } : {};
}

const OTHER = {
  'record': { version: 'v=TLSRPTv1', label: '_smtp._tls', name: 'TLSRPT' },
  'tls-rpt': { version: 'v=STSv1', label: '_mta-sts', name: 'MTA-STS' },
} as const;

/** A version with all that can be wrong with it. */
const LONGEST_VERSION = 40;

function disguise(text: string, form: Form, version: TxtVersion): string {
  if (form === 'case') return 'the version is case-sensitive';
  if (form === 'blank' || form === 'version') return 'among several TXT records only a semicolon directly after the version counts';
  if (text.startsWith(`${version}\\`)) return 'a backslash before the semicolon belongs into a zone file, not into the record itself';
  if (text.startsWith(version)) return 'this is another version';
  const near = holdsVersion(text, version) ? undefined : nearVersion(text, version);
  if (near !== undefined) return near;
  if (/^["'`]/.test(text)) return 'quotation marks belong into a zone file, not into the record itself';
  if (/^[ \t]/.test(text)) return 'there are blanks before the version';
  return text.startsWith('v') ? 'the version is not written exactly so' : 'the version is not in front';
}
