// The certificate of a policy host: one that the user gives, or one that the stack creates and validates by DNS records.
import { Stack, Token, aws_certificatemanager as acm, aws_iam as iam } from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { mxMatches } from '../../protocol/mx/pattern';
import { DeploymentFunction } from '../deployment-function';
import { CLOUDFRONT_REGION } from '../us-east-1-stack';
import { warn } from '../warnings';

/** A certificate that the stack creates. */
export interface CreatedCertificate {
  readonly certificate: acm.Certificate;
  /** Right of the function to read the certificate's validation records. Present only if some records are created manually. */
  readonly readCertificate?: iam.Policy;
}

/**
 * Creates the certificate. Its validation records are created in the hosted zones, or manually for names without a zone.
 *
 * @param host - the `PolicyHost`, which gets the warning
 * @param scope - construct that contains its resources
 * @param zones - name of each policy host, with its zone if there is one
 */
export function createCertificate(
  host: Construct, scope: Construct, zones: ReadonlyMap<string, route53.IHostedZone | undefined>,
): CreatedCertificate {
  const [domainName = '', ...subjectAlternativeNames] = zones.keys();
  const known: Record<string, route53.IHostedZone> = {};
  for (const [name, zone] of zones) {
    if (zone !== undefined) known[name] = zone;
  }
  const certificate = new acm.Certificate(scope, 'Certificate', {
    domainName,
    subjectAlternativeNames: subjectAlternativeNames.length > 0 ? subjectAlternativeNames : undefined,
    validation: acm.CertificateValidation.fromDnsMultiZone(known),
  });
  const manual = [...zones.keys()].filter((name) => !(name in known));
  return { certificate, readCertificate: manual.length > 0 ? manualValidation(host, scope, certificate, manual) : undefined };
}

/**
 * Warns that the deployment waits for manual records, and lets the function read them: they become outputs, since each renewal needs them.
 */
function manualValidation(host: Construct, scope: Construct, certificate: acm.Certificate, names: string[]): iam.Policy {
  const { stackName } = Stack.of(scope);
  const stack = Token.isUnresolved(stackName) ? '<stack>' : stackName;
  warn(host, {
    id: 'cdk-mta-sts:validationByHand',
    names,
    noun: 'hosts',
    like: stack,
    message: (hosts) => `the deployment waits up to 72 hours for the validation record of the certificate in the DNS of ${hosts}, because \`hostedZone\` is missing. `
      + 'While it waits, read the record from the events of the stack, and create it: '
      + `aws cloudformation describe-stack-events --region ${CLOUDFRONT_REGION} --stack-name ${stack} --output text --query `
      + '"StackEvents[?contains(ResourceStatusReason || \'\', \'Content of DNS Record\')].ResourceStatusReason". '
      + 'To avoid the wait, give a `certificate` that is issued already',
  });
  // A separate policy: a right in the policy of the role would make a circle, because all other resources need the role.
  return new iam.Policy(scope, 'ReadCertificate', {
    statements: [new iam.PolicyStatement({ actions: ['acm:DescribeCertificate'], resources: [certificate.certificateArn] })],
    roles: [DeploymentFunction.of(scope).role],
  });
}

/**
 * Checks a certificate that the user gives, as far as synthesis knows it.
 *
 * @param certificate - certificate that is imported, or made in the app
 * @param names - names that it must cover
 * @throws Error if the certificate is of another Region, or if the app makes it for other names
 */
export function givenCertificate(certificate: acm.ICertificate, names: string[]): acm.ICertificate {
  const arn = certificate.certificateArn;
  const made = certificate.node.defaultChild;
  const isKnown = !Token.isUnresolved(arn);
  const region = isKnown ? arn.split(':').at(3) : made && Stack.of(made).region;
  if (region !== undefined && !Token.isUnresolved(region) && region !== CLOUDFRONT_REGION) {
    throw new Error(`\`certificate\` must be of ${CLOUDFRONT_REGION}, got ${isKnown ? arn : `one that is made in ${region}`}. CloudFront accepts only certificates `
      + 'of that Region. Import one of that Region by its ARN, or leave `certificate` out to have one created');
  }
  if (made instanceof acm.CfnCertificate) checkNames(made, names);
  return certificate;
}

function checkNames({ domainName, subjectAlternativeNames = [] }: acm.CfnCertificate, names: string[]): void {
  const covered = [domainName, ...subjectAlternativeNames];
  if (covered.some((name) => Token.isUnresolved(name))) return;
  // A wildcard matches exactly one label, as in the patterns of a policy (RFC 6125 §6.4.3, RFC 8461 §4.1).
  const missing = names.filter((name) => !covered.some((pattern) => mxMatches(pattern, name)));
  if (missing.length > 0) {
    throw new Error(`\`certificate\` must cover ${missing.join(', ')}, got one for ${covered.join(', ')}. Senders refuse a policy host whose certificate has `
      + 'another name (RFC 8461 §3.3). Add the name, or leave `certificate` out to have one created');
  }
}
