// Sends the request over HTTP/1.1 and parses the response as Go's and curl's clients do, because senders use those.
//
// Node's own lenient parser accepts too much (a length beside chunks) and too little (the same length twice).
import { POLICY_PATH } from '../../protocol/policy/url';
import { trimBlanks } from '../../util/safe-text';
import { FIELDS_READ, requestFields } from './http-response';
import type { ResponseHandler, SendRequest } from './http-response';
import { STRICT_HEADER_BYTES } from './http1-strict';

/** Maximum size of the headers: the maximum size of a policy file. Go reads 10 MiB and curl 300 KiB. */
export const LENIENT_HEADER_BYTES = 64 * 1024;

/** The `code` of headers beyond `LENIENT_HEADER_BYTES`. */
export const HEADERS_TOO_LARGE = 'HPE_LENIENT_HEADER_OVERFLOW';

/** The `code` of any other response that Go or curl rejects. */
const MALFORMED = 'HPE_LENIENT';

export const requestLeniently: SendRequest = ({ socket, policyHost, guard, handler }) => {
  const response = new LenientResponse(handler);
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

/** Maximum size of everything but the data of chunks, including trailers. A body of 64 KiB in chunks of one byte has 400 KiB. */
const MAX_FRAMING_BYTES = 1024 * 1024;

/** Parses one response. Reads every byte once. */
export class LenientResponse {
  private state: State = 'status';
  private line = '';
  private headBytes = 0;
  private framingBytes = 0;
  private trailerBytes = 0;
  private status = 0;
  private fields: Field[] = [];
  /** The field that a folded line continues, even if the field itself is not kept. */
  private lastField: Field | undefined;
  private chunked = false;
  /** Remaining bytes of the body or chunk; Infinity for a body that ends with the connection. */
  private left = 0;
  private isMalformed = false;

  public constructor(private readonly handler: ResponseHandler) {}

  /** Whether the response has ended as its framing says. */
  public get isComplete(): boolean {
    return this.state === 'done' && !this.isMalformed;
  }

  private get isOver(): boolean {
    return this.state === 'done';
  }

  /** Parses a chunk of the response. */
  public take(chunk: Uint8Array): void {
    // Share the memory: hostile peers send thousands of lines in a chunk.
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = 0; at < chunk.length && !this.isOver;) {
      if (this.state === 'body') {
        const part = chunk.subarray(at, Math.min(chunk.length, at + this.left));
        at += part.length;
        this.left -= part.length;
        this.handler.data(part);
        if (this.left === 0) this.endPart();
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

  /** Handles the end of the connection. */
  public end(): void {
    if (this.state === 'body' && this.left === Infinity) this.finish();
    else if (!this.isOver) this.fail('the connection was closed', 'ECONNRESET');
  }

  private count(bytes: number): void {
    if (this.state === 'status' || this.state === 'fields') this.headBytes += bytes;
    else this.framingBytes += bytes;
    if (this.state === 'trailers') this.trailerBytes += bytes;
    if (this.headBytes > LENIENT_HEADER_BYTES) this.fail(`more than ${LENIENT_HEADER_BYTES / 1024} KiB of headers`, HEADERS_TOO_LARGE);
    else if (this.trailerBytes > STRICT_HEADER_BYTES) this.fail(`more than ${STRICT_HEADER_BYTES / 1024} KiB of trailers`);
    else if (this.framingBytes > MAX_FRAMING_BYTES) this.fail('more framing than data');
  }

  private takeLine(): void {
    if (this.isOver) return;
    const isBare = !this.line.endsWith('\r\n');
    const line = this.line.slice(0, isBare ? -1 : -2);
    this.line = '';
    // Go and curl accept a bare LF only in the head (RFC 9112 §2.2). In chunks, two parsers could see two different messages.
    if (isBare && this.state !== 'status' && this.state !== 'fields') this.fail('a chunk line that ends in a bare LF');
    else if (CONTROL.test(line)) this.fail('a control character');
    else this.read(line, isBare);
  }

  private read(line: string, isBare: boolean): void {
    if (isBare) this.handler.violation('bare-lf');
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
        else this.fail('a chunk that is longer than its size');
        break;
      case 'trailers':
      case 'body':
      case 'done':
        if (line === '') this.finish();
    }
  }

  private readStatus(line: string): void {
    const status = /^HTTP\/1\.\d +(\d{3})(?: |$)/.exec(line)?.at(1);
    if (status === undefined) {
      this.fail('no status line');
      return;
    }
    this.status = Number(status);
    this.state = 'fields';
  }

  private readField(line: string): void {
    if (line === '') {
      this.endHead();
      return;
    }
    const last = this.lastField;
    if (/^[ \t]/.test(line)) {
      if (last === undefined) this.fail('a line before the first field that begins with a blank');
      else {
        this.handler.violation('obs-fold');
        if (FIELDS_READ.has(last.name)) last.value = [last.value, trimBlanks(line)].filter(Boolean).join(' ');
      }
      return;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*$/.test(name)) {
      this.fail('a line that is no field');
      return;
    }
    // Go and curl treat such a field as a different one.
    if (/[ \t]$/.test(name)) this.handler.violation('space-before-colon');
    if (line.length > MAX_FIELD_BYTES) this.handler.violation('field-large');
    this.lastField = { name: name.toLowerCase(), value: trimBlanks(line.slice(colon + 1)) };
    if (FIELDS_READ.has(this.lastField.name)) this.fields.push(this.lastField);
  }

  private endHead(): void {
    if (this.headBytes > STRICT_HEADER_BYTES) this.handler.violation('headers-large');
    if (this.status >= 100 && this.status < 200 && this.status !== 101) {
      this.handler.informational(this.status);
      this.fields = [];
      this.lastField = undefined;
      this.state = 'status';
      return;
    }
    const length = this.bodyLength();
    if (typeof length === 'object') {
      this.fail(length.problem);
      return;
    }
    const { fields, status } = this;
    this.chunked = length === 'chunked';
    this.left = length === 'chunked' ? 0 : length;
    this.state = this.chunked ? 'chunk-size' : 'body';
    if (new Set(this.values('content-type')).size > 1) this.handler.violation('types');
    this.handler.head({ status, field: (name) => fields.find((field) => field.name === name)?.value });
    if (!this.chunked && this.left === 0) this.finish();
  }

  /** Returns the length of the body (RFC 9112 §6.3). */
  private bodyLength(): number | 'chunked' | { readonly problem: string } {
    const codings = this.values('transfer-encoding');
    const lengths = this.values('content-length');
    if (codings.length > 0) {
      if (lengths.length > 0) return { problem: 'Content-Length beside Transfer-Encoding' };
      return codings.length === 1 && codings.at(0)?.toLowerCase() === 'chunked' ? 'chunked' : { problem: 'a Transfer-Encoding other than `chunked`' };
    }
    if (lengths.length === 0) return Infinity;
    const numbers = lengths.flatMap((length) => length.split(',').map(trimBlanks));
    const [first] = new Set(numbers);
    if (!numbers.every((number) => /^\d{1,15}$/.test(number) && number === first)) return { problem: 'a Content-Length that is no one number' };
    if (lengths.some((length) => length.includes(','))) this.handler.violation('length-list');
    else if (numbers.length > 1) this.handler.violation('length-twice');
    return Number(first);
  }

  private values(fieldName: string): string[] {
    return this.fields.filter(({ name }) => name === fieldName).map(({ value }) => value);
  }

  private readSize(line: string): void {
    const [, size, blanks] = /^([0-9A-Fa-f]{1,8})([ \t]*)(?:;.*)?$/.exec(line) ?? [];
    if (size === undefined) {
      this.fail('a chunk size that is no number');
      return;
    }
    if (blanks !== '') this.handler.violation('chunk-blanks');
    this.left = parseInt(size, 16);
    this.state = this.left === 0 ? 'trailers' : 'body';
  }

  private endPart(): void {
    if (this.chunked) this.state = 'chunk-end';
    else this.finish();
  }

  private finish(): void {
    this.state = 'done';
    this.handler.end();
  }

  private fail(reason: string, code = MALFORMED): void {
    this.state = 'done';
    this.isMalformed = true;
    this.handler.failed(Object.assign(new Error(reason), { code, reason }));
  }
}

interface Field {
  readonly name: string;
  value: string;
}

const LF = 0x0a;

/** Go and curl reject NUL. Go rejects the others except the tab. With a bare CR, two parsers could see two different messages. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** Maximum size of a field in aiohttp's client. */
const MAX_FIELD_BYTES = 8190;
