// Builds the picture of a result: from the domain to its record, policy host, policy and MX hosts, with every observation.
import { policyHostName } from '../../../../lib/protocol/policy/url';
import { stsRecordName } from '../../../../lib/protocol/records/record-names';
import type { MxResult, Observation, VerificationResult } from '../../../../lib/verifier/result';
import { formatSeconds } from '../../../../lib/util/duration';
import type { Mark } from '../../terminal';
import { VERDICT_WORDS, mxName, observationMark, pluralize, summarize } from '../../summary';
import type { SummaryStep, DeliverySummary } from '../../summary';
import { MARK_WORDS, icon } from './marks';
import { text } from './markup';

/** One box of the picture: a server, a file or a host. */
interface Box {
  readonly mark: Mark;
  readonly title: string;
  /** The word for the mark. */
  readonly word: string;
  readonly details?: readonly string[];
  /** Tooltip of the box. */
  readonly hint?: string;
  /** Parts of the box, such as the addresses of a host, a line each. */
  readonly rows?: readonly Row[];
}

interface Row {
  readonly mark: Mark;
  readonly title: string;
  readonly detail: string;
}

/** Boxes of one step. */
interface Step {
  readonly label: string;
  readonly boxes: readonly Box[];
}

/** Maximum number of boxes in a column. */
const MAX_BOXES = 6;

/** Maximum number of addresses of one MX host. */
const MAX_ROWS = 3;

/** Maximum length of a title. The tables below the picture have the whole names. */
const MAX_TITLE_LENGTH = 80;

/** Draws the steps of a look-up: one column each on a wide screen, one below the other on a narrow one. */
export function picture(result: VerificationResult): string {
  const steps = createSteps(result).map(({ label, boxes }) => `<li><h3>${label}</h3><ul>${boxes.map(drawBox).join('')}</ul></li>`);
  return `<figure class="picture"><ol aria-label="The steps of a sender&#39;s look-up of ${text(result.domain)}">${steps.join('')}</ol></figure>`;
}

function drawBox({ mark, title, word, details = [], hint, rows = [] }: Box): string {
  return `<li class="box ${mark}"${hint === undefined ? '' : ` title="${text(hint, 500)}"`}>${icon(mark)}<code>${text(title, MAX_TITLE_LENGTH)}</code>`
    + `<p><b>${text(word)}</b>${details.map((detail) => ` · ${text(detail, MAX_TITLE_LENGTH)}`).join('')}</p>`
    + `${rows.length === 0 ? '' : `<ul>${rows.map(drawRow).join('')}</ul>`}</li>`;
}

function drawRow({ mark, title, detail }: Row): string {
  return `<li class="${mark}">${icon(mark)}<code>${text(title, MAX_TITLE_LENGTH)}</code><b>${text(detail)}</b></li>`;
}

function createSteps(result: VerificationResult): Step[] {
  const summary = summarize(result);
  const { mark, word } = VERDICT_WORDS[result.verdict];
  return [
    { label: 'Domain', boxes: [{ mark, title: result.domain, word }] },
    { label: 'TXT record', boxes: recordBoxes(result, summary.record) },
    { label: 'Policy host', boxes: hostBoxes(result, summary.file) },
    { label: 'Policy', boxes: [policyBox(result, summary.file)] },
    { label: 'MX hosts', boxes: mxBoxes(result, summary) },
  ];
}

function recordBoxes({ recordObservations, domain }: VerificationResult, step: SummaryStep): Box[] {
  if (recordObservations.length > 0) return observationBoxes(recordObservations, step, 'server');
  return [{ mark: step.mark, title: stsRecordName(domain), word: MARK_WORDS[step.mark], hint: step.text }];
}

function hostBoxes({ policyObservations, domain }: VerificationResult, step: SummaryStep): Box[] {
  if (policyObservations.length > 0) return observationBoxes(policyObservations, step, 'address');
  return [{ mark: step.mark, title: policyHostName(domain), word: MARK_WORDS[step.mark], hint: step.text }];
}

function observationBoxes(observations: readonly Observation[], { mark }: SummaryStep, noun: string): Box[] {
  // If not all observations fit, keep those that failed.
  const worst = [...observations].sort((a, b) => Number(a.status === 'ok') - Number(b.status === 'ok'));
  const shown = observations.length > MAX_BOXES ? worst.slice(0, MAX_BOXES - 1) : observations;
  const boxes = shown.map((observation) => observationBox(observation, observationMark(observation, mark)));
  return observations.length > shown.length ? [...boxes, more(observations.length - shown.length, noun)] : boxes;
}

/** Splits a place such as `ns1.example.com (192.0.2.53)` into title and address. */
function observationBox({ at, milliseconds, answer }: Observation, mark: Mark): Box {
  const [, name = at, address = ''] = /^(?:the )?(.*) \((.*)\)$/.exec(at) ?? [];
  const details = [`${milliseconds} ms`, ...address === '' ? [] : [address]];
  return { mark, title: name, word: MARK_WORDS[mark], details, hint: `${at}, ${MARK_WORDS[mark]}: ${answer}` };
}

function policyBox({ policy, record }: VerificationResult, step: SummaryStep): Box {
  const { mark } = step;
  if (policy === null) return { mark, title: mark === 'skipped' ? 'never asked for' : 'no usable policy', word: MARK_WORDS[mark], hint: step.text };
  const details = [formatSeconds(policy.maxAge), ...record === null ? [] : [`id ${record.id}`]];
  return { mark, title: `mode ${policy.mode}`, word: MARK_WORDS[mark], details, hint: step.text };
}

function mxBoxes({ mx }: VerificationResult, { mx: steps }: DeliverySummary): Box[] {
  const boxes = steps.map((step, at): Box => {
    // Without a host there is still one step, which says so.
    const host = mx.at(at);
    return host === undefined ? noHost(step) : mxBox(host, step);
  });
  if (boxes.length <= MAX_BOXES) return boxes;
  const worst = [...boxes].sort((a, b) => Number(a.mark === 'good') - Number(b.mark === 'good'));
  return [...worst.slice(0, MAX_BOXES - 1), more(boxes.length - MAX_BOXES + 1, 'host')];
}

function noHost({ mark, text: hint }: SummaryStep): Box {
  return { mark, title: mark === 'unknown' ? hint : 'no mail host', word: MARK_WORDS[mark], hint };
}

function mxBox(mx: MxResult, { mark, text: hint }: SummaryStep): Box {
  const covered = mx.covered === null ? 'no policy' : mx.covered ? 'covered' : 'not covered';
  const rows = mx.observations.slice(0, MAX_ROWS).map((observation): Row => {
    const rowMark = observationMark(observation, mark);
    return { mark: rowMark, title: observation.at, detail: `${MARK_WORDS[rowMark]} · ${observation.milliseconds} ms` };
  });
  const left = mx.observations.length - MAX_ROWS;
  if (left > 0) rows.push({ mark: 'skipped', title: `and ${left} more`, detail: '' });
  return { mark, title: mxName(mx), word: MARK_WORDS[mark], details: [covered, ...mx.dane === true ? ['DANE'] : []], hint, rows };
}

function more(count: number, noun: string): Box {
  return { mark: 'skipped', title: pluralize(count, `more ${noun}`, `more ${noun}${noun.endsWith('s') ? 'es' : 's'}`), word: 'listed below' };
}
