// The construct that people use: one mail domain, announced only after its policy was seen live.
import {
  CfnOutput, Duration, Stack, Validations,
  aws_route53 as route53,
} from 'aws-cdk-lib';
import type { CustomResource } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { announcementName, reportingName, txtRecord } from './domain-records';
import { MtaStsMode } from './policy';
import type { MtaStsPolicy } from './policy';
import { policyDomain } from './policy-domain';
import { PolicyHost } from './policy-host';
import { preflight } from './preflight';
import type { PlannedRecord } from './preflight';
import { policyHostName, policyUrl } from './protocol/policy-url';
import { renderRecord } from './protocol/record';
import { earliestRemoval, publication, publicationWarnings } from './publication';
import { cloudFrontScope, zoneFrom } from './region';
import { stackOutput } from './stack-output';
import type { TlsReporting } from './tls-reporting';
import { Verification, verification } from './verification';

/** Below this age an attacker who can hide the record for a fortnight can strip TLS again (RFC 8461 §10.2). */
const SHORT_ENFORCE_AGE = Duration.days(14);

/** Properties of `MtaSts`. */
export interface MtaStsProps {
  /** What senders shall do: `MtaStsPolicy.enforce()`, `testing()` or `none()`. */
  readonly policy: MtaStsPolicy;

  /** The public hosted zone that holds the domain's records: imported, looked up, or made in the app. */
  readonly hostedZone: route53.IHostedZone;

  /**
   * The policy domain, the part after the `@`: the zone's name or a name below it, at most 56 characters. A name with other
   * than ASCII letters is converted to A-labels. It cannot be changed in place: give the construct of another domain another id.
   *
   * @default - the hosted zone's name
   */
  readonly domainName?: string;

  /**
   * A host to share with other domains: of the same stack, and it must list this one. A domain that is live moves to another
   * host in two deployments, the first without it.
   *
   * @default - one of its own
   */
  readonly policyHost?: PolicyHost;

  /**
   * Where senders report failures (RFC 8460). Makes the record at `_smtp._tls.<domain>`.
   *
   * @default - no record is made
   */
  readonly tlsReporting?: TlsReporting;

  /**
   * What an error that the verification finds does to the deployment.
   *
   * @default Verification.FAIL_DEPLOYMENT
   */
  readonly verification?: Verification;
}

/** A DNS record as text, for people whose DNS is elsewhere. */
export interface MtaStsRecord {
  /** Without a dot at the end. */
  readonly name: string;
  /** `CNAME` or `TXT`. In Route 53 the construct makes alias records, A and AAAA, in place of the `CNAME`. */
  readonly type: string;
  /** The value, without quotes. */
  readonly value: string;
}

/**
 * Publishes MTA-STS (RFC 8461) for a mail domain.
 *
 * In this order, on create, on update and on rollback: preflight (is it safe to start?), the host, the file, proved live at
 * the edge; only then the `_mta-sts` record that tells senders of it; last a verification of all that a sender will see.
 * When the construct or the stack is removed the record goes first.
 *
 * @example
 * declare const hostedZone: route53.IHostedZone;
 *
 * new MtaSts(this, 'MtaSts', {
 *   hostedZone,
 *   policy: MtaStsPolicy.enforce({ mx: MxHosts.googleWorkspace() }),
 *   tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
 * });
 */
export class MtaSts extends Construct {
  /** The policy domain in lower-case A-labels. */
  public readonly domainName: string;

  /** What is published. */
  public readonly policy: MtaStsPolicy;

  /** The policy's id, as the `_mta-sts` record announces it. */
  public readonly policyId: string;

  /** Where the policy is served: `https://mta-sts.<domain>/.well-known/mta-sts.txt`. */
  public readonly policyUrl: string;

  /** What serves it. */
  public readonly policyHost: PolicyHost;

  /**
   * What `mta-sts verify --outputs` reads: the domain, the policy's id and the policy, as JSON. A pipeline hands it to a later step, by
   * `envFromCfnOutputs` of CDK Pipelines for example. It is in the stack of the resources, which is of us-east-1.
   */
  public readonly output: CfnOutput;

  /**
   * The moment after which no sender can hold an `enforce` or `testing` policy of the domain any more, in ISO 8601: from then on the
   * construct can be removed without mail being refused. Before `MtaStsPolicy.none()` is published it says so in words, and so it
   * does where the moment is not known. A token of the stack of the resources, as it was when the policy was published last.
   */
  public readonly earliestRemoval: string;

  /** Every record of the domain, as text. */
  public readonly records: MtaStsRecord[];

  constructor(scope: Construct, id: string, props: MtaStsProps) {
    super(scope, id);
    const place = cloudFrontScope(this);
    const hostedZone = zoneFrom(place, props.hostedZone);
    this.domainName = policyDomain(props.domainName, props.hostedZone);
    this.policy = props.policy;
    this.policyId = props.policy.id;
    this.policyUrl = policyUrl(policyHostName(this.domainName));
    this.warn(props);

    const domain = { domainName: this.domainName, hostedZone, policy: props.policy };
    this.policyHost = props.policyHost ?? new PolicyHost(place, 'PolicyHost', { domains: [domain] });

    const announcement = txtRecord(place, 'Announcement', hostedZone, announcementName(this.domainName), renderRecord(this.policyId));
    const reporting = props.tlsReporting
      && txtRecord(place, 'TlsReporting', hostedZone, reportingName(this.domainName), props.tlsReporting.record);
    const aliases = this.policyHost._publish(this, this.domainName, hostedZone);

    const safeToStart = preflight(place, 'Preflight', {
      ...domain,
      policyHost: this.policyHost,
      records: [
        this.planned(aliases[0], policyHostName(this.domainName), route53.RecordType.A),
        this.planned(aliases[1], policyHostName(this.domainName), route53.RecordType.AAAA),
        this.planned(announcement, announcementName(this.domainName), route53.RecordType.TXT),
        ...reporting === undefined ? [] : [this.planned(reporting, reportingName(this.domainName), route53.RecordType.TXT)],
      ],
    });
    const published = publication(place, 'Publication', { ...domain, policyHost: this.policyHost });
    const verified = verification(place, 'Verification', {
      ...domain,
      policyHost: this.policyHost,
      tlsReporting: props.tlsReporting,
      onFailure: props.verification ?? Verification.FAIL_DEPLOYMENT,
    });

    this.order(safeToStart, published, announcement, reporting, verified);
    this.records = [
      { name: policyHostName(this.domainName), type: 'CNAME', value: this.policyHost.distribution.distributionDomainName },
      { name: announcementName(this.domainName), type: 'TXT', value: renderRecord(this.policyId) },
      ...props.tlsReporting === undefined
        ? []
        : [{ name: reportingName(this.domainName), type: 'TXT', value: props.tlsReporting.record }],
    ];
    this.earliestRemoval = earliestRemoval(published);
    this.output = new CfnOutput(place, 'Published', {
      description: `The MTA-STS policy of ${this.domainName}, for mta-sts verify --outputs`,
      value: stackOutput({
        domain: this.domainName,
        id: this.policyId,
        policy: this.policy.text,
        earliestRemoval: this.earliestRemoval,
        warnings: publicationWarnings(published),
      }),
    });
  }

  /** The way of a policy. CloudFormation walks it backwards on delete. */
  private order(
    safeToStart: CustomResource,
    published: CustomResource,
    announcement: route53.TxtRecord,
    reporting: route53.TxtRecord | undefined,
    verified: CustomResource,
  ): void {
    this.policyHost._scope.node.addDependency(safeToStart);
    published.node.addDependency(safeToStart);
    announcement.node.addDependency(safeToStart, published);
    verified.node.addDependency(safeToStart, announcement);
    if (reporting !== undefined) {
      reporting.node.addDependency(safeToStart);
      verified.node.addDependency(reporting);
    }
  }

  private planned(record: route53.RecordSet, name: string, type: route53.RecordType): PlannedRecord {
    const resource = record.node.defaultChild;
    if (!(resource instanceof route53.CfnRecordSet)) {
      throw new Error(`${record.node.path} holds no AWS::Route53::RecordSet`);
    }
    return { name, type, logicalId: resource.logicalId };
  }

  private warn(props: MtaStsProps): void {
    const { mode, maxAge } = props.policy;
    const warnings = Validations.of(this);
    if (mode === MtaStsMode.ENFORCE && props.tlsReporting === undefined) {
      warnings.addWarning('cdk-mta-sts:enforceWithoutTlsReporting',
        `${this.domainName} enforces a policy without TLS reporting: nobody will tell you that mail is refused; give `
        + '`tlsReporting: TlsReporting.to(\'mailto:...\')` (RFC 8460)');
    }
    if (mode === MtaStsMode.ENFORCE && maxAge.toSeconds() < SHORT_ENFORCE_AGE.toSeconds()) {
      warnings.addWarning('cdk-mta-sts:shortMaxAge',
        `${this.domainName} enforces with a \`maxAge\` of ${maxAge.toSeconds()} seconds, under 14 days: an attacker who hides the policy `
        + 'for that long can strip TLS again; weeks or more are advised (RFC 8461 §3.2, §10.2)');
    }
    if (mode === MtaStsMode.TESTING) {
      warnings.addWarning('cdk-mta-sts:testing',
        `${this.domainName} is in \`testing\`: senders report failures and deliver all the same, so mail is not protected yet; `
        + 'enforce once the reports have been clean for two weeks (RFC 8461 §5)');
    }
    if (props.hostedZone instanceof route53.HostedZone && Stack.of(props.hostedZone) === Stack.of(this)) {
      warnings.addWarning('cdk-mta-sts:zoneInSameDeployment',
        `the hosted zone of ${this.domainName} is made in the same stack: until its parent delegates to it the preflight fails, and a `
        + 'rollback gives the next zone other name servers; deploy the zone first, delegate it, then add MtaSts. Such a zone cannot be '
        + 'deleted with the stack while the validation record of the certificate is in it, which AWS Certificate Manager leaves behind');
    }
  }
}
