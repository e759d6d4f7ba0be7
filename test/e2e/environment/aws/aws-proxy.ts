// Stands between the Lambda functions and the emulator, so that AWS can fail for them and for nobody else.
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EMULATOR } from '../addresses';
import { CALL_TIMEOUT_MS, ENDPOINT } from './emulator';

const PORT = 4567;

/** The framework waits for the function, for as long as Lambda lets one run. */
const INVOCATION_TIMEOUT_MS = 15 * 60_000;

export const PROXY = `http://${EMULATOR}:${PORT}`;

/** A call of a function. */
export interface AwsCall {
  /** `s3`, `route53`, `lambda`; `response` for what CloudFormation waits for. */
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
}

/** A call of a function by another one: the framework hands an event on. */
export interface Invocation {
  /** Of the API of Lambda, with the function's name. */
  readonly path: string;
  /** The event. */
  readonly event: unknown;
}

/** What comes in place of the right answer: a status with an error code, or nothing at all. */
export type AwsFault = { readonly status: number; readonly code: string } | 'hang';

/** Says whether a call fails. */
export type AwsFaults = (call: AwsCall) => AwsFault | undefined;

export interface AwsProxy {
  /** From now on, until the next or none; what hangs by then is broken off. */
  fail(faults: AwsFaults | undefined): void;
  /** From now on told of each call that AWS has answered, just before the function hears of it, until the next or none. */
  onAnswer(hear: ((call: AwsCall) => void) | undefined): void;
  /** The calls so far. */
  readonly calls: readonly AwsCall[];
  /** The events that the framework has handed on so far. */
  readonly invocations: readonly Invocation[];
}

/** Forwards until the process ends. */
export async function startAwsProxy(): Promise<AwsProxy> {
  let faults: AwsFaults | undefined;
  let hear: ((call: AwsCall) => void) | undefined;
  const calls: AwsCall[] = [];
  const invocations: Invocation[] = [];
  const hanging = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const call = readCall(request);
    calls.push(call);
    if (call.service === 'lambda' && call.path.endsWith('/invocations')) recordInvocation(request, call, invocations);
    const fault = faults?.(call);
    if (fault === undefined) forward(request, response, call, () => hear?.(call));
    else if (fault !== 'hang') refuse(request, response, call, fault);
    else hanging.add(response.once('close', () => hanging.delete(response)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: EMULATOR, port: PORT }, resolve);
  });
  return {
    fail: (wanted) => {
      faults = wanted;
      for (const response of hanging) response.destroy();
    },
    onAnswer: (wanted) => {
      hear = wanted;
    },
    calls,
    invocations,
  };
}

function recordInvocation(request: IncomingMessage, { path }: AwsCall, invocations: Invocation[]): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => invocations.push({ path, event: JSON.parse(Buffer.concat(chunks).toString()) }));
}

function readCall({ headers, method = '', url = '' }: IncomingMessage): AwsCall {
  const service = url.startsWith('/_ministack/cfn-response/') ? 'response' : /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];
  return { service: service ?? '', method, path: url, at: Date.now() };
}

function forward(request: IncomingMessage, response: ServerResponse, { service }: AwsCall, answered: () => void): void {
  const timeout = service === 'lambda' ? INVOCATION_TIMEOUT_MS : CALL_TIMEOUT_MS;
  const { method, headers, url } = request;
  const onward = httpRequest(`${ENDPOINT}${url ?? '/'}`, { method, headers, timeout }, (answer) => {
    answered();
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy()).on('timeout', () => onward.destroy(new Error('the emulator does not answer')));
  request.pipe(onward);
}

/** In the words of each service. */
function refuse(request: IncomingMessage, response: ServerResponse, { service }: AwsCall, { status, code }: Exclude<AwsFault, 'hang'>): void {
  const error = `<Code>${code}</Code><Message>made to fail by the stage</Message>`;
  request.resume().on('end', () => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(service === 's3' ? `<Error>${error}</Error>` : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`);
  });
}
