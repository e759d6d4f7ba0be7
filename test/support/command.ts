// Runs the command in this process and keeps its output.
import type { Verifier } from '../../cli/context';
import type { Io } from '../../cli/io';
import { main } from '../../cli/main';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The input and environment of the command that a test may set. */
export type CommandOptions = Partial<Omit<Io, 'stdout' | 'stderr' | 'stdin'>> & {
  readonly stdin?: string | Uint8Array;
  /** Replaces `stdin`, chunk by chunk. */
  readonly readStdin?: AsyncIterable<Uint8Array>;
  readonly loadVerifier?: () => Promise<Verifier>;
  /** Called after each piece of standard output with all of it so far. */
  readonly onOutput?: (stdout: string) => void;
};

/** The time, unless a test sets another clock: 2026-11-30T19:24:08Z. */
export const NOW = Date.UTC(2026, 10, 30, 19, 24, 8);

/** Runs the command to its end. */
export async function run(
  argv: readonly string[], { stdin = '', readStdin, loadVerifier, onOutput, ...more }: CommandOptions = {},
): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  const io: Io = {
    stdout: {
      write: (text: string) => {
        stdout += text;
        onOutput?.(stdout);
      },
    },
    stderr: {
      write: (text: string) => {
        stderr += text;
      },
    },
    stdin: readStdin ?? oneChunk(stdin),
    colour: false,
    unicode: true,
    columns: undefined,
    terminal: undefined,
    env: {},
    now: () => NOW,
    interrupted: () => Promise.reject(new Error('this test has no signal')),
    ...more,
  };
  const status = await main(argv, io, loadVerifier === undefined ? {} : { verifier: loadVerifier });
  return { status, stdout, stderr };
}

/** Runs the command with `--format json`, and parses its output. */
export async function runJson(
  argv: readonly string[], options: CommandOptions = {},
): Promise<{ readonly status: number; readonly json: unknown }> {
  const { status, stdout } = await run([...argv, '--format', 'json'], options);
  const json: unknown = JSON.parse(stdout);
  return { status, json };
}

async function* oneChunk(content: string | Uint8Array): AsyncGenerator<string | Uint8Array> {
  yield await Promise.resolve(content);
}
