// Runs the command in this process and keeps what it prints.
import type { Verifier } from '../../cli/context';
import type { Io } from '../../cli/io';
import { main } from '../../cli/main';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything of the world that a test may set. */
export type World = Partial<Omit<Io, 'stdout' | 'stderr' | 'stdin'>> & {
  readonly stdin?: string | Uint8Array;
  /** In place of `stdin`, chunk by chunk. */
  readonly readStdin?: AsyncIterable<Uint8Array>;
  readonly loadVerifier?: () => Promise<Verifier>;
  /** Hears of each piece of output as it comes. */
  readonly onOutput?: (soFar: string) => void;
};

/** What time it is, unless a test sets another clock: 2026-11-30T19:24:08Z. */
export const NOW = Date.UTC(2026, 10, 30, 19, 24, 8);

export async function run(argv: readonly string[], { stdin = '', readStdin, loadVerifier, onOutput, ...world }: World = {}): Promise<Ran> {
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
    interrupted: () => Promise.reject(new Error('nothing here waits for a signal')),
    ...world,
  };
  const status = await main(argv, io, loadVerifier);
  return { status, stdout, stderr };
}

/** The same, with what was printed read as JSON. */
export async function runJson(argv: readonly string[], world: World = {}): Promise<{ readonly status: number; readonly json: unknown }> {
  const { status, stdout } = await run([...argv, '--format', 'json'], world);
  const json: unknown = JSON.parse(stdout);
  return { status, json };
}

async function* oneChunk(content: string | Uint8Array): AsyncGenerator<string | Uint8Array> {
  yield await Promise.resolve(content);
}
