// Reports for people: the verdict, what senders learn, the way from record to delivery, and what was found on it.
import type { Observation, VerificationResult, LiveFinding, SenderView } from '../../../lib/verifier/result';
import { findingLines } from '../findings';
import type { Mark, Style } from '../terminal';
import type { Reporter, Totals } from '../reporter';
import { VERDICTS, commonAnswer, policySummary, observationMark, plural, summarize } from '../summary';
import type { ObservationKind, SummaryStep } from '../summary';

/** What `mta-sts verify` prints unless it is told otherwise; the totals follow where there are several domains. */
export function textFormat(style: Style): Reporter {
  let first = true;
  return {
    head: () => '',
    report: (result) => {
      const text = `${first ? '' : '\n'}${verifyText(result, style)}`;
      first = false;
      return text;
    },
    tail: (totals) => totals.domains > 1 ? `\n${summaryText(totals, style)}` : '',
  };
}

/** The text for one domain. */
export function verifyText(result: VerificationResult, style: Style): string {
  const { standing, word } = VERDICTS[result.verdict];
  const { findings } = result;
  const { record, file, mx, delivery } = summarize(result);
  const hosts = mx.slice(0, MOST_SHOWN);
  const lines = [
    `${style.mark(standing)} ${style.bold(result.domain)}: ${style.strong(standing, word)}`,
    ...style.row('', policySummary(result), { indent: 2, column: 2 }),
    '',
    ...stationLines('record', record, 'record', findings, style),
    ...stationLines('file', file, 'file', findings, style),
    ...hosts.flatMap((station, index) => stationLines(index === 0 ? 'mx' : '', station, 'mx', findings, style)),
    ...mx.length > hosts.length ? row('', 'skipped', `and ${mx.length - hosts.length} more; --format json lists them all`, style) : [],
    ...row('delivery', delivery.standing, delivery.text, style),
    ...deploymentLines(result, style),
    ...senderLines(result.senders, style),
    ...findingLines(findings, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** The last line after several domains. */
export function summaryText({ domains, verdicts }: Totals, style: Style): string {
  const counts = (['pass', 'fail', 'unknown'] as const).filter((verdict) => verdicts[verdict] > 0)
    .map((verdict) => style.strong(VERDICTS[verdict].standing, `${verdicts[verdict]} ${VERDICTS[verdict].word}`));
  return `${plural(domains, 'domain')}${counts.length === 0 ? '' : ': '}${counts.join(', ')}\n`;
}

/** More than any honest domain has, of hosts as of ways to one thing. */
const MOST_SHOWN = 20;

/** Where the text of a station begins. */
const COLUMN = 12;

/** Where that of its ways does: under the phrase, not under the mark. */
const INNER = COLUMN + 2;

function stationLines(label: string, station: SummaryStep, kind: ObservationKind, findings: readonly LiveFinding[], style: Style): string[] {
  return [
    ...row(label, station.mark, station.text, style),
    ...station.notes.flatMap((note) => style.row('', note, { indent: INNER, column: INNER, faint: true })),
    ...pathLines(station, kind, findings, style),
  ];
}

function pathLines({ observations: paths, mark: standing }: SummaryStep, kind: ObservationKind, findings: readonly LiveFinding[], style: Style): string[] {
  if (paths.length === 0) return [];
  const common = commonAnswer(paths, findings, kind);
  if (common !== undefined) return style.row('', common, { indent: INNER, column: INNER, faint: true });
  const shown = paths.slice(0, MOST_SHOWN).flatMap((observation) => style.row('', pathText(observation), {
    indent: INNER, column: INNER, mark: style.mark(observationMark(observation, standing)),
  }));
  const more = paths.length - MOST_SHOWN;
  return more > 0 ? [...shown, ...style.row('', `and ${more} more; --format json lists them all`, { indent: INNER, column: INNER, faint: true })] : shown;
}

function pathText({ at, answer, milliseconds }: Observation): string {
  // Some answers tell their time themselves.
  return answer.includes(`${milliseconds} ms`) ? `${at}: ${answer}` : `${at}, ${milliseconds} ms: ${answer}`;
}

/** What only the deployment could tell: who may hold what was published before. */
function deploymentLines({ deployment: { earliestRemoval: removal, warnings } = {}, time, verdict }: VerificationResult, style: Style): string[] {
  return [
    ...removal === undefined ? [] : removalLines(removal, Date.parse(time), verdict, style),
    ...warnings === undefined ? [] : row('refusals', warnings === 'none' ? 'good' : 'warning', warnings === 'none' ? NO_REFUSALS : warnings, style),
  ];
}

const NO_REFUSALS = 'when it was deployed, every policy of the ledger that senders may hold covered every MX host';

/** A moment in ISO 8601, with what it depends on; or words. It is safe only once it is over and all is as it should be. */
function removalLines(removal: string, now: number, verdict: VerificationResult['verdict'], style: Style): string[] {
  const told = /^(\d{4}-\d\d-\d\dT[\d:]+Z)(.*)$/.exec(removal);
  if (told === null) return row('removal', 'info', removal, style);
  const isOver = Date.parse(told[1]) < now && verdict === 'pass';
  return row('removal', isOver && told[2] === '' ? 'good' : 'info', `${isOver ? 'safe since' : 'not before'} ${removal}`, style);
}

/** Those that do the same for the same reason in one line. */
function senderLines(senders: readonly SenderView[], style: Style): string[] {
  const groups = new Map<string, { readonly effect: string; readonly code: string; readonly names: string[] }>();
  for (const { sender, effect, code } of senders) {
    const key = `${code} ${effect}`;
    const group = groups.get(key) ?? { effect, code, names: [] };
    group.names.push(sender);
    groups.set(key, group);
  }
  return [...groups.values()].slice(0, MOST_SHOWN)
    .flatMap(({ effect, code, names }, index) => row(index === 0 ? 'senders' : '', 'warning', `${names.join(', ')}: ${effect} (${code})`, style));
}

function row(label: string, standing: Mark, text: string, style: Style): string[] {
  return style.row(label, text, { indent: 2, column: COLUMN, mark: style.mark(standing) });
}
