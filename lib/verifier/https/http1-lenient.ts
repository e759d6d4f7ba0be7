// Asks over HTTP/1.1 and reads the answer as Go's and curl's clients do: what they take is no fault of the policy host.
//
// Node's own lenient parser takes too much (a length beside chunks) and too little (the same length twice), so this one is ours.
import { POLICY_PATH } from '../../protocol/policy/url';
import { trimBlanks } from '../../util/safe-text';
import { FIELDS_READ, requestFields } from './http-answer';
import type { AnswerReader, Ask } from './http-answer';
import { STRICT_HEADER_BYTES } from './http1-strict';

/** What is read of headers. Go takes 10 MiB and curl 300 KiB; the policy file itself may have no more than this. */
export const LENIENT_HEADER_BYTES = 64 * 1024;

/** The `code` of more headers than that. */
export const HEADERS_TOO_LARGE = 'HPE_LENIENT_HEADER_OVERFLOW';

/** The `code` of anything else that Go or curl does not take. */
const LENIENT_FAULT = 'HPE_LENIENT';

export const askLeniently: Ask = ({ socket, policyHost, guard, reader }) => {
  const response = new LenientResponse(reader);
  socket.on('data', guard.over((chunk: Buffer) => {
    response.take(chunk);
  }));
  socket.on('end', guard.over(() => {
    response.end();
  }));
  const fields = Object.entries({ host: policyHost, ...requestFields(), connection: 'close' });
  socket.write(`GET ${POLICY_PATH} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  return () => response.isComplete;
};

type State = 'status' | 'fields' | 'body' | 'chunk-size' | 'chunk-end' | 'trailers' | 'done';

/** All that stands beside the data of chunks, trailers included: a byte a chunk, 64 KiB long, has 400 KiB of it. */
const MOST_FRAMING_BYTES = 1024 * 1024;

/** Lives for one response. Every byte is looked at once. */
export class LenientResponse {
  private state: State = 'status';
  private line = '';
  private headBytes = 0;
  private framingBytes = 0;
  private trailerBytes = 0;
  private status = 0;
  private fields: Field[] = [];
  /** Which a folded line continues, whether it is kept or not. */
  private lastField: Field | undefined;
  private chunked = false;
  /** Of the body or of a chunk; Infinity for a body that ends with the connection. */
  private left = 0;
  private isMalformed = false;

  public constructor(private readonly reader: AnswerReader) {}

  /** Whether the response has come to the end that its framing gives it. */
  public get isComplete(): boolean {
    return this.state === 'done' && !this.isMalformed;
  }

  private get isOver(): boolean {
    return this.state === 'done';
  }

  /** Takes what has come. */
  public take(chunk: Uint8Array): void {
    // The same memory: hostile peers send thousands of lines in a chunk.
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = 0; at < chunk.length && !this.isOver;) {
      if (this.state === 'body') {
        const part = chunk.subarray(at, Math.min(chunk.length, at + this.left));
        at += part.length;
        this.left -= part.length;
        this.reader.data(part);
        if (this.left === 0) this.partIsOver();
      } else {
        const end = chunk.indexOf(LF, at);
        const next = end === -1 ? chunk.length : end + 1;
        this.count(next - at);
        this.line += bytes.toString('latin1', at, next);
        at = next;
        if (end !== -1) this.takeLine();
      }
    }
  }

  /** The connection has ended. */
  public end(): void {
    if (this.state === 'body' && this.left === Infinity) this.finish();
    else if (!this.isOver) this.fault('the connection was closed', 'ECONNRESET');
  }

  private count(bytes: number): void {
    if (this.state === 'status' || this.state === 'fields') this.headBytes += bytes;
    else this.framingBytes += bytes;
    if (this.state === 'trailers') this.trailerBytes += bytes;
    if (this.headBytes > LENIENT_HEADER_BYTES) this.fault(`more than ${LENIENT_HEADER_BYTES / 1024} KiB of headers`, HEADERS_TOO_LARGE);
    else if (this.trailerBytes > STRICT_HEADER_BYTES) this.fault(`more than ${STRICT_HEADER_BYTES / 1024} KiB of trailers`);
    else if (this.framingBytes > MOST_FRAMING_BYTES) this.fault('more framing than data');
  }

  private takeLine(): void {
    if (this.isOver) return;
    const isBare = !this.line.endsWith('\r\n');
    const line = this.line.slice(0, isBare ? -1 : -2);
    this.line = '';
    // Go and curl take a bare LF in the head alone (RFC 9112 §2.2); in chunks it lets two readers see two messages.
    if (isBare && this.state !== 'status' && this.state !== 'fields') this.fault('a chunk line that ends in a bare LF');
    else if (CONTROL.test(line)) this.fault('a control character');
    else this.read(line, isBare);
  }

  private read(line: string, isBare: boolean): void {
    if (isBare) this.reader.liberty('bare-lf');
    switch (this.state) {
      case 'status':
        this.readStatus(line);
        break;
      case 'fields':
        this.readField(line);
        break;
      case 'chunk-size':
        this.readSize(line);
        break;
      case 'chunk-end':
        if (line === '') this.state = 'chunk-size';
        else this.fault('a chunk that is longer than its size');
        break;
      case 'trailers':
      case 'body':
      case 'done':
        if (line === '') this.finish();
    }
  }

  private readStatus(line: string): void {
    const parts = /^HTTP\/1\.\d +(\d{3})(?: |$)/.exec(line);
    if (parts === null) {
      this.fault('no status line');
      return;
    }
    this.status = Number(parts[1]);
    this.state = 'fields';
  }

  private readField(line: string): void {
    if (line === '') {
      this.headIsOver();
      return;
    }
    const last = this.lastField;
    if (/^[ \t]/.test(line)) {
      if (last === undefined) this.fault('a line before the first field that begins with a blank');
      else {
        this.reader.liberty('obs-fold');
        if (FIELDS_READ.has(last.name)) last.value = [last.value, trimBlanks(line)].filter(Boolean).join(' ');
      }
      return;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*$/.test(name)) {
      this.fault('a line that is no field');
      return;
    }
    // Go takes such a field for another one, and so does curl.
    if (/[ \t]$/.test(name)) this.reader.liberty('space-before-colon');
    if (line.length > MOST_FIELD_BYTES) this.reader.liberty('field-large');
    this.lastField = { name: name.toLowerCase(), value: trimBlanks(line.slice(colon + 1)) };
    if (FIELDS_READ.has(this.lastField.name)) this.fields.push(this.lastField);
  }

  private headIsOver(): void {
    if (this.headBytes > STRICT_HEADER_BYTES) this.reader.liberty('headers-large');
    if (this.status >= 100 && this.status < 200 && this.status !== 101) {
      this.reader.informational(this.status);
      this.fields = [];
      this.lastField = undefined;
      this.state = 'status';
      return;
    }
    const length = this.length();
    if (typeof length === 'object') {
      this.fault(length.fault);
      return;
    }
    const { fields, status } = this;
    this.chunked = length === 'chunked';
    this.left = length === 'chunked' ? 0 : length;
    this.state = this.chunked ? 'chunk-size' : 'body';
    if (new Set(fields.filter(({ name }) => name === 'content-type').map(({ value }) => value)).size > 1) this.reader.liberty('types');
    this.reader.head({ status, field: (name) => fields.find((one) => one.name === name)?.value });
    if (!this.chunked && this.left === 0) this.finish();
  }

  /** RFC 9112 §6.3. */
  private length(): number | 'chunked' | { readonly fault: string } {
    const of = (name: string): string[] => this.fields.filter((one) => one.name === name).map(({ value }) => value);
    const [codings, lengths] = [of('transfer-encoding'), of('content-length')];
    if (codings.length > 0) {
      if (lengths.length > 0) return { fault: 'Content-Length beside Transfer-Encoding' };
      const isChunked = codings.length === 1 && codings[0].toLowerCase() === 'chunked';
      return isChunked ? 'chunked' : { fault: 'a Transfer-Encoding other than `chunked`' };
    }
    if (lengths.length === 0) return Infinity;
    const values = lengths.flatMap((one) => one.split(',').map(trimBlanks));
    if (!values.every((one) => /^\d{1,15}$/.test(one) && one === values[0])) return { fault: 'a Content-Length that is no one number' };
    if (lengths.some((one) => one.includes(','))) this.reader.liberty('length-list');
    else if (values.length > 1) this.reader.liberty('length-twice');
    return Number(values[0]);
  }

  private readSize(line: string): void {
    const parts = /^([0-9A-Fa-f]{1,8})([ \t]*)(?:;.*)?$/.exec(line);
    if (parts === null) {
      this.fault('a chunk size that is no number');
      return;
    }
    if (parts[2] !== '') this.reader.liberty('chunk-blanks');
    this.left = parseInt(parts[1], 16);
    this.state = this.left === 0 ? 'trailers' : 'body';
  }

  private partIsOver(): void {
    if (this.chunked) this.state = 'chunk-end';
    else this.finish();
  }

  private finish(): void {
    this.state = 'done';
    this.reader.end();
  }

  private fault(what: string, code = LENIENT_FAULT): void {
    this.state = 'done';
    this.isMalformed = true;
    this.reader.failed(Object.assign(new Error(what), { code, reason: what }));
  }
}

interface Field {
  readonly name: string;
  value: string;
}

const LF = 0x0a;

/** Neither Go nor curl takes NUL, and Go none of the others but the tab; a CR alone lets two readers see two messages. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** aiohttp's client reads no longer field. */
const MOST_FIELD_BYTES = 8190;
