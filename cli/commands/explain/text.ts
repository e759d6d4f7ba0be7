// Prints the explanation of codes for people and for programs.
import { sectionsOf } from '../../catalog';
import type { Area, CodeEntry } from '../../catalog';
import { COMMAND_LINE } from '../../command-line';
import type { Io } from '../../io';
import { json } from '../../output/json';
import { IN_DEPLOYMENTS } from './deployment-codes';
import type { DeploymentCode } from './deployment-codes';
import { MEANINGS_IN_REPORTS, describeClass } from './report-codes';
import type { ReportCode } from './report-codes';
import { Style } from '../../output/terminal';

/** One code to explain. */
export interface Explained {
  readonly entry: CodeEntry | DeploymentCode | ReportCode;
  /** A status code as it was typed, `5.7.5`. */
  readonly typed?: string;
}

/** Returns the full explanation of each code. */
export function explainText(explained: readonly Explained[], io: Io): string {
  const style = new Style(io);
  return explained.map(({ entry, typed }) => {
    const lines = 'severity' in entry
      ? explanation(entry, style)
      : entry.kind === 'deployment-failure' ? deploymentExplanation(entry, style) : reportExplanation(entry, typed ?? entry.code, style);
    return `${lines.join('\n')}\n`;
  }).join('\n');
}

/** Returns the list of all codes with their meanings, and the severity of findings. */
export function listText(
  areas: readonly Area[], deploymentCodes: readonly DeploymentCode[], reportCodes: readonly ReportCode[], io: Io,
): string {
  const style = new Style(io);
  const blocks = areas.map(({ title, codes }) => [
    style.bold(title),
    ...codes.flatMap(({ code, severity, meaning }) => [
      `  ${style.mark(severity)} ${style.plain(code)} ${style.faint(`${style.dot} ${severity}`)}`,
      ...style.row('', meaning, { indent: 4, column: 4 }),
    ]),
  ]);
  const failures = [
    style.bold('Failures of a deployment'),
    ...deploymentCodes.flatMap(({ code, steps, meaning }) => [
      `  ${style.mark('error')} ${style.plain(code)} ${style.faint(`${style.dot} ${steps.join(', ')}`)}`,
      ...style.row('', meaning, { indent: 4, column: 4 }),
    ]),
  ];
  const reported = [
    style.bold('Codes that senders write into TLS reports and bounces'),
    ...reportCodes.flatMap(({ code, kind, meaning }) => [
      `  ${style.mark('info')} ${style.plain(code)} ${style.faint(`${style.dot} ${KINDS[kind]}`)}`,
      ...style.row('', meaning, { indent: 4, column: 4 }),
    ]),
  ];
  return `${[...blocks, failures, reported].map((lines) => `${lines.join('\n')}\n`).join('\n')}\n${style.faint(`\`${COMMAND_LINE} explain <code>\` shows the impact and the fix.`)}\n`;
}

const KINDS: Readonly<Record<ReportCode['kind'], string>> = { 'result-type': 'in TLS reports', 'status-code': 'in bounces' };

/** Returns the explanation as a JSON array, in the order of the text. A code that is not a finding has a `kind` and no `severity`. */
export function explainJson(explained: readonly Explained[]): string {
  const shapes = explained.map(({ entry, typed }) => {
    const { meaning, impact, fix, reference } = entry;
    const sections = sectionsOf(reference);
    if (!('severity' in entry)) {
      if (entry.kind === 'deployment-failure') {
        const { code, kind, area, steps, url } = entry;
        return { code, kind, area, steps, meaning, impact, fix, reference, sections, url };
      }
      const { code, kind, source, findings } = entry;
      return { code: typed ?? code, kind, meaning, impact, fix, reference, sections, source, findings };
    }
    const { code, severity, quirks } = entry;
    // JSON.stringify drops undefined.
    const [inReports, inDeployments] = [MEANINGS_IN_REPORTS.get(code), IN_DEPLOYMENTS.get(code)];
    return { code, severity, meaning, impact, fix, reference, sections, quirks, inReports, inDeployments };
  });
  return `${json(shapes)}\n`;
}

function explanation(entry: CodeEntry, style: Style): string[] {
  const { code, severity, meaning, impact, fix, reference, quirks } = entry;
  const detail = (label: string, text: string): string[] => style.row(label, text, { indent: 2, column: 11, faint: label === 'see' });
  return [
    `${style.mark(severity)} ${style.bold(code)} ${style.faint(`${style.dot} ${severity}`)}`,
    ...style.row('', meaning, { indent: 2, column: 2 }),
    ...detail('impact', impact),
    ...detail('fix', fix),
    ...MEANINGS_IN_REPORTS.has(code) ? detail('reports', MEANINGS_IN_REPORTS.get(code) ?? '') : [],
    ...IN_DEPLOYMENTS.has(code) ? detail('deploy', IN_DEPLOYMENTS.get(code) ?? '') : [],
    ...quirks.flatMap(({ senders, effect }, index) => detail(index === 0 ? 'senders' : '', `${senders.join(', ')}: ${effect}`)),
    ...detail('see', reference),
    ...sectionsOf(reference).flatMap(({ url }) => style.row('', url, { indent: 2, column: 11, faint: true })),
  ];
}

function deploymentExplanation({ code, steps, meaning, impact, fix, reference, url }: DeploymentCode, style: Style): string[] {
  const detail = (label: string, text: string): string[] => style.row(label, text, { indent: 2, column: 11, faint: label === 'see' });
  const urls = url === undefined ? sectionsOf(reference).map((section) => section.url) : [url];
  return [
    `${style.mark('error')} ${style.bold(code)} ${style.faint(`${style.dot} fails a deployment`)}`,
    ...style.row('', meaning, { indent: 2, column: 2 }),
    ...detail('impact', impact),
    ...detail('fix', fix),
    ...detail(steps.length === 1 ? 'step' : 'steps', steps.join(', ')),
    ...detail('see', reference),
    ...urls.flatMap((address) => style.row('', address, { indent: 2, column: 11, faint: true })),
  ];
}

function reportExplanation(entry: ReportCode, typed: string, style: Style): string[] {
  const { code, kind, meaning, impact, fix, reference, source, findings } = entry;
  const detail = (label: string, text: string): string[] => style.row(label, text, { indent: 2, column: 11, faint: label === 'see' });
  const urls = [...sectionsOf(reference).map(({ url }) => url), ...source === undefined ? [] : [source]];
  return [
    `${style.mark('info')} ${style.bold(kind === 'status-code' ? typed : code)} ${style.faint(`${style.dot} ${KINDS[kind]}`)}`,
    ...style.row('', meaning, { indent: 2, column: 2 }),
    ...kind === 'status-code' ? detail('class', describeClass(typed)) : [],
    ...detail('impact', impact),
    ...detail('fix', fix),
    ...findings.length === 0 ? [] : detail('findings', findings.join(', ')),
    ...detail('see', reference),
    ...urls.flatMap((url) => style.row('', url, { indent: 2, column: 11, faint: true })),
  ];
}
