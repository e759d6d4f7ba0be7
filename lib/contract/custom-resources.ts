// The three custom resources of a deployment. Constructs write their properties and read their attributes. The function does the reverse.
// All names here are data: deployed stacks use them.

/** The resource that checks whether a deployment may start. */
export const PREFLIGHT_TYPE = 'Custom::MtaStsPreflight';

/** The resource that publishes a policy and waits until the policy is live. */
export const PUBLICATION_TYPE = 'Custom::MtaStsPublication';

/** The resource that verifies the deployed domain as a sender would. */
export const VERIFICATION_TYPE = 'Custom::MtaStsVerification';

/** Properties that describe one domain. CloudFormation passes every value as a string. */
export interface DomainProperties {
  /** The policy domain in lower-case A-labels. */
  readonly DomainName: string;
  /** The Route 53 zone that holds the records. Missing for external DNS. */
  readonly HostedZoneId?: string;
  /** The lines of the policy file, as `policyLines` returns them. */
  readonly Policy: readonly string[];
}

/** A record set that the stack creates. */
export interface RecordProperties {
  /** Without a dot at the end. */
  readonly Name: string;
  readonly Type: string;
  /** The logical id of the resource that creates the record set. */
  readonly LogicalId: string;
}

/** One domain of a policy host, for Preflight. */
export interface PreflightDomainProperties extends Omit<DomainProperties, 'Policy'> {
  /** Missing while no construct publishes a policy for the domain. */
  readonly Policy?: readonly string[];
  /** The logical id of the Publication. Missing while no construct publishes a policy for the domain. */
  readonly Publication?: string;
  /** Empty for external DNS. */
  readonly Records: readonly RecordProperties[];
}

/** Properties of `Custom::MtaStsPreflight`. */
export interface PreflightProperties {
  /** `given` for the user's own certificate. CAA records do not matter for that one. */
  readonly Certificate: 'given' | 'made';
  readonly Domains: readonly PreflightDomainProperties[];
}

/** Attributes of `Custom::MtaStsPreflight`. */
export interface PreflightAttributes {
  readonly Summary: string;
}

/** A DNS record that the user must create. */
export interface ManualRecordProperties {
  readonly Name: string;
  readonly Type: string;
  readonly Value: string;
}

/** Properties of `Custom::MtaStsPublication`. */
export interface PublicationProperties extends DomainProperties {
  /** The hash of the policy file, as `policyHash` returns it. Templates of the releases before 0.2 have `PolicyId` in its place. */
  readonly PolicyHash: string;
  readonly BucketName: string;
  readonly ObjectKey: string;
  /** External DNS only: the domain name of the CloudFront distribution. */
  readonly Distribution?: string;
  /** External DNS only: the ARN of the certificate. Missing for the user's own certificate. */
  readonly Certificate?: string;
  /** External DNS only. The function does not read it: `cdk diff` and the preview show it. */
  readonly RecordsByHand?: readonly ManualRecordProperties[];
  /** `1`. The function does not read it: it makes stacks from before the publication history publish once more. */
  readonly Ledger?: string;
  /** The fingerprint of the policy host. The function does not read it: a changed host must be proved live again. */
  readonly PolicyHost?: Readonly<Record<string, string>>;
}

/** Attributes of `Custom::MtaStsPublication`. */
export interface PublicationAttributes {
  readonly PolicyUrl: string;
  /** The id for the `_mta-sts` TXT record. */
  readonly PolicyId: string;
  /** The time after which no sender can hold an enforce or testing policy, in ISO 8601, or the reason why the time is not known. */
  readonly EarliestRemoval: string;
  /** Mail that senders may refuse, or a text that begins with `none`. */
  readonly Warnings: string;
  /** Name of the CNAME that validates the certificate. Present only with the property `Certificate`. */
  readonly ValidationName?: string;
  /** Target of the CNAME that validates the certificate. Present only with the property `Certificate`. */
  readonly ValidationValue?: string;
}

/** Properties of `Custom::MtaStsVerification`. */
export interface VerificationProperties extends DomainProperties {
  readonly HostedZoneId: string;
  /** The published id. */
  readonly PolicyId: string;
  /** Whether a failed verification fails the deployment. */
  readonly OnFailure: 'fail' | 'report';
  /** The fingerprint of the policy host. The function does not read it: a changed host must be verified again. */
  readonly PolicyHost?: Readonly<Record<string, string>>;
  /** The text of the TLSRPT record. The function does not read it: a changed record must be verified again. */
  readonly TlsReporting?: string;
}

/** Attributes of `Custom::MtaStsVerification`. */
export interface VerificationAttributes {
  readonly Verdict: string;
  readonly Lookup: string;
  readonly Summary: string;
}

/**
 * Maximum length, in ASCII characters, of an attribute that becomes part of a stack output: `EarliestRemoval` and `Warnings`. An output
 * may have 4,096 bytes, and the policy needs most of them.
 */
export const MAX_OUTPUT_ATTRIBUTE_BYTES = 600;

const LINE_END = '\r\n';

/**
 * Returns the lines of a policy file in canonical form, without their line ends. A template with lines shows each changed line as one
 * change (RFC 8461 §3.2).
 */
export function policyLines(text: string): string[] {
  return text.split(LINE_END).slice(0, -1);
}

/** Returns the policy file of these lines. `policyText(policyLines(text))` is `text` for canonical text. */
export function policyText(lines: readonly string[]): string {
  return lines.map((line) => line + LINE_END).join('');
}
