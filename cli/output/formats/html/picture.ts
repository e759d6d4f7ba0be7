// The way of a look-up as a picture: from the domain to its record, policy host, policy and mail hosts, by every path.
import { policyHostName } from '../../../../lib/protocol/policy/url';
import { stsRecordName } from '../../../../lib/protocol/records/record-names';
import type { MxResult, Observation, VerificationResult } from '../../../../lib/verifier/result';
import { days } from '../../../../lib/util/seconds';
import type { Mark } from '../../terminal';
import { VERDICTS, mxName, observationMark, plural, summarize } from '../../summary';
import type { SummaryStep, DeliverySummary } from '../../summary';
import { draw } from './drawing';
import type { Box, Column, DrawnSummary } from './drawing';
import { WORDS } from './marks';

/** More in a column than this is no picture any more. */
const MOST_BOXES = 6;

/** Addresses that are drawn of one MX host. */
const MOST_ROWS = 3;

/**
 * The picture, twice: lying for wide screens and standing for narrow ones; the style shows one of them.
 *
 * @param id - makes the ids in it unique in the page
 */
export function picture(result: VerificationResult, id: string): string {
  const columns = columnsOf(result);
  const description = describe(result);
  return `<div class="picture">${draw(columns, 'lying', `${id}-l`, description)}${draw(columns, 'standing', `${id}-s`, description)}</div>`;
}

/** For those who hear the page rather than see it; the whole is told in words below the picture. */
function describe(result: VerificationResult): DrawnSummary {
  const { record, file, mx } = summarize(result);
  const stations = [record, file, ...mx.slice(0, MOST_BOXES)].map(({ mark: standing, text }) => `${WORDS[standing]}: ${text}`);
  return { title: `The way of a sender's look-up of ${result.domain}`, description: stations.join('; ') };
}

function columnsOf(result: VerificationResult): Column[] {
  const way = summarize(result);
  return [
    { label: 'Domain', boxes: [{ standing: VERDICTS[result.verdict].standing, title: result.domain, detail: VERDICTS[result.verdict].word }] },
    { label: 'TXT record', boxes: recordBoxes(result, way.record) },
    { label: 'Policy host', boxes: hostBoxes(result, way.file) },
    { label: 'Policy', boxes: [policyBox(result, way.file)] },
    { label: 'MX hosts', boxes: mxBoxes(result, way) },
  ];
}

function recordBoxes({ recordObservations: recordPaths, domain }: VerificationResult, station: SummaryStep): Box[] {
  if (recordPaths.length > 0) return pathBoxes(recordPaths, station, 'way');
  return [{ standing: station.mark, title: stsRecordName(domain), detail: WORDS[station.mark], hint: station.text }];
}

function hostBoxes({ policyObservations: policyPaths, domain }: VerificationResult, station: SummaryStep): Box[] {
  if (policyPaths.length > 0) return pathBoxes(policyPaths, station, 'address');
  return [{ standing: station.mark, title: policyHostName(domain), detail: WORDS[station.mark], hint: station.text }];
}

function pathBoxes(paths: readonly Observation[], { mark: standing }: SummaryStep, what: string): Box[] {
  // Where not all can be drawn, those that are not as they should be must not be missing.
  const worst = [...paths].sort((a, b) => Number(a.status === 'ok') - Number(b.status === 'ok'));
  const shown = paths.length > MOST_BOXES ? worst.slice(0, MOST_BOXES - 1) : paths;
  const boxes = shown.map((observation) => pathBox(observation, observationMark(observation, standing)));
  return paths.length > shown.length ? [...boxes, more(paths.length - shown.length, what)] : boxes;
}

/** `ns1.example.com (192.0.2.53)` in two parts. */
function pathBox({ at, milliseconds, answer }: Observation, standing: Mark): Box {
  const [, name = at, address = ''] = /^(?:the )?(.*) \((.*)\)$/.exec(at) ?? [];
  const detail = `${milliseconds} ms${address === '' ? '' : ` · ${address}`}`;
  return { standing, title: name, detail: `${WORDS[standing]} · ${detail}`, hint: `${at}, ${WORDS[standing]}: ${answer}` };
}

function policyBox({ policy, record }: VerificationResult, { mark: standing, text }: SummaryStep): Box {
  if (policy === null) return { standing, title: standing === 'skipped' ? 'never asked for' : 'no usable policy', detail: WORDS[standing], hint: text };
  const id = record === null ? '' : ` · id ${record.id}`;
  return { standing, title: `mode ${policy.mode}`, detail: `${WORDS[standing]} · ${days(policy.maxAge)}${id}`, hint: text };
}

function mxBoxes({ mx }: VerificationResult, { mx: stations }: DeliverySummary): Box[] {
  const boxes = stations.map((station, at): Box => {
    // Without a host there is one station all the same, which says so.
    const host = mx.at(at);
    return host === undefined ? noHost(station) : mxBox(host, station);
  });
  if (boxes.length <= MOST_BOXES) return boxes;
  const worst = [...boxes].sort((a, b) => Number(a.standing === 'good') - Number(b.standing === 'good'));
  return [...worst.slice(0, MOST_BOXES - 1), more(boxes.length - MOST_BOXES + 1, 'host')];
}

function noHost({ mark: standing, text }: SummaryStep): Box {
  return { standing, title: standing === 'unknown' ? text : 'no mail host', detail: WORDS[standing], hint: text };
}

function mxBox(mx: MxResult, { mark: standing, text }: SummaryStep): Box {
  const covered = mx.covered === null ? 'no policy' : mx.covered ? 'covered' : 'not covered';
  const rows = mx.observations.slice(0, MOST_ROWS).map((observation) => {
    const of = observationMark(observation, standing);
    return { standing: of, text: observation.at, detail: `${WORDS[of]} · ${observation.milliseconds} ms` };
  });
  const left = mx.observations.length - MOST_ROWS;
  if (left > 0) rows.push({ standing: 'skipped', text: `and ${left} more`, detail: '' });
  return { standing, title: mxName(mx), detail: `${WORDS[standing]} · ${covered}${mx.dane === true ? ' · DANE' : ''}`, hint: text, rows };
}

function more(count: number, what: string): Box {
  return { standing: 'skipped', title: plural(count, `more ${what}`, `more ${what}${what.endsWith('s') ? 'es' : 's'}`), detail: 'listed below' };
}
