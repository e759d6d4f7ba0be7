// The deployable app of cdk.json: one domain, given by context (`-c domain=example.com -c mx=google-workspace -c mode=testing`).
import { App, Duration, Stack, aws_route53 as route53 } from 'aws-cdk-lib';
import type { AppProps } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from '../lib';
import { hostNameProblem, toALabels } from '../lib/protocol/domain-name';

const PRESETS: Readonly<Record<string, () => MxHosts>> = {
  'google-workspace': () => MxHosts.googleWorkspace(),
  'microsoft-365': () => MxHosts.microsoft365(),
  'fastmail': () => MxHosts.fastmail(),
  'proton-mail': () => MxHosts.protonMail(),
  'icloud': () => MxHosts.icloud(),
  'zoho': () => MxHosts.zoho(),
  'cloudflare-email-routing': () => MxHosts.cloudflareEmailRouting(),
};

const CONTEXT: Readonly<Record<string, string>> = {
  domain: 'the mail domain, example.com',
  mx: `the hosts of its MX records, mx1.example.com,mx2.example.com, or one of ${Object.keys(PRESETS).join(', ')}, ses-inbound:<region>`,
  mode: 'enforce, testing or none; begin with testing',
};

const USAGE = `
  npx cdk deploy -c domain=example.com -c mx=google-workspace -c mode=testing [more]

  more:
    -c tlsReporting=mailto:tls-reports@example.com   where senders report failures (RFC 8460), comma-separated
    -c maxAgeDays=30                                 how long senders keep the policy
    -c hostedZoneId=Z0123456789ABCDEFGHIJ            the zone, where it should not be looked up
    -c zone=example.com                              the zone's name, where the domain is below it`;

/** A problem of the context, with a message for the person at the terminal. */
export class ContextError extends Error {}

/**
 * Creates the app for one domain.
 *
 * @param env - environment with the account: the CDK CLI sets CDK_DEFAULT_ACCOUNT
 * @param props - context and output folder, for tests
 * @throws ContextError if context is missing or wrong; it is checked before credentials are needed
 */
export function createApp(env: Readonly<Record<string, string | undefined>>, props?: AppProps): App {
  const app = new App(props);
  const context = (name: string): string | undefined => contextText(app, name);
  const missing = Object.entries(CONTEXT).filter(([name]) => context(name) === undefined);
  if (missing.length > 0) {
    const list = missing.map(([name, meaning]) => `  -c ${name}=...  ${meaning}`).join('\n');
    throw new ContextError(`missing context:\n${list}\n${USAGE}`);
  }
  const domain = domainOf(context('domain') ?? '');
  const policy = policyOf(context('mode') ?? '', mxOf(context('mx') ?? ''), context('maxAgeDays'));
  const reporting = context('tlsReporting');
  const tlsReporting = reporting === undefined ? undefined : TlsReporting.to(...reporting.split(','));
  const hostedZoneId = context('hostedZoneId');
  if (hostedZoneId !== undefined && !/^Z[A-Z0-9]{1,31}$/.test(hostedZoneId)) {
    throw new ContextError(`-c hostedZoneId must be the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ, got ${JSON.stringify(hostedZoneId)}`);
  }
  if (hostedZoneId === undefined && env.CDK_DEFAULT_ACCOUNT === undefined) {
    throw new ContextError(`no AWS credentials were found to look up the hosted zone of ${domain}; log in (aws sso login, or AWS_PROFILE), `
      + 'or give the zone with -c hostedZoneId=Z0123456789ABCDEFGHIJ');
  }

  const stack = new Stack(app, stackId(domain), {
    description: `MTA-STS for ${domain}`,
    // CloudFront accepts only certificates of us-east-1.
    env: { account: env.CDK_DEFAULT_ACCOUNT, region: 'us-east-1' },
  });
  const zoneName = context('zone') ?? domain;
  const hostedZone = hostedZoneId === undefined
    ? route53.HostedZone.fromLookup(stack, 'Zone', { domainName: zoneName })
    : route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName });
  new MtaSts(stack, 'MtaSts', { domainName: domain, hostedZone, policy, tlsReporting });
  return app;
}

/** Checks the domain before the construct does, because the stack is named after it. */
function domainOf(text: string): string {
  const domain = toALabels(text) || text;
  const problem = hostNameProblem(domain);
  if (problem !== undefined) {
    throw new ContextError(`-c domain ${JSON.stringify(text)} ${problem}`);
  }
  return domain;
}

/**
 * Returns the stack id of a domain: `MtaSts-example-com` for `example.com`. Hyphens are doubled, so that two domains never share a stack.
 */
function stackId(domain: string): string {
  return `MtaSts-${domain.replaceAll('-', '--').replaceAll('.', '-')}`;
}

function mxOf(text: string): MxHosts {
  const ses = /^ses-inbound:(.+)$/.exec(text);
  if (ses !== null) {
    return MxHosts.sesInbound(ses.at(1) ?? '');
  }
  const preset = Object.hasOwn(PRESETS, text) ? PRESETS[text] : undefined;
  if (preset !== undefined) {
    return preset();
  }
  if (!text.includes('.')) {
    throw new ContextError(`-c mx must be ${CONTEXT.mx}, got ${JSON.stringify(text)}`);
  }
  return MxHosts.of(...text.split(','));
}

function policyOf(mode: string, mx: MxHosts, maxAgeDays: string | undefined): MtaStsPolicy {
  if (maxAgeDays !== undefined && !/^\d{1,3}$/.test(maxAgeDays)) {
    throw new ContextError(`-c maxAgeDays must be a number of days from 1 to 365, got ${JSON.stringify(maxAgeDays)}`);
  }
  const props = { mx, maxAge: maxAgeDays === undefined ? undefined : Duration.days(Number(maxAgeDays)) };
  switch (mode) {
    case 'enforce': return MtaStsPolicy.enforce(props);
    case 'testing': return MtaStsPolicy.testing(props);
    case 'none': return MtaStsPolicy.none(props);
    default: throw new ContextError(`-c mode must be enforce, testing or none, got ${JSON.stringify(mode)}`);
  }
}

function contextText(app: App, name: string): string | undefined {
  const value: unknown = app.node.tryGetContext(name);
  if (value === undefined || value === '') {
    return undefined;
  }
  // A value of cdk.json can be a number.
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new ContextError(`-c ${name} must be a text, got ${JSON.stringify(value)}`);
  }
  return String(value);
}

/**
 * Synthesizes the app. Prints the problem if that fails.
 *
 * @returns the exit status
 */
export function synthesize(
  env: Readonly<Record<string, string | undefined>>, printError: (text: string) => void, props?: AppProps,
): number {
  try {
    createApp(env, props).synth();
    return 0;
  } catch (error) {
    // A stack trace does not help after a typing error.
    printError(`\n${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

if (require.main === module) {
  process.exitCode = synthesize(process.env, console.error);
}
