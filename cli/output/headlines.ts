// What standard output says while the document goes to a file: the domains that did not pass, and the totals.
import type { VerificationResult } from '../../lib/verifier/result';
import type { Style } from './terminal';
import type { Reporter } from './reporter';
import { summaryText } from './formats/text';
import { VERDICTS } from './summary';

export function headlinesFormat(style: Style): Reporter {
  return {
    head: () => '',
    report: (result) => result.verdict === 'pass' ? '' : headline(result, style),
    tail: (totals) => summaryText(totals, style),
  };
}

/** With the worst of its findings, which come worst first. */
function headline({ domain, verdict, findings }: VerificationResult, style: Style): string {
  const { standing, word } = VERDICTS[verdict];
  const worst = findings.at(0);
  const lines = [
    `${style.mark(standing)} ${style.bold(domain)}: ${style.strong(standing, word)}`,
    ...worst === undefined ? [] : style.row('', `${worst.code}: ${worst.message}`, { indent: 2, column: 2 }),
  ];
  return `${lines.join('\n')}\n`;
}
