// Formats text for the terminal: marks, colours and line breaks.
import { styleText } from 'node:util';
import type { Severity } from '../../lib/protocol/findings/finding';
import { safeText } from '../../lib/util/safe-text';
import type { Io } from '../io';

/** The meaning of a mark. `skipped` stands for a step that was never reached. */
export type Mark = Severity | 'good' | 'skipped';

type TextStyle = Parameters<typeof styleText>[0];

type Colour = 'green' | 'red' | 'magenta' | 'yellow' | 'blue' | 'gray';

interface Appearance {
  readonly mark: string;
  readonly ascii: string;
  readonly colour: Colour;
}

const APPEARANCES: Readonly<Record<Mark, Appearance>> = {
  good: { mark: '✔', ascii: '+', colour: 'green' },
  error: { mark: '✘', ascii: 'x', colour: 'red' },
  unknown: { mark: '?', ascii: '?', colour: 'magenta' },
  warning: { mark: '!', ascii: '!', colour: 'yellow' },
  info: { mark: 'i', ascii: 'i', colour: 'blue' },
  skipped: { mark: '·', ascii: '-', colour: 'gray' },
};

/** Minimum width to wrap at. Narrower text is harder to read than lines that the terminal breaks. */
const MIN_WIDTH = 40;

/** Maximum width to wrap at. Longer lines are hard to follow. */
const MAX_WIDTH = 110;

/** Longer than any message of ours. Text from a server under verification is cut to a shorter length before. */
const MAX_TEXT_LENGTH = 2000;

/** Formats text for one terminal, or for a program that reads the output. */
export class Style {
  private readonly colour: boolean;
  private readonly unicode: boolean;
  private readonly width: number;

  public constructor(io: Pick<Io, 'colour' | 'unicode' | 'columns'>) {
    this.colour = io.colour;
    this.unicode = io.unicode;
    this.width = io.columns === undefined ? Infinity : Math.min(Math.max(io.columns, MIN_WIDTH), MAX_WIDTH);
  }

  /** Returns ✔ ✘ ? ! in their colours. */
  public mark(mark: Mark): string {
    const { colour, mark: unicode, ascii } = APPEARANCES[mark];
    return this.paint(colour, this.unicode ? unicode : ascii);
  }

  /** Returns text without a style, escaped for the terminal like all text that passes through this class. */
  public plain(text: string): string {
    return this.fit(text);
  }

  /** Returns text in bold and in the colour of a mark. */
  public strong(mark: Mark, text: string): string {
    return this.paint(['bold', APPEARANCES[mark].colour], this.fit(text));
  }

  public bold(text: string): string {
    return this.paint('bold', this.fit(text));
  }

  public faint(text: string): string {
    return this.paint('dim', this.fit(text));
  }

  /** The separator of two texts on one line. */
  public get dot(): string {
    return this.unicode ? '·' : '-';
  }

  /**
   * Returns a label and a text beside it, wrapped at blanks. Further lines are aligned with the first.
   *
   * @param label - plain text, may be empty
   * @param indent - blanks before the label
   * @param column - the column where the text begins
   * @param mark - the mark before the first line of the text
   * @param faint - whether the text is dimmed
   */
  public row(label: string, text: string, { indent, column, mark = '', faint = false }: Row): string[] {
    const begin = mark === '' ? column : column + 2;
    return this.wrap(this.fit(text), this.width - begin).map((line, index) => {
      const start = index === 0 ? `${this.label(indent, label, column)}${mark === '' ? '' : `${mark} `}` : ' '.repeat(begin);
      return `${start}${faint ? this.faint(line) : line}`;
    });
  }

  private label(indent: number, label: string, column: number): string {
    return `${' '.repeat(indent)}${label === '' ? '' : this.faint(label)}${' '.repeat(column - indent - label.length)}`;
  }

  private fit(text: string): string {
    // Most text is already escaped. Escaping it again changes nothing.
    // GitHub's runners execute `##[command]` anywhere in a line.
    const shown = safeText(text, MAX_TEXT_LENGTH).replaceAll('##[', '#\\x23[');
    if (this.unicode) return shown;
    return shown.replaceAll('§', 'section ').replaceAll('…', '...')
      .replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);
  }

  private paint(format: TextStyle, text: string): string {
    // Skip the check of styleText: the stream that it would check is not always the destination.
    return this.colour ? styleText(format, text, { validateStream: false }) : text;
  }

  /** Keeps a word whole that is longer than a line, so that it can be copied. */
  private wrap(text: string, width: number): string[] {
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  }
}

interface Row {
  readonly indent: number;
  readonly column: number;
  readonly mark?: string;
  readonly faint?: boolean;
}
