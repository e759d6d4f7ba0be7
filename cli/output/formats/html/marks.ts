// The marks of the page. Each has a shape, a colour and a word, so that any one of the three is enough.
import type { Mark } from '../../terminal';

/** A word for each mark. */
export const MARK_WORDS: Readonly<Record<Mark, string>> = {
  good: 'good',
  error: 'error',
  unknown: 'unknown',
  warning: 'warning',
  info: 'note',
  skipped: 'not asked',
};

/** SVG of each mark, 16 by 16: the shape and the glyph on it. */
const SHAPES: Readonly<Record<Mark, readonly [shape: string, glyph: string]>> = {
  good: ['<circle cx="8" cy="8" r="8"/>', '<path d="M4.4 8.3l2.5 2.5 4.8-5.2"/>'],
  error: ['<path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"/>', '<path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/>'],
  warning: ['<path d="M6.7 1.2a1.5 1.5 0 0 1 2.6 0l6.5 11.6a1.5 1.5 0 0 1-1.3 2.2h-13a1.5 1.5 0 0 1-1.3-2.2z"/>', '<path d="M8 5.4v4M8 12v.1"/>'],
  unknown: ['<circle cx="8" cy="8" r="8"/>', '<path d="M5.8 6.1a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.5M8 12v.1"/>'],
  info: ['<rect width="16" height="16" rx="4"/>', '<path d="M8 7.6v4M8 4.5v.1"/>'],
  skipped: ['<circle cx="8" cy="8" r="8"/>', '<path d="M5 8h6"/>'],
};

/** Returns the definitions of the shapes. A page contains them once. */
export function markDefinitions(): string {
  const symbols = Object.entries(SHAPES).map(([mark, [shape, glyph]]) =>
    `<symbol id="m-${mark}" viewBox="0 0 16 16"><g fill="currentColor">${shape}</g><g class="glyph">${glyph}</g></symbol>`);
  return `<svg class="definitions" aria-hidden="true">${symbols.join('')}</svg>`;
}

/** Returns a mark without its word, beside a text with the same meaning. */
export function icon(mark: Mark): string {
  return `<svg class="icon ${mark}" viewBox="0 0 16 16" aria-hidden="true"><use href="#m-${mark}"/></svg>`;
}

/** Returns a mark with its word. */
export function pill(mark: Mark, word = MARK_WORDS[mark]): string {
  return `<span class="pill ${mark}">${icon(mark)}${word}</span>`;
}
