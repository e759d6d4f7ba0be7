// Parses the lines of a policy file, `name: value`, byte by byte (RFC 8461 §3.2).
import { fieldNameProblem, isFieldName } from '../records/field-name';
import type { FindingCode } from '../findings/catalog';
import { lookAlikeRemark } from '../look-alikes';
import { safeText, safeBytes, sequenceLength, trimBlanks } from '../../util/safe-text';

/** A well-formed line. */
export interface PolicyField {
  readonly name: string;
  /** Value without the blanks around it. Never empty. */
  readonly value: string;
  readonly line: number;
  /** Column of the first byte of the value, from 1. */
  readonly column: number;
}

/** The problem of a malformed line. */
export interface LineProblem {
  /** Name of the field, if the line has one. */
  readonly name?: string;
  readonly code: FindingCode;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

type Problem = Omit<LineProblem, 'line'>;

/**
 * Reads lines of `name ":" *WSP value *WSP`. A line ends in `sts-policy-term = LF / CRLF`, which the last line may lack. Any other CR is
 * part of its line. A value must be a `sts-policy-ext-value`: visible ASCII or UTF-8, with spaces inside. The rules of the known fields are
 * checked in fields.ts.
 */
export function readLines(file: Uint8Array): readonly (PolicyField | LineProblem)[] {
  const text = oneForEachByte(file);
  const lines: (PolicyField | LineProblem)[] = [];
  let start = 0;
  while (start < text.length) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    const ended = feed > start && text.charCodeAt(feed - 1) === CR ? feed - 1 : end;
    const line = lines.length + 1;
    lines.push(readPlainLine(text, start, ended, line) ?? { ...readLine(file.subarray(start, ended)), line });
    start = end + 1;
  }
  return lines;
}

function oneForEachByte(file: Uint8Array): string {
  return (Buffer.isBuffer(file) ? file : Buffer.from(file.buffer, file.byteOffset, file.byteLength)).toString('latin1');
}

/** Reads a well-formed ASCII line in one pass, as nearly all lines are. Returns undefined for any other line. */
function readPlainLine(text: string, start: number, end: number, line: number): PolicyField | undefined {
  let colon = start;
  while (colon < end && text.charCodeAt(colon) !== COLON) colon += 1;
  let from = colon + 1;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  if (from >= to) return undefined;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code > TILDE) return undefined;
  }
  const name = text.slice(start, colon);
  return isFieldName(name) ? { name, value: text.slice(from, to), line, column: from - start + 1 } : undefined;
}

/** Reads any line. Returns the problem of a malformed line. */
function readLine(bytes: Uint8Array): Omit<PolicyField, 'line'> | Problem {
  const problem = lineProblem(bytes) ?? byteProblem(bytes);
  if (problem !== undefined) return { name: nameInside(bytes), ...problem };
  const colon = bytes.indexOf(COLON);
  if (colon === -1) return { code: 'policy-no-colon', message: `line \`${show(bytes)}\` has no colon; \`name: value\` is expected${lookAlikeRemark(UTF8.decode(bytes))}`, column: 1 };
  const before = UTF8.decode(bytes.subarray(0, colon));
  const name = trimBlanks(before);
  if (name !== before) {
    return { name, code: 'policy-blank-before-colon', message: `a blank stands before the colon in \`${show(bytes)}\``, column: colon };
  }
  const nameProblem = fieldNameProblem(name);
  if (nameProblem !== undefined) return { name, code: 'policy-field-name', message: `field name \`${safeText(name, 60)}\` ${nameProblem}`, column: 1 };
  const { start, end } = trimmed(bytes, colon + 1);
  if (start === end) return { name, code: 'policy-empty-value', message: `field \`${name}\` has no value`, column: colon + 2 };
  const tab = bytes.subarray(start, end).indexOf(TAB);
  if (tab !== -1) {
    return { name, code: 'policy-control-character', message: `a tab stands inside the value of \`${name}\``, column: start + tab + 1 };
  }
  return { name, value: UTF8.decode(bytes.subarray(start, end)), column: start + 1 };
}

const TAB = 0x09;
const CR = 0x0d;
const SPACE = 0x20;
const HASH = 0x23;
const COLON = 0x3a;
const TILDE = 0x7e;

/** Decodes only bytes that `byteProblem` has accepted: this decoder replaces malformed bytes. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Returns the field name of a malformed line, so that the field is not reported as missing too. */
function nameInside(bytes: Uint8Array): string | undefined {
  return /^[ \t\r]*([A-Za-z0-9_.-]{1,32})[ \t]*:/.exec(Buffer.from(bytes.subarray(0, 64)).toString('latin1'))?.at(1);
}

/** Finds lines that are no field: empty lines, comments, indented lines. */
function lineProblem(bytes: Uint8Array): Problem | undefined {
  const { start, end } = trimmed(bytes, 0);
  if (start === end) {
    const message = bytes.length === 0 ? 'the line is empty' : 'the line contains only blanks';
    return { code: 'policy-blank-line', message, column: 1 };
  }
  if (bytes[start] === HASH) return { code: 'policy-comment', message: `comment \`${show(bytes)}\``, column: start + 1 };
  if (start > 0) return { code: 'policy-leading-blank', message: `line \`${show(bytes)}\` begins with a blank`, column: 1 };
  return undefined;
}

/** Finds the first byte that no line may contain. */
function byteProblem(bytes: Uint8Array): Problem | undefined {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes.at(at) ?? 0;
    const column = at + 1;
    if (byte === CR) {
      const message = column === bytes.length
        ? 'the line ends in a carriage return without a line feed'
        : 'a carriage return stands inside a line; a line feed must follow it';
      return { code: 'policy-stray-cr', message, column };
    }
    if ((byte < SPACE && byte !== TAB) || byte === 0x7f) {
      return { code: 'policy-control-character', message: `control character \`${show(bytes.subarray(at, at + 1))}\``, column };
    }
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      return { code: 'policy-utf8', message: `byte \`${show(bytes.subarray(at, at + 1))}\` is not part of a UTF-8 character`, column };
    }
    at += length;
  }
  return undefined;
}

/** Returns start and end of the bytes from `from` on, without the spaces and tabs around them. */
function trimmed(bytes: Uint8Array, from: number): { readonly start: number; readonly end: number } {
  let start = from;
  let end = bytes.length;
  while (start < end && isBlank(bytes.at(start))) start += 1;
  while (end > start && isBlank(bytes.at(end - 1))) end -= 1;
  return { start, end };
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

function show(bytes: Uint8Array): string {
  return safeBytes(bytes, 60);
}
