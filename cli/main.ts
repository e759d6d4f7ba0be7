// The command `mta-sts`: from the arguments to an exit status.
import { Command, CommanderError } from 'commander';
import { safeText } from '../lib/util/safe-text';
import { COMMAND_LINE } from './command-line';
import type { Context, Verifier } from './context';
import { addExplain } from './commands/explain/command';
import type { Io } from './io';
import { addLint } from './commands/lint/command';
import { addMatch } from './commands/match';
import { addPreview } from './commands/preview';
import { addRecords } from './commands/records/command';
import { Status } from './exit-status';
import { addSuggest } from './commands/suggest/command';
import { addVerify } from './commands/verify/command';
import { version } from './version';

const DESCRIPTION = 'Checks MTA-STS (RFC 8461) and TLSRPT (RFC 8460) the way mail senders see them.';

const EPILOGUE = `
Run it by \`${COMMAND_LINE}\`, with the name of the package: \`${COMMAND_LINE} verify example.com\`.

Exit status: 0 nothing worse than a warning, 1 an error was found, 2 wrong usage, 3 nothing could be decided.`;

/**
 * Runs the command once. Never rejects.
 *
 * @param argv - the arguments, without the names of node and the script
 * @param loader - replaces the verifier, for tests that know where their servers are
 * @returns the exit status
 */
export async function main(argv: readonly string[], io: Io, loader = loadVerifier): Promise<Status> {
  let status: Status = Status.GOOD;
  const program = createProgram({
    io,
    end: (last) => { status = last; },
    loadVerifier: loader,
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Status.GOOD : Status.WRONG_USAGE;
    const reason = error instanceof Error ? error.message : String(error);
    io.stderr.write(`mta-sts: this is a fault in mta-sts itself, please report it: ${safeText(reason, 1000)}\n`);
    return Status.UNDECIDED;
  }
}

async function loadVerifier(): Promise<Verifier> {
  const { verify } = await import('../lib/verifier/verify');
  const { createNetwork: createWorld } = await import('../lib/verifier/default-network');
  return { verify, createWorld };
}

function createProgram(context: Context): Command {
  const { io } = context;
  const program = new Command(COMMAND_LINE)
    .description(DESCRIPTION)
    .version(version(), '-V, --version', 'print the version')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      writeOut: (text) => { io.stdout.write(text); },
      writeErr: (text) => { io.stderr.write(text); },
      outputError: (text, write) => { write(usageError(text)); },
      getOutHelpWidth: () => io.columns ?? 100,
      getErrHelpWidth: () => io.columns ?? 100,
      getOutHasColors: () => io.colour,
      getErrHasColors: () => false,
    });
  // Sub-commands inherit what is configured so far.
  addVerify(program, context);
  addLint(program, context);
  addMatch(program, context);
  addPreview(program, context);
  addExplain(program, context);
  addSuggest(program, context);
  addRecords(program, context);
  pointToHelp(program, COMMAND_LINE);
  return program;
}

/** Our own readers say what they have read, in backticks; commander need not say it before them. */
const SAID_TWICE = /^(?:option '(--[a-z-]+)[^']*' argument|command-argument value) .* is invalid(?: for argument '[a-z]+')?\. (?=`)/s;

/** What was typed comes back in the message: line by line, so that only our own line ends are kept. */
function usageError(text: string): string {
  const message = text.replace(/^error: /, '').replace(SAID_TWICE, (_, option?: string) => (option === undefined ? '' : `${option}: `));
  const lines = `mta-sts: ${message}`.replace(/\n$/, '').split('\n');
  return `${lines.map((line) => safeText(line, 1000)).join('\n')}\n`;
}

/** After a usage error: not the whole help, which would push the message out of sight, but the way to it. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`try \`${path} --help\``);
  for (const child of command.commands) pointToHelp(child, `${path} ${child.name()}`);
}
