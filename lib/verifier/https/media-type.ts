// Reads the media type of a policy file (RFC 9110 §8.3.1), as strictly as the strictest senders do.
import { trimBlanks } from '../../util/safe-text';

/** What a Content-Type header says. */
export interface MediaType {
  /** `text/plain`: type and subtype, in lower case. Only space and tab around it are left out (RFC 9110 §5.6.3). */
  readonly essence: string;
  /** What is unusual about the parameters, each with its value: `the parameter \`charset\` has no value`. */
  readonly unusual: readonly { readonly text: string; readonly isRefused: boolean }[];
}

/** Reads the header, one character a byte. */
export function parseMediaType(header: string): MediaType {
  const semicolon = header.indexOf(';');
  const essence = trimBlanks(semicolon === -1 ? header : header.slice(0, semicolon)).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return { essence, unusual: semicolon === -1 ? [] : new Parameters(header.slice(semicolon)).unusual() };
}

type Remark = MediaType['unusual'][number];

/** RFC 9110 §5.6.6: `*( OWS ";" OWS [ parameter ] )`. */
class Parameters {
  private readonly remarks: Remark[] = [];
  private readonly seen = new Map<string, string>();

  public constructor(private rest: string) {}

  public unusual(): readonly Remark[] {
    while (trimBlanks(this.rest) !== '' && this.parameter());
    return this.remarks;
  }

  /** Takes one parameter off the front. Gives whether there is sense in going on. */
  private parameter(): boolean {
    this.rest = trimBlanks(this.rest);
    if (!this.rest.startsWith(';')) return this.refused(`\`${this.rest}\` stands where \`;\` or the end is expected`);
    this.rest = trimBlanks(this.rest.slice(1));
    // One at the end is common, and no sender minds it.
    if (this.rest === '') return false;
    if (this.rest.startsWith(';')) return this.refused('there is an empty parameter, `;;`');
    const name = this.take(TOKEN);
    if (name === '') return this.refused(`the parameter \`${this.rest}\` has no name`);
    const blanks = this.take(/^[ \t]+(?==)/);
    if (!this.rest.startsWith('=')) return this.refused(`the parameter \`${name}\` has no value`);
    this.rest = this.rest.slice(1);
    const value = this.value(name, blanks !== '');
    if (value !== undefined) this.note(name.toLowerCase(), value);
    return value !== undefined;
  }

  private value(name: string, hadBlanks: boolean): string | undefined {
    const blanks = this.take(/^[ \t]+/);
    if (hadBlanks || blanks !== '') this.remarks.push({ text: `there are blanks around the \`=\` of the parameter \`${name}\``, isRefused: false });
    if (this.rest.startsWith('"')) {
      const quoted = this.take(/^"(?:[^"\\]|\\.)*"/);
      if (quoted !== '') return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
      this.refused(`the quoted value of the parameter \`${name}\` has no end`);
      return undefined;
    }
    const value = this.take(TOKEN);
    if (value !== '') return value;
    this.refused(`the parameter \`${name}\` has no value`);
    return undefined;
  }

  private note(name: string, value: string): void {
    const earlier = this.seen.get(name);
    if (earlier !== undefined) {
      // Go's reader takes the same value twice.
      this.remarks.push({ text: `the parameter \`${name}\` stands there twice`, isRefused: earlier !== value });
    } else if (name === 'charset' && OTHER_BYTES.test(value)) {
      this.remarks.push({ text: `it declares the charset \`${value}\`, in which the bytes of a policy are other text`, isRefused: false });
    }
    this.seen.set(name, value);
  }

  private refused(text: string): false {
    this.remarks.push({ text, isRefused: true });
    return false;
  }

  private take(pattern: RegExp): string {
    const found = pattern.exec(this.rest)?.[0] ?? '';
    this.rest = this.rest.slice(found.length);
    return found;
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;

/** Charsets that do not hold ASCII as it is. */
const OTHER_BYTES = /^(?:utf-?(?:7|16|32)|ucs-|iso-10646|ebcdic|ibm0?37|cp0?37|iso-2022-|hz-)/i;
