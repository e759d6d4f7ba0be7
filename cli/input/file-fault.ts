// Why a file cannot be read or written, in words.
import { safeText } from '../../lib/util/safe-text';

/** A phrase for what Node's file functions throw. */
export function fileFault(error: unknown): string {
  return REASONS.get(faultCode(error)) ?? safeText(error instanceof Error ? error.message : String(error));
}

/** `ENOENT`; empty where there is none. */
export function faultCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a folder; a file is expected'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space is left'],
  ['ENOTDIR', 'a part of its path is not a folder'],
]);
