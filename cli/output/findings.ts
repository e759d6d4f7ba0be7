// Prints findings for people: grouped by severity, worst first, each with its evidence and its fix.
import type { Finding, Severity } from '../../lib/protocol/findings/finding';
import type { LiveFinding } from '../../lib/verifier/result';
import type { Style } from './terminal';

/** A broken file can have the same error on thousands of lines. `--format json` lists more, and the first finding has their number. */
const MAX_FINDINGS_PER_CODE = 5;

const GROUPS: readonly (readonly [Severity, one: string, many: string])[] = [
  ['error', 'error', 'errors'],
  ['unknown', 'thing that could not be decided from here', 'things that could not be decided from here'],
  ['warning', 'warning', 'warnings'],
  ['info', 'note', 'notes'],
];

type PrintedFinding = Finding & Partial<Pick<LiveFinding, 'subject' | 'evidence' | 'time'>>;

/** Returns the lines that show the findings, or none without findings. */
export function findingLines(findings: readonly PrintedFinding[], style: Style): string[] {
  return GROUPS.flatMap(([severity, one, many]) => {
    const group = findings.filter((finding) => finding.severity === severity);
    if (group.length === 0) return [];
    const heading = `  ${style.strong(severity, `${group.length} ${group.length === 1 ? one : many}`)}`;
    return ['', heading, ...groupLines(group, style)];
  });
}

function groupLines(group: readonly PrintedFinding[], style: Style): string[] {
  const evidenceWithTime = new Map<string, number>();
  const lines: string[] = [];
  for (const finding of group) {
    const count = (evidenceWithTime.get(finding.code) ?? 0) + 1;
    evidenceWithTime.set(finding.code, count);
    if (count <= MAX_FINDINGS_PER_CODE) lines.push(...findingText(finding, style));
  }
  for (const [code, count] of evidenceWithTime) {
    if (count > MAX_FINDINGS_PER_CODE) lines.push(`    ${style.faint(`and ${count - MAX_FINDINGS_PER_CODE} more of ${code}; --format json lists more`)}`);
  }
  return lines;
}

function findingText(finding: PrintedFinding, style: Style): string[] {
  const place = formatPlace(finding);
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

function seen({ evidence, time }: PrintedFinding): string | undefined {
  if (evidence === undefined || time === undefined) return evidence;
  return `${evidence} (${time.replace(/\.\d+Z$/, 'Z')})`;
}

function detail(label: string, text: string | undefined, style: Style): string[] {
  if (text === undefined || text === '') return [];
  return style.row(label, text, { indent: 4, column: 13, faint: label === 'see' });
}

/** Returns the senders, unless the message already names them. */
function unnamedSenders({ senders = [], message }: PrintedFinding): string | undefined {
  return senders.every((sender) => message.includes(sender)) ? undefined : `refused or read otherwise by ${senders.join(', ')}`;
}

function formatPlace(finding: PrintedFinding): string {
  const { subject, line, column } = finding;
  const parts = [subject, line === undefined ? undefined : `line ${line}`, line === undefined || column === undefined ? undefined : `column ${column}`];
  return parts.filter((part) => part !== undefined).join(', ');
}
