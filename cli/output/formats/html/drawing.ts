// Draws columns of boxes and the lines between them as SVG, in one of two layouts.
import type { Mark } from '../../terminal';
import { text } from './markup';

/** One thing on the way. */
export interface Box {
  readonly standing: Mark;
  readonly title: string;
  /** Begins with the word for the standing. */
  readonly detail: string;
  /** Shown by a pointer that rests on the box. */
  readonly hint?: string;
  /** What belongs to it, a line each. */
  readonly rows?: readonly { readonly standing: Mark; readonly text: string; readonly detail: string }[];
}

/** Things of one kind, one below the other. */
export interface Column {
  readonly label: string;
  readonly boxes: readonly Box[];
}

/** `lying`: columns from left to right; `standing`: from top to bottom, for a screen of 390 px. */
export type Layout = 'lying' | 'standing';

/** What the picture is, for those who hear it. */
export interface DrawnSummary {
  readonly title: string;
  readonly description: string;
}

/** An SVG element with a title and a description of its own. */
export function draw(columns: readonly Column[], layout: Layout, id: string, told: DrawnSummary): string {
  const { width, height, body } = layout === 'lying' ? lying(columns) : standing(columns);
  return `<svg class="way ${layout}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">`
    + `<title id="${id}-t">${text(told.title)}</title><desc id="${id}-d">${text(told.description)}</desc>${body}</svg>`;
}

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

const BOX = 50;
const ROW = 22;
const GAP = 12;

/** In the order of the columns; wide enough for what usually stands there. */
const WIDTHS = [160, 230, 200, 182, 244];
const BETWEEN = 36;
const LABEL = 30;

function lying(columns: readonly Column[]): Drawing {
  const heights = columns.map(({ boxes }) => stackHeight(boxes));
  const tallest = Math.max(...heights);
  const middle = LABEL + tallest / 2;
  let x = 0;
  let body = '';
  let lines = '';
  columns.forEach(({ label, boxes }, at) => {
    const width = WIDTHS[at] ?? WIDTHS[0];
    body += `<text class="label" x="${x}" y="12">${text(label)}</text>`;
    let y = LABEL + (tallest - heights[at]) / 2;
    for (const box of boxes) {
      const centre = y + boxHeight(box) / 2;
      // The domain is where the look-up begins, not a way that could be broken.
      if (at > 0) lines += line(box.standing, [x - BETWEEN / 2, middle], [x, centre]);
      if (at < columns.length - 1) lines += line(at === 0 ? 'plain' : box.standing, [x + width, centre], [x + width + BETWEEN / 2, middle]);
      body += drawBox(box, x, y, width);
      y += boxHeight(box) + GAP;
    }
    if (at > 0) lines += `<circle class="joint" cx="${x - BETWEEN / 2}" cy="${middle}" r="3.5"/>`;
    x += width + BETWEEN;
  });
  return { width: x - BETWEEN, height: LABEL + tallest + 4, body: lines + body };
}

const NARROW = 350;
const SPINE = 8;
const INDENT = 28;

function standing(columns: readonly Column[]): Drawing {
  let y = 0;
  let body = '';
  let lines = '';
  let last = 0;
  columns.forEach(({ label, boxes }, at) => {
    body += `<circle class="joint" cx="${SPINE}" cy="${y + 8}" r="4.5"/><text class="label" x="${INDENT}" y="${y + 12}">${text(label)}</text>`;
    y += LABEL - 6;
    for (const box of boxes) {
      last = y + BOX / 2;
      lines += line(at === 0 ? 'plain' : box.standing, [SPINE, last - 14], [INDENT, last]);
      body += drawBox(box, INDENT, y, NARROW - INDENT - 2);
      y += boxHeight(box) + GAP - 2;
    }
    y += 12;
  });
  const spine = `<path class="spine" d="M${SPINE} 8V${last - 14}"/>`;
  return { width: NARROW, height: y - 18, body: spine + lines + body };
}

function boxHeight({ rows = [] }: Box): number {
  return rows.length === 0 ? BOX : BOX + rows.length * ROW + 4;
}

function stackHeight(boxes: readonly Box[]): number {
  return boxes.reduce((sum, box) => sum + boxHeight(box) + GAP, -GAP);
}

type Point = readonly [x: number, y: number];

/** A soft bend between two points that leaves and arrives level. */
function line(standing: Mark | 'plain', [x, y]: Point, [toX, toY]: Point): string {
  const half = (x + toX) / 2;
  return `<path class="line ${standing}" d="M${x} ${y}C${half} ${y} ${half} ${toY} ${toX} ${toY}"/>`;
}

/** Wider than a letter of any usual face of its kind, as a part of the size. */
const LETTER = { mono: 0.615, sans: 0.62, bold: 0.7 } as const;

const TITLE = 13;
const DETAIL = 11.5;

/** What a text of one of the faces takes, in units of the drawing. */
function widthOf(value: string, size: number, letter: number): number {
  return value.length * size * letter;
}

/** Left of the text: the mark; right of it: the rim. */
const [MARK, RIM] = [36, 9];

function drawBox(box: Box, x: number, y: number, width: number): string {
  const { standing, title, detail, hint, rows = [] } = box;
  const inner = width - MARK - RIM;
  const [word, ...rest] = detail.split(SEPARATOR);
  return `<g class="box ${standing}">${hint === undefined ? '' : `<title>${text(hint, 500)}</title>`}`
    + `<rect x="${x + 0.75}" y="${y + 0.75}" width="${width - 1.5}" height="${boxHeight(box) - 1.5}" rx="9"/>`
    + `<use href="#m-${standing}" x="${x + 11}" y="${y + 10}" width="16" height="16"/>`
    + `<text class="title" x="${x + MARK}" y="${y + 22}">${text(cut(title, inner / (TITLE * LETTER.mono)))}</text>`
    + `<text class="detail" x="${x + MARK}" y="${y + 39}"><tspan class="word">${text(word)}</tspan>${text(fitting(rest, inner - widthOf(word, DETAIL, LETTER.bold)))}</text>`
    + `${rows.map((row, at) => drawRow(row, x, y + BOX + at * ROW, width)).join('')}</g>`;
}

const SEPARATOR = ' · ';

/** As many as there is room for: what is left out stands in the tables of the page. */
function fitting(details: readonly string[], room: number): string {
  let shown = '';
  for (const one of details) {
    const longer = `${shown}${SEPARATOR}${one}`;
    if (widthOf(longer, DETAIL, LETTER.sans) > room) break;
    shown = longer;
  }
  return shown;
}

function drawRow({ standing, text: name, detail }: NonNullable<Box['rows']>[number], x: number, y: number, width: number): string {
  const room = (beside: string): number => width - MARK - RIM - 8 - widthOf(beside, DETAIL, LETTER.bold);
  const [word] = detail.split(SEPARATOR);
  const said = widthOf(name, DETAIL, LETTER.mono) > room(detail) ? word : detail;
  return `<g class="row ${standing}"><path class="rule" d="M${x + 11} ${y - 2}H${x + width - 11}"/>`
    + `<use href="#m-${standing}" x="${x + 13}" y="${y + 4.5}" width="12" height="12"/>`
    + `<text class="name" x="${x + MARK}" y="${y + 14.5}">${text(cut(name, room(said) / (DETAIL * LETTER.mono)))}</text>`
    + `<text class="word" x="${x + width - 11}" y="${y + 14.5}" text-anchor="end">${text(said)}</text></g>`;
}

/** In the middle: the beginning of a name tells the host, its end the domain. */
function cut(value: string, room: number): string {
  const letters = Array.from(value);
  const most = Math.floor(room);
  if (letters.length <= most) return value;
  const end = Math.floor((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join('')}…${end === 0 ? '' : letters.slice(-end).join('')}`;
}
