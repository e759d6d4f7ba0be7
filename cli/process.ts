// Runs the command in its process: exit status, signals, and pipes that close early.
import { safeText } from '../lib/util/safe-text';
import { createIo } from './io';
import type { ProcessLike } from './io';
import { main } from './main';
import { Status } from './exit-status';

/** The part of Node's `process` that the command needs. */
interface RunningProcess extends ProcessLike {
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

/** Runs the command and stores its status in `exitCode`. A call of `exit` would cut off output that a pipe has not taken yet. */
export async function runInProcess(process: RunningProcess): Promise<void> {
  const run: { status?: Status; openedStdin?: true } = {};
  process.stdout.on('error', (error) => {
    if (error.code === 'EPIPE') {
      // The reader has closed the pipe, as in `mta-sts ... | head`. A command that listens for a signal takes this as one and
      // cleans up. Otherwise the process ends, with the status if there is one.
      if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(run.status ?? Status.READER_GONE);
    } else {
      process.stderr.write(`mta-sts: cannot write the output: ${safeText(error.message)}\n`);
      process.exit(Status.WRONG_USAGE);
    }
  });
  // Ignore it: there is no other stream for a message.
  process.stderr.on('error', () => undefined);
  // If the event loop drains before `main()` returns, exit with UNDECIDED, not 0.
  process.exitCode = Status.UNDECIDED;
  run.status = await main(process.argv.slice(2), createIo(process, () => {
    run.openedStdin = true;
  }));
  process.exitCode = run.status;
  // A pending read of standard input would keep the process alive.
  if (run.openedStdin) process.stdin.destroy?.();
}
