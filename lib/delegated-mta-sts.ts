// Uses the policy of a provider for a domain, by two CNAME records (RFC 8461 §8.2).
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
  /** Public hosted zone that contains the records of the domain: imported, looked up, or made in the app. */
  readonly hostedZone: route53.IHostedZone;

  /**
   * Domain whose policy is used, for example `provider.example`: the records point to `_mta-sts.provider.example` and
   * `mta-sts.provider.example`. A name with letters beyond ASCII is converted to A-labels.
   */
  readonly provider: string;

  /**
   * Policy domain, the part after the `@`: the name of the zone or a name below it, at most 56 characters. A name with letters beyond ASCII
   * is converted to A-labels. It cannot be changed in place: give the construct of another domain another id.
   *
   * @default - the name of the hosted zone
   */
  readonly domainName?: string;

  /**
   * Target of `_mta-sts.<domain>`, if the provider documents another name; without a dot at the end. The provider publishes the id of the
   * policy at this name.
   *
   * @default - `_mta-sts.<provider>`
   */
  readonly recordTarget?: string;

  /**
   * Target of `mta-sts.<domain>`, if the provider documents another name; without a dot at the end. The provider serves the policy at this
   * name, with a certificate for `mta-sts.<domain>`.
   *
   * @default - `mta-sts.<provider>`
   */
  readonly policyHostTarget?: string;

  /**
   * Addresses to which senders send TLS reports (RFC 8460). Creates the record at `_smtp._tls.<domain>`.
   *
   * @default - no record is created
   */
  readonly tlsReporting?: TlsReporting;
}

/**
 * Uses the MTA-STS policy of a provider for a mail domain (RFC 8461 §8.2): a CNAME at `mta-sts.<domain>` and one at
 * `_mta-sts.<domain>`. It creates only records, so it works in a stack of any Region, and in a stack without a Region.
 *
 * The provider decides mode, MX hosts and id. It must have a certificate for `mta-sts.<domain>` itself, because senders connect to that
 * name. The deployment looks up nothing: run `npx cdk-mta-sts verify <domain>` afterwards.
 *
 * The record of the host is created first and removed last, so that no sender learns about a policy without a host (RFC 8461 §8.1).
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
  /** Policy domain in lower-case A-labels. */
  public readonly domainName: string;

  /** URL from which senders fetch the policy: `https://mta-sts.<domain>/.well-known/mta-sts.txt`. */
  public readonly policyUrl: string;

  /** All records of the domain, as text. Each `CNAME` is also a `CNAME` in Route 53. */
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
    const stsName = stsRecordName(this.domainName);
    this.policyUrl = policyUrl(host);

    const provider = providerDomain(props.provider, this.domainName);
    const own = [host, stsName];
    const { policyHostTarget = policyHostName(provider), recordTarget: writtenTarget = stsRecordName(provider) } = props;
    const hostTarget = target('policyHostTarget', policyHostTarget, own, hostNameProblem);
    const recordTarget = target('recordTarget', writtenTarget, own, recordNameProblem);

    const zone = plainZone(Stack.of(this), props.hostedZone);
    watchZones(this, [props.hostedZone]);
    const ttl = Duration.seconds(RECORD_TTL);
    const hostRecord = new route53.CnameRecord(this, 'PolicyHost', {
      zone, recordName: `${host}.`, domainName: hostTarget, ttl,
    });
    const stsRecord = new route53.CnameRecord(this, 'Announcement', {
      zone, recordName: `${stsName}.`, domainName: recordTarget, ttl,
    });
    stsRecord.node.addDependency(hostRecord);
    this.records = [
      { name: host, type: 'CNAME', value: hostTarget },
      { name: stsName, type: 'CNAME', value: recordTarget },
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

/** Maximum characters of a name in a message. A name that is only a little too long is shown in full. */
const MAX_SHOWN_CHARACTERS = 300;

/** Returns the domain of the provider in lower-case A-labels. */
function providerDomain(written: string, domain: string): string {
  requireText('provider', written, '`provider: \'provider.example\'`');
  const provider = toALabels(written) || written;
  const shown = safeText(JSON.stringify(written), MAX_SHOWN_CHARACTERS);
  if (provider.includes('/')) {
    throw new Error(`\`provider\` must be the domain alone, got the URL ${shown}. ${instead(provider)} (RFC 8461 §8.2)`);
  }
  if (/^_?mta-sts\./.test(provider)) {
    throw new Error(`\`provider\` must be the domain alone, got ${shown}. The construct itself puts \`mta-sts.\` and \`_mta-sts.\` before it. `
      + `${instead(provider)}. If the provider documents other names, also give \`recordTarget\` and \`policyHostTarget\` (RFC 8461 §8.2)`);
  }
  const problem = hostNameProblem(provider) ?? (provider.includes('.') ? undefined : 'is a single label');
  if (problem !== undefined) {
    throw new Error(`\`provider\` ${shown} ${problem}. Expected: the whole domain whose policy is used, for example provider.example `
      + '(RFC 5321 §4.1.2, RFC 8461 §8.2)');
  }
  if (provider === domain) {
    throw new Error(`\`provider\` must be another domain than the policy domain, got ${domain} for both. Each CNAME would point to itself. `
      + 'Name the domain whose policy is used, or serve a policy of your own with `MtaSts` (RFC 8461 §8.2)');
  }
  return provider;
}

/** Returns the fix for a URL or one of the two names in place of the domain. */
function instead(written: string): string {
  const domain = written.toLowerCase().replace(/^[a-z][a-z0-9+.-]*:\/\//, '').replace(/[:/?#].*$/, '').replace(/^_?mta-sts\./, '');
  return hostNameProblem(domain) === undefined ? `Write \`provider: '${domain}'\`` : 'Write the domain, for example `provider: \'provider.example\'`';
}

/**
 * Returns the target of a CNAME in lower-case A-labels.
 *
 * @param own - names of both CNAMEs; a target among them is a loop, or has no record of the right type
 * @param problemOf - returns the problem of a name as a target
 */
function target(
  property: 'policyHostTarget' | 'recordTarget',
  written: string,
  own: readonly string[],
  problemOf: (name: string) => string | undefined,
): string {
  requireText(property, written, 'the name that the provider documents');
  const name = toALabels(written) || written;
  const problem = problemOf(name);
  if (problem !== undefined) {
    throw new Error(`\`${property}\` ${safeText(JSON.stringify(written), MAX_SHOWN_CHARACTERS)} ${problem}. Expected: the name that the provider documents. The default is `
      + `\`${property === 'recordTarget' ? '_mta-sts' : 'mta-sts'}.<provider>\` (RFC 1035 §2.3.4, RFC 8461 §8.2)`);
  }
  if (own.includes(name)) {
    throw new Error(`\`${property}\` must be a name of the provider, got ${name}, one of the two delegated names. The CNAME would point to itself `
      + 'or to the other CNAME. Leave the property out, or write the name that the provider documents (RFC 8461 §8.2)');
  }
  return name;
}

/** Returns the problem of a host name whose labels may begin with an underscore, as `_mta-sts` does. */
function recordNameProblem(name: string): string | undefined {
  return hostNameProblem(name.replace(/(^|\.)_(?=[^._])/g, '$1'))
    // Check the length again: the underscores count.
    ?? (name.length > MAX_NAME_LENGTH ? `has ${name.length} characters; a name has at most ${MAX_NAME_LENGTH}` : undefined);
}

function requireText(property: string, value: string, fix: string): void {
  requireInput(property, value, { ...TEXT, fix: `Write it out: ${fix}` });
  if (Token.isUnresolved(value)) {
    throw new Error(`\`${property}\` must be known at synthesis, got a token, which cannot be checked. Write it out: ${fix}`);
  }
}
