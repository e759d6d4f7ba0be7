// Sends GET requests to the emulator without the AWS SDK, which needs several milliseconds for the signature and schema of each request.
// DNS and edges read a hundred times a second, so one signature serves all equal requests of a minute.
import { Agent, request } from 'node:http';
import { ENDPOINT } from './emulator';
import { signedHeaders } from './signed-calls';
import type { Call } from './signed-calls';

export interface EmulatorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** AWS accepts a signature for five minutes. */
const SIGNATURE_LIFETIME_MS = 60_000;

const REQUEST_TIMEOUT_MS = 10_000;

const AGENT = new Agent({ keepAlive: true });

const signed = new Map<string, { readonly headers: Promise<Readonly<Record<string, string>>>; readonly until: number }>();

/** Sends a signed GET request. */
export async function emulatorGet(call: Omit<Call, 'form'>): Promise<EmulatorAnswer> {
  const { path = '/', query = {}, unsigned } = call;
  const search = new URLSearchParams(query).toString();
  const target = `${path}${search === '' ? '' : `?${search}`}`;
  const headers = { ...await signOnce(`${call.service} ${target}`, call), ...unsigned };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${ENDPOINT}${target}`, { agent: AGENT, headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', (error) => {
      reject(new Error(`the emulator failed for ${target}: ${error.name === 'TimeoutError' || error.name === 'AbortError' ? `no answer within ${REQUEST_TIMEOUT_MS} ms` : error.message}`));
    }).end();
  });
}

function signOnce(key: string, call: Call): Promise<Readonly<Record<string, string>>> {
  const known = signed.get(key);
  if (known !== undefined && known.until > Date.now()) return known.headers;
  const headers = signedHeaders(call);
  signed.set(key, { headers, until: Date.now() + SIGNATURE_LIFETIME_MS });
  return headers;
}
