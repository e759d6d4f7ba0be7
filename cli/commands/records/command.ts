// `mta-sts records`: prints every manual DNS record of a domain whose DNS is not in Route 53.
import { Option } from 'commander';
import type { Command } from 'commander';
import { hostNameProblem, toALabels } from '../../../lib/protocol/domain-name';
import { policyHostName } from '../../../lib/protocol/policy/url';
import { safeText } from '../../../lib/util/safe-text';
import { argumentParser, parseDomain, repeatedArgumentParser } from '../../input/arguments';
import type { Context } from '../../context';
import { printNote } from '../../io';
import { json } from '../../output/json';
import type { PublishedDomain } from './record';
import type { Source } from './source';
import { Status } from '../../exit-status';
import { Style } from '../../output/terminal';

/** The most frequent mistakes with manual records. */
const PANEL_NOTE = 'many DNS panels append the zone to a name. Then enter the name without the zone: _mta-sts, not _mta-sts.example.com. Otherwise the record is at '
  + '_mta-sts.example.com.example.com. Some panels need a dot at the end of the target of a CNAME';

const RECORD_FORMATS = ['table', 'zone', 'json', 'terraform'] as const;

interface RecordsFlags {
  readonly app?: string;
  readonly outputs?: string;
  readonly domain?: string;
  readonly policy?: string;
  readonly target?: string;
  readonly tlsRpt?: readonly string[];
  readonly format: typeof RECORD_FORMATS[number];
}

/** Adds the command to the program. */
export function addRecords(program: Command, context: Context): void {
  program.command('records')
    .description('print every DNS record to create manually if DNS is not in Route 53, for a deployment, a synthesized CDK app or a policy file')
    .option('--app <folder>', 'the cloud assembly that `cdk synth` wrote (default: cdk.out, if no policy is given)')
    .option('--outputs <file>', 'the file of `cdk deploy --outputs-file`, which has all values; - is standard input')
    .option('--domain <domain>', 'mail domain of the policy file', argumentParser(parseDomain))
    .option('--policy <file>', 'the policy file exactly as it is served; - is standard input')
    .option('--target <host>', 'the host that serves the policy, to which the CNAME points', argumentParser(parseTarget))
    .option('--tls-rpt <uri>', 'where senders report failures; may be given several times (default: the address in the app)', repeatedArgumentParser(String))
    .addOption(new Option('--format <format>', 'how to print the records').choices(RECORD_FORMATS).default('table'))
    .action(async (flags: RecordsFlags, command: Command) => {
      const { readDeployed } = await import('./source');
      const domains = await readDeployed(flags, context, command) ?? await readChecked(flags, context, command);
      const tlsRpt = await renderReporting(flags, command);
      const known = domains.filter((domain) => domain !== undefined).map((domain) => ({
        ...domain, target: flags.target ?? domain.target, tlsRpt: tlsRpt ?? domain.tlsRpt,
      }));
      // Print all records or none: a part would look complete.
      if (known.length === domains.length) await print(known, flags, context);
      context.end(known.length === domains.length ? Status.GOOD : Status.ERROR_FOUND);
    });
}

async function readChecked(flags: RecordsFlags, context: Context, command: Command): Promise<readonly (PublishedDomain | undefined)[]> {
  const { readSources, checkSource } = await import('./source');
  const sources = await readSources(flags, context, command);
  checkTarget(flags, sources, command);
  return Promise.all(sources.map((source) => checkSource(source, flags.target ?? null, context)));
}

/**
 * Parses the target of a CNAME. Drops one dot at the end.
 *
 * @throws RangeError that names the expected form
 */
function parseTarget(text: string): string {
  const typed = text.endsWith('.') ? text.slice(0, -1) : text;
  const host = toALabels(typed);
  const problem = hostNameProblem(host === '' ? typed : host) ?? (host.includes('.') ? undefined : 'is a single label; write it in full, such as `mta-sts.example.net`');
  if (problem !== undefined) throw new RangeError(`\`${safeText(text)}\`, where the host that serves the policy is expected, ${problem}`);
  return host;
}

async function renderReporting({ tlsRpt }: RecordsFlags, command: Command): Promise<string | undefined> {
  if (tlsRpt === undefined) return undefined;
  const { renderTlsRpt } = await import('../../../lib/protocol/records/tls-rpt');
  try {
    return renderTlsRpt(tlsRpt);
  } catch (error) {
    // The RangeError is about a typed address.
    if (error instanceof RangeError) return command.error(`error: --tls-rpt: ${error.message}`);
    throw error;
  }
}

/** Rejects a CNAME that points to itself, and one target for several distributions. */
function checkTarget({ target }: RecordsFlags, sources: readonly Source[], command: Command): void {
  if (target === undefined) return;
  if (sources.some(({ domain }) => policyHostName(domain) === target)) {
    command.error(`error: --target: \`${target}\` is the name of the CNAME itself; give the host that it points to`);
  }
  const distributions = new Set(sources.map(({ distribution }) => distribution));
  if (distributions.size > 1) {
    command.error(`error: --target: the app has ${distributions.size} distributions, each with a name of its own; leave \`--target\` out`);
  }
}

async function print(domains: readonly PublishedDomain[], { format }: RecordsFlags, context: Context): Promise<void> {
  const { ID_SOURCE } = await import('./record');
  const { recordsJson, tableText } = await import('./table');
  const { terraformText } = await import('./terraform');
  const { zoneText } = await import('./zone-file');
  const { io } = context;
  const texts: Readonly<Record<typeof format, () => string>> = {
    table: () => tableText(domains, new Style(io)),
    zone: () => zoneText(domains),
    terraform: () => terraformText(domains),
    json: () => `${json(recordsJson(domains))}\n`,
  };
  io.stdout.write(texts[format]());
  for (const { domain, target, targetSource: whereTarget } of domains) {
    if (target === null) printNote(`the value of ${policyHostName(domain)} is not known yet: it is ${whereTarget}`, context);
  }
  if (domains.some(({ id }) => id === null)) printNote(`the value of the _mta-sts record is not known yet: it contains ${ID_SOURCE}`, context);
  if (format === 'table') printNote(PANEL_NOTE, context);
  printNote('create the _mta-sts record last, after the policy is served (RFC 8461 §8.1)', context);
  if (domains.some(({ tlsRpt }) => tlsRpt === undefined)) {
    printNote('without a record at _smtp._tls, senders cannot report that they refuse mail; give `--tls-rpt mailto:tls-reports@<domain>` (RFC 8460 §3)', context);
  }
}
