// MX hosts of a domain: your own list, or the hosts that a mail provider documents.
import { Token } from 'aws-cdk-lib';
import { HOSTS, MX_PATTERN, TEXT, oneOf, requireInput } from './private/input';
import { mxPatternProblem, mxPatternToALabels } from './protocol/mx/pattern';
import {
  CLOUDFLARE_EMAIL_ROUTING, FASTMAIL, GOOGLE_WORKSPACE, ICLOUD, MICROSOFT_365, PROTON_MAIL, isRegionName, sesInbound, zoho,
} from './protocol/mx/providers';
import { safeText } from './util/safe-text';

/**
 * Data centre that keeps the mail of a Zoho organisation. It decides the names of the MX hosts.
 *
 * @see https://www.zoho.com/mail/help/adminconsole/configure-email-delivery.html
 */
export enum ZohoDataCenter {
  /** zoho.com */
  UNITED_STATES = 'zoho.com',
  /** zoho.eu */
  EUROPE = 'zoho.eu',
  /** zoho.in */
  INDIA = 'zoho.in',
  /** zoho.com.au */
  AUSTRALIA = 'zoho.com.au',
  /** zoho.jp */
  JAPAN = 'zoho.jp',
  /** zohocloud.ca */
  CANADA = 'zohocloud.ca',
}

/**
 * MX patterns of a policy. Each is a host name, or `*.` and a host name. The asterisk stands for exactly one label, the left-most one (RFC
 * 8461 §4.1).
 *
 * A preset has the MX hosts of the provider's documentation. Compare it with your MX records: in `enforce`, a host that no pattern covers
 * gets no mail, so Preflight refuses such a policy.
 *
 * @example
 * MxHosts.of('mx1.example.com', '*.mx.example.net');
 * MxHosts.googleWorkspace().plus(MxHosts.of('backup.example.com'));
 */
export class MxHosts {
  /**
   * Returns your own list of MX patterns.
   *
   * A name with letters beyond ASCII is converted to A-labels: `MxHosts.of('møx.example')` gives `xn--mx-lka.example`.
   *
   * @param patterns - host names, for example `mx1.example.com`, or with a wildcard as the first label, `*.mx.example.com`; without a dot
   * at the end
   * @throws Error if senders would refuse a pattern (RFC 8461 §3.2), or if it is a token
   */
  public static of(...patterns: string[]): MxHosts {
    return new MxHosts(patterns);
  }

  /**
   * Google Workspace and Gmail: `smtp.google.com`, and the five hosts that Google documented until 2023. They still receive mail.
   *
   * Source: https://support.google.com/a/answer/174125
   */
  public static googleWorkspace(): MxHosts {
    return new MxHosts(GOOGLE_WORKSPACE.patterns);
  }

  /**
   * Microsoft 365, Exchange Online: `<your-domain>.mail.protection.outlook.com`.
   *
   * A domain whose MX record was moved to the DNSSEC-signed zone has a host such as `contoso-com.o-v1.mx.microsoft`. The label before
   * `mx.microsoft` differs between customers. Add your host with `.plus(MxHosts.of('contoso-com.o-v1.mx.microsoft'))`, and keep both hosts
   * during the move.
   *
   * Source: https://learn.microsoft.com/microsoft-365/enterprise/external-domain-name-system-records and
   * https://learn.microsoft.com/purview/how-smtp-dane-works
   */
  public static microsoft365(): MxHosts {
    return new MxHosts(MICROSOFT_365.patterns);
  }

  /**
   * Amazon SES inbound: `inbound-smtp.<region>.amazonaws.com`.
   *
   * Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-mx-record.html
   *
   * @param region - Region that receives the mail, for example `eu-west-1`. SES receives mail only in some Regions
   * (https://docs.aws.amazon.com/general/latest/gr/ses.html)
   */
  public static sesInbound(region: string): MxHosts {
    requireInput('region', region, { ...TEXT, fix: 'Write its name, for example `\'eu-west-1\'`' });
    requireText('region', region, 'Pass its name, for example `\'eu-west-1\'`');
    if (!isRegionName(region)) {
      throw new Error(`\`region\` must be the name of an AWS Region where Amazon SES receives mail, for example eu-west-1, got ${quote(region)}`);
    }
    return new MxHosts(sesInbound(region).patterns);
  }

  /**
   * Fastmail: `in1-smtp.messagingengine.com` and `in2-smtp.messagingengine.com`.
   *
   * Source: https://www.fastmail.help/hc/en-us/articles/360060591153
   */
  public static fastmail(): MxHosts {
    return new MxHosts(FASTMAIL.patterns);
  }

  /**
   * Proton Mail: `mail.protonmail.ch` and `mailsec.protonmail.ch`.
   *
   * Source: https://proton.me/support/custom-domain
   */
  public static protonMail(): MxHosts {
    return new MxHosts(PROTON_MAIL.patterns);
  }

  /**
   * iCloud Mail with a custom domain: `mx01.mail.icloud.com` and `mx02.mail.icloud.com`.
   *
   * Source: https://support.apple.com/102374
   */
  public static icloud(): MxHosts {
    return new MxHosts(ICLOUD.patterns);
  }

  /**
   * Zoho Mail: the hosts `mx`, `mx2` and `mx3` in the domain of the data centre.
   *
   * Source: https://www.zoho.com/mail/help/adminconsole/configure-email-delivery.html
   *
   * @param dataCenter - data centre that keeps the mail of the organisation. Default: the United States, `zoho.com`
   */
  public static zoho(dataCenter: ZohoDataCenter = ZohoDataCenter.UNITED_STATES): MxHosts {
    requireInput('dataCenter', dataCenter, oneOf('ZohoDataCenter', ZohoDataCenter));
    return new MxHosts(zoho(dataCenter).patterns);
  }

  /**
   * Cloudflare Email Routing: `*.mx.cloudflare.net`, the pattern that Cloudflare documents for MTA-STS policies.
   *
   * Source: https://developers.cloudflare.com/email-routing/setup/mta-sts/
   */
  public static cloudflareEmailRouting(): MxHosts {
    return new MxHosts(CLOUDFLARE_EMAIL_ROUTING.patterns);
  }

  /** MX patterns in lower-case A-labels, sorted, without duplicates, as in the policy file. */
  public readonly patterns: string[];

  private constructor(patterns: readonly string[]) {
    this.patterns = [...new Set(patterns.map(canonicalPattern))].sort();
  }

  /**
   * Returns these hosts and others. Use it while mail moves from one provider to another, or for a backup host.
   *
   * @param other - hosts to add
   */
  public plus(other: MxHosts): MxHosts {
    requireInput('other', other, HOSTS);
    return new MxHosts([...this.patterns, ...other.patterns]);
  }
}

function canonicalPattern(pattern: string): string {
  requireInput('mx', pattern, MX_PATTERN);
  requireText('mx', pattern, 'Write the host names of your MX records, or use a preset, for example `MxHosts.googleWorkspace()`');
  const canonical = mxPatternToALabels(pattern) || pattern;
  const problem = mxPatternProblem(canonical);
  if (problem !== undefined) {
    throw new Error(`mx pattern ${quote(pattern)} ${problem} (RFC 8461 §3.2)`);
  }
  return canonical;
}

function requireText(name: string, value: string, fix: string): void {
  if (Token.isUnresolved(value)) {
    throw new Error(`\`${name}\` must be known at synthesis, got a token. The template contains the text of the policy. ${fix}`);
  }
}

function quote(value: string): string {
  return safeText(JSON.stringify(value));
}
