// The result of linting for people.
import type { Policy } from '../../../lib/protocol/policy/policy';
import { findingLines } from '../../output/findings';
import { lintStatus } from './result';
import type { LintResult } from './result';
import { days } from '../../../lib/util/seconds';
import { Status } from '../../exit-status';
import type { Style } from '../../output/terminal';

/** What was linted, in words. */
export type LintKind = 'MTA-STS policy' | 'MTA-STS record' | 'TLSRPT record';

/** The text that `mta-sts lint` prints for one input. */
export function lintText(kind: LintKind, result: LintResult, style: Style): string {
  const standing = lintStatus(result) === Status.GOOD ? 'good' : 'error';
  const headline = `${style.mark(standing)} ${style.bold(inputName(kind, result))}: ${style.strong(standing, verdictText(result))}`;
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
  if (record !== undefined && 'rua' in record) values.push(...listed('rua', record.rua));
  if (policy !== undefined) values.push(...policyValues(policy));
  return values.flatMap(([label, value]) => style.row(label, value, { indent: 2, column: 12 }));
}

function policyValues({ mode, maxAge, mx }: Policy): [string, string][] {
  return [['mode', mode], ['max_age', days(maxAge)], ...listed('mx', mx)];
}

function listed(label: string, values: readonly string[]): [string, string][] {
  return values.map((value, index) => [index === 0 ? label : '', value]);
}
