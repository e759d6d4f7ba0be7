// Builds the picture of a result: from the domain to its record, policy host, policy and MX hosts, with every observation.
import { policyHostName } from '../../../../lib/protocol/policy/url';
import { stsRecordName } from '../../../../lib/protocol/records/record-names';
import type { MxResult, Observation, VerificationResult } from '../../../../lib/verifier/result';
import { formatSeconds } from '../../../../lib/util/duration';
import type { Mark } from '../../terminal';
import { VERDICT_WORDS, mxName, observationMark, pluralize, summarize } from '../../summary';
import type { SummaryStep, DeliverySummary } from '../../summary';
import { draw } from './drawing';
import type { Box, Column, PictureText } from './drawing';
import { MARK_WORDS } from './marks';

/** Maximum number of boxes in a column. */
const MAX_BOXES = 6;

/** Maximum number of addresses of one MX host. */
const MAX_ROWS = 3;

/**
 * Draws the picture twice: horizontal for wide screens and vertical for narrow ones. The style sheet shows one of them.
 *
 * @param id - prefix that makes the ids in the picture unique in the page
 */
export function picture(result: VerificationResult, id: string): string {
  const columns = createColumns(result);
  const description = describe(result);
  return `<div class="picture">${draw(columns, 'horizontal', `${id}-l`, description)}${draw(columns, 'vertical', `${id}-s`, description)}</div>`;
}

/** Describes the picture for screen readers. The page below the picture has all details in words. */
function describe(result: VerificationResult): PictureText {
  const { record, file, mx } = summarize(result);
  const steps = [record, file, ...mx.slice(0, MAX_BOXES)].map(({ mark, text }) => `${MARK_WORDS[mark]}: ${text}`);
  return { title: `The steps of a sender's look-up of ${result.domain}`, description: steps.join('; ') };
}

function createColumns(result: VerificationResult): Column[] {
  const summary = summarize(result);
  const { mark, word } = VERDICT_WORDS[result.verdict];
  // The widths fit the usual content.
  return [
    { label: 'Domain', boxes: [{ mark, title: result.domain, detail: word }], width: 160 },
    { label: 'TXT record', boxes: recordBoxes(result, summary.record), width: 230 },
    { label: 'Policy host', boxes: hostBoxes(result, summary.file), width: 200 },
    { label: 'Policy', boxes: [policyBox(result, summary.file)], width: 182 },
    { label: 'MX hosts', boxes: mxBoxes(result, summary), width: 244 },
  ];
}

function recordBoxes({ recordObservations, domain }: VerificationResult, step: SummaryStep): Box[] {
  if (recordObservations.length > 0) return observationBoxes(recordObservations, step, 'server');
  return [{ mark: step.mark, title: stsRecordName(domain), detail: MARK_WORDS[step.mark], hint: step.text }];
}

function hostBoxes({ policyObservations, domain }: VerificationResult, step: SummaryStep): Box[] {
  if (policyObservations.length > 0) return observationBoxes(policyObservations, step, 'address');
  return [{ mark: step.mark, title: policyHostName(domain), detail: MARK_WORDS[step.mark], hint: step.text }];
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
  const detail = `${milliseconds} ms${address === '' ? '' : ` · ${address}`}`;
  return { mark, title: name, detail: `${MARK_WORDS[mark]} · ${detail}`, hint: `${at}, ${MARK_WORDS[mark]}: ${answer}` };
}

function policyBox({ policy, record }: VerificationResult, { mark, text }: SummaryStep): Box {
  if (policy === null) return { mark, title: mark === 'skipped' ? 'never asked for' : 'no usable policy', detail: MARK_WORDS[mark], hint: text };
  const id = record === null ? '' : ` · id ${record.id}`;
  return { mark, title: `mode ${policy.mode}`, detail: `${MARK_WORDS[mark]} · ${formatSeconds(policy.maxAge)}${id}`, hint: text };
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

function noHost({ mark, text }: SummaryStep): Box {
  return { mark, title: mark === 'unknown' ? text : 'no mail host', detail: MARK_WORDS[mark], hint: text };
}

function mxBox(mx: MxResult, { mark, text }: SummaryStep): Box {
  const covered = mx.covered === null ? 'no policy' : mx.covered ? 'covered' : 'not covered';
  const rows = mx.observations.slice(0, MAX_ROWS).map((observation) => {
    const rowMark = observationMark(observation, mark);
    return { mark: rowMark, text: observation.at, detail: `${MARK_WORDS[rowMark]} · ${observation.milliseconds} ms` };
  });
  const left = mx.observations.length - MAX_ROWS;
  if (left > 0) rows.push({ mark: 'skipped', text: `and ${left} more`, detail: '' });
  return { mark, title: mxName(mx), detail: `${MARK_WORDS[mark]} · ${covered}${mx.dane === true ? ' · DANE' : ''}`, hint: text, rows };
}

function more(count: number, noun: string): Box {
  return { mark: 'skipped', title: pluralize(count, `more ${noun}`, `more ${noun}${noun.endsWith('s') ? 'es' : 's'}`), detail: 'listed below' };
}
