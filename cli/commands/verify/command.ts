// `mta-sts verify`: checks domains as senders do, from this machine and without credentials.
import { Option } from 'commander';
import type { Command } from 'commander';
import { argumentParser, parseConcurrency, parseDomain, parsePolicyId, parsePort, parseResolver, repeatedArgumentParser } from '../../input/arguments';
import { inOrder } from '../../../lib/util/concurrency';
import type { Context, Verifier } from '../../context';
import { parseDuration } from '../../input/durations';
import type { Interruption, Io, Output } from '../../io';
import { timeoutOption } from '../../input/options';
import { RETRY_CLOCK, pauseText, retryWhileTemporary } from './wait';
import { Progress } from './progress';
import { printResults } from '../../output/print-results';
import { outputOption, resultFormatOption } from '../../output/options';
import type { PrintOptions } from '../../output/options';
import { OutputError } from '../../output/sinks';
import { Status, worstStatus } from '../../exit-status';
import { collectTargets } from './targets';
import type { Target, TargetFlags, Targets } from './targets';

interface VerifyFlags extends TargetFlags, PrintOptions {
  readonly resolver?: string;
  readonly timeout: number;
  readonly wait?: number;
  readonly concurrency: number;
  readonly smtp: boolean;
  readonly smtpPort: number;
  readonly allowPrivate?: true;
}

/** Adds the command to the program. */
export function addVerify(program: Command, context: Context): void {
  program.command('verify')
    .description('check mail domains as a sender does: record, policy file at every address, MX coverage, STARTTLS, TLS reporting')
    .argument('[domain...]', 'mail domains, the part after the @', repeatedArgumentParser(parseDomain))
    .option('--file <file>', 'more domains, one on each line, # begins a comment; - is standard input')
    .option('--outputs <file>', 'domains, ids and policies as `cdk deploy --outputs-file` wrote them')
    .option('--expect-id <id>', 'fail unless the record has this id; an id that MtaSts made must also match the served file', argumentParser(parsePolicyId))
    .addOption(new Option('--expect-mode <mode>', 'fail unless the policy has this mode').choices(['enforce', 'testing', 'none']))
    .option('--expect-policy <file>', 'fail unless exactly this file is served')
    .option('--wait <duration>', 'retry for up to this time while the problem is temporary, such as 10m (default: no retry)', argumentParser(parseDuration))
    .addOption(timeoutOption())
    .option('--no-smtp', 'do not connect to the mail hosts')
    .option('--smtp', 'check STARTTLS and the certificate at every address of the mail hosts (default)')
    .option('--smtp-port <port>', 'port of the mail hosts, for tests', argumentParser(parsePort), 25)
    .option('--resolver <host[:port]>', 'recursive DNS server to ask (default: those of this machine)', argumentParser(parseResolver))
    .option('--allow-private', 'also connect to loopback, link-local and private addresses (default: public addresses only)')
    .option('--concurrency <number>', 'number of domains to verify at once', argumentParser(parseConcurrency), 8)
    .addOption(resultFormatOption())
    .addOption(outputOption())
    .action(async (domains: readonly string[] | undefined, flags: VerifyFlags, command: Command) => {
      await run(domains ?? [], flags, command, context);
    });
}

async function run(domains: readonly string[], flags: VerifyFlags, command: Command, { io, end, load }: Context): Promise<void> {
  const progress = new Progress(io.stderr);
  const problems: string[] = [];
  const note = (text: string): void => {
    progress.print(`mta-sts: ${text}\n`);
  };
  const onProblem = (text: string): void => {
    // One is enough for the exit status.
    problems[0] = text;
    note(text);
  };
  const targets = await collectTargets(domains, flags, { io, command, onProblem, onHint: note });
  const interrupt = listenForInterruption(io, progress, flags);
  // Pending operations of the verifier must not delay the end.
  const over = new AbortController();
  const verifyTarget = createVerification(await load.verifier(), flags, { over: over.signal, interrupted: interrupt.signal, progress });
  try {
    const results = inOrder(targets.all, flags.concurrency, verifyTarget, interrupt.signal);
    const status = await printResults(progress.track(results, progressTerminal(targets, flags, io), targets.count), flags, io);
    if (interrupt.signal.aborted) {
      end(interrupt.signal.reason === CLOSED ? Status.READER_GONE : Status.INTERRUPTED);
    } else {
      if (progress.done === 0 && problems.length === 0) onProblem('no domain is listed, so nothing was verified');
      end(problems.length === 0 ? status : worstStatus([Status.WRONG_USAGE, status]));
    }
  } catch (error) {
    // The verifier throws a RangeError only for typed input, and checks names more strictly than the arguments do.
    if (error instanceof RangeError || error instanceof OutputError) command.error(`error: ${error.message}`);
    throw error;
  } finally {
    over.abort();
  }
}

/** Returns the terminal for the progress line, if results do not appear on the same terminal. */
function progressTerminal({ count }: Targets, { output }: VerifyFlags, io: Io): Output | undefined {
  const isAlone = io.columns === undefined || !isToStdout({ output });
  return count !== 1 && isAlone ? io.terminal : undefined;
}

function isToStdout({ output }: Pick<VerifyFlags, 'output'>): boolean {
  return output === undefined || output === '-';
}

const CLOSED: Interruption = 'closed';

/** Listens for the first interrupt. The second one has no listener and ends the process at once. */
function listenForInterruption(io: Io, progress: Progress, flags: VerifyFlags): AbortController {
  const controller = new AbortController();
  const listen = (): void => {
    io.interrupted().then((kind) => {
      // With a file, standard output has only headlines: continue without its reader.
      if (kind === CLOSED && !isToStdout(flags)) {
        listen();
        return;
      }
      controller.abort(kind);
      if (kind !== CLOSED) progress.print('mta-sts: interrupted; the results so far follow. Interrupt again to end at once\n');
    }, () => undefined);
  };
  listen();
  return controller;
}

interface VerificationContext {
  readonly over: AbortSignal;
  readonly interrupted: AbortSignal;
  readonly progress: Progress;
}

/** Returns a function that verifies a target. All targets share one network. */
function createVerification(
  { verify, createNetwork }: Verifier, flags: VerifyFlags, { over, interrupted, progress }: VerificationContext,
): (target: Target) => ReturnType<Verifier['verify']> {
  const { resolver, smtp, smtpPort, timeout, wait, allowPrivate } = flags;
  const network = createNetwork({
    signal: over,
    servers: resolver === undefined ? undefined : [resolver],
    smtpPort,
    // A repeated verification must not use cached answers.
    remember: wait === undefined,
  });
  return async ({ domain, deployment, ...expectation }) => {
    const options = { ...expectation, timeoutMs: timeout, smtp, allowPrivate, signal: interrupted };
    const verifyOnce = async (): ReturnType<Verifier['verify']> => ({ ...await verify(domain, options, network), deployment });
    if (wait === undefined) return verifyOnce();
    return retryWhileTemporary(verifyOnce, {
      waitMs: wait,
      clock: RETRY_CLOCK,
      signal: interrupted,
      onPause: (result, pauseMs, leftMs) => {
        progress.print(pauseText(result, pauseMs, leftMs));
      },
    });
  };
}
