// `mta-sts suggest`: suggests a policy for a domain from its current MX hosts, and a careful rollout.
import type { Command } from 'commander';
import { argumentParser, domainHint, parseDomain, parseResolver } from '../../input/arguments';
import type { Context } from '../../context';
import { printNote } from '../../io';
import { json } from '../../output/json';
import { formatOption, timeoutOption } from '../../input/options';
import type { TextOrJson } from '../../input/options';
import { Status } from '../../exit-status';
import { Style } from '../../output/terminal';
import type { LiveDomain } from './lookup';
import type { SuggestionVerdict } from './suggestion';

interface SuggestFlags {
  readonly format: TextOrJson;
  readonly resolver?: string;
  readonly timeout: number;
}

/** Adds the command to the program. */
export function addSuggest(program: Command, context: Context): void {
  program.command('suggest')
    .description('suggest a policy for a domain from its live MX records: the construct to paste, the file, and a careful rollout')
    .argument('<domain>', 'mail domain, the part after the @', argumentParser(parseDomain))
    .option('--resolver <host[:port]>', 'recursive DNS server to ask (default: those of this machine)', argumentParser(parseResolver))
    .addOption(timeoutOption())
    .addOption(formatOption())
    .action(async (domain: string, flags: SuggestFlags) => {
      const hint = domainHint(domain);
      if (hint !== undefined) printNote(hint, context);
      const live = await ask(domain, flags, context);
      const { suggest } = await import('./suggestion');
      const { suggestionJson, suggestionText } = await import('./text');
      const suggestion = suggest(live, context.io.now());
      context.io.stdout.write(flags.format === 'json' ? `${json(suggestionJson(suggestion))}\n` : suggestionText(suggestion, new Style(context.io)));
      context.end(STATUSES[suggestion.verdict]);
    });
}

const STATUSES: Readonly<Record<SuggestionVerdict, Status>> = {
  'suggested': Status.GOOD,
  'no-mail': Status.GOOD,
  'incomplete': Status.ERROR_FOUND,
  'no-host': Status.ERROR_FOUND,
  'undecided': Status.UNDECIDED,
};

async function ask(domain: string, { resolver: server, timeout }: SuggestFlags, { load }: Context): Promise<LiveDomain> {
  const { createNetwork } = await load.verifier();
  const { lookUp } = await import('./lookup');
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort();
  }, timeout);
  try {
    const { resolver } = createNetwork({ servers: server === undefined ? undefined : [server], signal: over.signal });
    return await lookUp(resolver, domain);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
