// Publishes MTA-STS for one mail domain. The `_mta-sts` record is created only after the policy file is proved live.
import {
  CfnOutput, Duration, Stack,
  aws_route53 as route53,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { stackOutput } from './contract/stack-output';
import { MtaStsMode } from './mta-sts-policy';
import type { MtaStsPolicy } from './mta-sts-policy';
import type { MtaStsRecord } from './mta-sts-record';
import { PolicyHost } from './policy-host';
import { publication, publicationAttributes, verification } from './private/custom-resources';
import { claimDomain, policyDomain } from './private/domain';
import { DOMAIN, HOST, POLICY, REPORTING, ZONE, checkInput, oneOf, requireInput, requireProps } from './private/input';
import { outputScope } from './private/output-scope';
import { txtRecord } from './private/records';
import { cloudFrontScope, zoneFrom } from './private/us-east-1-stack';
import { warn } from './private/warnings';
import { policyHostName, policyUrl } from './protocol/policy/url';
import { characterStrings } from './protocol/records/character-strings';
import { reportingName, stsRecordName } from './protocol/records/record-names';
import { UNPUBLISHED_RECORD, recordAround } from './protocol/records/sts-record';
import type { TlsReporting } from './tls-reporting';
import { Verification } from './verification';

/** With a shorter age, an attacker who hides the record for two weeks can strip TLS again (RFC 8461 §10.2). */
const SHORT_ENFORCE_AGE = Duration.days(14);

/** Properties of `MtaSts`. */
export interface MtaStsProps {
  /** Policy for senders: `MtaStsPolicy.enforce()`, `testing()` or `none()`. */
  readonly policy: MtaStsPolicy;

  /**
   * Public hosted zone that contains the records of the domain: imported, looked up, or made in the app.
   *
   * @default - external DNS: the deployment creates the host and the file and proves the file live. The records are outputs (`records`),
   * and you create them manually. The deployment verifies nothing; run `mta-sts verify --outputs` when the records exist
   */
  readonly hostedZone?: route53.IHostedZone;

  /**
   * Policy domain, the part after the `@`: the name of the zone or a name below it, at most 56 characters. A name with letters beyond ASCII
   * is converted to A-labels. It cannot be changed in place: give the construct of another domain another id. Required without a
   * `hostedZone`.
   *
   * @default - the name of the hosted zone
   */
  readonly domainName?: string;

  /**
   * Policy host to share with other domains. It must be in the same stack and list this domain. Moving a live domain to another host takes
   * two deployments, the first without the domain.
   *
   * @default - a new policy host
   */
  readonly policyHost?: PolicyHost;

  /**
   * Addresses to which senders send TLS reports (RFC 8460). Creates the record at `_smtp._tls.<domain>`, or adds it to the manual records
   * without a `hostedZone`.
   *
   * @default - no record is created
   */
  readonly tlsReporting?: TlsReporting;

  /**
   * Reaction of the deployment if the verification finds an error. Without a `hostedZone` there is no verification.
   *
   * @default Verification.FAIL_DEPLOYMENT
   */
  readonly verification?: Verification;
}

/**
 * Publishes MTA-STS (RFC 8461) for a mail domain.
 *
 * The order is the same on create, update and rollback. First, Preflight checks whether the deployment may start. Then the policy host and
 * the policy file are created, and the file is proved live. Only then the `_mta-sts` record is created. The last step verifies everything
 * as a sender does. When the construct or the stack is removed, the record is removed first.
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
  /** Policy domain in lower-case A-labels. */
  public readonly domainName: string;

  /** Published policy. */
  public readonly policy: MtaStsPolicy;

  /**
   * Id of the publication in the `_mta-sts` record: 31 letters and digits, the UTC time of the publication and `MtaStsPolicy.hash`, for
   * example `20261130T192408a1b2c3d4e5f60718`. An unchanged policy keeps its id. Every other publication gets a new id, even the same text
   * after a rollback.
   *
   * A token of the stack with the resources, which is the stack of `output`. Its value is known after the deployment.
   */
  public readonly policyId: string;

  /** URL of the policy: `https://mta-sts.<domain>/.well-known/mta-sts.txt`. */
  public readonly policyUrl: string;

  /** Policy host that serves the policy. */
  public readonly policyHost: PolicyHost;

  /**
   * Output for `mta-sts verify --outputs`: the domain, the id of the publication and the policy, as JSON. The output is in the stack with
   * the resources, which is in us-east-1. For a nested stack, it is in the outermost stack: `cdk deploy --outputs-file` writes only outputs
   * of such stacks.
   *
   * Do not pass it to `envFromCfnOutputs` of CDK Pipelines: CodePipeline does not escape its quotes. Use two outputs of your own, for
   * `domainName` and `policyId`.
   */
  public readonly output: CfnOutput;

  /**
   * Time after which no sender can hold an `enforce` or `testing` policy of the domain, in ISO 8601. After it, you can remove the construct
   * and no mail is refused. Before `MtaStsPolicy.none()` is published, or if the time is not known, the value is a sentence instead of a
   * time. A token of the stack with the resources, with the value of the last publication.
   */
  public readonly earliestRemoval: string;

  /**
   * All records of the domain, as text. Without a `hostedZone`, create them manually, `_mta-sts` last (RFC 8461 §8.1). They then include
   * the record that validates a created certificate. The name of that record is a token too.
   */
  public readonly records: MtaStsRecord[];

  constructor(scope: Construct, id: string, props: MtaStsProps) {
    super(scope, id);
    checkProps(props);
    const resources = cloudFrontScope(this);
    const hostedZone = props.hostedZone && zoneFrom(resources, props.hostedZone);
    const { policy, tlsReporting } = props;
    this.domainName = policyDomain(props.domainName, props.hostedZone);
    this.policy = policy;
    this.policyUrl = policyUrl(policyHostName(this.domainName));
    const claimed = claimDomain(this, this.domainName, 'published', { policy: true, host: props.policyHost === undefined, records: hostedZone !== undefined });
    this.warn(props);

    const domain = { domainName: this.domainName, hostedZone, policy };
    this.policyHost = props.policyHost ?? new PolicyHost(resources, 'PolicyHost', { domains: [domain] });
    const records = (stsRecordText: string): MtaStsRecord[] => [
      { name: policyHostName(this.domainName), type: 'CNAME', value: this.policyHost.distribution.distributionDomainName },
      { name: stsRecordName(this.domainName), type: 'TXT', value: stsRecordText },
      ...tlsReporting === undefined ? [] : [{ name: reportingName(this.domainName), type: 'TXT', value: tlsReporting.record }],
    ];
    const host = this.policyHost;
    const published = publication(resources, 'Publication', {
      ...domain,
      bucketName: host.bucket.bucketName,
      distributionDomainName: host.distribution.distributionDomainName,
      certificateArn: host._certificateGiven ? undefined : host.certificate.certificateArn,
      policyHost: host._fingerprint,
      dependencies: host._servedBy(this.domainName),
      // A resource cannot refer to its own attribute, so these records have no id.
      manualRecords: records(UNPUBLISHED_RECORD),
    });
    const { policyId, earliestRemoval, warnings, validation: read } = publicationAttributes(published);
    this.policyId = policyId;
    const stsRecordText = recordAround(policyId);
    const stsRecord = hostedZone && txtRecord(resources, 'Announcement', hostedZone, stsRecordName(this.domainName), stsRecordText);
    host._publish({ ...domain, construct: this, publication: published, stsRecord, tlsReporting });
    if (hostedZone !== undefined && stsRecord !== undefined) {
      const verified = verification(resources, 'Verification', {
        ...domain,
        hostedZone,
        policyHost: host._fingerprint,
        policyId,
        tlsReporting: tlsReporting?.record,
        onFailure: props.verification ?? Verification.FAIL_DEPLOYMENT,
      });
      // This order begins in the policy host with Preflight. CloudFormation reverses it on delete.
      stsRecord.node.addDependency(published);
      verified.node.addDependency(stsRecord);
    }

    const validation = hostedZone === undefined && !this.policyHost._certificateGiven ? read : undefined;
    this.records = [...validation === undefined ? [] : [{ ...validation, type: 'CNAME' }], ...records(stsRecordText)];
    this.earliestRemoval = earliestRemoval;
    const outputs = outputScope(resources);
    this.output = new CfnOutput(outputs, 'Published', {
      description: `The MTA-STS policy of ${this.domainName}, for npx cdk-mta-sts verify --outputs`,
      value: stackOutput({
        domain: this.domainName,
        id: policyId,
        policy: policy.text,
        target: this.policyHost.distribution.distributionDomainName,
        tlsRpt: tlsReporting?.record,
        validation,
        earliestRemoval,
        warnings,
      }),
    });
    if (hostedZone === undefined) {
      new CfnOutput(outputs, 'Records', {
        description: `The DNS records of ${this.domainName} to make by hand, _mta-sts last (RFC 8461 section 8.1)`,
        value: this.records.map(({ name, type, value }) => `${name} ${type} ${type === 'TXT' ? characterStrings(value) : value}`).join('\n'),
      });
    }
    claimed();
  }

  private warn(props: MtaStsProps): void {
    const { mode, maxAge } = props.policy;
    const names = [this.domainName];
    if (mode === MtaStsMode.ENFORCE && props.tlsReporting === undefined) {
      warn(this, {
        id: 'cdk-mta-sts:enforceWithoutTlsReporting',
        names,
        message: (who, isMany) => `${who} ${isMany ? 'enforce' : 'enforces'} a policy without TLS reporting, so no report shows refused mail. Give `
          + '`tlsReporting: TlsReporting.to(\'mailto:...\')` (RFC 8460)',
      });
    }
    if (mode === MtaStsMode.ENFORCE && maxAge.toSeconds() < SHORT_ENFORCE_AGE.toSeconds()) {
      warn(this, {
        id: 'cdk-mta-sts:shortMaxAge',
        names,
        like: String(maxAge.toSeconds()),
        message: (who, isMany) => `${who} ${isMany ? 'enforce' : 'enforces'} with a \`maxAge\` of ${maxAge.toSeconds()} seconds, under 14 days. An attacker `
          + 'who hides the policy for that long can strip TLS again. Use several weeks or more (RFC 8461 §3.2, §10.2)',
      });
    }
    if (mode === MtaStsMode.TESTING) {
      warn(this, {
        id: 'cdk-mta-sts:testing',
        names,
        message: (who, isMany) => `${who} ${isMany ? 'are' : 'is'} in \`testing\`: senders report failures and still deliver, so mail is not protected `
          + 'yet. Change to `enforce` when the reports show no failure for two weeks (RFC 8461 §5)',
      });
    }
    if (props.hostedZone === undefined && mode !== MtaStsMode.NONE) {
      warn(this, {
        id: 'cdk-mta-sts:dnsElsewhere',
        names,
        message: (who, isMany) => `${who} ${isMany ? 'have' : 'has'} no \`hostedZone\`: the deployment serves ${isMany ? 'their policies' : 'its policy'} and `
          + 'creates no records. Create the records of the outputs manually, `_mta-sts` last, also after each change of the policy. Then run '
          + 'npx cdk-mta-sts verify --outputs cdk-outputs.json --wait 30m (RFC 8461 §8.1)',
      });
    }
    if (props.hostedZone instanceof route53.HostedZone && Stack.of(props.hostedZone) === Stack.of(this)) {
      warn(this, {
        id: 'cdk-mta-sts:zoneInSameDeployment',
        names,
        message: (who) => `the hosted zone of ${who} is made in the same stack. Preflight fails until the parent zone delegates to it, and after a rollback `
          + 'the next zone has other name servers. Deploy the zone first, delegate it, then add MtaSts. The stack cannot delete such a zone while it contains '
          + 'the validation record of the certificate, which AWS Certificate Manager leaves behind',
      });
    }
  }
}

function checkProps(props: MtaStsProps): void {
  requireProps('MtaSts', props, 'new MtaSts(this, \'MtaSts\', { hostedZone, policy })');
  requireInput('policy', props.policy, POLICY);
  checkInput('hostedZone', props.hostedZone, ZONE);
  checkInput('domainName', props.domainName, DOMAIN);
  checkInput('policyHost', props.policyHost, HOST);
  checkInput('tlsReporting', props.tlsReporting, REPORTING);
  checkInput('verification', props.verification, oneOf('Verification', Verification));
}
