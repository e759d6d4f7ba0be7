// A proxy between the Lambda functions and the emulator, so that AWS can fail for the functions and for no other caller.
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EMULATOR } from '../addresses';
import { CALL_TIMEOUT_MS, ENDPOINT } from './emulator';

const PORT = 4567;

/** The framework waits for the function, which Lambda limits to 15 minutes. */
const INVOCATION_TIMEOUT_MS = 15 * 60_000;

export const PROXY = `http://${EMULATOR}:${PORT}`;

/** A call that a function made. */
export interface AwsCall {
  /** `s3`, `route53`, `lambda`, or `response` for the answer to CloudFormation. */
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** Time of arrival, in milliseconds since the epoch. */
  readonly at: number;
}

/** An event that the framework passed on to a function. */
export interface Invocation {
  /** Path of the Lambda API, which contains the name of the function. */
  readonly path: string;
  readonly event: unknown;
}

/** The answer to a failing call: a status with an error code, or none. */
export type AwsFault = { readonly status: number; readonly code: string } | 'hang';

/** Returns the fault of a call, or undefined if the call is forwarded. */
export type AwsFaults = (call: AwsCall) => AwsFault | undefined;

export interface AwsProxy {
  /** Replaces the current faults. Breaks off all calls that hang. */
  fail(faults: AwsFaults | undefined): void;
  /** Replaces the listener. It is called when AWS has answered a call, just before the function gets the answer. */
  onAnswer(listener: ((call: AwsCall) => void) | undefined): void;
  /** All calls so far. */
  readonly calls: readonly AwsCall[];
  /** All events that the framework has passed on so far. */
  readonly invocations: readonly Invocation[];
}

/** Starts the proxy, which runs until the process ends. */
export async function startAwsProxy(): Promise<AwsProxy> {
  let faults: AwsFaults | undefined;
  let listener: ((call: AwsCall) => void) | undefined;
  const calls: AwsCall[] = [];
  const invocations: Invocation[] = [];
  const hanging = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const call = readCall(request);
    calls.push(call);
    if (call.service === 'lambda' && call.path.endsWith('/invocations')) recordInvocation(request, call, invocations);
    const fault = faults?.(call);
    if (fault === undefined) forward(request, response, call, () => listener?.(call));
    else if (fault !== 'hang') refuse(request, response, call, fault);
    else hanging.add(response.once('close', () => hanging.delete(response)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: EMULATOR, port: PORT }, resolve);
  });
  return {
    fail: (next) => {
      faults = next;
      for (const response of hanging) response.destroy();
    },
    onAnswer: (next) => {
      listener = next;
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

function forward(request: IncomingMessage, response: ServerResponse, { service }: AwsCall, onAnswer: () => void): void {
  const timeout = service === 'lambda' ? INVOCATION_TIMEOUT_MS : CALL_TIMEOUT_MS;
  const { method, headers, url } = request;
  const outgoing = httpRequest(`${ENDPOINT}${url ?? '/'}`, { method, headers, timeout }, (answer) => {
    onAnswer();
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy()).on('timeout', () => outgoing.destroy(new Error('the emulator gave no answer')));
  request.pipe(outgoing);
}

/** Answers with an error in the format of the service. */
function refuse(request: IncomingMessage, response: ServerResponse, { service }: AwsCall, { status, code }: Exclude<AwsFault, 'hang'>): void {
  const error = `<Code>${code}</Code><Message>injected by the test environment</Message>`;
  request.resume().on('end', () => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(service === 's3' ? `<Error>${error}</Error>` : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`);
  });
}
