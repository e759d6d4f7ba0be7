// Draws columns of boxes and the lines between them as SVG, in one of two layouts.
import type { Mark } from '../../terminal';
import { text } from './markup';

/** One box of the picture: a server, a file or a host. */
export interface Box {
  readonly mark: Mark;
  readonly title: string;
  /** Begins with the word for the mark. */
  readonly detail: string;
  /** Tooltip of the box. */
  readonly hint?: string;
  /** Parts of the box, such as the addresses of a host, a line each. */
  readonly rows?: readonly { readonly mark: Mark; readonly text: string; readonly detail: string }[];
}

/** Boxes of one kind, one below the other. */
export interface Column {
  readonly label: string;
  readonly boxes: readonly Box[];
  /** Width in the horizontal layout. */
  readonly width: number;
}

/** `horizontal`: columns from left to right. `vertical`: columns from top to bottom, for a screen of 390 px. */
type Layout = 'horizontal' | 'vertical';

/** Title and description for screen readers. */
export interface PictureText {
  readonly title: string;
  readonly description: string;
}

/** Draws an SVG element with its title and its description. */
export function draw(columns: readonly Column[], layout: Layout, id: string, description: PictureText): string {
  const { width, height, body } = layout === 'horizontal' ? drawHorizontal(columns) : drawVertical(columns);
  return `<svg class="diagram ${layout}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">`
    + `<title id="${id}-t">${text(description.title)}</title><desc id="${id}-d">${text(description.description)}</desc>${body}</svg>`;
}

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

const BOX_HEIGHT = 50;
const ROW_HEIGHT = 22;
const GAP = 12;

const COLUMN_GAP = 36;
const LABEL_HEIGHT = 30;

function drawHorizontal(columns: readonly Column[]): Drawing {
  const tallest = Math.max(...columns.map(({ boxes }) => stackHeight(boxes)));
  const middle = LABEL_HEIGHT + tallest / 2;
  let x = 0;
  let body = '';
  let lines = '';
  columns.forEach(({ label, boxes, width }, at) => {
    body += `<text class="label" x="${x}" y="12">${text(label)}</text>`;
    let y = LABEL_HEIGHT + (tallest - stackHeight(boxes)) / 2;
    for (const box of boxes) {
      const centre = y + boxHeight(box) / 2;
      // The domain is the start of the look-up, so its line has no mark.
      if (at > 0) lines += line(box.mark, [x - COLUMN_GAP / 2, middle], [x, centre]);
      if (at < columns.length - 1) lines += line(at === 0 ? 'plain' : box.mark, [x + width, centre], [x + width + COLUMN_GAP / 2, middle]);
      body += drawBox(box, x, y, width);
      y += boxHeight(box) + GAP;
    }
    if (at > 0) lines += `<circle class="joint" cx="${x - COLUMN_GAP / 2}" cy="${middle}" r="3.5"/>`;
    x += width + COLUMN_GAP;
  });
  return { width: x - COLUMN_GAP, height: LABEL_HEIGHT + tallest + 4, body: lines + body };
}

const VERTICAL_WIDTH = 350;
const SPINE_X = 8;
const INDENT = 28;

function drawVertical(columns: readonly Column[]): Drawing {
  let y = 0;
  let body = '';
  let lines = '';
  let last = 0;
  columns.forEach(({ label, boxes }, at) => {
    body += `<circle class="joint" cx="${SPINE_X}" cy="${y + 8}" r="4.5"/><text class="label" x="${INDENT}" y="${y + 12}">${text(label)}</text>`;
    y += LABEL_HEIGHT - 6;
    for (const box of boxes) {
      last = y + BOX_HEIGHT / 2;
      lines += line(at === 0 ? 'plain' : box.mark, [SPINE_X, last - 14], [INDENT, last]);
      body += drawBox(box, INDENT, y, VERTICAL_WIDTH - INDENT - 2);
      y += boxHeight(box) + GAP - 2;
    }
    y += 12;
  });
  const spine = `<path class="spine" d="M${SPINE_X} 8V${last - 14}"/>`;
  return { width: VERTICAL_WIDTH, height: y - 18, body: spine + lines + body };
}

function boxHeight({ rows = [] }: Box): number {
  return rows.length === 0 ? BOX_HEIGHT : BOX_HEIGHT + rows.length * ROW_HEIGHT + 4;
}

function stackHeight(boxes: readonly Box[]): number {
  return boxes.reduce((sum, box) => sum + boxHeight(box) + GAP, -GAP);
}

type Point = readonly [x: number, y: number];

/** Draws a curve between two points. It starts and ends horizontally. */
function line(mark: Mark | 'plain', [x, y]: Point, [toX, toY]: Point): string {
  const half = (x + toX) / 2;
  return `<path class="line ${mark}" d="M${x} ${y}C${half} ${y} ${half} ${toY} ${toX} ${toY}"/>`;
}

/** Maximum width of a letter in any common font of its kind, relative to the font size. */
const LETTER_WIDTHS = { mono: 0.615, sans: 0.62, bold: 0.7 } as const;

const TITLE_SIZE = 13;
const DETAIL_SIZE = 11.5;

/** Returns the width of a text in units of the drawing. */
function textWidth(value: string, size: number, letter: number): number {
  return value.length * size * letter;
}

/** Space to the left of the text, for the mark, and to its right. */
const [MARK_WIDTH, RIM_WIDTH] = [36, 9];

function drawBox(box: Box, x: number, y: number, width: number): string {
  const { mark, title, detail, hint, rows = [] } = box;
  const inner = width - MARK_WIDTH - RIM_WIDTH;
  const [word = '', ...rest] = detail.split(SEPARATOR);
  return `<g class="box ${mark}">${hint === undefined ? '' : `<title>${text(hint, 500)}</title>`}`
    + `<rect x="${x + 0.75}" y="${y + 0.75}" width="${width - 1.5}" height="${boxHeight(box) - 1.5}" rx="9"/>`
    + `<use href="#m-${mark}" x="${x + 11}" y="${y + 10}" width="16" height="16"/>`
    + `<text class="title" x="${x + MARK_WIDTH}" y="${y + 22}">${text(cut(title, inner / (TITLE_SIZE * LETTER_WIDTHS.mono)))}</text>`
    + `<text class="detail" x="${x + MARK_WIDTH}" y="${y + 39}"><tspan class="word">${text(word)}</tspan>${text(joinFitting(rest, inner - textWidth(word, DETAIL_SIZE, LETTER_WIDTHS.bold)))}</text>`
    + `${rows.map((row, at) => drawRow(row, x, y + BOX_HEIGHT + at * ROW_HEIGHT, width)).join('')}</g>`;
}

const SEPARATOR = ' · ';

/** Joins as many details as fit. The tables of the page contain the others. */
function joinFitting(details: readonly string[], room: number): string {
  let shown = '';
  for (const item of details) {
    const longer = `${shown}${SEPARATOR}${item}`;
    if (textWidth(longer, DETAIL_SIZE, LETTER_WIDTHS.sans) > room) break;
    shown = longer;
  }
  return shown;
}

function drawRow({ mark, text: name, detail }: NonNullable<Box['rows']>[number], x: number, y: number, width: number): string {
  const room = (beside: string): number => width - MARK_WIDTH - RIM_WIDTH - 8 - textWidth(beside, DETAIL_SIZE, LETTER_WIDTHS.bold);
  const [word = ''] = detail.split(SEPARATOR);
  const shown = textWidth(name, DETAIL_SIZE, LETTER_WIDTHS.mono) > room(detail) ? word : detail;
  return `<g class="row ${mark}"><path class="rule" d="M${x + 11} ${y - 2}H${x + width - 11}"/>`
    + `<use href="#m-${mark}" x="${x + 13}" y="${y + 4.5}" width="12" height="12"/>`
    + `<text class="name" x="${x + MARK_WIDTH}" y="${y + 14.5}">${text(cut(name, room(shown) / (DETAIL_SIZE * LETTER_WIDTHS.mono)))}</text>`
    + `<text class="word" x="${x + width - 11}" y="${y + 14.5}" text-anchor="end">${text(shown)}</text></g>`;
}

/** Shortens a name in its middle: its start is the host, its end the domain. */
function cut(value: string, room: number): string {
  const letters = Array.from(value);
  const max = Math.floor(room);
  if (letters.length <= max) return value;
  const end = Math.floor((max - 1) / 2);
  return `${letters.slice(0, max - 1 - end).join('')}…${end === 0 ? '' : letters.slice(-end).join('')}`;
}
