// What the command has of the process that it runs in; tests hand in their own.

/** Takes text; a stream of Node's is one. */
export interface Output {
  /** `false` where it has enough for now: then `drain` tells when it takes more. */
  write(text: string): unknown;
  once?(event: OutputEvent, listener: () => void): unknown;
  off?(event: OutputEvent, listener: () => void): unknown;
}

type OutputEvent = 'drain' | 'close' | 'error';

/** The world of one run. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Read only where a command is told to (`-`). */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Colours on standard output. */
  readonly colour: boolean;
  /** Whether standard output shows characters beyond ASCII, such as ✔. */
  readonly unicode: boolean;
  /** Width of the terminal; undefined where standard output is none: what is read by a program is not wrapped. */
  readonly columns: number | undefined;
  /** Standard error, where it is a terminal. */
  readonly terminal: Output | undefined;
  /** The environment variables. */
  readonly env: Environment;
  /** What time it is, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves when the person wants it to end (SIGINT, SIGTERM). Listens only from its call on. */
  readonly interrupted: () => Promise<Interruption>;
}

/** `closed`: who read standard output has gone away, and there is nobody to talk to. */
export type Interruption = 'signal' | 'closed';

/** The part of Node's `process` that is read here. */
export interface ProcessLike {
  readonly env: Environment;
  readonly stdout: Output & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Output & { readonly isTTY?: boolean };
  readonly stdin: AsyncIterable<Uint8Array | string>;
  once(signal: 'SIGINT' | 'SIGTERM', listener: SignalListener): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: SignalListener): unknown;
}

/** Node gives a number to signals of the system; bin/command/process.ts gives none to the one that it makes of a closed pipe. */
type SignalListener = (signal: NodeJS.Signals, number?: number) => void;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The world as the process gives it.
 *
 * @param onStdin - hears when standard input is opened, which only a look at it does
 */
export function ioOf(process: ProcessLike, onStdin: () => void = () => undefined): Io {
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

/** NO_COLOR counts when it is not empty (no-color.org). */
function wantsColour(env: Environment): boolean {
  return (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** A locale that is not set says nothing, and pipelines rarely set one: only one that rules UTF-8 out counts. */
function showsUnicode(env: Environment): boolean {
  // The console of Linux has no glyphs for our marks.
  if (env.TERM === 'linux') return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  return locale === '' || /utf-?8/i.test(locale) || !/^(C|POSIX)$|\./.test(locale);
}
