// Where policies are served: a private bucket behind CloudFront, on 443, and nothing else.
import { createHash } from 'node:crypto';
import { Aspects, Stack, Token, Validations, aws_certificatemanager as acm } from 'aws-cdk-lib';
import type { aws_cloudfront as cloudfront, aws_iam as iam, aws_route53 as route53, aws_s3 as s3 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DeploymentHandler } from './private/deployment-function';
import { hostRecords } from './private/domain-records';
import { edgeFunctionCode } from './private/edge-function';
import { givenCertificate } from './private/given-certificate';
import { checkLimits, checkOutputs } from './private/host-limits';
import { BUCKET, CERTIFICATE, WEB_ACL, checkInput, requireDomains, requireProps } from './private/input';
import { checkLogAcls, checkLogBucket } from './private/log-bucket';
import { claimDomain } from './private/one-domain';
import { logRequests, policyBucket } from './private/policy-bucket';
import { policyDistribution } from './private/policy-distribution';
import { policyDomain } from './private/policy-domain';
import { preflight } from './private/preflight';
import { domainOfPolicyHost, policyHostName } from './protocol/policy/url';
import { joinList } from './util/safe-text';
import { logicalIdOf, plannedRecords } from './private/publisher';
import type { Publisher } from './private/publisher';
import { outputStack } from './private/published-output';
import { cloudFrontScope, shownStack, zoneFrom } from './private/us-east-1-stack';
import { manualValidation } from './private/validation-by-hand';
import { watchZones } from './private/watched-zones';

/** Domains of a message. */
const MOST_NAMES = 5;

/** A domain whose policy a host serves. */
export interface PolicyHostDomain {
  /**
   * The public hosted zone that holds the domain's records.
   *
   * @default - DNS is elsewhere, and the records are made by hand
   */
  readonly hostedZone?: route53.IHostedZone;

  /**
   * The policy domain, the part after the `@`; needed where there is no `hostedZone`.
   *
   * @default - the hosted zone's name
   */
  readonly domainName?: string;
}

/** Properties of a `PolicyHost`. */
export interface PolicyHostProps {
  /** The domains that it serves; their order does not matter. */
  readonly domains: PolicyHostDomain[];

  /**
   * A certificate of us-east-1 that covers `mta-sts.<domain>` of every domain.
   *
   * @default - one is made, and validated by records in the hosted zones; for a domain without one the deployment waits until
   * the validation record stands, 72 hours at most
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Where CloudFront writes its access logs. It does so by access control lists, which a bucket takes with
   * `objectOwnership: ObjectOwnership.OBJECT_WRITER` or `BUCKET_OWNER_PREFERRED`; an imported bucket cannot be checked. A bucket
   * that the app makes in us-east-1 and in the same account takes the access log of the bucket of the policies as well.
   *
   * @default - no access logs
   */
  readonly accessLogBucket?: s3.IBucket;

  /**
   * The ARN of a web ACL (AWS WAF, global scope). It must let senders through that have no user agent, and never show a
   * challenge: senders are programs.
   *
   * @default - no web ACL
   */
  readonly webAclArn?: string;
}

/**
 * Serves policy files at `https://mta-sts.<domain>/.well-known/mta-sts.txt` (RFC 8461 §3.3): TLS 1.2 or later, IPv4 and
 * IPv6, HTTP/2 and HTTP/3, nothing cached. Port 80 only redirects, and every other path, host or method is refused.
 *
 * `MtaSts` makes one unless it is given one.
 */
export class PolicyHost extends Construct {
  /** Holds the policy files: private, encrypted, emptied and removed with the stack, since all it holds is derived. */
  public readonly bucket: s3.Bucket;

  /** Serves them. */
  public readonly distribution: cloudfront.Distribution;

  /** Who writes the policy files: the role of the deployment function. The policy of a key that encrypts the bucket must let it. */
  public readonly writer: iam.IPrincipal;

  /** For every policy host's name. */
  public readonly certificate: acm.ICertificate;

  /**
   * What holds its resources: itself, or its place in the us-east-1 stack.
   *
   * @internal
   */
  public readonly _scope: Construct;

  /**
   * Whether the certificate is the user's own.
   *
   * @internal
   */
  public readonly _certificateGiven: boolean;

  /**
   * What decides how files are served. Where it changes they are proved and verified anew.
   *
   * @internal
   */
  public readonly _fingerprint: Record<string, string>;

  private readonly hosts: ReadonlyMap<string, ServedHost>;

  /** The function's right to read a certificate that is validated by hand. */
  private readCertificate?: iam.Policy;

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
    checkLimits(this, [...served.keys()], !this._certificateGiven);
    // The first name of a certificate and the order of its others count for CloudFormation: another order would replace it.
    this.hosts = new Map([...served].sort(([one], [other]) => one < other ? -1 : 1));
    const names = [...this.hosts.keys()];
    const claimed = [...this.hosts.values()].map(({ domainName, zone }) => {
      return claimDomain(this, domainName, 'served', { host: true, records: zone !== undefined });
    });

    const handler = DeploymentHandler.of(this._scope);
    for (const { zone } of this.hosts.values()) {
      // Also of a domain that nobody publishes yet, or any more: the preflight looks at it all the same.
      if (zone !== undefined) handler.allowReading(zone);
    }
    this.writer = handler.principal;
    this.bucket = policyBucket(this._scope, names, this.writer);
    if (props.accessLogBucket !== undefined) {
      checkLogBucket(this, this._scope, props.accessLogBucket);
      checkLogAcls(this, props.accessLogBucket);
      logRequests(this.bucket, props.accessLogBucket);
    }
    this.certificate = props.certificate === undefined ? this.newCertificate() : givenCertificate(props.certificate, names);
    this.distribution = policyDistribution(this._scope, names, { ...props, bucket: this.bucket, certificate: this.certificate });
    this._fingerprint = {
      Distribution: this.distribution.distributionId,
      Certificate: this.certificate.certificateArn,
      WebAcl: props.webAclArn ?? 'none',
      // Without the hosts: another one does not change how these are served.
      Edge: createHash('sha256').update(edgeFunctionCode([])).digest('hex').slice(0, 32),
    };
    for (const host of this.hosts.values()) {
      if (host.zone === undefined) continue;
      host.records = hostRecords(this._scope, host.domainName, host.zone, this.distribution, () => host.publisher?.tlsReporting?.record);
    }
    this.checkFirst();
    Aspects.of(this).add({
      visit: (node) => {
        if (node !== this) return;
        this.warnOfUnpublished();
        checkOutputs(this, outputStack(this._scope));
      },
    });
    for (const complete of claimed) complete();
  }

  /**
   * Says that a construct publishes the policy of a domain here, once for each domain.
   *
   * @internal
   */
  public _publish(publisher: Publisher): void {
    const { construct, domainName } = publisher;
    const host = this.hosts.get(policyHostName(domainName));
    if (host === undefined) {
      const served = [...this.hosts.keys()].map(domainOfPolicyHost).join(', ');
      throw new Error(`\`policyHost\` does not serve ${domainName}, only ${served}; add it to the \`domains\` of the PolicyHost`);
    }
    const stack = Stack.of(this._scope);
    if (Stack.of(cloudFrontScope(construct)) !== stack) {
      throw new Error(`\`policyHost\` must be in the stack of the MtaSts that uses it, got one of '${shownStack(stack)}' in `
        + `'${shownStack(Stack.of(construct))}': the order of their resources is one graph; put both into one stack`);
    }
    if (host.publisher !== undefined) {
      throw new Error(`${domainName} is published by ${host.publisher.construct.node.path} already; a domain has one policy (RFC 8461 §3.1)`);
    }
    const [here, there] = [publisher.hostedZone, host.zone].map((zone) => zone && JSON.stringify(stack.resolve(zone.hostedZoneId)));
    if (here !== there) {
      const [given, expected] = [publisher.hostedZone, host.zone].map(shownZone);
      throw new Error(`\`hostedZone\` must be the one that the PolicyHost has for ${domainName}, ${expected}, got ${given}; pass the same zone to both`);
    }
    host.publisher = publisher;
  }

  /**
   * What must be there for a domain to be served and for its file to be written. Not the records of the others: each domain waiting
   * for those of each is what made the template of 100 domains larger than the 1 MB that CloudFormation takes.
   *
   * @internal
   */
  public _servedBy(domainName: string): Construct[] {
    const records = this.hosts.get(policyHostName(domainName))?.records;
    return [this.bucket, this.distribution, this.readCertificate, records].filter((needed) => needed !== undefined);
  }

  /** Once all constructs are there. No error: it is how a domain leaves, its record and its file before its host. */
  private warnOfUnpublished(): void {
    const names = [...this.hosts.values()].filter(({ publisher }) => publisher === undefined).map(({ domainName }) => domainName);
    // What an aspect says comes too late for `Validations.acknowledge()` on the very construct.
    const acknowledged = this.node.metadata.some(({ type, data }) => {
      return type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY && JSON.stringify(data).includes('cdk-mta-sts:unpublished');
    });
    if (names.length > 0 && !acknowledged) {
      Validations.of(this).addWarning('cdk-mta-sts:unpublished',
        `${this.node.path} lists ${joinList(names, MOST_NAMES)} in \`domains\`, but no MtaSts publishes a policy there: senders find none; add one `
        + '(`policyHost`), or, if a domain is to leave, take it out of `domains` in the deployment after this one');
    }
  }

  /** The whole host waits until it is safe to start. */
  private checkFirst(): void {
    const resources = this._scope.node.children;
    const safeToStart = preflight(this._scope, 'Preflight', {
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
      node.addDependency(safeToStart);
    });
  }

  private newCertificate(): acm.Certificate {
    const [domainName, ...subjectAlternativeNames] = this.hosts.keys();
    const zones: Record<string, route53.IHostedZone> = {};
    for (const [name, { zone }] of this.hosts) {
      if (zone !== undefined) zones[name] = zone;
    }
    const certificate = new acm.Certificate(this._scope, 'Certificate', {
      domainName,
      subjectAlternativeNames: subjectAlternativeNames.length > 0 ? subjectAlternativeNames : undefined,
      validation: acm.CertificateValidation.fromDnsMultiZone(zones),
    });
    const byHand = [...this.hosts.keys()].filter((name) => !(name in zones));
    if (byHand.length > 0) this.readCertificate = manualValidation(this, certificate, byHand);
    return certificate;
  }
}

interface ServedHost {
  readonly domainName: string;
  readonly zone?: route53.IHostedZone;
  /** Those of the host and of its reporting; none where DNS is elsewhere. */
  records?: route53.CfnRecordSetGroup;
  /** Who publishes the policy of the domain. */
  publisher?: Publisher;
}

/** A zone that is made in the app has no id before it is deployed. */
function shownZone(zone: route53.IHostedZone | undefined): string {
  if (zone === undefined) return 'none';
  return Token.isUnresolved(zone.hostedZoneId) ? zone.node.path : JSON.stringify(zone.hostedZoneId);
}

function servedHosts(domains: PolicyHostDomain[], scope: Construct): ReadonlyMap<string, ServedHost> {
  if (domains.length === 0) {
    throw new Error('`domains` must hold at least one domain, got none');
  }
  const hosts = new Map<string, ServedHost>();
  for (const { domainName: written, hostedZone } of domains) {
    const domainName = policyDomain(written, hostedZone);
    const name = policyHostName(domainName);
    if (hosts.has(name)) {
      throw new Error(`\`domains\` must hold each domain once, got ${domainName} twice`);
    }
    hosts.set(name, { domainName, zone: hostedZone && zoneFrom(scope, hostedZone) });
  }
  return hosts;
}
