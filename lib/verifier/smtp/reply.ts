// Parses replies of SMTP servers (RFC 5321 §4.2) from chunks of any size. Reads every byte once.

/** A complete reply: its code, and the text of each line. */
export interface Reply {
  readonly code: string;
  readonly lines: readonly string[];
}

/** A reply and the text after it, or the problem that ends the session. */
export type Reading
  = | { readonly reply: Reply; readonly rest: string }
    | { readonly problem: 'malformed' | 'too-long'; readonly begin: string };

/** Maximum size of a reply: more than any real greeting or list of extensions. */
export const MAX_REPLY_BYTES = 16 * 1024;

/** Lives for one connection. */
export class ReplyReader {
  private lines: string[] = [];
  /** The last line, without its end so far. */
  private line = '';
  private length = 0;
  /** The beginning of the reply, to quote if the reply is malformed. */
  private begin = '';

  /**
   * Reads a chunk. Must not be called after a problem.
   *
   * @param text - one character a byte
   * @returns undefined until the reply is complete
   */
  public read(text: string): Reading | undefined {
    if (this.begin.length < MAX_QUOTED_BYTES) this.begin += text.slice(0, MAX_QUOTED_BYTES - this.begin.length);
    let at = 0;
    for (;;) {
      const end = text.indexOf('\n', at);
      const piece = text.slice(at, end === -1 ? undefined : end);
      const known = this.line.length;
      this.line += piece;
      this.length += piece.length + (end === -1 ? 0 : 1);
      if (this.length > MAX_REPLY_BYTES) return this.problem('too-long');
      if (end === -1) return known < 4 && !LINE_BEGIN.test(this.line.slice(0, 4)) ? this.problem('malformed') : undefined;
      at = end + 1;
      const parsed = this.parseLine();
      if (parsed === undefined) return this.problem('malformed');
      if (typeof parsed === 'object') return { reply: parsed, rest: text.slice(at) };
    }
  }

  /** Parses `250-more` or `250 last` (RFC 5321 §4.2.1). Returns undefined for any other line. */
  private parseLine(): Reply | 'more' | undefined {
    // Postfix also accepts any number of CRs before the LF.
    const [, code, separator, text = ''] = /^(\d{3})(?:([ -])([^]*))?$/.exec(withoutReturns(this.line)) ?? [];
    this.line = '';
    if (code === undefined) return undefined;
    this.lines.push(text);
    if (separator === '-') return 'more';
    const reply = { code, lines: this.lines };
    this.lines = [];
    this.length = 0;
    this.begin = '';
    return reply;
  }

  private problem(problem: 'malformed' | 'too-long'): Reading {
    return { problem, begin: this.begin };
  }
}

/** Enough to recognize another protocol. */
const MAX_QUOTED_BYTES = 60;

/** The beginning of a valid line. Another protocol is recognized before its first line ends. */
const LINE_BEGIN = /^(?:\d{0,3}|\d{3}[ \r-])$/;

/** Removes the CRs at the end of a line. A regular expression would take quadratic time. */
function withoutReturns(line: string): string {
  let end = line.length;
  while (line.charAt(end - 1) === '\r') end -= 1;
  return line.slice(0, end);
}
