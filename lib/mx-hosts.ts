// MX hosts of a domain: your own list, or the hosts that a mail provider documents.
import { Token } from 'aws-cdk-lib';
import { HOSTS, MX_PATTERN, TEXT, oneOf, requireInput } from './private/input';
import { mxPatternProblem, mxPatternToALabels } from './protocol/mx/pattern';
import {
  CLOUDFLARE_EMAIL_ROUTING, FASTMAIL, GOOGLE_WORKSPACE, ICLOUD, MICROSOFT_365, PROTON_MAIL, isRegionName, sesInbound, zoho,
} from './protocol/mx/providers';
import { safeText } from './util/safe-text';

/**
 * Where a Zoho organisation's mail is kept: it decides the name of its MX hosts.
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
 * The MX patterns of a policy: each is a host name, or `*.` and a host name, where the asterisk stands for exactly one
 * left-most label (RFC 8461 §4.1).
 *
 * A preset holds what the provider's own documentation tells customers to put into their MX records. Compare it with
 * your MX records all the same: in `enforce` a host that no pattern covers gets no mail, and the deployment's preflight
 * refuses such a policy.
 *
 * @example
 * MxHosts.of('mx1.example.com', '*.mx.example.net');
 * MxHosts.googleWorkspace().plus(MxHosts.of('backup.example.com'));
 */
export class MxHosts {
  /**
   * Your own list.
   *
   * A name with other than ASCII letters is converted to A-labels: `MxHosts.of('møx.example')` gives `xn--mx-lka.example`.
   *
   * @param patterns - host names such as `mx1.example.com`, or with one wildcard label in front, `*.mx.example.com`;
   * without a dot at the end
   * @throws where a pattern is not one that senders accept (RFC 8461 §3.2), or is a token
   */
  public static of(...patterns: string[]): MxHosts {
    return new MxHosts(patterns);
  }

  /**
   * Google Workspace and Gmail: `smtp.google.com`, and the five hosts that were documented until 2023 and still serve.
   *
   * Source: https://support.google.com/a/answer/174125
   */
  public static googleWorkspace(): MxHosts {
    return new MxHosts(GOOGLE_WORKSPACE.patterns);
  }

  /**
   * Microsoft 365, Exchange Online: `<your-domain>.mail.protection.outlook.com`.
   *
   * A domain whose MX was moved to the DNSSEC-signed zone has a host such as `contoso-com.o-v1.mx.microsoft`, and the label
   * before `mx.microsoft` is not the same for everyone: add your own with `.plus(MxHosts.of('contoso-com.o-v1.mx.microsoft'))`,
   * and keep both during the move.
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
   * @param region - the Region that receives, `eu-west-1` for example; it must be one where SES receives mail
   * (https://docs.aws.amazon.com/general/latest/gr/ses.html)
   */
  public static sesInbound(region: string): MxHosts {
    requireInput('region', region, { ...TEXT, fix: 'write its name, `\'eu-west-1\'` for example' });
    requireText('region', region, "pass its name, 'eu-west-1' for example");
    if (!isRegionName(region)) {
      throw new Error(`\`region\` must be the name of an AWS Region where Amazon SES receives mail, such as eu-west-1, got ${show(region)}`);
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
   * Zoho Mail: `mx`, `mx2` and `mx3` of the data centre's domain.
   *
   * Source: https://www.zoho.com/mail/help/adminconsole/configure-email-delivery.html
   *
   * @param dataCenter - where the organisation's mail is kept. Default: the United States, `zoho.com`
   */
  public static zoho(dataCenter: ZohoDataCenter = ZohoDataCenter.UNITED_STATES): MxHosts {
    requireInput('dataCenter', dataCenter, oneOf('ZohoDataCenter', ZohoDataCenter));
    return new MxHosts(zoho(dataCenter).patterns);
  }

  /**
   * Cloudflare Email Routing: `*.mx.cloudflare.net`, the line that Cloudflare documents for MTA-STS policies.
   *
   * Source: https://developers.cloudflare.com/email-routing/setup/mta-sts/
   */
  public static cloudflareEmailRouting(): MxHosts {
    return new MxHosts(CLOUDFLARE_EMAIL_ROUTING.patterns);
  }

  /** Lower case, in A-labels, sorted, without duplicates: as the policy file lists them. */
  public readonly patterns: string[];

  private constructor(patterns: readonly string[]) {
    this.patterns = [...new Set(patterns.map(canonicalPattern))].sort();
  }

  /**
   * These hosts and others: while mail moves from one provider to another, or with a backup of your own.
   *
   * @param other - the hosts to add
   */
  public plus(other: MxHosts): MxHosts {
    requireInput('other', other, HOSTS);
    return new MxHosts([...this.patterns, ...other.patterns]);
  }
}

function canonicalPattern(pattern: string): string {
  requireInput('mx', pattern, MX_PATTERN);
  requireText('mx', pattern, 'write the host names of your MX records, or use a preset such as MxHosts.googleWorkspace()');
  const canonical = mxPatternToALabels(pattern) || pattern;
  const fault = mxPatternProblem(canonical);
  if (fault !== undefined) {
    throw new Error(`mx pattern ${show(pattern)} ${fault} (RFC 8461 §3.2)`);
  }
  return canonical;
}

function requireText(name: string, value: string, fix: string): void {
  if (Token.isUnresolved(value)) {
    throw new Error(
      `\`${name}\` is a token, known only at deployment, but the template holds the text of the policy, which must be known at synthesis; ${fix}`,
    );
  }
}

function show(value: string): string {
  return safeText(JSON.stringify(value));
}
