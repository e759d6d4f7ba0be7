// Where policies are served: a private bucket behind CloudFront, on 443, and nothing else.
import { createHash } from 'node:crypto';
import {
  RemovalPolicy, Stack,
  aws_certificatemanager as acm, aws_cloudfront as cloudfront, aws_cloudfront_origins as origins,
  aws_iam as iam, aws_route53 as route53, aws_route53_targets as targets, aws_s3 as s3,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DeploymentHandler } from './deployment-handler';
import { edgeFunctionCode, policyObjectKey } from './edge-function';
import { givenCertificate } from './given-certificate';
import { checkLimits } from './host-limits';
import { policyDomain } from './policy-domain';
import { POLICY_PATH, domainOfPolicyHost, policyHostName } from './protocol/policy-url';
import { cloudFrontScope, zoneFrom } from './region';

/** A domain whose policy a host serves. */
export interface PolicyHostDomain {
  /** The public hosted zone that holds the domain's records. */
  readonly hostedZone: route53.IHostedZone;

  /**
   * The policy domain, the part after the `@`.
   *
   * @default - the hosted zone's name
   */
  readonly domainName?: string;
}

/** Properties of a `PolicyHost`. */
export interface PolicyHostProps {
  /** The domains that it serves. */
  readonly domains: PolicyHostDomain[];

  /**
   * A certificate of us-east-1 that covers `mta-sts.<domain>` of every domain.
   *
   * @default - one is made, and validated by records in the hosted zones
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Where CloudFront writes its access logs; the bucket must allow access control lists.
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

  private readonly hosts = new Map<string, ServedHost>();

  constructor(scope: Construct, id: string, props: PolicyHostProps) {
    super(scope, id);
    this._scope = cloudFrontScope(this);
    const zones = zonesByHost(props.domains, this._scope);
    const names = [...zones.keys()];
    checkLimits(this, names, props.certificate === undefined);

    this.bucket = new s3.Bucket(this._scope, 'Bucket', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { principal } = DeploymentHandler.of(this._scope);
    this.bucket.addToResourcePolicy(new iam.PolicyStatement({
      principals: [principal],
      actions: ['s3:PutObject'],
      resources: names.map((name) => this.bucket.arnForObjects(policyObjectKey(name))),
    }));
    // Of every domain, not of these alone: CloudFormation changes this policy first and asks for the file of a domain that has
    // left to be deleted afterwards. A file left behind would keep the bucket from being removed.
    this.bucket.addToResourcePolicy(new iam.PolicyStatement({
      principals: [principal],
      actions: ['s3:DeleteObject'],
      resources: [this.bucket.arnForObjects(`*${POLICY_PATH}`)],
    }));
    // The ledgers of what was published. Of every domain here too: named each by each, a hundred would not fit the 20 KB of the policy.
    this.bucket.addToResourcePolicy(new iam.PolicyStatement({
      principals: [principal],
      actions: ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
      resources: [this.bucket.arnForObjects('ledger/*')],
    }));
    // Without it S3 denies a ledger that is not there yet, as if it were there.
    this.bucket.addToResourcePolicy(new iam.PolicyStatement({
      principals: [principal],
      actions: ['s3:ListBucket'],
      resources: [this.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': 'ledger/*' } },
    }));
    this._certificateGiven = props.certificate !== undefined;
    this.certificate = props.certificate === undefined ? this.newCertificate(zones) : givenCertificate(props.certificate, names);
    this.distribution = this.newDistribution(names, props);
    this._fingerprint = {
      Distribution: this.distribution.distributionId,
      Certificate: this.certificate.certificateArn,
      WebAcl: props.webAclArn ?? 'none',
      // Without the hosts: another one does not change how these are served.
      Edge: createHash('sha256').update(edgeFunctionCode([])).digest('hex').slice(0, 32),
    };
    for (const [name, zone] of zones) {
      this.hosts.set(name, { zone, ...this.aliasRecords(name, zone) });
    }
    this.node.addValidation({ validate: () => this.unpublished() });
  }

  /**
   * Says that a construct publishes the policy of a domain here, once for each domain.
   *
   * @returns the A and AAAA records of the domain's policy host
   *
   * @internal
   */
  public _publish(publisher: Construct, domainName: string, hostedZone: route53.IHostedZone): route53.RecordSet[] {
    const host = this.hosts.get(policyHostName(domainName));
    if (host === undefined) {
      const served = [...this.hosts.keys()].map(domainOfPolicyHost).join(', ');
      throw new Error(`\`policyHost\` does not serve ${domainName}, only ${served}; add it to the \`domains\` of the PolicyHost`);
    }
    const stack = Stack.of(this._scope);
    if (Stack.of(cloudFrontScope(publisher)) !== stack) {
      throw new Error(`\`policyHost\` must be in the stack of the MtaSts that uses it, got one of '${stack.stackName}' in `
        + `'${Stack.of(publisher).stackName}': the order of their resources is one graph; put both into one stack`);
    }
    if (host.publisher !== undefined) {
      throw new Error(`${domainName} is published by ${host.publisher.node.path} already; a domain has one policy (RFC 8461 §3.1)`);
    }
    const [here, there] = [hostedZone, host.zone].map(({ hostedZoneId }) => JSON.stringify(stack.resolve(hostedZoneId)));
    if (here !== there) {
      throw new Error(`\`hostedZone\` must be the one that the PolicyHost has for ${domainName}, ${there}, got ${here}; pass the same zone to both`);
    }
    host.publisher = publisher;
    return [host.a, host.aaaa];
  }

  private unpublished(): string[] {
    return [...this.hosts].filter(([, { publisher }]) => publisher === undefined).map(([name]) =>
      `${this.node.path} lists ${domainOfPolicyHost(name)} in \`domains\`, but no MtaSts publishes its policy; add one, or take it out`);
  }

  private newCertificate(zones: ReadonlyMap<string, route53.IHostedZone>): acm.Certificate {
    const [domainName, ...subjectAlternativeNames] = zones.keys();
    return new acm.Certificate(this._scope, 'Certificate', {
      domainName,
      subjectAlternativeNames: subjectAlternativeNames.length > 0 ? subjectAlternativeNames : undefined,
      validation: acm.CertificateValidation.fromDnsMultiZone(Object.fromEntries(zones)),
    });
  }

  private newDistribution(names: string[], props: PolicyHostProps): cloudfront.Distribution {
    const edge = new cloudfront.Function(this._scope, 'Edge', {
      comment: 'cdk-mta-sts: only the policy file of known hosts',
      runtime: cloudfront.FunctionRuntime.JS_2_0,
      code: cloudfront.FunctionCode.fromInline(edgeFunctionCode(names)),
    });
    return new cloudfront.Distribution(this._scope, 'Distribution', {
      comment: `MTA-STS policies, ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`,
      domainNames: names,
      certificate: this.certificate,
      minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      sslSupportMethod: cloudfront.SSLMethod.SNI,
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      enableIpv6: true,
      defaultBehavior: {
        origin: origins.S3BucketOrigin.withOriginAccessControl(this.bucket),
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        allowedMethods: cloudfront.AllowedMethods.ALLOW_GET_HEAD,
        cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
        responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
        functionAssociations: [{ function: edge, eventType: cloudfront.FunctionEventType.VIEWER_REQUEST }],
      },
      enableLogging: props.accessLogBucket !== undefined,
      logBucket: props.accessLogBucket,
      webAclId: props.webAclArn,
    });
  }

  private aliasRecords(name: string, zone: route53.IHostedZone): AliasRecords {
    const target = route53.RecordTarget.fromAlias(new targets.CloudFrontTarget(this.distribution));
    // With the dot at the end the name is complete, and the zone's own name is never asked for.
    const record = { zone, recordName: `${name}.`, target };
    return { a: new route53.ARecord(this._scope, `A-${name}`, record), aaaa: new route53.AaaaRecord(this._scope, `AAAA-${name}`, record) };
  }
}

interface AliasRecords {
  readonly a: route53.ARecord;
  readonly aaaa: route53.AaaaRecord;
}

interface ServedHost extends AliasRecords {
  readonly zone: route53.IHostedZone;
  /** Who publishes the policy of the domain. */
  publisher?: Construct;
}

function zonesByHost(domains: PolicyHostDomain[], scope: Construct): Map<string, route53.IHostedZone> {
  if (domains.length === 0) {
    throw new Error('`domains` must hold at least one domain, got none');
  }
  const zones = new Map<string, route53.IHostedZone>();
  for (const { domainName, hostedZone } of domains) {
    const name = policyHostName(policyDomain(domainName, hostedZone));
    if (zones.has(name)) {
      throw new Error(`\`domains\` must hold each domain once, got ${domainOfPolicyHost(name)} twice`);
    }
    zones.set(name, zoneFrom(scope, hostedZone));
  }
  return zones;
}
