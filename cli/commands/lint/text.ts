// The result of linting one input, for people and for programs.
import type { Finding } from '../../../lib/protocol/findings/finding';
import type { Policy } from '../../../lib/protocol/policy/policy';
import { findingLines } from '../../output/findings';
import { findingShape, json, policyShape } from '../../output/json';
import { formatSeconds } from '../../../lib/util/duration';
import { Status } from '../../exit-status';
import type { Style } from '../../output/terminal';

/** The kind of the input, as the output names it. */
export type LintKind = 'MTA-STS policy' | 'MTA-STS record' | 'TLSRPT record';

/** The result for one input: one element of the output. */
export interface LintResult {
  /** The path of a file, `-`, or the TXT records of the answer: a text for one record, otherwise an array. */
  readonly input: string | readonly string[];
  readonly verdict: 'valid' | 'invalid' | 'none' | 'multiple';
  /** The values of a valid record. */
  readonly record?: { readonly id: string } | { readonly rua: readonly string[] };
  /** The values of a valid policy. */
  readonly policy?: Policy;
  readonly findings: readonly Finding[];
}

/** Returns the exit status: any input that senders cannot use has an error, and so has an answer without a record. */
export function lintStatus({ findings }: LintResult): Status {
  return findings.some(({ severity }) => severity === 'error') ? Status.ERROR_FOUND : Status.GOOD;
}

/** Returns the JSON of `mta-sts lint`. `input`, `record` and `policy` are unescaped data; the findings are safe to show. */
export function lintJson(results: readonly LintResult[]): string {
  // JSON.stringify drops undefined.
  return `${json(results.map(({ input, verdict, record, policy, findings }) => {
    return { input, verdict, record, policy: policy && policyShape(policy), findings: findings.map(findingShape) };
  }))}\n`;
}

/** Returns the text of `mta-sts lint` for one input. */
export function lintText(kind: LintKind, result: LintResult, style: Style): string {
  const mark = lintStatus(result) === Status.GOOD ? 'good' : 'error';
  const headline = `${style.mark(mark)} ${style.bold(inputName(kind, result))}: ${style.strong(mark, verdictText(result))}`;
  return `${[headline, ...valueLines(result, style), ...findingLines(result.findings, style)].join('\n')}\n`;
}

function inputName(kind: LintKind, { input }: LintResult): string {
  if (kind !== 'MTA-STS policy' || typeof input !== 'string') return kind;
  return input === '-' ? 'standard input' : input;
}

function verdictText({ verdict, input }: LintResult): string {
  switch (verdict) {
    case 'none': return typeof input !== 'string' && input.length === 0 ? 'none, the answer is empty' : 'none, nothing in the answer is one';
    case 'multiple': return 'multiple, so senders use none of them';
    case 'valid':
    case 'invalid': return verdict;
  }
}

function valueLines({ record, policy }: LintResult, style: Style): string[] {
  const values: [label: string, value: string][] = [];
  if (record !== undefined && 'id' in record) values.push(['id', record.id]);
  if (record !== undefined && 'rua' in record) values.push(...repeatedValues('rua', record.rua));
  if (policy !== undefined) values.push(...policyValues(policy));
  return values.flatMap(([label, value]) => style.row(label, value, { indent: 2, column: 12 }));
}

function policyValues({ mode, maxAge, mx }: Policy): [string, string][] {
  return [['mode', mode], ['max_age', formatSeconds(maxAge)], ...repeatedValues('mx', mx)];
}

function repeatedValues(label: string, values: readonly string[]): [string, string][] {
  return values.map((value, index) => [index === 0 ? label : '', value]);
}
