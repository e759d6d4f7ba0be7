// The way of a look-up as a picture: from the domain to its record, policy host, policy and mail hosts, by every path.
import { policyHostName } from '../../../../lib/protocol/policy/url';
import { announcementName } from '../../../../lib/protocol/records/record-names';
import type { MxReport, Path, Report } from '../../../../lib/verifier/result';
import { days } from '../../../../lib/util/seconds';
import type { Standing } from '../../terminal';
import { VERDICTS, mxName, pathStanding, plural, wayOf } from '../../summary';
import type { Station, Way } from '../../summary';
import { draw } from './drawing';
import type { Box, Column, Told } from './drawing';
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
export function picture(report: Report, id: string): string {
  const columns = columnsOf(report);
  const description = describe(report);
  return `<div class="picture">${draw(columns, 'lying', `${id}-l`, description)}${draw(columns, 'standing', `${id}-s`, description)}</div>`;
}

/** For those who hear the page rather than see it; the whole is told in words below the picture. */
function describe(report: Report): Told {
  const { record, file, mx } = wayOf(report);
  const stations = [record, file, ...mx.slice(0, MOST_BOXES)].map(({ standing, text }) => `${WORDS[standing]}: ${text}`);
  return { title: `The way of a sender's look-up of ${report.domain}`, description: stations.join('; ') };
}

function columnsOf(report: Report): Column[] {
  const way = wayOf(report);
  return [
    { label: 'Domain', boxes: [{ standing: VERDICTS[report.verdict].standing, title: report.domain, detail: VERDICTS[report.verdict].word }] },
    { label: 'TXT record', boxes: recordBoxes(report, way.record) },
    { label: 'Policy host', boxes: hostBoxes(report, way.file) },
    { label: 'Policy', boxes: [policyBox(report, way.file)] },
    { label: 'MX hosts', boxes: mxBoxes(report, way) },
  ];
}

function recordBoxes({ recordPaths, domain }: Report, station: Station): Box[] {
  if (recordPaths.length > 0) return pathBoxes(recordPaths, station, 'way');
  return [{ standing: station.standing, title: announcementName(domain), detail: WORDS[station.standing], hint: station.text }];
}

function hostBoxes({ policyPaths, domain }: Report, station: Station): Box[] {
  if (policyPaths.length > 0) return pathBoxes(policyPaths, station, 'address');
  return [{ standing: station.standing, title: policyHostName(domain), detail: WORDS[station.standing], hint: station.text }];
}

function pathBoxes(paths: readonly Path[], { standing }: Station, what: string): Box[] {
  // Where not all can be drawn, those that are not as they should be must not be missing.
  const worst = [...paths].sort((a, b) => Number(a.standing === 'good') - Number(b.standing === 'good'));
  const shown = paths.length > MOST_BOXES ? worst.slice(0, MOST_BOXES - 1) : paths;
  const boxes = shown.map((path) => pathBox(path, pathStanding(path, standing)));
  return paths.length > shown.length ? [...boxes, more(paths.length - shown.length, what)] : boxes;
}

/** `ns1.example.com (192.0.2.53)` in two parts. */
function pathBox({ at, milliseconds, answer }: Path, standing: Standing): Box {
  const [, name = at, address = ''] = /^(?:the )?(.*) \((.*)\)$/.exec(at) ?? [];
  const detail = `${milliseconds} ms${address === '' ? '' : ` · ${address}`}`;
  return { standing, title: name, detail: `${WORDS[standing]} · ${detail}`, hint: `${at}, ${WORDS[standing]}: ${answer}` };
}

function policyBox({ policy, record }: Report, { standing, text }: Station): Box {
  if (policy === null) return { standing, title: standing === 'skipped' ? 'never asked for' : 'no usable policy', detail: WORDS[standing], hint: text };
  const id = record === null ? '' : ` · id ${record.id}`;
  return { standing, title: `mode ${policy.mode}`, detail: `${WORDS[standing]} · ${days(policy.maxAge)}${id}`, hint: text };
}

function mxBoxes({ mx }: Report, { mx: stations }: Way): Box[] {
  const boxes = stations.map((station, at): Box => {
    // Without a host there is one station all the same, which says so.
    const host = mx.at(at);
    return host === undefined ? noHost(station) : mxBox(host, station);
  });
  if (boxes.length <= MOST_BOXES) return boxes;
  const worst = [...boxes].sort((a, b) => Number(a.standing === 'good') - Number(b.standing === 'good'));
  return [...worst.slice(0, MOST_BOXES - 1), more(boxes.length - MOST_BOXES + 1, 'host')];
}

function noHost({ standing, text }: Station): Box {
  return { standing, title: standing === 'unknown' ? text : 'no mail host', detail: WORDS[standing], hint: text };
}

function mxBox(mx: MxReport, { standing, text }: Station): Box {
  const covered = mx.covered === null ? 'no policy' : mx.covered ? 'covered' : 'not covered';
  const rows = mx.paths.slice(0, MOST_ROWS).map((path) => {
    const of = pathStanding(path, standing);
    return { standing: of, text: path.at, detail: `${WORDS[of]} · ${path.milliseconds} ms` };
  });
  const left = mx.paths.length - MOST_ROWS;
  if (left > 0) rows.push({ standing: 'skipped', text: `and ${left} more`, detail: '' });
  return { standing, title: mxName(mx), detail: `${WORDS[standing]} · ${covered}${mx.dane === true ? ' · DANE' : ''}`, hint: text, rows };
}

function more(count: number, what: string): Box {
  return { standing: 'skipped', title: plural(count, `more ${what}`, `more ${what}${what.endsWith('s') ? 'es' : 's'}`), detail: 'listed below' };
}
