// Where the records come from: a policy file, or a synthesized app; and whether its policies are what senders can use.
import type { Command } from 'commander';
import { policyHostName, policyUrl } from '../../../lib/protocol/policy/url';
import { safeText } from '../../../lib/util/safe-text';
import type { Context } from '../../context';
import { requiredInput } from '../../input/file';
import type { PublishedDomain } from './record';
import { deployedPolicies } from '../../input/outputs-file';
import type { AppDomain } from './from-app';
import { remark } from '../../output/remark';
import { Style } from '../../output/terminal';

/** One policy, with its name in messages. */
export type Source = AppDomain & {
  readonly shown: string;
  /** Whether a person publishes it, and not the deployment of an app, which makes its id. */
  readonly byHand: boolean;
};

/** Which source was asked for. */
export interface SourceFlags {
  readonly app?: string;
  readonly outputs?: string;
  readonly domain?: string;
  readonly policy?: string;
}

/** What a deployment says of itself; `undefined` where it was not asked for. */
export async function readDeployed(
  { outputs, ...others }: SourceFlags, context: Context, command: Command,
): Promise<readonly PublishedDomain[] | undefined> {
  if (outputs === undefined) return undefined;
  if ((others.app ?? others.domain ?? others.policy) !== undefined) {
    command.error('error: `--outputs` says itself what is published; leave out `--app`, `--domain` and `--policy`');
  }
  const policies = await deployedPolicies(outputs, context.io, command);
  return policies.map(({ domain, id, target = null, tlsRpt, validation }) => {
    return { domain, id, target, whereTarget: whereToRead(domain, undefined), tlsRpt, validation };
  });
}

/** Reads the policies; what is wrong with the flags or what they name is wrong usage. */
export async function readSources({ app, domain, policy }: SourceFlags, context: Context, command: Command): Promise<readonly Source[]> {
  if (app !== undefined && (domain ?? policy) !== undefined) {
    command.error('error: `--app` says itself what is published; give either `--app`, or `--domain` and `--policy`');
  }
  if (domain !== undefined && policy !== undefined) return [await readFile(domain, policy, context, command)];
  if (domain === undefined && policy === undefined) return readApp(app ?? 'cdk.out', context, command);
  return command.error(`error: \`--domain\` and \`--policy\` belong together; \`${domain === undefined ? '--domain' : '--policy'}\` is missing`);
}

/** Nothing is printed for a policy that senders would ignore; what is odd but valid is said. */
export async function judge(source: Source, target: string | null, context: Context): Promise<PublishedDomain | undefined> {
  const { parsePolicy, renderPolicy } = await import('../../../lib/protocol/policy/policy');
  const { policyHash, renderPolicyId } = await import('../../../lib/protocol/policy/id');
  const { lintText } = await import('../lint/text');
  const { domain, policy: bytes, shown, byHand, tlsRpt, distribution } = source;
  const result = parsePolicy(bytes);
  if (result.policy === undefined) {
    // Not on standard output, where records are expected.
    context.io.stderr.write(lintText('MTA-STS policy', { input: shown, ...result }, new Style({ ...context.io, colour: false })));
    return undefined;
  }
  if (!Buffer.from(renderPolicy(result.policy)).equals(bytes)) {
    remark(`${shown} is valid, but not in the form that all senders are known to read alike; the id names its bytes as they are, so serve exactly these`, context);
  }
  for (const { code, message } of result.findings) remark(`${shown}: ${code}: ${message}`, context);
  if (byHand) {
    remark(`the id of ${domain} is made for this publication of the file, and each run makes another: create the record once, after the file`,
      context);
  }
  const id = byHand ? renderPolicyId(context.io.now(), policyHash(bytes)) : null;
  return { domain, id, target, whereTarget: whereToRead(domain, distribution), ...await reportingOfApp(domain, tlsRpt, context) };
}

async function readFile(domain: string, path: string, { io }: Context, command: Command): Promise<Source> {
  return { domain, policy: await requiredInput(path, io, command), shown: path === '-' ? 'standard input' : safeText(path, 200), byHand: true };
}

async function readApp(app: string, context: Context, command: Command): Promise<readonly Source[]> {
  const { domainsOfApp } = await import('./from-app');
  const result = domainsOfApp(app);
  if ('fault' in result) return command.error(`error: ${result.fault}`);
  for (const note of result.notes) remark(note, context);
  return result.domains.map((one) => ({ ...one, shown: `the policy of ${one.domain}`, byHand: false }));
}

function whereToRead(domain: string, distribution: string | undefined): string {
  const host = policyHostName(domain);
  if (distribution === undefined) return `the host that serves ${policyUrl(host)}`;
  return `the domain name of the CloudFront distribution ${safeText(distribution, 200)}, such as d111111abcdef8.cloudfront.net; once it is deployed the AWS console shows it, and `
    + `aws cloudfront list-distributions --output text --query "DistributionList.Items[?contains(Aliases.Items || \`[]\`, '${host}')].DomainName"`;
}

/** What the app makes for Route 53 counts only where senders can read it. */
async function reportingOfApp(domain: string, text: string | undefined, context: Context): Promise<Pick<PublishedDomain, 'tlsRpt'>> {
  if (text === undefined) return {};
  const { parseTlsRpt } = await import('../../../lib/protocol/records/tls-rpt');
  const { verdict, findings } = parseTlsRpt([text]);
  if (verdict === 'valid') return { tlsRpt: text };
  remark(`the app's record at _smtp._tls.${domain} is left out, since it is no valid one: ${findings[0].message}`, context);
  return {};
}
