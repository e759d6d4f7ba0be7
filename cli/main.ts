// The command `mta-sts`: parses the arguments, runs a sub-command and returns the exit status.
import { Command, CommanderError } from 'commander';
import { errorMessage } from '../lib/util/errors';
import { safeText } from '../lib/util/safe-text';
import { COMMAND_LINE } from './command-line';
import { addExplain } from './commands/explain/command';
import { addLint } from './commands/lint/command';
import { addMatch } from './commands/match';
import { addPreview } from './commands/preview';
import { addRecords } from './commands/records/command';
import { addSuggest } from './commands/suggest/command';
import { addVerify } from './commands/verify/command';
import type { Context, Loaders, Verifier } from './context';
import { Status } from './exit-status';
import type { Io } from './io';
import { version } from './version';

const DESCRIPTION = 'Checks MTA-STS (RFC 8461) and TLSRPT (RFC 8460) the way mail senders see them.';

const EPILOGUE = `
Run it as \`${COMMAND_LINE}\`, with the name of the package: \`${COMMAND_LINE} verify example.com\`.

Exit status: 0 nothing worse than a warning, 1 an error was found, 2 wrong usage, 3 nothing could be decided.`;

/**
 * Runs the command once. Never rejects.
 *
 * @param argv - the arguments, without the names of node and the script
 * @param load - replaces dependencies, for tests with servers of their own
 * @returns the exit status
 */
export async function main(argv: readonly string[], io: Io, load: Partial<Loaders> = {}): Promise<Status> {
  let status: Status = Status.GOOD;
  const program = createProgram({
    io,
    end: (last) => { status = last; },
    load: { verifier: loadVerifier, ...load },
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Status.GOOD : Status.WRONG_USAGE;
    const reason = errorMessage(error);
    io.stderr.write(`mta-sts: this is a bug in mta-sts itself, please report it: ${safeText(reason, 1000)}\n`);
    return Status.UNDECIDED;
  }
}

async function loadVerifier(): Promise<Verifier> {
  const { verify } = await import('../lib/verifier/verify');
  const { createNetwork } = await import('../lib/verifier/default-network');
  return { verify, createNetwork };
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
  // Sub-commands inherit the configuration so far.
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

/** The start of commander's message that our own parsers repeat: they quote the argument in backticks. */
const REPEATED_PREFIX = /^(?:option '(--[a-z-]+)[^']*' argument|command-argument value) .* is invalid(?: for argument '[a-z]+')?\. (?=`)/s;

/** Escapes the message line by line: it quotes typed text, and only our own line ends may stay. */
function usageError(text: string): string {
  const message = text.replace(/^error: /, '').replace(REPEATED_PREFIX, (_, option?: string) => (option === undefined ? '' : `${option}: `));
  const lines = `mta-sts: ${message}`.replace(/\n$/, '').split('\n');
  return `${lines.map((line) => safeText(line, 1000)).join('\n')}\n`;
}

/** Points to the help after a usage error. The whole help would push the message out of sight. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`try \`${path} --help\``);
  for (const child of command.commands) pointToHelp(child, `${path} ${child.name()}`);
}
