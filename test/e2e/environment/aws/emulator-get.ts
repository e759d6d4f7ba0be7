// Reads from the emulator without the AWS SDK, whose signatures and schemas cost several milliseconds of each reading: what is read a
// hundred times a second is read like this, under one signature for a minute.
import { Agent, request } from 'node:http';
import { ENDPOINT } from './emulator';
import { signedHeaders } from './signed-calls';
import type { Call } from './signed-calls';

export interface EmulatorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** AWS takes one for five minutes. */
const SIGNATURE_LIFETIME_MS = 60_000;

/** What takes longer hangs. */
const REQUEST_TIMEOUT_MS = 10_000;

const AGENT = new Agent({ keepAlive: true });

const signed = new Map<string, { readonly headers: Promise<Readonly<Record<string, string>>>; readonly until: number }>();

export async function emulatorGet(call: Omit<Call, 'form'>): Promise<EmulatorAnswer> {
  const { path = '/', query = {}, unsigned } = call;
  const search = new URLSearchParams(query).toString();
  const target = `${path}${search === '' ? '' : `?${search}`}`;
  const headers = { ...await signature(`${call.service} ${target}`, call), ...unsigned };
  return new Promise((resolve, reject) => {
    const asking = request(`${ENDPOINT}${target}`, { agent: AGENT, headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    asking.on('error', (error) => {
      reject(new Error(`the emulator, asked for ${target}: ${error.name === 'TimeoutError' || error.name === 'AbortError' ? `no answer within ${REQUEST_TIMEOUT_MS} ms` : error.message}`));
    }).end();
  });
}

function signature(key: string, call: Call): Promise<Readonly<Record<string, string>>> {
  const known = signed.get(key);
  if (known !== undefined && known.until > Date.now()) return known.headers;
  const headers = signedHeaders(call);
  signed.set(key, { headers, until: Date.now() + SIGNATURE_LIFETIME_MS });
  return headers;
}
