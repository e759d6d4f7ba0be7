// Prints a suggestion for people and for programs.
import { policyHostName, policyUrl } from '../../../lib/protocol/policy/url';
import { safeText, safeWholeText } from '../../../lib/util/safe-text';
import type { Style, Mark } from '../../output/terminal';
import type { Plan, Suggestion, SuggestionVerdict } from './suggestion';

const VERDICT_WORDS: Readonly<Record<SuggestionVerdict, readonly [Mark, string]>> = {
  'suggested': ['good', 'a policy that covers every mail host'],
  'incomplete': ['error', 'no policy can cover every mail host'],
  'no-mail': ['good', 'takes no mail and needs no policy'],
  'no-host': ['error', 'no host that can be reached takes its mail'],
  'undecided': ['unknown', 'could not be decided'],
};

/** Maximum number of hosts. No honest domain has more. */
const MAX_HOSTS = 20;

/** Returns the text of `mta-sts suggest`. */
export function suggestionText(suggestion: Suggestion, style: Style): string {
  const { domain, verdict, reasons, plan } = suggestion;
  const [mark, words] = VERDICT_WORDS[verdict];
  const lines = [
    `${style.mark(mark)} ${style.bold(domain)}: ${style.strong(mark, words)}`,
    ...hostLines(suggestion, style),
    '',
    ...reasons.flatMap((reason) => style.row('', reason, { indent: 2, column: 2, mark: '-' })),
    ...plan === undefined ? [] : planLines(domain, plan, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** Returns the suggestion as JSON. */
export function suggestionJson({ domain, verdict, mx, published, reasons, plan }: Suggestion): object {
  return {
    domain,
    verdict,
    // JSON.stringify drops undefined.
    mx: mx.map(({ name, preference, provider, problem, reachable }) => {
      return { host: name, preference, provider: provider ?? null, fault: problem, reachable };
    }),
    published,
    reasons: reasons.map(safeWholeText),
    construct: plan?.construct ?? null,
    policies: plan === undefined ? null : { testing: plan.testing, enforce: plan.enforce },
    rollout: plan?.rollout ?? [],
  };
}

function hostLines({ mx }: Suggestion, style: Style): string[] {
  const lines = mx.slice(0, MAX_HOSTS).flatMap(({ name, preference, provider, problem, reachable }, index) => {
    const text = [preference === null ? '' : `${preference} `, safeText(name), provider === undefined ? '' : ` (${provider})`].join('');
    return style.row(index === 0 ? 'mx' : '', text, { indent: 2, column: 12, mark: style.mark(problem !== undefined ? 'error' : reachable === false ? 'warning' : 'good') });
  });
  return mx.length > MAX_HOSTS ? [...lines, ...style.row('', `and ${mx.length - MAX_HOSTS} more`, { indent: 2, column: 12 })] : lines;
}

function planLines(domain: string, { construct, testing, rollout }: Plan, style: Style): string[] {
  return [
    '',
    style.bold('Step by step'),
    ...rollout.flatMap(({ title, change, check }, index) => [
      '',
      `  ${index + 1}. ${style.bold(title)}`,
      ...style.row('', change, { indent: 5, column: 5 }),
      // Never wrap a command, so that it can be copied.
      `     ${style.faint('$')} ${style.plain(check)}`,
    ]),
    '',
    style.bold('The construct'),
    '',
    ...indented(construct.import, style),
    '',
    ...indented(construct.code, style),
    '',
    style.bold(`The file that the construct serves at ${policyUrl(policyHostName(domain))}`),
    '',
    ...indented(testing.text, style),
  ];
}

/** Indents text and keeps its lines, so that it can be copied. */
function indented(text: string, style: Style): string[] {
  return text.trimEnd().split(/\r?\n/).map((line) => `    ${style.plain(line)}`);
}
