// Reads the fields of a TXT record by the grammar that RFC 8461 §3.1 and RFC 8460 §3 share.
import { fieldNameProblem, intendedName } from './field-name';
import type { SenderQuirk } from '../findings/finding';
import type { FindingCollector } from '../findings/collector';
import { holds, lookAlikeRemark } from '../look-alikes';
import { recordTolerance } from './tolerance';
import { safeText, trimBlanks } from '../../util/safe-text';
import type { ChosenRecord, TxtKind } from './txt-kind';

/** One `name=value` of a record, as written. */
export interface TxtField {
  readonly name: string;
  readonly value: string;
  readonly line: number;
  /** Column of the first character of the name, from 1. */
  readonly column: number;
  /** Column of the first character of the value, or the place where the value is missing. */
  readonly valueColumn: number;
}

/** The fields of a record. */
export interface TxtFields {
  readonly fields: readonly TxtField[];
  /** Column of the first tab beside a semicolon, if there is one. */
  readonly tab?: number;
}

/**
 * Splits a record into its fields, which are separated by `*WSP ";" *WSP`, with at most one more at the end. It does not check values.
 *
 * Neither a name nor a value can contain a semicolon, so every semicolon is a delimiter.
 */
export function splitFields({ text, line, codes }: ChosenRecord, findings: FindingCollector): TxtFields {
  const pieces = splitPieces(text);
  const fields: TxtField[] = [];
  // The first piece is the version.
  for (const piece of pieces.slice(1)) {
    const { content, column, last, blanksAfter } = piece;
    if (content === '') {
      if (!last) {
        const quirks = recordTolerance(codes, 'empty-field');
        findings.add('txt-empty-field', { message: 'nothing stands between two semicolons; a field is expected', line, column, quirks });
      }
      continue;
    }
    if (last && blanksAfter !== '') {
      findings.add('txt-trailing-blank', {
        message: 'a blank or tab follows the last field and no semicolon does',
        line,
        column: column + content.length,
        quirks: recordTolerance(codes, 'trailing-blank'),
      });
    }
    const field = readField(content, { line, column, codes }, findings);
    if (field !== undefined) fields.push(field);
  }
  return { fields, tab: pieces.map(tabColumn).find((column) => column !== undefined) };
}

/**
 * Checks a field that the record does not need: an unknown field, or a repeated one. The grammar reads both as extensions.
 *
 * @param first - the field that the record needs, or its name if the record lacks it
 */
export function checkOther(field: TxtField, first: TxtField | string, findings: FindingCollector): void {
  const { name, value, line, column } = field;
  const known = typeof first === 'string' ? first : first.name;
  checkValue(field, known === 'id' ? 'record' : 'tls-rpt', findings);
  const shown = `\`${safeText(name)}\``;
  if (name === known || name === 'v') {
    const quirks = known === 'id' ? duplicateQuirks(name, typeof first === 'string' || first.value === value) : [];
    findings.add('txt-duplicate-field', { message: `field ${shown} appears twice; the first counts`, line, column, quirks });
  } else if (intendedName(name, [known]) !== undefined) {
    findings.add('txt-misspelled-field', { message: `field ${shown} is unknown and ignored; \`${known}\` was probably meant`, line, column });
  } else {
    findings.add('txt-unknown-field', { message: `field ${shown} is unknown and ignored`, line, column });
  }
}

/** Returns the senders that refuse an MTA-STS record with a second `v` or `id`, and those that read the second one. Each was run. */
function duplicateQuirks(name: string, isSame: boolean): readonly SenderQuirk[] {
  if (name === 'v') return [{ senders: ['rest-mail'], effect: 'refuses the record' }];
  return [
    { senders: ['mox', 'mailpiece', 'rest-mail', 'courier'], effect: 'refuses the record' },
    ...isSame ? [] : [{ senders: ['go-mtasts', 'kumomta', 'mailauth', 'postfix-mta-sts-resolver', 'stalwart'], effect: 'reads the last one' }],
  ];
}

/** Checks a value by `1*(%x21-3A / %x3C / %x3E-7E)`: printable ASCII without space, semicolon and equals sign. */
function checkValue({ name, value, line, valueColumn: column }: TxtField, codes: TxtKind['codes'], findings: FindingCollector): void {
  const named = `value of \`${safeText(name)}\``;
  if (value === '') {
    findings.add('txt-field-value', { message: `${named} is empty`, line, column });
    return;
  }
  const strange = /[^\x21-\x3a\x3c\x3e-\x7e]/u.exec(value);
  if (strange !== null) {
    findings.add('txt-field-value', {
      message: `${named} ${holds(strange[0], '; printable ASCII without blanks and equals signs is expected')}`,
      line,
      column: column + strange.index,
      quirks: valueQuirks(strange[0], codes),
    });
  }
}

function valueQuirks(strange: string, codes: TxtKind['codes']): readonly SenderQuirk[] {
  if (strange === '=') return recordTolerance(codes, 'equals-in-value');
  return strange > '\x7f' ? recordTolerance(codes, 'beyond-ascii') : [];
}

/** Position of a field, and the kind of its record. */
interface Place {
  readonly line: number;
  readonly column: number;
  readonly codes: TxtKind['codes'];
}

function readField(text: string, { line, column, codes }: Place, findings: FindingCollector): TxtField | undefined {
  const equals = text.indexOf('=');
  if (equals === -1) {
    findings.add('txt-no-equals', { message: `\`${safeText(text, 60)}\` is not a field; name=value is expected${lookAlikeRemark(text)}`, line, column });
    return undefined;
  }
  const name = trimBlanks(text.slice(0, equals));
  const value = trimBlanks(text.slice(equals + 1));
  if (name.length + 1 + value.length < text.length) {
    findings.add('txt-blank-around-equals', {
      message: `a blank stands beside the equals sign in \`${safeText(text, 60)}\``,
      line,
      column: column + equals,
      fix: `write \`${safeText(`${name}=${value}`, 60)}\``,
      quirks: recordTolerance(codes, 'blank-around-equals'),
    });
  }
  const fault = fieldNameProblem(name);
  if (fault === undefined) return { name, value, line, column, valueColumn: column + text.length - value.length };
  findings.add('txt-field-name', { message: `field name \`${safeText(name, 60)}\` ${fault}`, line, column, quirks: recordTolerance(codes, 'field-name') });
  return undefined;
}

/** What stands between two semicolons. */
interface Piece {
  readonly blanksBefore: string;
  readonly content: string;
  readonly blanksAfter: string;
  /** Of the content, from 1. */
  readonly column: number;
  readonly last: boolean;
}

function splitPieces(text: string): readonly Piece[] {
  const pieces = text.split(';');
  let start = 1;
  return pieces.map((piece, index) => {
    const content = trimBlanks(piece);
    const indent = content === '' ? piece.length : piece.indexOf(content.charAt(0));
    const column = start + indent;
    start += piece.length + 1;
    return {
      blanksBefore: piece.slice(0, indent),
      content,
      blanksAfter: piece.slice(indent + content.length),
      column,
      last: index === pieces.length - 1,
    };
  });
}

function tabColumn({ blanksBefore, content, blanksAfter, column }: Piece): number | undefined {
  const before = blanksBefore.indexOf('\t');
  if (before !== -1) return column - blanksBefore.length + before;
  const after = blanksAfter.indexOf('\t');
  return after === -1 ? undefined : column + content.length + after;
}
