// Parses the media type of a policy file (RFC 9110 §8.3.1) as strictly as the strictest senders do.
import { trimBlanks } from '../../util/safe-text';

/** A parsed Content-Type header. */
export interface MediaType {
  /** `text/plain`: type and subtype in lower case, without spaces and tabs around it (RFC 9110 §5.6.3). */
  readonly essence: string;
  /** Unusual parameters: `the parameter \`charset\` has no value`, and whether some senders reject the header for that reason. */
  readonly unusual: readonly { readonly text: string; readonly isRefused: boolean }[];
}

/**
 * Parses a Content-Type header.
 *
 * @param header - one character a byte
 */
export function parseMediaType(header: string): MediaType {
  const semicolon = header.indexOf(';');
  const essence = trimBlanks(semicolon === -1 ? header : header.slice(0, semicolon)).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return { essence, unusual: semicolon === -1 ? [] : new ParameterParser(header.slice(semicolon)).parse() };
}

type UnusualParameter = MediaType['unusual'][number];

/** Parses `*( OWS ";" OWS [ parameter ] )` (RFC 9110 §5.6.6). */
class ParameterParser {
  private readonly unusual: UnusualParameter[] = [];
  private readonly seen = new Map<string, string>();

  public constructor(private rest: string) {}

  public parse(): readonly UnusualParameter[] {
    while (trimBlanks(this.rest) !== '' && this.parseParameter());
    return this.unusual;
  }

  /** Takes one parameter off the front. Returns whether the rest can be parsed. */
  private parseParameter(): boolean {
    this.rest = trimBlanks(this.rest);
    if (!this.rest.startsWith(';')) return this.reject(`\`${this.rest}\` stands where \`;\` or the end is expected`);
    this.rest = trimBlanks(this.rest.slice(1));
    // A semicolon at the end is common, and every sender accepts it.
    if (this.rest === '') return false;
    if (this.rest.startsWith(';')) return this.reject('there is an empty parameter, `;;`');
    const name = this.take(TOKEN);
    if (name === '') return this.reject(`the parameter \`${this.rest}\` has no name`);
    const blanks = this.take(/^[ \t]+(?==)/);
    if (!this.rest.startsWith('=')) return this.reject(`the parameter \`${name}\` has no value`);
    this.rest = this.rest.slice(1);
    const value = this.parseValue(name, blanks !== '');
    if (value !== undefined) this.check(name.toLowerCase(), value);
    return value !== undefined;
  }

  private parseValue(name: string, hadBlanks: boolean): string | undefined {
    const blanks = this.take(/^[ \t]+/);
    if (hadBlanks || blanks !== '') this.unusual.push({ text: `there are blanks around the \`=\` of the parameter \`${name}\``, isRefused: false });
    if (this.rest.startsWith('"')) {
      const quoted = this.take(/^"(?:[^"\\]|\\.)*"/);
      if (quoted !== '') return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
      this.reject(`the quoted value of the parameter \`${name}\` has no end`);
      return undefined;
    }
    const value = this.take(TOKEN);
    if (value !== '') return value;
    this.reject(`the parameter \`${name}\` has no value`);
    return undefined;
  }

  private check(name: string, value: string): void {
    const earlier = this.seen.get(name);
    if (earlier !== undefined) {
      // Go's parser accepts a repeated parameter with the same value.
      this.unusual.push({ text: `the parameter \`${name}\` stands there twice`, isRefused: earlier !== value });
    } else if (name === 'charset' && NON_ASCII.test(value)) {
      this.unusual.push({ text: `it declares the charset \`${value}\`, in which the bytes of a policy are other text`, isRefused: false });
    }
    this.seen.set(name, value);
  }

  private reject(text: string): false {
    this.unusual.push({ text, isRefused: true });
    return false;
  }

  private take(pattern: RegExp): string {
    const found = pattern.exec(this.rest)?.[0] ?? '';
    this.rest = this.rest.slice(found.length);
    return found;
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;

/** Charsets in which ASCII text has other bytes. */
const NON_ASCII = /^(?:utf-?(?:7|16|32)|ucs-|iso-10646|ebcdic|ibm0?37|cp0?37|iso-2022-|hz-)/i;
