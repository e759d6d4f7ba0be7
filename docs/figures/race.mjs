// Draws race.svg from race.json: the policies that a sender sees while a policy changes. docs/guide/how-it-works.md shows the figure.
// `npm run e2e` writes the data: RACE=docs/figures/race.json npm run e2e bootstrap deploy change none
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @import { Race } from '../../test/e2e/environment/observer/race.js'
 */

const WIDTH = 880;
/** The left and right end of the lanes. */
const LEFT = 128;
const RIGHT = WIDTH - 28;
const TOP = 84;
const PANEL = 128;
const LANE = 22;

/**
 * Draws the figure. For a moment, checks made at the same time see different states: each step shows the share that saw the new one.
 *
 * @param {readonly Race[]} races
 */
export function draw(races) {
  const from = Math.min(...races.flatMap(({ steps }) => steps.map(([time = 0]) => time)));
  const to = Math.max(...races.flatMap(({ steps, stepMilliseconds }) => steps.map(([time = 0]) => time + stepMilliseconds)));
  const x = (/** @type {number} */ time) => round(LEFT + (time - from) / (to - from) * (RIGHT - LEFT));
  const height = TOP + races.length * PANEL + 44;
  const observations = sum(races.map((race) => race.observations));
  const seconds = sum(races.map((race) => race.seconds));
  const wrong = sum(races.map((race) => race.newIdOldBytes));
  const bottom = TOP + races.length * PANEL;
  const tickMs = to - from > 5000 ? 1000 : 500;
  const first = Math.ceil(from / tickMs);
  const ticks = Array.from({ length: Math.floor(to / tickMs) - first + 1 }, (_, index) => (first + index) * tickMs);
  const described = races.map(({ what, idAfter }) => `${what}: the new file ${idAfter} ms before the new id`).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13">
<title id="title">New file first, then the new id: ${races.length} changes of a policy as a sender saw them</title>
<desc id="desc">${grouped(observations)} checks of record and file, ${wrong === 0 ? 'none' : wrong} with a new id and an old file. ${described}.</desc>
<style>
svg { --ground: #fff; --line: #d0d7de; --text: #1f2328; --soft: #59636e; --old: #c8ced6; --bytes: #0969da; --id: #1a7f37; --gap: #ddf4ff }
@media (prefers-color-scheme: dark) { svg { --ground: #0d1117; --line: #30363d; --text: #f0f6fc; --soft: #9198a1; --old: #3d444d; --bytes: #4493f8; --id: #3fb950; --gap: #121d2f } }
.ground { fill: var(--ground); stroke: var(--line) } text { fill: var(--text) } .soft { fill: var(--soft) } .h { font-size: 17px; font-weight: 600 } .b { font-weight: 600 }
.old { fill: var(--old) } .bytes { fill: var(--bytes) } .id { fill: var(--id) } .gap { fill: var(--gap) } .axis { stroke: var(--line) } .lead { stroke: var(--text); fill: none }
</style>
<rect class="ground" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="h" x="24" y="34">The new policy file is live before its id is published</text>
<text class="soft" x="24" y="57">${grouped(observations)} checks of record and file, ${Math.round(observations / seconds)} a second; ${wrong === 0 ? 'none' : wrong} saw a new id with an old file</text>
${legend()}
${ticks.map((time) => `<path class="axis" d="${races.map((_, index) => `M${x(time)} ${TOP + index * PANEL + 30}v${2 * LANE + 22}`).join('')}"/><text class="soft" x="${x(time)}" y="${bottom + 18}" text-anchor="middle">${time === 0 ? '0 ms' : time}</text>`).join('\n')}
${races.map((race, index) => panel(race, TOP + index * PANEL, x)).join('\n')}
</svg>
`;
}

function legend() {
  /** @type {(kind: string, left: number, words: string) => string} */
  const mark = (kind, left, words) => `<rect class="${kind}" x="${left}" y="46" width="12" height="12" rx="2"/><text class="soft" x="${left + 18}" y="57">${words}</text>`;
  return [mark('old', RIGHT - 262, 'old'), mark('bytes', RIGHT - 200, 'new file'), mark('id', RIGHT - 96, 'new id')].join('');
}

/**
 * Draws one change.
 *
 * @param {Race} race
 * @param {number} top
 * @param {(time: number) => number} x - returns the place of a time
 */
function panel({ what, observations, seconds, idAfter, steps, stepMilliseconds }, top, x) {
  const width = round(x(stepMilliseconds) - x(0));
  const lanes = { bytes: top + 36, id: top + 36 + LANE + 10 };
  /** @type {(kind: 'bytes' | 'id', isNew: (index: number) => boolean) => string} */
  const lane = (kind, isNew) => steps.flatMap(([time = 0, ...counts]) => {
    const all = sum(counts);
    if (all === 0) return [];
    const part = round(LANE * sum(counts.filter((_, index) => isNew(index))) / all);
    /** @type {(name: string, y: number, height: number) => string} */
    const bar = (name, y, height) => height === 0 ? '' : `<rect class="${name}" x="${x(time)}" y="${round(y)}" width="${round(width - 0.8)}" height="${round(height)}"/>`;
    return [bar('old', lanes[kind], LANE - part), bar(kind, lanes[kind] + LANE - part, part)];
  }).join('');
  const begin = x(0);
  const end = x(idAfter);
  const y = top + 22;
  return `<g><text class="b" x="24" y="${top + 22}">${what}</text>
<text class="soft" x="${RIGHT}" y="${top + 22}" text-anchor="end">${grouped(observations)} checks, ${Math.round(observations / seconds)} a second</text>
<rect class="gap" x="${begin}" y="${top + 30}" width="${round(end - begin)}" height="${2 * LANE + 22}"/>
<text class="soft" x="24" y="${lanes.bytes + 16}">policy file</text><text class="soft" x="24" y="${lanes.id + 16}">TXT record</text>
${lane('bytes', (index) => index === 1 || index === 2)}
${lane('id', (index) => index >= 2)}
<path class="lead" d="M${begin} ${top + 30}V${y + 4}H${end}V${top + 30}"/>
<text x="${round((begin + end) / 2)}" y="${y - 2}" text-anchor="middle">file first, by <tspan class="b">${idAfter} ms</tspan></text></g>`;
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

/** @param {number} number */
function round(number) {
  return Math.round(number * 10) / 10;
}

/**
 * Returns a number with a comma after each three digits.
 *
 * @param {number} number
 */
function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('race.svg', import.meta.url), draw(JSON.parse(readFileSync(new URL('race.json', import.meta.url), 'utf8'))));
}
