// The three custom resources of a deployment: Preflight, Publication and Verification.
import { Lazy } from 'aws-cdk-lib';
import type { CustomResource, aws_route53 as route53 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { PREFLIGHT_TYPE, PUBLICATION_TYPE, VERIFICATION_TYPE, policyLines } from '../contract/custom-resources';
import type {
  PreflightDomainProperties, PreflightProperties, PublicationAttributes, PublicationProperties, VerificationProperties,
} from '../contract/custom-resources';
import { policyObjectKey } from '../contract/object-keys';
import type { MtaStsPolicy } from '../mta-sts-policy';
import type { MtaStsRecord } from '../mta-sts-record';
import { policyHostName } from '../protocol/policy/url';
import { DeploymentFunction } from './deployment-function';
import type { PlannedRecord } from './records';

/** A domain and its policy. */
export interface DomainProps {
  readonly domainName: string;
  /** Zone that contains the records. Absent for external DNS. */
  readonly hostedZone?: route53.IHostedZone;
  readonly policy: MtaStsPolicy;
}

/** One domain of a policy host, for Preflight. */
export interface PreflightDomain extends Omit<DomainProps, 'policy'> {
  /** Absent while no construct publishes a policy. */
  readonly policy?: MtaStsPolicy;
  /** Empty for external DNS. */
  readonly records: PlannedRecord[];
  /** Logical id of the Publication. Absent while no construct publishes a policy. */
  readonly publication?: string;
}

/** Properties of `preflight()`. */
export interface PreflightProps {
  /** Whether the user gave the certificate. CAA records do not matter to a certificate that exists. */
  readonly certificateGiven: boolean;
  /** Returns the domains. Called at synthesis, when all constructs exist. */
  readonly domains: () => PreflightDomain[];
}

/**
 * Creates the resource that checks each domain of a policy host before the deployment changes anything: delegation, CAA, existing records
 * with the names of new ones, and whether the policy covers the MX hosts.
 *
 * One resource checks all domains: they share certificate and distribution, and Route 53 allows five requests a second for an account. An
 * update checks only changed domains.
 */
export function preflight(scope: Construct, id: string, props: PreflightProps): CustomResource {
  const domains = (): PreflightDomainProperties[] => props.domains().map((domain) => ({
    DomainName: domain.domainName,
    HostedZoneId: domain.hostedZone?.hostedZoneId,
    Policy: domain.policy && policyLines(domain.policy.text),
    Publication: domain.publication,
    Records: domain.records.map(({ name, type, logicalId: maker }) => ({ Name: name, Type: type, LogicalId: maker })),
  }));
  const properties: { readonly [Name in keyof PreflightProperties]: unknown } = {
    Certificate: props.certificateGiven ? 'given' : 'made',
    Domains: Lazy.any({ produce: domains }),
  };
  return DeploymentFunction.of(scope).resource(scope, id, PREFLIGHT_TYPE, properties);
}

/** Properties of `publication()`. */
export interface PublicationProps extends DomainProps {
  readonly bucketName: string;
  /** Domain name of the distribution: the function can reach it before any record exists. */
  readonly distributionDomainName: string;
  /** ARN of a certificate that the stack creates. Absent if the user gave the certificate. */
  readonly certificateArn?: string;
  /** Everything that decides how files are served. A changed host must be proved live again. */
  readonly policyHost: Record<string, string>;
  /** Constructs that must exist before the file can be written and served. */
  readonly dependencies: Construct[];
  /** Records that the user creates, for external DNS. */
  readonly manualRecords?: MtaStsRecord[];
}

/** Creates the resource that writes the policy file and fetches it as a sender does, until the live bytes are the intended bytes. */
export function publication(scope: Construct, id: string, props: PublicationProps): CustomResource {
  const { domainName, hostedZone, policy, bucketName, policyHost, dependencies, manualRecords } = props;
  const properties: PublicationProperties = {
    DomainName: domainName,
    HostedZoneId: hostedZone?.hostedZoneId,
    Policy: policyLines(policy.text),
    // The function makes the id, and checks with this hash that the text arrived unchanged.
    PolicyHash: policy.hash,
    BucketName: bucketName,
    ObjectKey: policyObjectKey(policyHostName(domainName)),
    ...hostedZone === undefined && {
      Distribution: props.distributionDomainName,
      Certificate: props.certificateArn,
      // The function does not read these: `cdk diff` and the preview show which records the user must create.
      RecordsByHand: manualRecords?.map(({ name, type, value }) => ({ Name: name, Type: type, Value: value })),
    },
    // The function does not read this. It makes a stack from before the publication history publish again and get the new attributes.
    Ledger: '1',
    // The function does not read this.
    PolicyHost: policyHost,
  };
  const resource = DeploymentFunction.of(scope).resource(scope, id, PUBLICATION_TYPE, properties);
  resource.node.addDependency(...dependencies);
  return resource;
}

/** Attributes of a Publication, as tokens. */
export interface PublishedAttributes {
  /** Id for the `_mta-sts` record. */
  readonly policyId: string;
  /** Time after which no sender can hold an enforce or testing policy, in ISO 8601, or the reason why it is not known. */
  readonly earliestRemoval: string;
  /** Mail that senders may refuse, or `none`. */
  readonly warnings: string;
  /** CNAME that validates a certificate whose records are created manually. */
  readonly validation: { readonly name: string; readonly value: string };
}

/** Returns the attributes of a Publication. */
export function publicationAttributes(published: CustomResource): PublishedAttributes {
  const attribute = (name: keyof PublicationAttributes): string => published.getAttString(name);
  return {
    policyId: attribute('PolicyId'),
    earliestRemoval: attribute('EarliestRemoval'),
    warnings: attribute('Warnings'),
    validation: { name: attribute('ValidationName'), value: attribute('ValidationValue') },
  };
}

/** Properties of `verification()`. */
export interface VerificationProps extends DomainProps {
  readonly hostedZone: route53.IHostedZone;
  /** Everything that decides how files are served. A changed host must be verified again. */
  readonly policyHost: Record<string, string>;
  /** Id of the publication, as a token. */
  readonly policyId: string;
  /** Text of the `_smtp._tls` record. */
  readonly tlsReporting?: string;
  readonly onFailure: VerificationProperties['OnFailure'];
}

/** Creates the resource that verifies the live domain, and expects the id and the bytes of the policy. */
export function verification(scope: Construct, id: string, props: VerificationProps): CustomResource {
  const properties: VerificationProperties = {
    DomainName: props.domainName,
    HostedZoneId: props.hostedZone.hostedZoneId,
    Policy: policyLines(props.policy.text),
    PolicyId: props.policyId,
    OnFailure: props.onFailure,
    // The function does not read these: a change of either must be verified again.
    PolicyHost: props.policyHost,
    TlsReporting: props.tlsReporting,
  };
  return DeploymentFunction.of(scope).resource(scope, id, VERIFICATION_TYPE, properties);
}
