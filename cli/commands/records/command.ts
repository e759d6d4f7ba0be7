// `mta-sts records`: every DNS record to create by hand, where DNS is not in Route 53.
import { Option } from 'commander';
import type { Command } from 'commander';
import { hostNameProblem, toALabels } from '../../../lib/protocol/domain-name';
import { policyHostName } from '../../../lib/protocol/policy/url';
import { safeText } from '../../../lib/util/safe-text';
import { argument, parseDomain, repeated } from '../../input/arguments';
import type { Context } from '../../context';
import { json } from '../../output/json';
import type { PublishedDomain } from './record';
import { remark } from '../../output/remark';
import type { Source } from './source';
import { Status } from '../../exit-status';
import { Style } from '../../output/terminal';

/** What goes wrong most often where records are entered by hand. */
const PANELS = 'many DNS panels append the zone to the name that is entered: leave it out there (_mta-sts, not _mta-sts.example.com), or the record stands at '
  + '_mta-sts.example.com.example.com; a panel that takes the target of a CNAME as it is needs a dot at its end';

const FORMATS = ['table', 'zone', 'json', 'terraform'] as const;

interface RecordsFlags {
  readonly app?: string;
  readonly outputs?: string;
  readonly domain?: string;
  readonly policy?: string;
  readonly target?: string;
  readonly tlsRpt?: readonly string[];
  readonly format: typeof FORMATS[number];
}

/** Adds the command to the program. */
export function addRecords(program: Command, context: Context): void {
  program.command('records')
    .description('print every DNS record to create by hand where DNS is not in Route 53, for a deployment, a synthesized CDK app or a policy file')
    .option('--app <folder>', 'the cloud assembly that `cdk synth` wrote (default: cdk.out, where no policy is given)')
    .option('--outputs <file>', 'what `cdk deploy --outputs-file` wrote: nothing is missing then; - is standard input')
    .option('--domain <domain>', 'mail domain of the policy file', argument(parseDomain))
    .option('--policy <file>', 'the policy file exactly as it is served; - is standard input')
    .option('--target <host>', 'the host that serves the policy, to which the CNAME points', argument(parseTarget))
    .option('--tls-rpt <uri>', 'where senders report failures; may be given several times (default: as the app says)', repeated(String))
    .addOption(new Option('--format <format>', 'how to print the records').choices(FORMATS).default('table'))
    .action(async (flags: RecordsFlags, command: Command) => {
      const { readDeployed } = await import('./source');
      const domains = await readDeployed(flags, context, command) ?? await readJudged(flags, context, command);
      const tlsRpt = await reportingText(flags, command);
      const known = domains.filter((one) => one !== undefined).map((one) => ({
        ...one, target: flags.target ?? one.target, tlsRpt: tlsRpt ?? one.tlsRpt,
      }));
      // All or nothing: a part of the records would look like all of them.
      if (known.length === domains.length) await print(known, flags, context);
      context.end(known.length === domains.length ? Status.GOOD : Status.ERROR_FOUND);
    });
}

async function readJudged(flags: RecordsFlags, context: Context, command: Command): Promise<readonly (PublishedDomain | undefined)[]> {
  const { readSources, judge } = await import('./source');
  const sources = await readSources(flags, context, command);
  checkTarget(flags, sources, command);
  return Promise.all(sources.map((source) => judge(source, flags.target ?? null, context)));
}

/**
 * Reads the name that a CNAME points to; one dot at the end is dropped.
 *
 * @throws RangeError saying what was expected
 */
function parseTarget(text: string): string {
  const typed = text.endsWith('.') ? text.slice(0, -1) : text;
  const host = toALabels(typed);
  const fault = hostNameProblem(host === '' ? typed : host) ?? (host.includes('.') ? undefined : 'is a single label; write it in full, such as `mta-sts.example.net`');
  if (fault !== undefined) throw new RangeError(`\`${safeText(text)}\`, where the host that serves the policy is expected, ${fault}`);
  return host;
}

async function reportingText({ tlsRpt }: RecordsFlags, command: Command): Promise<string | undefined> {
  if (tlsRpt === undefined) return undefined;
  const { renderTlsRpt } = await import('../../../lib/protocol/records/tls-rpt');
  try {
    return renderTlsRpt(tlsRpt);
  } catch (error) {
    // It checks what was typed, and knows more of addresses than we do.
    if (error instanceof RangeError) return command.error(`error: --tls-rpt: ${error.message}`);
    throw error;
  }
}

/** A CNAME that points to itself, or one host for what several distributions serve. */
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
  const { WHERE_ID } = await import('./record');
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
  for (const { domain, target, whereTarget } of domains) {
    if (target === null) remark(`the value of ${policyHostName(domain)} is not known yet: it is ${whereTarget}`, context);
  }
  if (domains.some(({ id }) => id === null)) remark(`what the _mta-sts record says is not known yet: it holds ${WHERE_ID}`, context);
  if (format === 'table') remark(PANELS, context);
  remark('create the _mta-sts record last, when the policy is served (RFC 8461 §8.1)', context);
  if (domains.some(({ tlsRpt }) => tlsRpt === undefined)) {
    remark('without a record at _smtp._tls nobody will tell you that mail is refused; give `--tls-rpt mailto:tls-reports@<domain>` (RFC 8460 §3)', context);
  }
}
