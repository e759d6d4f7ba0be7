// Findings for people: grouped by severity, worst first, each with what was seen and how to mend it.
import type { Finding, Severity } from '../../lib/protocol/findings/finding';
import type { LiveFinding } from '../../lib/verifier/result';
import type { Style } from './terminal';

/** A broken file can hold the same fault on thousands of lines; `--format json` shows a few more, and the first says how many. */
const MOST_OF_A_CODE = 5;

const GROUPS: readonly (readonly [Severity, one: string, many: string])[] = [
  ['error', 'error', 'errors'],
  ['unknown', 'thing that could not be decided from here', 'things that could not be decided from here'],
  ['warning', 'warning', 'warnings'],
  ['info', 'note', 'notes'],
];

type AnyFinding = Finding & Partial<Pick<LiveFinding, 'subject' | 'evidence' | 'time'>>;

/** The lines that show the findings; none when there is nothing to show. */
export function findingLines(findings: readonly AnyFinding[], style: Style): string[] {
  return GROUPS.flatMap(([severity, one, many]) => {
    const group = findings.filter((finding) => finding.severity === severity);
    if (group.length === 0) return [];
    const heading = `  ${style.strong(severity, `${group.length} ${group.length === 1 ? one : many}`)}`;
    return ['', heading, ...groupLines(group, style)];
  });
}

function groupLines(group: readonly AnyFinding[], style: Style): string[] {
  const seen = new Map<string, number>();
  const lines: string[] = [];
  for (const finding of group) {
    const count = (seen.get(finding.code) ?? 0) + 1;
    seen.set(finding.code, count);
    if (count <= MOST_OF_A_CODE) lines.push(...oneFinding(finding, style));
  }
  for (const [code, count] of seen) {
    if (count > MOST_OF_A_CODE) lines.push(`    ${style.faint(`and ${count - MOST_OF_A_CODE} more of ${code}; --format json lists more`)}`);
  }
  return lines;
}

function oneFinding(finding: AnyFinding, style: Style): string[] {
  const place = placeOf(finding);
  const title = `${style.bold(finding.code)}${place === '' ? '' : ` ${style.faint(`${style.dot} ${place}`)}`}`;
  return [
    `  ${style.mark(finding.severity)} ${title}`,
    ...style.row('', finding.message, { indent: 4, column: 4 }),
    ...detail('seen', seen(finding), style),
    ...detail('senders', unnamedSenders(finding), style),
    ...detail('fix', finding.fix, style),
    ...detail('see', finding.reference, style),
  ];
}

function seen({ evidence, time }: AnyFinding): string | undefined {
  if (evidence === undefined || time === undefined) return evidence;
  return `${evidence} (${time.replace(/\.\d+Z$/, 'Z')})`;
}

function detail(label: string, text: string | undefined, style: Style): string[] {
  if (text === undefined || text === '') return [];
  return style.row(label, text, { indent: 4, column: 13, faint: label === 'see' });
}

/** The senders, where the message does not name them already. */
function unnamedSenders({ senders = [], message }: AnyFinding): string | undefined {
  return senders.every((sender) => message.includes(sender)) ? undefined : `refused or read otherwise by ${senders.join(', ')}`;
}

function placeOf(finding: AnyFinding): string {
  const position = finding.line === undefined ? [] : [`line ${finding.line}`, ...finding.column === undefined ? [] : [`column ${finding.column}`]];
  return [...finding.subject === undefined ? [] : [finding.subject], ...position].join(', ');
}
