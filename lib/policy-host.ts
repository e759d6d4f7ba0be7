// Serves policy files from a private bucket behind CloudFront.
import { createHash } from 'node:crypto';
import { Aspects, Stack, Token, Validations } from 'aws-cdk-lib';
import type {
  aws_certificatemanager as acm, aws_cloudfront as cloudfront, aws_iam as iam, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { preflight } from './private/custom-resources';
import { DeploymentFunction } from './private/deployment-function';
import { claimDomain, policyDomain, watchZones } from './private/domain';
import { BUCKET, CERTIFICATE, WEB_ACL, checkInput, requireDomains, requireProps } from './private/input';
import { outputStack } from './private/output-scope';
import { checkLogBucketAcls, checkLogBucketStack, checkNumberOfNames, checkNumberOfOutputs } from './private/policy-host/limits';
import { logRequests, policyBucket } from './private/policy-host/policy-bucket';
import { createCertificate, givenCertificate } from './private/policy-host/policy-certificate';
import { edgeFunctionCode, policyDistribution } from './private/policy-host/policy-distribution';
import { hostRecords, logicalIdOf, plannedRecords } from './private/records';
import type { Publisher } from './private/records';
import { cloudFrontScope, shownStack, zoneFrom } from './private/us-east-1-stack';
import { domainOfPolicyHost, policyHostName } from './protocol/policy/url';
import { joinList } from './util/safe-text';

/** Maximum number of domains to name in a message. */
const MAX_NAMES = 5;

/** A domain of a policy host. */
export interface PolicyHostDomain {
  /**
   * Public hosted zone that contains the records of the domain.
   *
   * @default - external DNS: you create the records manually
   */
  readonly hostedZone?: route53.IHostedZone;

  /**
   * Policy domain, the part after the `@`. Required without a `hostedZone`.
   *
   * @default - the name of the hosted zone
   */
  readonly domainName?: string;
}

/** Properties of a `PolicyHost`. */
export interface PolicyHostProps {
  /** Domains that the host serves, in any order. */
  readonly domains: PolicyHostDomain[];

  /**
   * Certificate of us-east-1 that covers `mta-sts.<domain>` of every domain.
   *
   * @default - a certificate is created and validated by records in the hosted zones. For a domain without a hosted zone, the deployment
   * waits up to 72 hours until you have created the validation record
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Bucket for the access logs of CloudFront. CloudFront needs access control lists, so give the bucket
   * `objectOwnership: ObjectOwnership.OBJECT_WRITER` or `BUCKET_OWNER_PREFERRED`. An imported bucket cannot be checked. A bucket that the
   * app makes in us-east-1 and in the same account also gets the access log of the policy bucket.
   *
   * @default - no access logs
   */
  readonly accessLogBucket?: s3.IBucket;

  /**
   * ARN of a web ACL (AWS WAF, global scope). Senders are programs: the web ACL must allow requests without a user agent, and must never
   * show a challenge.
   *
   * @default - no web ACL
   */
  readonly webAclArn?: string;
}

/**
 * Serves policy files at `https://mta-sts.<domain>/.well-known/mta-sts.txt` (RFC 8461 §3.3): TLS 1.2 or later, IPv4 and
 * IPv6, HTTP/2 and HTTP/3, without caching. Port 80 only redirects. Every other path, host and method is refused.
 *
 * `MtaSts` creates a `PolicyHost` unless you give one.
 */
export class PolicyHost extends Construct {
  /** Private, encrypted bucket with the policy files. The stack empties and removes the bucket: the files can be created again. */
  public readonly bucket: s3.Bucket;

  /** Distribution that serves the policy files. */
  public readonly distribution: cloudfront.Distribution;

  /**
   * Principal that writes the policy files: the role of the deployment function. The policy of a key that encrypts the bucket must allow
   * it.
   */
  public readonly writer: iam.IPrincipal;

  /** Certificate with the name of every policy host. */
  public readonly certificate: acm.ICertificate;

  /**
   * Construct that contains the resources: this one, or a construct in the us-east-1 stack.
   *
   * @internal
   */
  public readonly _scope: Construct;

  /**
   * Whether the user gave the certificate.
   *
   * @internal
   */
  public readonly _certificateGiven: boolean;

  /**
   * Everything that decides how files are served. After a change, files are proved live and verified again.
   *
   * @internal
   */
  public readonly _fingerprint: Record<string, string>;

  private readonly hosts: ReadonlyMap<string, ServedHost>;

  /** Right of the function to read a certificate with manual validation records. */
  private readonly readCertificate?: iam.Policy;

  constructor(scope: Construct, id: string, props: PolicyHostProps) {
    super(scope, id);
    requireProps('PolicyHost', props, 'new PolicyHost(this, \'PolicyHost\', { domains: [{ hostedZone }] })');
    requireDomains(props.domains);
    checkInput('certificate', props.certificate, CERTIFICATE);
    checkInput('accessLogBucket', props.accessLogBucket, BUCKET);
    checkInput('webAclArn', props.webAclArn, WEB_ACL);
    this._scope = cloudFrontScope(this);
    const served = servedHosts(props.domains, this._scope);
    watchZones(this, props.domains.map(({ hostedZone }) => hostedZone));
    this._certificateGiven = props.certificate !== undefined;
    checkNumberOfNames(this, [...served.keys()], !this._certificateGiven);
    // Sort the names: CloudFormation would replace a certificate with another order of names.
    this.hosts = new Map([...served].sort(([one], [other]) => one < other ? -1 : 1));
    const names = [...this.hosts.keys()];
    const claimed = [...this.hosts.values()].map(({ domainName, zone }) => {
      return claimDomain(this, domainName, 'served', { host: true, records: zone !== undefined });
    });

    const deployment = DeploymentFunction.of(this._scope);
    for (const { zone } of this.hosts.values()) {
      // Also for a domain without a publisher: Preflight checks it too.
      if (zone !== undefined) deployment.allowReading(zone);
    }
    this.writer = deployment.principal;
    this.bucket = policyBucket(this._scope, names, this.writer);
    if (props.accessLogBucket !== undefined) {
      checkLogBucketStack(this, this._scope, props.accessLogBucket);
      checkLogBucketAcls(this, props.accessLogBucket);
      logRequests(this.bucket, props.accessLogBucket);
    }
    if (props.certificate === undefined) {
      const zones = new Map([...this.hosts].map(([name, { zone }]) => [name, zone]));
      const { certificate, readCertificate } = createCertificate(this, this._scope, zones);
      this.certificate = certificate;
      this.readCertificate = readCertificate;
    } else {
      this.certificate = givenCertificate(props.certificate, names);
    }
    this.distribution = policyDistribution(this._scope, names, { ...props, bucket: this.bucket, certificate: this.certificate });
    this._fingerprint = {
      Distribution: this.distribution.distributionId,
      Certificate: this.certificate.certificateArn,
      WebAcl: props.webAclArn ?? 'none',
      // Leave the hosts out of this hash: a new host does not change how other hosts are served.
      Edge: createHash('sha256').update(edgeFunctionCode([])).digest('hex').slice(0, 32),
    };
    for (const host of this.hosts.values()) {
      if (host.zone === undefined) continue;
      host.records = hostRecords(this._scope, host.domainName, host.zone, this.distribution, () => host.publisher?.tlsReporting?.record);
    }
    this.addPreflight();
    Aspects.of(this).add({
      visit: (node) => {
        if (node !== this) return;
        this.warnOfUnpublished();
        checkNumberOfOutputs(this, outputStack(this._scope));
      },
    });
    for (const complete of claimed) complete();
  }

  /**
   * Registers the construct that publishes the policy of a domain, once for each domain.
   *
   * @internal
   */
  public _publish(publisher: Publisher): void {
    const { construct, domainName } = publisher;
    const host = this.hosts.get(policyHostName(domainName));
    if (host === undefined) {
      const served = [...this.hosts.keys()].map(domainOfPolicyHost).join(', ');
      throw new Error(`\`policyHost\` does not serve ${domainName}, only ${served}. Add it to the \`domains\` of the PolicyHost`);
    }
    const stack = Stack.of(this._scope);
    if (Stack.of(cloudFrontScope(construct)) !== stack) {
      throw new Error(`\`policyHost\` must be in the stack of the MtaSts that uses it, got one of '${shownStack(stack)}' in `
        + `'${shownStack(Stack.of(construct))}'. Their resources depend on each other. Put both into one stack`);
    }
    if (host.publisher !== undefined) {
      throw new Error(`${domainName} is already published by ${host.publisher.construct.node.path}. A domain has one policy (RFC 8461 §3.1)`);
    }
    const [here, there] = [publisher.hostedZone, host.zone].map((zone) => zone && JSON.stringify(stack.resolve(zone.hostedZoneId)));
    if (here !== there) {
      const [given, expected] = [publisher.hostedZone, host.zone].map(shownZone);
      throw new Error(`\`hostedZone\` must be the one that the PolicyHost has for ${domainName}, ${expected}, got ${given}. Pass the same zone to both`);
    }
    host.publisher = publisher;
  }

  /**
   * Returns the constructs that must exist before the file of a domain can be written and served. Records of other domains are not among
   * them: if every domain waited for all records, the template of 100 domains would exceed the 1 MB that CloudFormation allows.
   *
   * @internal
   */
  public _servedBy(domainName: string): Construct[] {
    const records = this.hosts.get(policyHostName(domainName))?.records;
    return [this.bucket, this.distribution, this.readCertificate, records].filter((needed) => needed !== undefined);
  }

  /**
   * Warns of domains without a policy. Called when all constructs exist. It is no error: to remove a domain, its record and file leave
   * first, and its host leaves in a later deployment.
   */
  private warnOfUnpublished(): void {
    const names = [...this.hosts.values()].filter(({ publisher }) => publisher === undefined).map(({ domainName }) => domainName);
    // An aspect adds its warning too late for `Validations.acknowledge()` on the same construct.
    const acknowledged = this.node.metadata.some(({ type, data }) => {
      return type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY && JSON.stringify(data).includes('cdk-mta-sts:unpublished');
    });
    if (names.length > 0 && !acknowledged) {
      Validations.of(this).addWarning('cdk-mta-sts:unpublished',
        `${this.node.path} lists ${joinList(names, MAX_NAMES)} in \`domains\`, but no MtaSts publishes a policy there. Senders find no policy. Add an MtaSts `
        + 'with this `policyHost`. To remove a domain, take it out of `domains` in the deployment after this one');
    }
  }

  /** Adds Preflight. All resources of the host wait for it. */
  private addPreflight(): void {
    const resources = this._scope.node.children;
    const checked = preflight(this._scope, 'Preflight', {
      certificateGiven: this._certificateGiven,
      domains: () => [...this.hosts.values()].map(({ domainName, zone, publisher, records }) => ({
        domainName,
        hostedZone: zone,
        policy: publisher?.policy,
        publication: publisher && logicalIdOf(publisher.publication),
        records: plannedRecords(domainName, publisher, records),
      })),
    });
    resources.forEach(({ node }) => {
      node.addDependency(checked);
    });
  }
}

interface ServedHost {
  readonly domainName: string;
  readonly zone?: route53.IHostedZone;
  /** Records of the host and of TLS reporting. Absent for external DNS. */
  records?: route53.CfnRecordSetGroup;
  /** Construct that publishes the policy of the domain. */
  publisher?: Publisher;
}

/** Returns the id of a zone for messages, or the path of a zone that has no id before the deployment. */
function shownZone(zone: route53.IHostedZone | undefined): string {
  if (zone === undefined) return 'none';
  return Token.isUnresolved(zone.hostedZoneId) ? zone.node.path : JSON.stringify(zone.hostedZoneId);
}

function servedHosts(domains: PolicyHostDomain[], scope: Construct): ReadonlyMap<string, ServedHost> {
  if (domains.length === 0) {
    throw new Error('`domains` must contain at least one domain, got none');
  }
  const hosts = new Map<string, ServedHost>();
  for (const { domainName: written, hostedZone } of domains) {
    const domainName = policyDomain(written, hostedZone);
    const name = policyHostName(domainName);
    if (hosts.has(name)) {
      throw new Error(`\`domains\` must contain each domain once, got ${domainName} twice`);
    }
    hosts.set(name, { domainName, zone: hostedZone && zoneFrom(scope, hostedZone) });
  }
  return hosts;
}
