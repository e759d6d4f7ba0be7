// `mta-sts verify`: what a sender sees of a domain, from here and without credentials.
import { Option } from 'commander';
import type { Command } from 'commander';
import { argument, parseDomain, parsePolicyId, parseResolver, repeated } from './arguments';
import { inOrder } from './concurrency';
import type { Context } from './context';
import { outputOption, reportFormatOption, timeoutOption } from './options';
import { printReports } from './reports';
import type { ReportSettings } from './reports';
import { OutputError } from './sinks';

/** Enough to be quick, few enough for the resolver of an office. */
const AT_ONCE = 8;

interface VerifyFlags extends ReportSettings {
  readonly expectId?: string;
  readonly expectMode?: 'enforce' | 'testing' | 'none';
  readonly resolver?: string;
  readonly timeout: number;
}

/** Adds the command to the program. */
export function addVerify(program: Command, { io, end, loadVerifier }: Context): void {
  program.command('verify')
    .description('check mail domains as a sender does: record, policy file at every address, MX coverage, TLS reporting')
    .argument('<domain...>', 'mail domains, the part after the @', repeated(parseDomain))
    .addOption(reportFormatOption())
    .addOption(outputOption())
    .option('--expect-id <id>', 'fail unless the record has this id', argument(parsePolicyId))
    .addOption(new Option('--expect-mode <mode>', 'fail unless the policy has this mode').choices(['enforce', 'testing', 'none']))
    .option('--resolver <host[:port]>', 'recursive DNS server to ask (default: those of this machine)', argument(parseResolver))
    .addOption(timeoutOption())
    .action(async (domains: readonly string[], flags: VerifyFlags, command: Command) => {
      const { verify, createResolver } = await loadVerifier();
      // What the resolver still waits for when all is said must not hold up the end.
      const over = new AbortController();
      const world = flags.resolver === undefined ? {} : { resolver: createResolver({ servers: [flags.resolver], signal: over.signal }) };
      const options = { expectId: flags.expectId, expectMode: flags.expectMode, timeoutMs: flags.timeout };
      try {
        end(await printReports(inOrder(domains, AT_ONCE, (domain) => verify(domain, options, world)), flags, io));
      } catch (error) {
        // The verifier refuses only what was typed, and knows more of names than we do.
        if (error instanceof RangeError || error instanceof OutputError) command.error(`error: ${error.message}`);
        throw error;
      } finally {
        over.abort();
      }
    });
}
