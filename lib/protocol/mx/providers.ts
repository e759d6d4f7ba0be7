// The MX hosts of mail providers as their own documentation gives them to customers: what a policy lists, and whose a live host is.
import { mxMatches } from './pattern';

/** The hosts of one provider, or of one of its Regions, and how the construct library names them. */
export interface Provider {
  readonly name: string;
  /** What to write for them, `MxHosts.googleWorkspace()`. */
  readonly factory: string;
  /** As a policy lists them (RFC 8461 §3.2). */
  readonly patterns: readonly string[];
  /** Where the provider documents them. */
  readonly source: string;
}

/** A live MX host that is a known provider's. */
export interface ProviderHost {
  readonly provider: Provider;
  /** Why the provider's patterns do not cover it, where they do not: a sentence about the host, without its name. */
  readonly outside?: string;
}

/** Google Workspace and Gmail: one host, and the five that were documented until 2023 and still serve. */
export const GOOGLE_WORKSPACE: Provider = {
  name: 'Google Workspace',
  factory: 'MxHosts.googleWorkspace()',
  patterns: ['smtp.google.com', 'aspmx.l.google.com', '*.aspmx.l.google.com'],
  source: 'https://support.google.com/a/answer/174125',
};

/** Microsoft 365, Exchange Online: one host for each domain. */
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

/** The line that Cloudflare documents for MTA-STS policies. */
export const CLOUDFLARE_EMAIL_ROUTING: Provider = {
  name: 'Cloudflare Email Routing',
  factory: 'MxHosts.cloudflareEmailRouting()',
  patterns: ['*.mx.cloudflare.net'],
  source: 'https://developers.cloudflare.com/email-routing/setup/mta-sts/',
};

/** Amazon SES in a Region where it receives mail. */
export function sesInbound(region: string): Provider {
  return {
    name: `Amazon SES in ${region}`,
    factory: `MxHosts.sesInbound('${region}')`,
    patterns: [`inbound-smtp.${region}.amazonaws.com`],
    source: 'https://docs.aws.amazon.com/ses/latest/dg/receiving-email-mx-record.html',
  };
}

/** Whether a text has the form of a Region's name; whether there is such a Region is for AWS to say. */
export function isRegionName(text: string): boolean {
  return /^[a-z]{2}(-[a-z]+)+-\d$/.test(text);
}

/** The domains of Zoho's data centres, by the names of `ZohoDataCenter`. */
export const ZOHO_DATA_CENTERS = {
  UNITED_STATES: 'zoho.com',
  EUROPE: 'zoho.eu',
  INDIA: 'zoho.in',
  AUSTRALIA: 'zoho.com.au',
  JAPAN: 'zoho.jp',
  CANADA: 'zohocloud.ca',
} as const;

type ZohoDataCenterName = keyof typeof ZOHO_DATA_CENTERS;

/** Zoho Mail, by the domain of the data centre that keeps the organisation's mail. */
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
 * Whose an MX host is, by its name.
 *
 * @param host - in lower case, without a dot at the end
 * @returns nothing for a host of nobody known here
 */
export function providerOf(host: string): ProviderHost | undefined {
  const provider = [...FIXED, ...regional(host)].find(({ patterns }) => patterns.some((pattern) => mxMatches(pattern, host)));
  return provider === undefined ? OUTSIDE.find(({ form }) => form.test(host)) : { provider };
}

const FIXED: readonly Provider[] = [
  GOOGLE_WORKSPACE, MICROSOFT_365, FASTMAIL, PROTON_MAIL, ICLOUD, CLOUDFLARE_EMAIL_ROUTING,
  ...dataCenterNames().map((name) => zoho(ZOHO_DATA_CENTERS[name])),
];

/** A Region's provider for a host that has the form of one. */
function regional(host: string): Provider[] {
  const region = /^inbound-smtp\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host)?.[1];
  return region !== undefined && isRegionName(region) ? [sesInbound(region)] : [];
}

/** Hosts of a provider that its documentation does not give to new customers. */
const OUTSIDE: readonly (ProviderHost & { readonly form: RegExp })[] = [
  {
    provider: MICROSOFT_365,
    form: /^[a-z0-9-]+\.[a-z0-9-]+\.mx\.microsoft$/,
    outside: 'is in the DNSSEC-signed zone of Microsoft 365, where each domain has a host of its own; '
      + 'as long as mail may still go to its older host, add MxHosts.microsoft365()',
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
