// The construct that people use: one mail domain, announced only after its policy was seen live.
import {
  CfnOutput, Duration, Stack,
  aws_route53 as route53,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { txtRecord } from './private/domain-records';
import type { MtaStsRecord } from './private/domain-records';
import { DOMAIN, HOST, POLICY, REPORTING, ZONE, checkInput, oneOf, requireInput, requireProps } from './private/input';
import { MtaStsMode } from './mta-sts-policy';
import type { MtaStsPolicy } from './mta-sts-policy';
import { claimDomain } from './private/one-domain';
import { policyDomain } from './private/policy-domain';
import { PolicyHost } from './policy-host';
import { characterStrings } from './protocol/records/character-strings';
import { policyHostName, policyUrl } from './protocol/policy/url';
import { UNPUBLISHED_RECORD, recordAround } from './protocol/records/sts-record';
import { stsRecordName, reportingName } from './protocol/records/record-names';
import { publication, publicationAttributes } from './private/publication';
import { outputScope } from './private/published-output';
import { cloudFrontScope, zoneFrom } from './private/us-east-1-stack';
import { stackOutput } from './private/stack-output';
import type { TlsReporting } from './tls-reporting';
import { Verification, verification } from './verification';
import { warn } from './private/warnings';

/** Below this age an attacker who can hide the record for a fortnight can strip TLS again (RFC 8461 §10.2). */
const SHORT_ENFORCE_AGE = Duration.days(14);

/** Properties of `MtaSts`. */
export interface MtaStsProps {
  /** What senders shall do: `MtaStsPolicy.enforce()`, `testing()` or `none()`. */
  readonly policy: MtaStsPolicy;

  /**
   * The public hosted zone that holds the domain's records: imported, looked up, or made in the app.
   *
   * @default - DNS is elsewhere: host and file are deployed and proved, and the records are outputs (`records`), to be made by hand;
   * nothing is announced or verified by the deployment, which `mta-sts verify --outputs` does once the records stand
   */
  readonly hostedZone?: route53.IHostedZone;

  /**
   * The policy domain, the part after the `@`: the zone's name or a name below it, at most 56 characters. A name with other
   * than ASCII letters is converted to A-labels. It cannot be changed in place: give the construct of another domain another id.
   * Needed where there is no `hostedZone`.
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
   * Where senders report failures (RFC 8460). Makes the record at `_smtp._tls.<domain>`, or, without a `hostedZone`, puts it among
   * those to be made by hand.
   *
   * @default - no record is made
   */
  readonly tlsReporting?: TlsReporting;

  /**
   * What an error that the verification finds does to the deployment. Without a `hostedZone` there is none.
   *
   * @default Verification.FAIL_DEPLOYMENT
   */
  readonly verification?: Verification;
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

  /**
   * The id of the publication, as the `_mta-sts` record announces it: 31 letters and digits, the UTC time of the publication and
   * `MtaStsPolicy.hash`, `20261130T192408a1b2c3d4e5f60718` for example. An unchanged policy keeps its id; whatever else is published gets
   * a new one, the same text after a rollback included.
   *
   * A token, known once it is deployed, of the stack that holds the resources, which is that of `output`.
   */
  public readonly policyId: string;

  /** Where the policy is served: `https://mta-sts.<domain>/.well-known/mta-sts.txt`. */
  public readonly policyUrl: string;

  /** What serves it. */
  public readonly policyHost: PolicyHost;

  /**
   * What `mta-sts verify --outputs` reads: the domain, the id of the publication and the policy, as JSON. It is in the stack of the
   * resources, which is of us-east-1; of nested stacks in the outermost, whose outputs `cdk deploy --outputs-file` writes.
   *
   * Do not hand it to `envFromCfnOutputs` of CDK Pipelines: CodePipeline does not escape the quotes in it. Two outputs of your own, of
   * `domainName` and `policyId`, say the same.
   */
  public readonly output: CfnOutput;

  /**
   * The moment after which no sender can hold an `enforce` or `testing` policy of the domain any more, in ISO 8601: from then on the
   * construct can be removed without mail being refused. Before `MtaStsPolicy.none()` is published it says so in words, and so it
   * does where the moment is not known. A token of the stack of the resources, as it was when the policy was published last.
   */
  public readonly earliestRemoval: string;

  /**
   * Every record of the domain, as text. Without a `hostedZone` they are to be made by hand, `_mta-sts` last (RFC 8461 §8.1), and the one
   * that validates the certificate, if that is made as well, is among them: its name is a token too.
   */
  public readonly records: MtaStsRecord[];

  constructor(scope: Construct, id: string, props: MtaStsProps) {
    super(scope, id);
    checkProps(props);
    const place = cloudFrontScope(this);
    const hostedZone = props.hostedZone && zoneFrom(place, props.hostedZone);
    const { policy, tlsReporting } = props;
    this.domainName = policyDomain(props.domainName, props.hostedZone);
    this.policy = policy;
    this.policyUrl = policyUrl(policyHostName(this.domainName));
    const claimed = claimDomain(this, this.domainName, 'published', { policy: true, host: props.policyHost === undefined, records: hostedZone !== undefined });
    this.warn(props);

    const domain = { domainName: this.domainName, hostedZone, policy };
    this.policyHost = props.policyHost ?? new PolicyHost(place, 'PolicyHost', { domains: [domain] });
    const records = (announced: string): MtaStsRecord[] => [
      { name: policyHostName(this.domainName), type: 'CNAME', value: this.policyHost.distribution.distributionDomainName },
      { name: stsRecordName(this.domainName), type: 'TXT', value: announced },
      ...tlsReporting === undefined ? [] : [{ name: reportingName(this.domainName), type: 'TXT', value: tlsReporting.record }],
    ];
    const published = publication(place, 'Publication', {
      // A resource cannot refer to its own attribute.
      ...domain, policyHost: this.policyHost, recordsByHand: records(UNPUBLISHED_RECORD),
    });
    const { policyId, earliestRemoval, warnings, validation: read } = publicationAttributes(published);
    this.policyId = policyId;
    const announced = recordAround(policyId);
    const announcement = hostedZone && txtRecord(place, 'Announcement', hostedZone, stsRecordName(this.domainName), announced);
    this.policyHost._publish({ ...domain, construct: this, publication: published, announcement, tlsReporting });
    if (announcement !== undefined) {
      const verified = verification(place, 'Verification', {
        ...domain,
        policyHost: this.policyHost,
        policyId,
        tlsReporting,
        onFailure: props.verification ?? Verification.FAIL_DEPLOYMENT,
      });
      // The way of a policy; it begins in the host with its preflight, and CloudFormation walks it backwards on delete.
      announcement.node.addDependency(published);
      verified.node.addDependency(announcement);
    }

    const validation = hostedZone === undefined && !this.policyHost._certificateGiven ? read : undefined;
    this.records = [...validation === undefined ? [] : [{ ...validation, type: 'CNAME' }], ...records(announced)];
    this.earliestRemoval = earliestRemoval;
    const outputs = outputScope(place);
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
        message: (who, isMany) => `${who} ${isMany ? 'enforce' : 'enforces'} a policy without TLS reporting: nobody will tell you that mail is refused; give `
          + '`tlsReporting: TlsReporting.to(\'mailto:...\')` (RFC 8460)',
      });
    }
    if (mode === MtaStsMode.ENFORCE && maxAge.toSeconds() < SHORT_ENFORCE_AGE.toSeconds()) {
      warn(this, {
        id: 'cdk-mta-sts:shortMaxAge',
        names,
        like: String(maxAge.toSeconds()),
        message: (who, isMany) => `${who} ${isMany ? 'enforce' : 'enforces'} with a \`maxAge\` of ${maxAge.toSeconds()} seconds, under 14 days: an attacker `
          + 'who hides the policy for that long can strip TLS again; weeks or more are advised (RFC 8461 §3.2, §10.2)',
      });
    }
    if (mode === MtaStsMode.TESTING) {
      warn(this, {
        id: 'cdk-mta-sts:testing',
        names,
        message: (who, isMany) => `${who} ${isMany ? 'are' : 'is'} in \`testing\`: senders report failures and deliver all the same, so mail is not protected `
          + 'yet; enforce once the reports have been clean for two weeks (RFC 8461 §5)',
      });
    }
    if (props.hostedZone === undefined && mode !== MtaStsMode.NONE) {
      warn(this, {
        id: 'cdk-mta-sts:dnsElsewhere',
        names,
        message: (who, isMany) => `${who} ${isMany ? 'have' : 'has'} no \`hostedZone\`: the deployment serves ${isMany ? 'their policies' : 'its policy'} and `
          + 'announces nothing; make the records of the outputs by hand, `_mta-sts` last, also after each change of the policy, then prove it: '
          + 'npx cdk-mta-sts verify --outputs cdk-outputs.json --wait 30m (RFC 8461 §8.1)',
      });
    }
    if (props.hostedZone instanceof route53.HostedZone && Stack.of(props.hostedZone) === Stack.of(this)) {
      warn(this, {
        id: 'cdk-mta-sts:zoneInSameDeployment',
        names,
        message: (who) => `the hosted zone of ${who} is made in the same stack: until its parent delegates to it the preflight fails, and a rollback gives `
          + 'the next zone other name servers; deploy the zone first, delegate it, then add MtaSts. Such a zone cannot be deleted with the stack while the '
          + 'validation record of the certificate is in it, which AWS Certificate Manager leaves behind',
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
