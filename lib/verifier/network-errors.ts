// Puts what the operating system says about a connection into words.
import { setMaxListeners } from 'node:events';
import { INTERNAL_ERROR } from './guard';

/** Every socket of a verification listens to one signal, and Node warns of more than ten listeners as of a leak. */
export function allowManyListeners(signal: AbortSignal | undefined): void {
  if (signal !== undefined) setMaxListeners(Infinity, signal);
}

/** Node's or the system's code of an error, `ECONNREFUSED` for example; empty when it has none. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** One phrase for people: `connection refused`. An unknown code is named as it is. */
export function networkProblem(error: Error): string {
  const code = errorCode(error);
  if (code === INTERNAL_ERROR) return error.message;
  return WORDS.get(code) ?? (code === '' ? 'failed for an unknown reason' : `failed with ${code}`);
}

const NO_ROUTE = 'no route to the address from this machine';

/** The code of a connection that was refused, by the host or by whoever stands before it. */
export const REFUSED = 'ECONNREFUSED';

const WORDS: ReadonlyMap<string, string> = new Map([
  [REFUSED, 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['EPIPE', 'connection closed by the server'],
  ['ETIMEDOUT', 'connection timed out'],
  ['ENETUNREACH', NO_ROUTE],
  ['EHOSTUNREACH', NO_ROUTE],
  ['EADDRNOTAVAIL', NO_ROUTE],
  ['EAFNOSUPPORT', NO_ROUTE],
  ['EMFILE', 'this process has no more files to open'],
  ['ENFILE', 'this machine has no more files to open'],
  ['ENOBUFS', 'this machine has no memory left for connections'],
  ['ENOMEM', 'this machine has no memory left for connections'],
  ['EACCES', 'forbidden on this machine'],
  ['EPERM', 'forbidden on this machine'],
]);

/**
 * Whether the fault lies with this machine, which has no address or no route for the family, and says nothing about the server.
 * An unreachable host is a sign of that for IPv6 alone: many networks announce it and do not carry it.
 */
export function isFamilyUnusable(error: Error, address: string): boolean {
  const code = errorCode(error);
  return ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code) || (code === 'EHOSTUNREACH' && address.includes(':'));
}

/** Whether this machine has run out of something, or its own firewall stands in the way: that says nothing about the server either. */
export function isLocalFault(code: string): boolean {
  return ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EACCES', 'EPERM'].includes(code);
}

/** `2 s`, `1.5 s`, `200 ms`. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${Math.round(milliseconds / 100) / 10} s`;
}
