// How text looks on the terminal at hand: marks, colours and line breaks.
import { styleText } from 'node:util';
import type { Severity } from '../../lib/protocol/findings/finding';
import { safeText } from '../../lib/util/safe-text';
import type { Io } from '../io';

/** What a mark stands for. `skipped` is what was never reached. */
export type Mark = Severity | 'good' | 'skipped';

type Format = Parameters<typeof styleText>[0];

type Colour = 'green' | 'red' | 'magenta' | 'yellow' | 'blue' | 'gray';

interface Look {
  readonly mark: string;
  readonly ascii: string;
  readonly colour: Colour;
}

const LOOKS: Readonly<Record<Mark, Look>> = {
  good: { mark: '✔', ascii: '+', colour: 'green' },
  error: { mark: '✘', ascii: 'x', colour: 'red' },
  unknown: { mark: '?', ascii: '?', colour: 'magenta' },
  warning: { mark: '!', ascii: '!', colour: 'yellow' },
  info: { mark: 'i', ascii: 'i', colour: 'blue' },
  skipped: { mark: '·', ascii: '-', colour: 'gray' },
};

/** Narrower than this, wrapped text is harder to read than broken lines. */
const NARROWEST = 40;

/** Wider lines than this are hard to follow, however wide the terminal is. */
const WIDEST = 110;

/** Longer than any message of ours; what a stranger's server can put into one is cut long before. */
const LONGEST = 2000;

/** Writes for one terminal, or for a program that reads us. */
export class Style {
  private readonly colour: boolean;
  private readonly unicode: boolean;
  private readonly width: number;

  public constructor(io: Pick<Io, 'colour' | 'unicode' | 'columns'>) {
    this.colour = io.colour;
    this.unicode = io.unicode;
    this.width = io.columns === undefined ? Infinity : Math.min(Math.max(io.columns, NARROWEST), WIDEST);
  }

  /** ✔ ✘ ? ! in their colours. */
  public mark(standing: Mark): string {
    const observation = LOOKS[standing];
    return this.paint(observation.colour, this.unicode ? observation.mark : observation.ascii);
  }

  /** Text as it is. */
  public plain(text: string): string {
    return this.fit(text);
  }

  /** Text in the colour of a standing, and bold. Like all text that goes through here it comes out fit for a terminal. */
  public strong(standing: Mark, text: string): string {
    return this.paint(['bold', LOOKS[standing].colour], this.fit(text));
  }

  public bold(text: string): string {
    return this.paint('bold', this.fit(text));
  }

  public faint(text: string): string {
    return this.paint('dim', this.fit(text));
  }

  /** Between two things on one line. */
  public get dot(): string {
    return this.unicode ? '·' : '-';
  }

  /**
   * A label and a text beside it that is broken at blanks; further lines stand under the first.
   *
   * @param label - may be empty; plain text
   * @param indent - blanks before the label
   * @param column - where the text begins
   * @param mark - one character before the first line of the text
   * @param faint - whether the text stands back
   */
  public row(label: string, text: string, { indent, column, mark = '', faint = false }: Row): string[] {
    const begin = mark === '' ? column : column + 2;
    return this.broken(this.fit(text), this.width - begin).map((line, index) => {
      const start = index === 0 ? `${this.label(indent, label, column)}${mark === '' ? '' : `${mark} `}` : ' '.repeat(begin);
      return `${start}${faint ? this.faint(line) : line}`;
    });
  }

  private label(indent: number, label: string, column: number): string {
    return `${' '.repeat(indent)}${label === '' ? '' : this.faint(label)}${' '.repeat(column - indent - label.length)}`;
  }

  private fit(text: string): string {
    // Escaping twice changes nothing, so it does no harm that most text comes escaped.
    // GitHub's runners take `##[command]` for an order wherever it stands in a line.
    const shown = safeText(text, LONGEST).replaceAll('##[', '#\\x23[');
    if (this.unicode) return shown;
    return shown.replaceAll('§', 'section ').replaceAll('…', '...')
      .replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);
  }

  private paint(format: Format, text: string): string {
    // We know better than styleText whether this is a terminal: what it would look at is not always where this goes.
    return this.colour ? styleText(format, text, { validateStream: false }) : text;
  }

  /** A word that is longer than a line keeps whole, so that it can be copied. */
  private broken(text: string, width: number): string[] {
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

export interface Row {
  readonly indent: number;
  readonly column: number;
  readonly mark?: string;
  readonly faint?: boolean;
}
