// Translates error codes of Node and the operating system, and tells problems of this machine from problems of the server.
import { setMaxListeners } from 'node:events';
import { INTERNAL_ERROR } from './guard';

/** Error code of an operation that did not finish before the verification deadline. */
export const DEADLINE_EXCEEDED = 'DEADLINE';

/** Error code of an operation cancelled by its AbortSignal. */
export const CANCELLED = 'ABORT_ERR';

/** Stops Node from warning about a leak: every socket of a verification listens to the same signal. */
export function allowManyListeners(signal: AbortSignal | undefined): void {
  if (signal !== undefined) setMaxListeners(Infinity, signal);
}

/** Returns the code of an error, `ECONNREFUSED` for example; empty where it has none. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Returns a phrase for messages: `connection refused`. An unknown code is returned as it is. */
export function networkProblem(error: Error): string {
  const code = errorCode(error);
  if (code === INTERNAL_ERROR) return error.message;
  return WORDS.get(code) ?? (code === '' ? 'failed for an unknown reason' : `failed with ${code}`);
}

const NO_ROUTE = 'no route to the address from this machine';

/** Error code of a connection that the host or a firewall refused. */
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
 * Returns whether this machine has no address or no route for the family, which says nothing about the server. `EHOSTUNREACH` counts
 * for IPv6 only: many networks offer IPv6 and do not carry it.
 */
export function isFamilyUnusable(error: Error, address: string): boolean {
  const code = errorCode(error);
  return ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code) || (code === 'EHOSTUNREACH' && address.includes(':'));
}

/** Returns whether this machine lacks a resource or blocks the connection itself, which says nothing about the server. */
export function isLocalFault(code: string): boolean {
  return ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EACCES', 'EPERM'].includes(code);
}

/** Returns `2 s`, `1.5 s`, `200 ms`. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${Math.round(milliseconds / 100) / 10} s`;
}
