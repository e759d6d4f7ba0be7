// Writes results for people: the verdict, the steps of a sender from record to delivery, and the findings.
import type { Observation, VerificationResult, LiveFinding, SenderView } from '../../../lib/verifier/result';
import { findingLines } from '../findings';
import type { Mark, Style } from '../terminal';
import type { Reporter, Totals } from '../reporter';
import { VERDICT_WORDS, commonAnswer, policySummary, observationMark, pluralize, summarize } from '../summary';
import type { ObservationKind, SummaryStep } from '../summary';

/** Writes `--format text`, the default. Totals follow if there are several domains. */
export function textFormat(style: Style): Reporter {
  let isFirst = true;
  return {
    head: () => '',
    body: (result) => {
      const text = `${isFirst ? '' : '\n'}${verifyText(result, style)}`;
      isFirst = false;
      return text;
    },
    tail: (totals) => totals.domains > 1 ? `\n${summaryText(totals, style)}` : '',
  };
}

/** Returns the text for one domain. */
export function verifyText(result: VerificationResult, style: Style): string {
  const { mark, word } = VERDICT_WORDS[result.verdict];
  const { findings } = result;
  const { record, file, mx, delivery } = summarize(result);
  const hosts = mx.slice(0, MAX_SHOWN);
  const layout = layoutFor(result, style);
  const lines = [
    `${style.mark(mark)} ${style.bold(result.domain)}: ${style.strong(mark, word)}`,
    ...style.row('', policySummary(result), { indent: 2, column: 2 }),
    '',
    ...stepLines('record', record, 'record', findings, layout),
    ...stepLines('file', file, 'file', findings, layout),
    ...hosts.flatMap((host, index) => stepLines(index === 0 ? 'mx' : '', host, 'mx', findings, layout)),
    ...mx.length > hosts.length ? row('', 'skipped', `and ${mx.length - hosts.length} more; --format json lists them all`, layout) : [],
    ...row('delivery', delivery.mark, delivery.text, layout),
    ...deploymentLines(result, layout),
    ...senderLines(result.senders, layout),
    ...findingLines(findings, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** Returns the last line after several domains. */
export function summaryText({ domains, verdicts }: Totals, style: Style): string {
  const counts = (['pass', 'fail', 'unknown'] as const).filter((verdict) => verdicts[verdict] > 0)
    .map((verdict) => style.strong(VERDICT_WORDS[verdict].mark, `${verdicts[verdict]} ${VERDICT_WORDS[verdict].word}`));
  return `${pluralize(domains, 'domain')}${counts.length === 0 ? '' : ': '}${counts.join(', ')}\n`;
}

/** Maximum number of hosts, and of observations of one step. No honest domain has more. */
const MAX_SHOWN = 20;

/** Where the lines of one result go. */
interface Layout {
  readonly style: Style;
  /** Column of the text of a step: behind the longest label. */
  readonly column: number;
}

function layoutFor({ deployment }: VerificationResult, style: Style): Layout {
  return { style, column: deployment?.warnings === undefined ? 12 : 16 };
}

function stepLines(label: string, step: SummaryStep, kind: ObservationKind, findings: readonly LiveFinding[], layout: Layout): string[] {
  return [
    ...row(label, step.mark, step.text, layout),
    ...step.notes.flatMap((note) => faintRow(note, layout)),
    ...observationLines(step, kind, findings, layout),
  ];
}

function observationLines(
  { observations, mark }: SummaryStep, kind: ObservationKind, findings: readonly LiveFinding[], layout: Layout,
): string[] {
  if (observations.length === 0) return [];
  const common = commonAnswer(observations, findings, kind);
  if (common !== undefined) return faintRow(common, layout);
  const { style } = layout;
  const column = detailColumn(layout);
  const shown = observations.slice(0, MAX_SHOWN).flatMap((observation) => style.row('', observationText(observation), {
    indent: column, column, mark: style.mark(observationMark(observation, mark)),
  }));
  const more = observations.length - MAX_SHOWN;
  return more > 0 ? [...shown, ...faintRow(`and ${more} more; --format json lists them all`, layout)] : shown;
}

function observationText({ at, answer, milliseconds }: Observation): string {
  // Some answers already contain the time.
  return answer.includes(`${milliseconds} ms`) ? `${at}: ${answer}` : `${at}, ${milliseconds} ms: ${answer}`;
}

/** Returns lines about policies that senders may still hold, which only the outputs of a deployment contain. */
function deploymentLines({ deployment: { earliestRemoval, warnings } = {}, time, verdict }: VerificationResult, layout: Layout): string[] {
  return [
    ...earliestRemoval === undefined ? [] : removalLines(earliestRemoval, Date.parse(time), verdict, layout),
    ...warnings === undefined ? [] : row('mx conflicts', warnings === 'none' ? 'good' : 'warning', warnings === 'none' ? NO_MX_CONFLICTS : warnings, layout),
  ];
}

const NO_MX_CONFLICTS = 'when it was deployed, every policy of the publication history that senders may hold covered every MX host';

/** `removal` is a time in ISO 8601 with its conditions, or words. Removal is safe only after that time, and only if the domain passes. */
function removalLines(removal: string, now: number, verdict: VerificationResult['verdict'], layout: Layout): string[] {
  const [, moment, conditions] = /^(\d{4}-\d\d-\d\dT[\d:]+Z)(.*)$/.exec(removal) ?? [];
  if (moment === undefined) return row('removal', 'info', removal, layout);
  const isOver = Date.parse(moment) < now && verdict === 'pass';
  return row('removal', isOver && conditions === '' ? 'good' : 'info', `${isOver ? 'safe since' : 'not before'} ${removal}`, layout);
}

/** Returns one line for all senders that do the same for the same reason. */
function senderLines(senders: readonly SenderView[], layout: Layout): string[] {
  const groups = new Map<string, { readonly effect: string; readonly code: string; readonly names: string[] }>();
  for (const { sender, effect, code } of senders) {
    const key = `${code} ${effect}`;
    const group = groups.get(key) ?? { effect, code, names: [] };
    group.names.push(sender);
    groups.set(key, group);
  }
  return [...groups.values()].slice(0, MAX_SHOWN)
    .flatMap(({ effect, code, names }, index) => row(index === 0 ? 'senders' : '', 'warning', `${names.join(', ')}: ${effect} (${code})`, layout));
}

function row(label: string, mark: Mark, text: string, { style, column }: Layout): string[] {
  return style.row(label, text, { indent: 2, column, mark: style.mark(mark) });
}

function faintRow(text: string, layout: Layout): string[] {
  const column = detailColumn(layout);
  return layout.style.row('', text, { indent: column, column, faint: true });
}

/** Returns the column of the observations: below the text of the step, not below its mark. */
function detailColumn({ column }: Layout): number {
  return column + 2;
}
