// Publishes MTA-STS for many domains on one policy host: one policy for all, and other policies where needed.
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

  /**
   * Policy of this domain.
   *
   * @default - the `policy` of all domains
   */
  readonly policy?: MtaStsPolicy;

  /**
   * TLS reporting of this domain.
   *
   * @default - the `tlsReporting` of all domains
   */
  readonly tlsReporting?: TlsReporting;
}

/** Properties of `MtaStsDomains`. */
export interface MtaStsDomainsProps {
  /** Domains, at most 100, in any order. */
  readonly domains: MtaStsDomain[];

  /** Policy for each domain without its own `policy`. */
  readonly policy: MtaStsPolicy;

  /**
   * Addresses to which senders send TLS reports, for each domain without its own `tlsReporting`.
   *
   * @default - no record is created
   */
  readonly tlsReporting?: TlsReporting;

  /**
   * Policy host that serves the domains. It must list each of them.
   *
   * @default - a new policy host
   */
  readonly policyHost?: PolicyHost;

  /**
   * Reaction of the deployment if the verification finds an error.
   *
   * @default Verification.FAIL_DEPLOYMENT
   */
  readonly verification?: Verification;
}

/**
 * Publishes MTA-STS for many domains on one policy host, with one `MtaSts` for each. Example: alias domains of one mail system with one
 * policy.
 *
 * Remove a domain only after you have withdrawn its policy (`MtaStsPolicy.none()`) and senders have dropped it.
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
  /** Policy host that serves the domains. */
  public readonly policyHost: PolicyHost;

  /** Construct of each domain, in the order of `domains`. */
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
      if (named.has(name)) throw new Error(`\`domains\` must contain each domain once, got ${name} twice`);
      named.set(name, domain);
    }
    // Sort, so that the order of `domains` does not change the template.
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
