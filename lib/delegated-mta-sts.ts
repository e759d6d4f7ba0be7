// A provider's policy for a domain of ours: two CNAME records and nothing hosted (RFC 8461 §8.2).
import { Duration, Stack, Token, aws_route53 as route53 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { txtRecord } from './private/records';
import type { MtaStsRecord } from './mta-sts-record';
import { DOMAIN, REPORTING, TEXT, ZONE, checkInput, requireInput, requireProps } from './private/input';
import { claimDomain, policyDomain, watchZones } from './private/domain';
import { MAX_NAME_LENGTH, hostNameProblem, toALabels } from './protocol/domain-name';
import { policyHostName, policyUrl } from './protocol/policy/url';
import { RECORD_TTL, stsRecordName, reportingName } from './protocol/records/record-names';
import { safeText } from './util/safe-text';
import type { TlsReporting } from './tls-reporting';
import { plainZone } from './private/zone';

/** Properties of `DelegatedMtaSts`. */
export interface DelegatedMtaStsProps {
  /** The public hosted zone that holds the domain's records: imported, looked up, or made in the app. */
  readonly hostedZone: route53.IHostedZone;

  /**
   * The domain whose policy is used, such as `provider.example`: the records point to `_mta-sts.provider.example` and
   * `mta-sts.provider.example`. A name with other than ASCII letters is converted to A-labels.
   */
  readonly provider: string;

  /**
   * The policy domain, the part after the `@`: the zone's name or a name below it, at most 56 characters. A name with other
   * than ASCII letters is converted to A-labels. It cannot be changed in place: give the construct of another domain another id.
   *
   * @default - the hosted zone's name
   */
  readonly domainName?: string;

  /**
   * Where `_mta-sts.<domain>` points, if the provider documents another name; without a dot at the end. The provider keeps its
   * record with the policy's id there.
   *
   * @default - `_mta-sts.<provider>`
   */
  readonly recordTarget?: string;

  /**
   * Where `mta-sts.<domain>` points, if the provider documents another name; without a dot at the end. The provider serves the
   * policy there, with a certificate for `mta-sts.<domain>`.
   *
   * @default - `mta-sts.<provider>`
   */
  readonly policyHostTarget?: string;

  /**
   * Where senders report failures (RFC 8460). Makes the record at `_smtp._tls.<domain>`.
   *
   * @default - no record is made
   */
  readonly tlsReporting?: TlsReporting;
}

/**
 * Uses the MTA-STS policy of a provider for a mail domain (RFC 8461 §8.2): a CNAME at `mta-sts.<domain>` and one at
 * `_mta-sts.<domain>`. Nothing is hosted, so it works in a stack of any Region, or of none.
 *
 * The provider decides mode, MX hosts and id, and must have a certificate for `mta-sts.<domain>` itself, since that is the host
 * that senders ask for. Nothing is looked up while it is deployed: ask `npx cdk-mta-sts verify <domain>` afterwards.
 *
 * The host's record is made first and removed last, so that no sender is told of a policy whose host is not in the DNS (RFC 8461 §8.1).
 *
 * @example
 * declare const hostedZone: route53.IHostedZone;
 *
 * new DelegatedMtaSts(this, 'MtaSts', {
 *   hostedZone,
 *   provider: 'provider.example',
 *   tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
 * });
 */
export class DelegatedMtaSts extends Construct {
  /** The policy domain in lower-case A-labels. */
  public readonly domainName: string;

  /** Where senders fetch the policy: `https://mta-sts.<domain>/.well-known/mta-sts.txt`. */
  public readonly policyUrl: string;

  /** Every record of the domain, as text. Each `CNAME` is one in Route 53 as well. */
  public readonly records: MtaStsRecord[];

  constructor(scope: Construct, id: string, props: DelegatedMtaStsProps) {
    super(scope, id);
    requireProps('DelegatedMtaSts', props, 'new DelegatedMtaSts(this, \'MtaSts\', { hostedZone, provider: \'provider.example\' })');
    requireInput('hostedZone', props.hostedZone, ZONE);
    checkInput('domainName', props.domainName, DOMAIN);
    checkInput('tlsReporting', props.tlsReporting, REPORTING);
    this.domainName = policyDomain(props.domainName, props.hostedZone);
    const claimed = claimDomain(this, this.domainName, 'delegated', { records: true });
    const host = policyHostName(this.domainName);
    const announcement = stsRecordName(this.domainName);
    this.policyUrl = policyUrl(host);

    const provider = providerDomain(props.provider, this.domainName);
    const own = [host, announcement];
    const { policyHostTarget = policyHostName(provider), recordTarget: writtenTarget = stsRecordName(provider) } = props;
    const hostTarget = target('policyHostTarget', policyHostTarget, own, hostNameProblem);
    const recordTarget = target('recordTarget', writtenTarget, own, recordNameFault);

    const zone = plainZone(Stack.of(this), props.hostedZone);
    watchZones(this, [props.hostedZone]);
    const ttl = Duration.seconds(RECORD_TTL);
    const hostRecord = new route53.CnameRecord(this, 'PolicyHost', {
      zone, recordName: `${host}.`, domainName: hostTarget, ttl,
    });
    const announcementRecord = new route53.CnameRecord(this, 'Announcement', {
      zone, recordName: `${announcement}.`, domainName: recordTarget, ttl,
    });
    announcementRecord.node.addDependency(hostRecord);
    this.records = [
      { name: host, type: 'CNAME', value: hostTarget },
      { name: announcement, type: 'CNAME', value: recordTarget },
      ...props.tlsReporting === undefined ? [] : [this.reportingRecord(zone, props.tlsReporting.record)],
    ];
    claimed();
  }

  private reportingRecord(zone: route53.IHostedZone, value: string): MtaStsRecord {
    const name = reportingName(this.domainName);
    txtRecord(this, 'TlsReporting', zone, name, value);
    return { name, type: 'TXT', value };
  }
}

/** Characters of a name in a message: a name that is a little too long is shown in full. */
const LONGEST_SHOWN = 300;

/** The provider's domain in lower-case A-labels. */
function providerDomain(written: string, domain: string): string {
  requireText('provider', written, '`provider: \'provider.example\'`');
  const provider = toALabels(written) || written;
  const shown = safeText(JSON.stringify(written), LONGEST_SHOWN);
  if (provider.includes('/')) {
    throw new Error(`\`provider\` must be the domain alone, got the URL ${shown}; ${instead(provider)} (RFC 8461 §8.2)`);
  }
  if (/^_?mta-sts\./.test(provider)) {
    throw new Error(`\`provider\` must be the domain alone, without \`mta-sts.\` or \`_mta-sts.\`, which are put before it, got ${shown}; `
      + `${instead(provider)}; where the provider documents other names, also give \`recordTarget\` and \`policyHostTarget\` `
      + '(RFC 8461 §8.2)');
  }
  const fault = hostNameProblem(provider) ?? (provider.includes('.') ? undefined : 'is a single label; write the whole domain');
  if (fault !== undefined) {
    throw new Error(`\`provider\` ${shown} ${fault}; expected is the domain whose policy is used, such as provider.example `
      + '(RFC 5321 §4.1.2, RFC 8461 §8.2)');
  }
  if (provider === domain) {
    throw new Error(`\`provider\` must be another domain than the policy domain, got ${domain} for both: each CNAME would point to itself; `
      + 'name the domain whose policy is used, or serve a policy of your own with `MtaSts` (RFC 8461 §8.2)');
  }
  return provider;
}

/** What to write in place of a URL or of one of the two names. */
function instead(written: string): string {
  const domain = written.toLowerCase().replace(/^[a-z][a-z0-9+.-]*:\/\//, '').replace(/[:/?#].*$/, '').replace(/^_?mta-sts\./, '');
  return hostNameProblem(domain) === undefined ? `write \`provider: '${domain}'\`` : 'write the domain, `provider: \'provider.example\'`';
}

/**
 * The target of a CNAME in lower-case A-labels.
 *
 * @param own - the names of both CNAMEs: one that leads to either is a loop, or leads to no record of the type
 * @param faultOf - what keeps a name from being such a target
 */
function target(
  property: 'policyHostTarget' | 'recordTarget',
  written: string,
  own: readonly string[],
  faultOf: (name: string) => string | undefined,
): string {
  requireText(property, written, 'the name that the provider documents');
  const name = toALabels(written) || written;
  const fault = faultOf(name);
  if (fault !== undefined) {
    throw new Error(`\`${property}\` ${safeText(JSON.stringify(written), LONGEST_SHOWN)} ${fault}; expected is the name that the provider documents, by default `
      + `\`${property === 'recordTarget' ? '_mta-sts' : 'mta-sts'}.<provider>\` (RFC 1035 §2.3.4, RFC 8461 §8.2)`);
  }
  if (own.includes(name)) {
    throw new Error(`\`${property}\` must be a name of the provider, got ${name}, which is one of the two names that are delegated: a CNAME `
      + 'would point to itself or to the other; leave it out, or write the name that the provider documents (RFC 8461 §8.2)');
  }
  return name;
}

/** As a host name, but each label may begin with an underscore, as `_mta-sts` does. */
function recordNameFault(name: string): string | undefined {
  return hostNameProblem(name.replace(/(^|\.)_(?=[^._])/g, '$1'))
    // Again in full: the underscores count.
    ?? (name.length > MAX_NAME_LENGTH ? `has ${name.length} characters; a name has at most ${MAX_NAME_LENGTH}` : undefined);
}

function requireText(property: string, value: string, fix: string): void {
  requireInput(property, value, { ...TEXT, fix: `write it out: ${fix}` });
  if (Token.isUnresolved(value)) {
    throw new Error(`\`${property}\` is a token, known only at deployment, and cannot be checked; write it out: ${fix}`);
  }
}
