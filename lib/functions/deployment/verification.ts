// Custom::MtaStsVerification: verifies the published policy, and fails the deployment for an error.
import type { OperationContext } from '../../operations/context/operation-context';
import { DeploymentFailure } from '../../operations/failures';
import { verifyDomain } from '../../operations/verify-domain';
import type { DomainVerification, VerifyDomainInput } from '../../operations/verify-domain';
import { safeText } from '../../util/safe-text';
import { summary } from '../../verifier/result';
import type { LiveFinding, VerificationResult } from '../../verifier/result';
import type { Attributes, CustomResource } from './custom-resource';
import type { DeploymentEvent } from './event';
import { attribute } from './failure-message';
import { choiceProperty, domainProperty, hostedZoneIdProperty, policyProperty, textProperty } from './properties';

/** Reads the event of a Verification. */
export function verificationResource({ properties }: DeploymentEvent): CustomResource {
  const input: VerifyDomainInput = {
    domain: domainProperty(properties),
    zoneId: hostedZoneIdProperty(properties),
    policyText: policyProperty(properties).text,
    policyId: textProperty(properties, 'PolicyId'),
  };
  const onFailure = choiceProperty(properties, 'OnFailure', ['fail', 'report']);
  let result: VerificationResult | undefined;
  const work = async (context: OperationContext): Promise<Attributes> => {
    const verification = await verifyDomain(context, input);
    result = verification.result;
    conclude(context, verification, onFailure);
    return { Verdict: result.verdict, Lookup: result.lookup, Summary: attribute(summary(result)) };
  };
  return {
    physicalResourceId: `mta-sts-verification/${input.domain}`,
    work,
    ignoresFailure: (rollingBack) => rollingBack || onFailure === 'report',
    attributesOnIgnoredFailure: (message) => ({
      Verdict: result?.verdict ?? 'unknown',
      Lookup: result?.lookup ?? 'temporary-error',
      Summary: attribute(message),
    }),
  };
}

/** @throws DeploymentFailure where the verdict must fail the deployment */
function conclude({ log }: OperationContext, { result, errors, hasDeploymentError }: DomainVerification, onFailure: 'fail' | 'report'): void {
  const seen = { summary: attribute(summary(result)) };
  if (result.verdict === 'unknown') {
    log.warn('the verification could not decide everything, and the deployment goes on', seen);
  } else if (result.verdict === 'fail' && !hasDeploymentError) {
    log.error('no mail host can be reached. A deployment cannot fix that, and goes on', seen);
  } else if (result.verdict === 'fail') {
    if (onFailure === 'fail') throw verificationFailure(errors);
    log.error('the verification failed. `verification` is set to report only, so the deployment goes on', seen);
  }
}

/** Names all errors, each with its fix. The summary of the result is too short for that. */
function verificationFailure(errors: readonly LiveFinding[]): DeploymentFailure {
  const texts = errors.map(findingText);
  const message = texts.length === 1 ? texts.join('') : `${texts.length} errors: ${texts.map((text, index) => `(${index + 1}) ${text}`).join(' ')}`;
  return new DeploymentFailure([{ code: 'verification-failed', message, findings: errors.map(({ code }) => code) }]);
}

function findingText({ code, subject, message, fix, reference }: LiveFinding): string {
  const sentence = fix === undefined ? '' : `. ${safeText(fix.charAt(0).toUpperCase() + fix.slice(1), 300)}`;
  return `${code}: ${safeText(subject)}: ${safeText(message, 500)}${sentence}${reference === undefined ? '' : ` (${reference})`}.`;
}
