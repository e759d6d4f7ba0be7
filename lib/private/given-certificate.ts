// A certificate that the user gives: used as it is, and checked as far as synthesis knows it.
import { Stack, Token, aws_certificatemanager as acm } from 'aws-cdk-lib';
import { mxMatches } from '../protocol/mx/pattern';
import { CLOUDFRONT_REGION } from './us-east-1-stack';

/**
 * @param certificate - imported, or made in the app
 * @param names - what it must cover
 * @throws where it is of another Region, or made in the app for other names
 */
export function givenCertificate(certificate: acm.ICertificate, names: string[]): acm.ICertificate {
  const arn = certificate.certificateArn;
  const made = certificate.node.defaultChild;
  const isKnown = !Token.isUnresolved(arn);
  const region = isKnown ? arn.split(':')[3] : made && Stack.of(made).region;
  if (region !== undefined && !Token.isUnresolved(region) && region !== CLOUDFRONT_REGION) {
    throw new Error(`\`certificate\` must be of ${CLOUDFRONT_REGION}, the one Region whose certificates CloudFront takes, `
      + `got ${isKnown ? arn : `one that is made in ${region}`}; leave it out, and one is made there, or import one by its ARN`);
  }
  if (made instanceof acm.CfnCertificate) checkNames(made, names);
  return certificate;
}

function checkNames({ domainName, subjectAlternativeNames = [] }: acm.CfnCertificate, names: string[]): void {
  const covered = [domainName, ...subjectAlternativeNames];
  if (covered.some((name) => Token.isUnresolved(name))) return;
  // A wildcard stands for exactly one label, as in a policy's patterns (RFC 6125 §6.4.3, RFC 8461 §4.1).
  const missing = names.filter((name) => !covered.some((pattern) => mxMatches(pattern, name)));
  if (missing.length > 0) {
    throw new Error(`\`certificate\` must cover ${missing.join(', ')}, got one for ${covered.join(', ')}: senders refuse a policy host whose `
      + 'certificate has another name (RFC 8461 §3.3); add the name, or leave `certificate` out, and one is made');
  }
}
