// The streams, settings and signals of the process, as the command sees them. Tests pass their own.
import { safeText } from '../lib/util/safe-text';

/** A destination of text, such as a stream of Node. */
export interface Output {
  /** Returns `false` when its buffer is full. The event `drain` follows when it accepts more. */
  write(text: string): unknown;
  once?(event: OutputEvent, listener: () => void): unknown;
  off?(event: OutputEvent, listener: () => void): unknown;
}

type OutputEvent = 'drain' | 'close' | 'error';

/** The process that one run of the command works with. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Read only if an argument asks for it (`-`). */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Whether standard output shows colours. */
  readonly colour: boolean;
  /** Whether standard output shows characters beyond ASCII, such as ✔. */
  readonly unicode: boolean;
  /** Width of the terminal. Undefined if standard output is not a terminal: text that a program reads is not wrapped. */
  readonly columns: number | undefined;
  /** Standard error, if it is a terminal. */
  readonly terminal: Output | undefined;
  /** The environment variables. */
  readonly env: Environment;
  /** Returns the current time in milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves at the next SIGINT or SIGTERM. Listens only from the call on. */
  readonly interrupted: () => Promise<Interruption>;
}

/** `closed`: the reader of standard output has closed the pipe. */
export type Interruption = 'signal' | 'closed';

/** The part of Node's `process` that is used here. */
export interface ProcessLike {
  readonly env: Environment;
  readonly stdout: Output & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Output & { readonly isTTY?: boolean };
  readonly stdin: AsyncIterable<Uint8Array | string>;
  once(signal: 'SIGINT' | 'SIGTERM', listener: SignalListener): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: SignalListener): unknown;
}

/** Node passes a number with a signal of the system. cli/process.ts passes none with the signal that it emits for a closed pipe. */
type SignalListener = (signal: NodeJS.Signals, number?: number) => void;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Creates the view of a process.
 *
 * @param onStdin - called when standard input is opened, which happens at its first use
 */
export function createIo(process: ProcessLike, onStdin: () => void = () => undefined): Io {
  const terminal = process.stdout.isTTY === true;
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      onStdin();
      return process.stdin;
    },
    colour: terminal && wantsColour(process.env),
    unicode: showsUnicode(process.env),
    columns: terminal ? process.stdout.columns : undefined,
    terminal: process.stderr.isTTY === true ? process.stderr : undefined,
    env: process.env,
    now: Date.now,
    interrupted: () => new Promise((resolve) => {
      const done: SignalListener = (_, number) => {
        process.off('SIGINT', done);
        process.off('SIGTERM', done);
        resolve(number === undefined ? 'closed' : 'signal');
      };
      process.once('SIGINT', done);
      process.once('SIGTERM', done);
    }),
  };
}

/** Maximum length of a note. Longer than any of ours. */
const MAX_NOTE_LENGTH = 1500;

/** Prints one line to standard error, so that standard output holds only the result. */
export function printNote(text: string, { io }: { readonly io: Pick<Io, 'stderr'> }): void {
  io.stderr.write(`mta-sts: ${safeText(text, MAX_NOTE_LENGTH)}\n`);
}

/** NO_COLOR counts if it is not empty (no-color.org). */
function wantsColour(env: Environment): boolean {
  return (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** Assumes Unicode unless the locale rules UTF-8 out: pipelines rarely set a locale. */
function showsUnicode(env: Environment): boolean {
  // The Linux console has no glyphs for our marks.
  if (env.TERM === 'linux') return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  return locale === '' || /utf-?8/i.test(locale) || !/^(C|POSIX)$|\./.test(locale);
}
