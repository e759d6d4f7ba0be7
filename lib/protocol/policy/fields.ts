// Reads the fields of a policy file (RFC 8461 §3.2): finds missing and repeated fields, and checks their values.
import { isDigits } from '../../util/ascii';
import { intendedName } from '../records/field-name';
import type { SenderQuirk } from '../findings/finding';
import type { FindingCollector } from '../findings/collector';
import type { FindingCode } from '../findings/catalog';
import { lookAlikeRemark } from '../look-alikes';
import { mxGrammarProblem } from '../mx/pattern';
import type { LineProblem, PolicyField } from './parse-line';
import { UNREADABLE_MODE, extensionTolerance, maxAgeTolerance, missingTolerance, patternTolerance } from './tolerance';
import { isMode, MAX_AGE_LIMIT } from './model';
import type { Mode } from './model';
import { safeText } from '../../util/safe-text';
import { toleranceBut } from '../findings/tolerance';

/** A value and its position. A `PolicyField` is a placed text. */
export interface Placed<T> {
  readonly value: T;
  readonly line: number;
  readonly column: number;
}

/** Well-formed values. Missing and malformed values have been reported as findings. */
export interface PolicyFields {
  readonly mode?: Placed<Mode>;
  readonly maxAge?: Placed<number>;
  readonly mx: readonly Placed<string>[];
}

/** Reads the fields from the lines of a file. The first `version`, `mode` and `max_age` counts. */
export function readFields(lines: readonly (PolicyField | LineProblem)[], findings: FindingCollector): PolicyFields {
  const { version, mode, maxAge, mx, malformed } = sortFields(lines, findings);
  const isInDns = lines.some((line) => !('code' in line) && line.name === 'v');
  reportMissing('version', 'policy-version-missing', version, malformed, findings, missingTolerance(isInDns ? 'v' : 'version'));
  reportMissing('mode', 'policy-mode-missing', mode, malformed, findings, missingTolerance('mode'));
  reportMissing('max_age', 'policy-max-age-missing', maxAge, malformed, findings, missingTolerance('max_age'));
  if (mx.length === 0 && !malformed.includes('mx')) reportNoMx(mode, findings);
  if (version !== undefined) checkVersion(version, findings);
  return {
    mode: mode && readMode(mode, findings),
    maxAge: maxAge && readMaxAge(maxAge, findings),
    mx: readPatterns(mx, findings),
  };
}

const KNOWN = ['version', 'mode', 'max_age', 'mx'];

interface SortedFields {
  readonly version?: PolicyField;
  readonly mode?: PolicyField;
  readonly maxAge?: PolicyField;
  readonly mx: readonly PolicyField[];
  /** Field names of malformed lines. These fields are not reported as missing too. */
  readonly malformed: readonly string[];
}

function sortFields(lines: readonly (PolicyField | LineProblem)[], findings: FindingCollector): SortedFields {
  let version: PolicyField | undefined;
  let mode: PolicyField | undefined;
  let maxAge: PolicyField | undefined;
  const mx: PolicyField[] = [];
  const malformed: string[] = [];
  for (const field of lines) {
    if ('code' in field) {
      findings.add(field.code, { message: field.message, line: field.line, column: field.column, quirks: lineTolerance(field) });
      if (field.name !== undefined) malformed.push(field.name);
      continue;
    }
    switch (field.name) {
      case 'mx':
        mx.push(field);
        break;
      case 'version':
        version = firstOf(version, field, findings);
        break;
      case 'mode':
        mode = firstOf(mode, field, findings);
        break;
      case 'max_age':
        maxAge = firstOf(maxAge, field, findings);
        break;
      default:
        reportUnknown(field, findings);
    }
  }
  return { version, mode, maxAge, mx, malformed };
}

/** Returns the senders for a malformed line, if they depend on the field. Returns undefined to use those of the catalogue. */
function lineTolerance({ code, name, column }: LineProblem): readonly SenderQuirk[] | undefined {
  if (code === 'policy-field-name') return extensionTolerance(name ?? '');
  if (code === 'policy-empty-value') return name === 'max_age' ? maxAgeTolerance('') : name === 'mode' ? UNREADABLE_MODE : undefined;
  if (code === 'policy-utf8') return name === 'mode' ? UNREADABLE_MODE : undefined;
  if (code === 'policy-stray-cr' && column === 1) return STRAY_CR_FIRST;
  const isExtension = name !== undefined && !KNOWN.includes(name);
  return isExtension && (code === 'policy-control-character' || code === 'policy-stray-cr') ? extensionTolerance(name) : undefined;
}

/** Senders for a file whose lines end in LF CR, the wrong order. */
const STRAY_CR_FIRST = toleranceBut('policy', ['mox', 'postfix-tlspol', 'go-mtasts', 'kumomta']);

function firstOf(first: PolicyField | undefined, field: PolicyField, findings: FindingCollector): PolicyField {
  if (first === undefined) return field;
  reportDuplicate(field, first, findings);
  return first;
}

/**
 * Reports a repeated field, whatever its value: the grammar reads it as an extension, and only the first counts (RFC 8461 §3.2, last
 * paragraph).
 */
function reportDuplicate(field: PolicyField, first: PolicyField, findings: FindingCollector): void {
  const { name, value, line } = field;
  findings.add(name === 'version' ? 'policy-duplicate-version' : 'policy-duplicate-field', {
    message: `field \`${name}\` appears again, with \`${safeText(value, 60)}\`; the first counts`,
    line,
    column: 1,
    quirks: duplicateQuirks(field, first),
  });
}

/** Returns what senders do with a repeated field. Returns undefined to use the quirks of the catalogue. */
function duplicateQuirks({ name, value }: PolicyField, first: PolicyField): readonly SenderQuirk[] | undefined {
  if (name === 'version') {
    return [{
      senders: value === first.value ? ['kumomta'] : ['mox', 'chasquid', 'go-mtasts', 'postfix-mta-sts-resolver', 'mailauth', 'stalwart', 'kumomta'],
      effect: 'refuses the policy',
    }];
  }
  const refusers = ['mox', 'chasquid', 'go-mtasts', 'postfix-mta-sts-resolver', 'mailauth', 'kumomta', 'danmarg'];
  if (name === 'mode') return isMode(value) ? undefined : [{ senders: [...refusers, 'stalwart'], effect: 'refuses the policy' }];
  if (isMaxAge(value)) return undefined;
  return [{ senders: refusers, effect: 'refuses the policy' }, { senders: ['stalwart'], effect: 'reads the last one' }];
}

/** Returns the senders that refuse a policy because of the value of an extension field. */
function extensionQuirks(value: string): readonly SenderQuirk[] {
  return [
    ...value.includes(':') ? [{ senders: ['go-mtasts'], effect: 'refuses the policy' }] : [],
    ...CONTROL_C1.test(value) ? [{ senders: ['postfix-tlspol'], effect: 'refuses the policy' }] : [],
  ];
}

/** Matches C1 control characters, two bytes of UTF-8 that the grammar allows. */
const CONTROL_C1 = /[\x80-\x9f]/;

function reportUnknown({ name, value, line }: PolicyField, findings: FindingCollector): void {
  const quirks = extensionQuirks(value);
  // Some files copy `v` from the TXT record.
  const intended = name === 'v' ? 'version' : intendedName(name, KNOWN);
  if (intended === undefined) {
    findings.add('policy-unknown-field', { message: `field \`${name}\` is unknown and ignored`, line, column: 1, quirks });
  } else {
    findings.add('policy-misspelled-field', {
      message: `field \`${name}\` is unknown and ignored; \`${intended}\` was probably meant`,
      line,
      column: 1,
      fix: `write \`${intended}\` in place of \`${name}\``,
      quirks,
    });
  }
}

function reportMissing(
  name: string, code: FindingCode, field: PolicyField | undefined, malformed: readonly string[], findings: FindingCollector,
  quirks: readonly SenderQuirk[],
): void {
  if (field !== undefined || malformed.includes(name)) return;
  findings.add(code, { message: `there is no \`${name}\` line`, line: 1, column: 1, quirks });
}

/** Reports missing `mx` lines. Only a readable mode `none` allows that. */
function reportNoMx(mode: PolicyField | undefined, findings: FindingCollector): void {
  if (mode?.value === 'none') {
    findings.add('policy-none-without-mx', { message: 'mode `none` without `mx`', line: mode.line, column: mode.column });
  } else {
    findings.add('policy-mx-missing', { message: 'there is no `mx` line; only mode `none` can omit it', line: 1, column: 1 });
  }
}

function checkVersion(field: PolicyField, findings: FindingCollector): void {
  if (field.value === 'STSv1') return;
  findings.add('policy-version', {
    message: `version is \`${safeText(field.value)}\`; exactly \`STSv1\` is expected${lookAlikeRemark(field.value)}`,
    line: field.line,
    column: field.column,
  });
}

function readMode(field: PolicyField, findings: FindingCollector): Placed<Mode> | undefined {
  if (isMode(field.value)) return placed(field, field.value);
  findings.add('policy-mode', {
    message: `mode is \`${safeText(field.value)}\`; \`enforce\`, \`testing\` or \`none\` is expected${lookAlikeRemark(field.value)}`,
    line: field.line,
    column: field.column,
  });
  return undefined;
}

function readMaxAge(field: PolicyField, findings: FindingCollector): Placed<number> | undefined {
  const { value, line, column } = field;
  if (!isMaxAge(value)) {
    findings.add('policy-max-age', { message: `max_age is \`${safeText(value)}\`; 1 to 10 digits are expected${lookAlikeRemark(value)}`, line, column, quirks: maxAgeTolerance(value) });
    return undefined;
  }
  const seconds = Number(value);
  if (seconds <= MAX_AGE_LIMIT) return placed(field, seconds);
  findings.add('policy-max-age-limit', { message: `max_age is ${value}; at most ${MAX_AGE_LIMIT} seconds (a year) are allowed`, line, column });
  return undefined;
}

function isMaxAge(value: string): boolean {
  return value.length <= 10 && isDigits(value);
}

function readPatterns(mx: readonly PolicyField[], findings: FindingCollector): readonly Placed<string>[] {
  const patterns: Placed<string>[] = [];
  for (const field of mx) {
    const { value, line, column } = field;
    const problem = mxGrammarProblem(value);
    if (problem === undefined) patterns.push(field);
    else findings.add('policy-mx-pattern', { message: `mx pattern \`${safeText(value)}\` ${problem}`, line, column, quirks: patternTolerance(value) });
  }
  return patterns;
}

function placed<T>(field: PolicyField, value: T): Placed<T> {
  return { value, line: field.line, column: field.column };
}
