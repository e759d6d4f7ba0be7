// The command in a process of its own: exit status, signals, and pipes that close early.
import { safeText } from '../lib/util/safe-text';
import { ioOf } from './io';
import type { ProcessLike } from './io';
import { main } from './main';
import { Status } from './exit-status';

/** The part of Node's `process` that the command needs. */
export interface RunningProcess extends ProcessLike {
  readonly argv: readonly string[];
  readonly stdout: ProcessLike['stdout'] & Failing;
  readonly stderr: ProcessLike['stderr'] & Failing;
  readonly stdin: ProcessLike['stdin'] & { destroy?(): unknown };
  exitCode?: number | string | null | undefined;
  exit(code: number | string): unknown;
  emit(event: 'SIGTERM', signal: 'SIGTERM'): boolean;
}

interface Failing {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** Runs the command and leaves its status in `exitCode`: a call of `exit` would cut off what a pipe has not taken yet. */
export async function runIn(process: RunningProcess): Promise<void> {
  const run: { status?: Status; openedStdin?: true } = {};
  process.stdout.on('error', (error) => {
    if (error.code === 'EPIPE') {
      // `mta-sts ... | head` has seen enough. Who waits for a signal, to tidy up, takes it as one; otherwise the status stands if
      // there is one.
      if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(run.status ?? Status.READER_GONE);
    } else {
      process.stderr.write(`mta-sts: cannot write the output: ${safeText(error.message)}\n`);
      process.exit(Status.WRONG_USAGE);
    }
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
  // Were nothing left to wait for before the end is reached, that must not pass for good.
  process.exitCode = Status.UNDECIDED;
  run.status = await main(process.argv.slice(2), ioOf(process, () => {
    run.openedStdin = true;
  }));
  process.exitCode = run.status;
  // A read that still waits for a person, or for a pipe, would keep the process alive.
  if (run.openedStdin) process.stdin.destroy?.();
}
