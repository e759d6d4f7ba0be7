// Reads replies of SMTP servers (RFC 5321 §4.2) out of what comes, in whatever pieces; every byte is looked at once.

/** A whole reply: its code, and the text of each line. */
export interface Reply {
  readonly code: string;
  readonly lines: readonly string[];
}

/** A reply and what came behind it, or why there will be none. */
export type Reading
  = | { readonly reply: Reply; readonly rest: string }
    | { readonly fault: 'malformed' | 'too-long'; readonly begin: string };

/** More than any greeting or list of extensions that a server sends for good. */
export const MOST_REPLY_BYTES = 16 * 1024;

/** Lives for one connection. */
export class ReplyReader {
  private lines: string[] = [];
  /** A line whose end has not come yet. */
  private line = '';
  private length = 0;
  /** For people, of a reply that is none. */
  private begin = '';

  /**
   * Takes what has come. After a fault it takes nothing more.
   *
   * @param text - one character a byte
   * @returns undefined while the reply is not whole
   */
  public read(text: string): Reading | undefined {
    if (this.begin.length < SHOWN) this.begin += text.slice(0, SHOWN - this.begin.length);
    let at = 0;
    for (;;) {
      const end = text.indexOf('\n', at);
      const piece = text.slice(at, end === -1 ? undefined : end);
      const known = this.line.length;
      this.line += piece;
      this.length += piece.length + (end === -1 ? 0 : 1);
      if (this.length > MOST_REPLY_BYTES) return this.fault('too-long');
      if (end === -1) return known < 4 && !LINE_BEGIN.test(this.line.slice(0, 4)) ? this.fault('malformed') : undefined;
      at = end + 1;
      const more = this.take();
      if (more === undefined) return this.fault('malformed');
      if (typeof more === 'object') return { reply: more, rest: text.slice(at) };
    }
  }

  /** RFC 5321 §4.2.1: `250-more` and so on, and `250 last`. */
  private take(): Reply | 'more' | undefined {
    // As Postfix does it: however many of them come before the line feed.
    const parts = /^(\d{3})(?:([ -])([^]*))?$/.exec(withoutReturns(this.line));
    this.line = '';
    if (parts === null) return undefined;
    this.lines.push(parts.at(3) ?? '');
    if (parts[2] === '-') return 'more';
    const reply = { code: parts[1], lines: this.lines };
    this.lines = [];
    this.length = 0;
    this.begin = '';
    return reply;
  }

  private fault(fault: 'malformed' | 'too-long'): Reading {
    return { fault, begin: this.begin };
  }
}

/** Enough to tell what a server speaks if not SMTP. */
const SHOWN = 60;

/** Whoever speaks something else need not be waited for to end a line. */
const LINE_BEGIN = /^(?:\d{0,3}|\d{3}[ \r-])$/;

/** From the end on: an expression would try again at each of them, in time that grows with their square. */
function withoutReturns(line: string): string {
  let end = line.length;
  while (line.charAt(end - 1) === '\r') end -= 1;
  return line.slice(0, end);
}
