// MX hosts of mail providers, as the providers document them: the patterns for a policy, and the provider of a live MX host.
import { mxMatches } from './pattern';

/** MX hosts of one provider, or of one Region of it, and their name in the construct library. */
export interface Provider {
  readonly name: string;
  /** Code that gives these hosts, for example `MxHosts.googleWorkspace()`. */
  readonly factory: string;
  /** MX patterns for a policy (RFC 8461 §3.2). */
  readonly patterns: readonly string[];
  /** URL of the provider's documentation. */
  readonly source: string;
}

/** The known provider of a live MX host. */
export interface ProviderHost {
  readonly provider: Provider;
  /** Reason why the provider's patterns do not cover the host: a sentence without the name of the host. Absent if they cover it. */
  readonly outside?: string;
}

/** Google Workspace and Gmail: one host, and the five hosts that were documented until 2023 and still work. */
export const GOOGLE_WORKSPACE: Provider = {
  name: 'Google Workspace',
  factory: 'MxHosts.googleWorkspace()',
  patterns: ['smtp.google.com', 'aspmx.l.google.com', '*.aspmx.l.google.com'],
  source: 'https://support.google.com/a/answer/174125',
};

/** Microsoft 365 and Exchange Online: one host for each domain. */
export const MICROSOFT_365: Provider = {
  name: 'Microsoft 365',
  factory: 'MxHosts.microsoft365()',
  patterns: ['*.mail.protection.outlook.com'],
  source: 'https://learn.microsoft.com/microsoft-365/enterprise/external-domain-name-system-records',
};

export const FASTMAIL: Provider = {
  name: 'Fastmail',
  factory: 'MxHosts.fastmail()',
  patterns: ['in1-smtp.messagingengine.com', 'in2-smtp.messagingengine.com'],
  source: 'https://www.fastmail.help/hc/en-us/articles/360060591153',
};

export const PROTON_MAIL: Provider = {
  name: 'Proton Mail',
  factory: 'MxHosts.protonMail()',
  patterns: ['mail.protonmail.ch', 'mailsec.protonmail.ch'],
  source: 'https://proton.me/support/custom-domain',
};

export const ICLOUD: Provider = {
  name: 'iCloud Mail',
  factory: 'MxHosts.icloud()',
  patterns: ['mx01.mail.icloud.com', 'mx02.mail.icloud.com'],
  source: 'https://support.apple.com/102374',
};

/** Cloudflare Email Routing: the `mx` line that Cloudflare documents for MTA-STS policies. */
export const CLOUDFLARE_EMAIL_ROUTING: Provider = {
  name: 'Cloudflare Email Routing',
  factory: 'MxHosts.cloudflareEmailRouting()',
  patterns: ['*.mx.cloudflare.net'],
  source: 'https://developers.cloudflare.com/email-routing/setup/mta-sts/',
};

/** Returns Amazon SES in a Region where it receives mail. */
export function sesInbound(region: string): Provider {
  return {
    name: `Amazon SES in ${region}`,
    factory: `MxHosts.sesInbound('${region}')`,
    patterns: [`inbound-smtp.${region}.amazonaws.com`],
    source: 'https://docs.aws.amazon.com/ses/latest/dg/receiving-email-mx-record.html',
  };
}

/** Returns whether a text has the form of a Region name. It does not check that the Region exists. */
export function isRegionName(text: string): boolean {
  return /^[a-z]{2}(-[a-z]+)+-\d$/.test(text);
}

/** Domains of Zoho's data centers, by the names of `ZohoDataCenter`. */
export const ZOHO_DATA_CENTERS = {
  UNITED_STATES: 'zoho.com',
  EUROPE: 'zoho.eu',
  INDIA: 'zoho.in',
  AUSTRALIA: 'zoho.com.au',
  JAPAN: 'zoho.jp',
  CANADA: 'zohocloud.ca',
} as const;

type ZohoDataCenterName = keyof typeof ZOHO_DATA_CENTERS;

/** Returns Zoho Mail in the data center with this domain. */
export function zoho(dataCenter: string): Provider {
  const name = dataCenterNames().find((one) => ZOHO_DATA_CENTERS[one] === dataCenter) ?? 'UNITED_STATES';
  return {
    name: `Zoho Mail at ${dataCenter}`,
    factory: name === 'UNITED_STATES' ? 'MxHosts.zoho()' : `MxHosts.zoho(ZohoDataCenter.${name})`,
    patterns: ['mx', 'mx2', 'mx3'].map((host) => `${host}.${dataCenter}`),
    source: 'https://www.zoho.com/mail/help/adminconsole/configure-email-delivery.html',
  };
}

/**
 * Returns the provider of an MX host, by the name of the host.
 *
 * @param host - host name in lower case, without a dot at the end
 * @returns undefined if the provider is not known
 */
export function providerOf(host: string): ProviderHost | undefined {
  const provider = [...FIXED, ...regional(host)].find(({ patterns }) => patterns.some((pattern) => mxMatches(pattern, host)));
  return provider === undefined ? OUTSIDE.find(({ form }) => form.test(host)) : { provider };
}

const FIXED: readonly Provider[] = [
  GOOGLE_WORKSPACE, MICROSOFT_365, FASTMAIL, PROTON_MAIL, ICLOUD, CLOUDFLARE_EMAIL_ROUTING,
  ...dataCenterNames().map((name) => zoho(ZOHO_DATA_CENTERS[name])),
];

/** Returns Amazon SES for a host name that contains a Region. */
function regional(host: string): Provider[] {
  const region = /^inbound-smtp\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host)?.at(1);
  return region !== undefined && isRegionName(region) ? [sesInbound(region)] : [];
}

/** Hosts of a provider that its documentation does not list for new customers. */
const OUTSIDE: readonly (ProviderHost & { readonly form: RegExp })[] = [
  {
    provider: MICROSOFT_365,
    form: /^[a-z0-9-]+\.[a-z0-9-]+\.mx\.microsoft$/,
    outside: 'is in the DNSSEC-signed zone of Microsoft 365, where each domain has its own host; '
      + 'add MxHosts.microsoft365() while mail can still go to the older host',
  },
  {
    provider: GOOGLE_WORKSPACE,
    form: /^aspmx[2-5]\.googlemail\.com$/,
    outside: 'is an old host of Google Workspace that its documentation no longer lists; replace it with smtp.google.com',
  },
];

function dataCenterNames(): ZohoDataCenterName[] {
  return ['UNITED_STATES', 'EUROPE', 'INDIA', 'AUSTRALIA', 'JAPAN', 'CANADA'];
}
