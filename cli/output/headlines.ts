// Prints headlines while the document goes to a file: the domains that did not pass, and the totals.
import type { VerificationResult } from '../../lib/verifier/result';
import type { Style } from './terminal';
import type { Reporter } from './reporter';
import { summaryText } from './formats/text';
import { VERDICT_WORDS } from './summary';

export function headlinesFormat(style: Style): Reporter {
  return {
    head: () => '',
    body: (result) => result.verdict === 'pass' ? '' : headline(result, style),
    tail: (totals) => summaryText(totals, style),
  };
}

/** Adds the worst finding: findings are sorted worst first. */
function headline({ domain, verdict, findings }: VerificationResult, style: Style): string {
  const { mark, word } = VERDICT_WORDS[verdict];
  const worst = findings.at(0);
  const lines = [
    `${style.mark(mark)} ${style.bold(domain)}: ${style.strong(mark, word)}`,
    ...worst === undefined ? [] : style.row('', `${worst.code}: ${worst.message}`, { indent: 2, column: 2 }),
  ];
  return `${lines.join('\n')}\n`;
}
