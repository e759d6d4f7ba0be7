// Reads the source of the records, a policy file, a synthesized app or a deployment, and checks that senders can use its policies.
import type { Command } from 'commander';
import { policyHostName, policyUrl } from '../../../lib/protocol/policy/url';
import { safeText } from '../../../lib/util/safe-text';
import type { Context } from '../../context';
import { readRequiredInput } from '../../input/file';
import type { PublishedDomain } from './record';
import { readDeployedPolicies } from '../../input/deployment-outputs';
import type { AppDomain } from './from-app';
import { printNote } from '../../io';
import { Style } from '../../output/terminal';

/** One policy of a source. */
export type Source = AppDomain & {
  /** Its name in messages. */
  readonly label: string;
  /** Whether a person publishes it. Otherwise the deployment of an app does, which also makes its id. */
  readonly isManual: boolean;
};

/** The flags that select the source. */
interface SourceFlags {
  readonly app?: string;
  readonly outputs?: string;
  readonly domain?: string;
  readonly policy?: string;
}

/** Reads the outputs of a deployment. Returns undefined without `--outputs`. */
export async function readDeployed(
  { outputs, ...others }: SourceFlags, context: Context, command: Command,
): Promise<readonly PublishedDomain[] | undefined> {
  if (outputs === undefined) return undefined;
  if ((others.app ?? others.domain ?? others.policy) !== undefined) {
    command.error('error: `--outputs` already names the domains and policies; leave out `--app`, `--domain` and `--policy`');
  }
  const policies = await readDeployedPolicies(outputs, context.io, command);
  return policies.map(({ domain, id, target = null, tlsRpt, validation }) => {
    return { domain, id, target, targetSource: describeTargetSource(domain, undefined), tlsRpt, validation };
  });
}

/** Reads the policies. Ends the command as wrong usage for any problem with the flags or their files. */
export async function readSources({ app, domain, policy }: SourceFlags, context: Context, command: Command): Promise<readonly Source[]> {
  if (app !== undefined && (domain ?? policy) !== undefined) {
    command.error('error: `--app` already names the domains and policies; give either `--app`, or `--domain` and `--policy`');
  }
  if (domain !== undefined && policy !== undefined) return [await readFile(domain, policy, context, command)];
  if (domain === undefined && policy === undefined) return readApp(app ?? 'cdk.out', context, command);
  return command.error(`error: \`--domain\` and \`--policy\` belong together; \`${domain === undefined ? '--domain' : '--policy'}\` is missing`);
}

/** Checks a policy. Returns undefined for a policy that senders would ignore, and prints notes about a valid one. */
export async function checkSource(source: Source, target: string | null, context: Context): Promise<PublishedDomain | undefined> {
  const { parsePolicy, renderPolicy } = await import('../../../lib/protocol/policy/policy');
  const { policyHash, renderPolicyId } = await import('../../../lib/protocol/policy/id');
  const { lintText } = await import('../lint/text');
  const { domain, policy: bytes, label, isManual, tlsRpt, distribution } = source;
  const result = parsePolicy(bytes);
  if (result.policy === undefined) {
    // Standard output is for records only.
    context.io.stderr.write(lintText('MTA-STS policy', { input: label, ...result }, new Style({ ...context.io, colour: false })));
    return undefined;
  }
  if (!Buffer.from(renderPolicy(result.policy)).equals(bytes)) {
    printNote(`${label} is valid, but not in the form that all senders are known to read in the same way. The id contains a hash of its bytes, so serve exactly these bytes`, context);
  }
  for (const { code, message } of result.findings) printNote(`${label}: ${code}: ${message}`, context);
  if (isManual) {
    printNote(`every run of this command makes a new id for ${domain}. Publish the file first, then create the record once`, context);
  }
  const id = isManual ? renderPolicyId(context.io.now(), policyHash(bytes)) : null;
  const reporting = await readAppReporting(domain, tlsRpt, context);
  return { domain, id, target, targetSource: describeTargetSource(domain, distribution), tlsRpt: reporting };
}

async function readFile(domain: string, path: string, { io }: Context, command: Command): Promise<Source> {
  return { domain, policy: await readRequiredInput(path, io, command), label: path === '-' ? 'standard input' : safeText(path, 200), isManual: true };
}

async function readApp(app: string, context: Context, command: Command): Promise<readonly Source[]> {
  const { readAppDomains } = await import('./from-app');
  const result = readAppDomains(app);
  if ('problem' in result) return command.error(`error: ${result.problem}`);
  for (const note of result.notes) printNote(note, context);
  return result.domains.map((domain) => ({ ...domain, label: `the policy of ${domain.domain}`, isManual: false }));
}

function describeTargetSource(domain: string, distribution: string | undefined): string {
  const host = policyHostName(domain);
  if (distribution === undefined) return `the host that serves ${policyUrl(host)}`;
  return `the domain name of the CloudFront distribution ${safeText(distribution, 200)}, such as d111111abcdef8.cloudfront.net; once it is deployed the AWS console shows it, and `
    + `aws cloudfront list-distributions --output text --query "DistributionList.Items[?contains(Aliases.Items || \`[]\`, '${host}')].DomainName"`;
}

/** Returns the text of the app's reporting record if it is valid. */
async function readAppReporting(domain: string, text: string | undefined, context: Context): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const { parseTlsRpt } = await import('../../../lib/protocol/records/tls-rpt');
  const { verdict, findings } = parseTlsRpt([text]);
  if (verdict === 'valid') return text;
  printNote(`the app's record at _smtp._tls.${domain} is left out because it is not valid: ${findings[0]?.message ?? verdict}`, context);
  return undefined;
}
