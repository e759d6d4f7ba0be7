// Reads from the emulator without the AWS SDK, whose signatures and schemas cost several milliseconds of each reading: what is read a
// hundred times a second is read like this. The emulator asks for no signature.
import { Agent, request } from 'node:http';
import { ENDPOINT } from './emulator';

export interface EmulatorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

const AGENT = new Agent({ keepAlive: true });

/** @param path - on the emulator, with its query */
export function emulatorGet(path: string): Promise<EmulatorAnswer> {
  return new Promise((resolve, reject) => {
    request(`${ENDPOINT}${path}`, { agent: AGENT }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    }).on('error', reject).end();
  });
}
