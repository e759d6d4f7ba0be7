// `mta-sts verify`: what senders see of domains, and what they would do, from here and without credentials.
import { Option } from 'commander';
import type { Command } from 'commander';
import { argument, parseConcurrency, parseDomain, parsePolicyId, parsePort, parseResolver, repeated } from '../../input/arguments';
import { inOrder } from '../../../lib/util/concurrency';
import type { Context, Verifier } from '../../context';
import { parseDuration } from '../../input/durations';
import type { Interruption, Io, Output } from '../../io';
import { outputOption, resultFormatOption, timeoutOption } from '../../input/options';
import { RETRY_CLOCK, retryWhileTemporary } from './wait';
import { Progress } from './progress';
import { printResults } from '../../output/print-results';
import type { PrintOptions } from '../../output/print-results';
import { OutputError } from '../../output/sinks';
import { Status, worst } from '../../exit-status';
import { targetsOf } from './targets';
import type { Target, TargetFlags, Targets } from './targets';
import { waitingText } from './waiting-text';

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
    .argument('[domain...]', 'mail domains, the part after the @', repeated(parseDomain))
    .option('--file <file>', 'more domains, one on each line, # begins a comment; - is standard input')
    .option('--outputs <file>', 'domains, ids and policies as `cdk deploy --outputs-file` wrote them')
    .option('--expect-id <id>', 'fail unless the record has this id and, if MtaSts made the id, the file is the one that it names', argument(parsePolicyId))
    .addOption(new Option('--expect-mode <mode>', 'fail unless the policy has this mode').choices(['enforce', 'testing', 'none']))
    .option('--expect-policy <file>', 'fail unless this very file is served')
    .option('--wait <duration>', 'try again for so long, as long as waiting can mend what is wrong, such as 10m', argument(parseDuration))
    .addOption(timeoutOption())
    .option('--no-smtp', 'leave out the connections to the mail hosts')
    .option('--smtp', 'look at STARTTLS and the certificate at every address of the mail hosts')
    .option('--smtp-port <port>', 'port of the mail hosts, for tests', argument(parsePort), 25)
    .option('--resolver <host[:port]>', 'recursive DNS server to ask (default: those of this machine)', argument(parseResolver))
    .option('--allow-private', 'connect also where DNS leads to loopback, link-local or private addresses')
    .option('--concurrency <number>', 'how many domains at once', argument(parseConcurrency), 8)
    .addOption(resultFormatOption())
    .addOption(outputOption())
    .action(async (domains: readonly string[] | undefined, flags: VerifyFlags, command: Command) => {
      await run(domains ?? [], flags, command, context);
    });
}

async function run(domains: readonly string[], flags: VerifyFlags, command: Command, { io, end, loadVerifier }: Context): Promise<void> {
  const progress = new Progress(io.stderr);
  const faults: string[] = [];
  const complain = (text: string): void => {
    // One is enough to know of.
    faults[0] = text;
    progress.say(`mta-sts: ${text}\n`);
  };
  const hint = (text: string): void => {
    progress.say(`mta-sts: ${text}\n`);
  };
  const targets = await targetsOf(domains, flags, { io, command, complain, hint });
  const interrupt = interruption(io, progress, flags);
  // What the verifier still waits for when all is said must not hold up the end.
  const over = new AbortController();
  const look = lookWith(await loadVerifier(), flags, { over: over.signal, interrupted: interrupt.signal, progress });
  try {
    const reports = inOrder(targets.all, flags.concurrency, look, interrupt.signal);
    const status = await printResults(progress.over(reports, progressTerminal(targets, flags, io), targets.count), flags, io);
    if (interrupt.signal.aborted) {
      end(interrupt.signal.reason === CLOSED ? Status.READER_GONE : Status.INTERRUPTED);
    } else {
      if (progress.done === 0 && faults.length === 0) complain('no domain is listed, so nothing was verified');
      end(faults.length === 0 ? status : worst([Status.WRONG_USAGE, status]));
    }
  } catch (error) {
    // The verifier refuses only what was typed, and knows more of names than we do.
    if (error instanceof RangeError || error instanceof OutputError) command.error(`error: ${error.message}`);
    throw error;
  } finally {
    over.abort();
  }
}

/** Where reports appear on the same terminal they are the progress. */
function progressTerminal({ count }: Targets, { output }: VerifyFlags, io: Io): Output | undefined {
  const alone = io.columns === undefined || !toStdout({ output });
  return count !== 1 && alone ? io.terminal : undefined;
}

function toStdout({ output }: Pick<VerifyFlags, 'output'>): boolean {
  return output === undefined || output === '-';
}

const CLOSED: Interruption = 'closed';

/** A second interrupt finds nobody listening, and ends the process at once. */
function interruption(io: Io, progress: Progress, flags: VerifyFlags): AbortController {
  const controller = new AbortController();
  const listen = (): void => {
    io.interrupted().then((kind) => {
      // Of what goes to a file the reader of standard output has seen the least.
      if (kind === CLOSED && !toStdout(flags)) {
        listen();
        return;
      }
      controller.abort(kind);
      if (kind !== CLOSED) progress.say('mta-sts: interrupted; what is known by now follows, once more ends it at once\n');
    }, () => undefined);
  };
  listen();
  return controller;
}

interface LookSetting {
  readonly over: AbortSignal;
  readonly interrupted: AbortSignal;
  readonly progress: Progress;
}

/** One world for all domains. */
function lookWith(verifier: Verifier, flags: VerifyFlags, { over, interrupted, progress }: LookSetting): (target: Target) => ReturnType<Verifier['verify']> {
  const { verify, createWorld } = verifier;
  const { resolver, smtp, smtpPort, timeout, wait, allowPrivate } = flags;
  const network = createWorld({
    signal: over,
    ...resolver === undefined ? {} : { servers: [resolver] },
    smtpPort,
    // What is looked at again must not come from memory.
    remember: wait === undefined,
  });
  return async ({ domain, deployment, ...expectation }) => {
    const options = { ...expectation, timeoutMs: timeout, smtp, allowPrivate, signal: interrupted };
    const once = async (): ReturnType<Verifier['verify']> => {
      const result = await verify(domain, options, network);
      return deployment === undefined ? result : { ...result, deployment };
    };
    if (wait === undefined) return once();
    return retryWhileTemporary(once, {
      waitMs: wait,
      clock: RETRY_CLOCK,
      signal: interrupted,
      tell: (result, pauseMs, leftMs) => {
        progress.say(waitingText(result, pauseMs, leftMs));
      },
    });
  };
}
