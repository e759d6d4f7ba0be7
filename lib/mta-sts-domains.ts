// Many domains on one host: the same policy for all of them, and exceptions where they are needed.
import { Construct } from 'constructs';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import { HOST, POLICY, REPORTING, checkInput, member, oneOf, requireDomains, requireInput, requireProps } from './private/input';
import { MtaSts } from './mta-sts';
import type { MtaStsPolicy } from './mta-sts-policy';
import { policyDomain } from './private/domain';
import { PolicyHost } from './policy-host';
import type { TlsReporting } from './tls-reporting';
import { Verification } from './verification';

/** One of many domains. */
export interface MtaStsDomain {
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

  /**
   * A policy of its own.
   *
   * @default - the policy of all
   */
  readonly policy?: MtaStsPolicy;

  /**
   * Reporting of its own.
   *
   * @default - the reporting of all
   */
  readonly tlsReporting?: TlsReporting;
}

/** Properties of `MtaStsDomains`. */
export interface MtaStsDomainsProps {
  /** The domains, at most 100; their order does not matter. */
  readonly domains: MtaStsDomain[];

  /** What senders shall do, for each domain that has no policy of its own. */
  readonly policy: MtaStsPolicy;

  /**
   * Where senders report failures, for each domain that has none of its own.
   *
   * @default - no record is made
   */
  readonly tlsReporting?: TlsReporting;

  /**
   * The host that serves them; it must list each of the domains.
   *
   * @default - one of their own
   */
  readonly policyHost?: PolicyHost;

  /**
   * What an error that the verification finds does to the deployment.
   *
   * @default Verification.FAIL_DEPLOYMENT
   */
  readonly verification?: Verification;
}

/**
 * Publishes MTA-STS for many domains on one host, an `MtaSts` for each: alias domains of one mail system with one policy, for
 * example.
 *
 * Take a domain out only when its policy has been withdrawn and is forgotten by senders (`MtaStsPolicy.none()`).
 *
 * @example
 * declare const zones: route53.IHostedZone[];
 *
 * new MtaStsDomains(this, 'Mail', {
 *   domains: zones.map((hostedZone) => ({ hostedZone })),
 *   policy: MtaStsPolicy.enforce({ mx: MxHosts.googleWorkspace() }),
 *   tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
 * });
 */
export class MtaStsDomains extends Construct {
  /** What serves them. */
  public readonly policyHost: PolicyHost;

  /** The construct of each domain, in the order of `domains`. */
  public readonly all: MtaSts[];

  constructor(scope: Construct, id: string, props: MtaStsDomainsProps) {
    super(scope, id);
    requireProps('MtaStsDomains', props, 'new MtaStsDomains(this, \'Mail\', { domains: [{ hostedZone }], policy })');
    requireDomains(props.domains, (property, domain) => {
      checkInput(`${property}.policy`, member(domain, 'policy'), POLICY);
      checkInput(`${property}.tlsReporting`, member(domain, 'tlsReporting'), REPORTING);
    });
    requireInput('policy', props.policy, POLICY);
    checkInput('policyHost', props.policyHost, HOST);
    checkInput('tlsReporting', props.tlsReporting, REPORTING);
    checkInput('verification', props.verification, oneOf('Verification', Verification));
    const { domains, policy, tlsReporting, verification } = props;
    this.policyHost = props.policyHost ?? new PolicyHost(this, 'PolicyHost', {
      domains: domains.map(({ hostedZone, domainName }) => ({ hostedZone, domainName })),
    });
    const named = new Map<string, MtaStsDomain>();
    for (const domain of domains) {
      const name = policyDomain(domain.domainName, domain.hostedZone);
      if (named.has(name)) throw new Error(`\`domains\` must hold each domain once, got ${name} twice`);
      named.set(name, domain);
    }
    // Sorted, so that the template is the same whatever the order of `domains`.
    const sorted = [...named].sort(([one], [other]) => one < other ? -1 : 1);
    const made = new Map(sorted.map(([name, domain]) => [name, new MtaSts(this, name, {
      policy: domain.policy ?? policy,
      hostedZone: domain.hostedZone,
      domainName: domain.domainName,
      tlsReporting: domain.tlsReporting ?? tlsReporting,
      policyHost: this.policyHost,
      verification,
    })]));
    this.all = [...named.keys()].map((name) => made.get(name)).filter((one) => one !== undefined);
  }
}
