// Reads the values of Route 53 record sets as in a template: quoted character-strings, escapes, several fields in one text.
import { isIP } from 'node:net';
import type { DnsRecord } from '../dns-server/records';

/** A record without its name and TTL. */
type RecordData = DnsRecord extends infer R ? R extends DnsRecord ? Pick<R, 'type' | 'data'> : never : never;

/**
 * Reads one value of a record set.
 *
 * @returns the data of the record, or a phrase that follows the value and says why Route 53 would refuse it
 */
export function readValue(type: string, value: string): RecordData | string {
  switch (type) {
    case 'A': return isIP(value) === 4 ? { type, data: value } : 'is not an IPv4 address';
    case 'AAAA': return isIP(value) === 6 ? { type, data: value } : 'is not an IPv6 address';
    case 'CNAME':
    case 'NS': return isName(value) ? { type, data: bareName(value) } : 'is not a name';
    case 'MX': return readMx(value);
    case 'TXT': return readTxt(value);
    case 'CAA': return readCaa(value);
    default: return `has the type ${type}, which the preview does not serve`;
  }
}

/** Returns a name as in the DNS answers of the preview: in lower case, without escapes and without the trailing dot. */
export function bareName(name: string): string {
  return unescape(name).replace(/\.$/, '').toLowerCase();
}

function readMx(value: string): RecordData | string {
  const [, preference = '', exchange = ''] = /^(\d{1,5})[ \t]+(\S+)$/.exec(value.trim()) ?? [];
  if (preference === '' || Number(preference) > 65535 || !(exchange === '.' || isName(exchange))) return 'is not a preference and a host, `10 mx1.example.com`';
  return { type: 'MX', data: { preference: Number(preference), exchange: exchange === '.' ? '.' : bareName(exchange) } };
}

/** Reads one or more strings in quotes. Without escapes, each has at most 255 characters. */
function readTxt(value: string): RecordData | string {
  const strings: string[] = [];
  let at = 0;
  while (at < value.length) {
    const quoted = readQuoted(value, at);
    if (quoted === undefined) return 'is not in quotes, which Route 53 requires';
    const text = unescape(quoted);
    if (text.length > 255) return `has a string of ${text.length} characters, but a string has at most 255`;
    strings.push(text);
    at += quoted.length + 2;
    while (value[at] === ' ' || value[at] === '\t') at += 1;
  }
  return strings.length === 0 ? 'is empty' : { type: 'TXT', data: strings };
}

function readCaa(value: string): RecordData | string {
  const fields = /^(\d{1,3})[ \t]+([A-Za-z0-9]{1,15})[ \t]+"([^"]{0,255})"$/.exec(value.trim());
  if (fields === null) return 'is not flags, a tag and a value, `0 issue "amazon.com"`';
  const [, flags = '', tag = '', text = ''] = fields;
  return { type: 'CAA', data: { critical: (Number(flags) & 128) !== 0, tag, value: text } };
}

/** Returns the text between the quotes at an index, with its escapes. Returns undefined if there is no quoted text. */
function readQuoted(text: string, at: number): string | undefined {
  if (text[at] !== '"') return undefined;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === '"') return text.slice(at + 1, end);
  }
  return undefined;
}

/** Replaces escapes. `\052` is a character by its octal code, as Route 53 writes it. `\"` is the character itself. */
function unescape(text: string): string {
  return text.replace(/\\([0-3][0-7]{2}|.)/gs, (_, code: string) => code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code);
}

function isName(value: string): boolean {
  const name = bareName(value);
  return name.length <= 253 && /^[a-z0-9*_-]{1,63}(\.[a-z0-9*_-]{1,63})*$/.test(name);
}
