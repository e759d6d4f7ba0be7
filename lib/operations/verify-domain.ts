// Custom::MtaStsVerification: reads everything back as a sender would, with the very verifier that the command uses.
import { safeText } from '../util/safe-text';
import { summary } from '../verifier/result';
import type { VerificationResult, LiveFinding } from '../verifier/result';
import { verify } from '../verifier/verify';
import { nameServersOf } from './publish/authorities';
import type { DeploymentEvent } from '../functions/deployment/event';
import { readHostedZone } from './hosted-zone';
import { errorFields } from './context/log';
import { choiceProperty, domainProperty, hostedZoneIdProperty, policyProperty, textProperty } from '../functions/deployment/properties';
import { attribute } from '../functions/deployment/failure-message';
import { retryUntil } from './context/retry';
import type { OperationContext } from './context/operation-context';
import type { Attributes, CustomResource } from '../functions/deployment/custom-resource';

/** What waiting can mend takes a minute at most: Route 53 tells all its name servers within that time. */
const PATIENCE = { totalMs: 120_000, firstPauseMs: 2_000, maxPauseMs: 15_000 };

/** One look; the verifier's own limit. */
const ONE_LOOK = 20_000;

export function verificationTask(event: DeploymentEvent): CustomResource {
  const { properties } = event;
  const domain = domainProperty(properties);
  const zoneId = hostedZoneIdProperty(properties);
  const { text } = policyProperty(properties);
  const id = textProperty(properties, 'PolicyId');
  const onFailure = choiceProperty(properties, 'OnFailure', ['fail', 'report']);
  let result: VerificationResult | undefined;

  const work = async (context: OperationContext): Promise<Attributes> => {
    const nameServers = await ownNameServers(context, zoneId);
    // No look begins that could not be finished: one cut short is `unknown`, and would hide what all before it have seen.
    const patient = { ...context, deadline: context.deadline - ONE_LOOK };
    result = await retryUntil(patient, PATIENCE, async (attempt) => {
      const { services } = context;
      const timeoutMs = Math.max(1, Math.min(ONE_LOOK, context.deadline - services.clock.now()));
      const { nameServerPort, allowPrivate } = services;
      const options = { expectId: id, expectPolicy: text, timeoutMs, nameServers, nameServerPort, allowPrivate };
      // Its deadline runs by its own clock, which keeps nothing alive when it is done early.
      const { resolver, fetchPolicy } = services;
      const look = await context.activity.track(`the verification of ${domain}`, async () => verify(domain, options, { resolver, fetchPolicy }));
      context.activity.noteSeen(summary(look));
      context.log.info('verified', { attempt, report: look });
      return look;
    }, isPassing);
    return conclude(context, result, onFailure);
  };

  return {
    physicalResourceId: `mta-sts-verification/${domain}`,
    work,
    ignoresFailure: (rollingBack) => rollingBack || onFailure === 'report',
    attributesOnIgnoredFailure: (message) => ({
      Verdict: result?.verdict ?? 'unknown',
      Lookup: result?.lookup ?? 'temporary-error',
      Summary: attribute(message),
    }),
  };
}

/** Without them the verifier finds the name servers by itself, so a fault here decides nothing. */
async function ownNameServers(context: OperationContext, zoneId: string): Promise<readonly string[] | undefined> {
  try {
    const found = (await nameServersOf(context, await readHostedZone(context, zoneId))).flatMap(({ addresses }) => addresses);
    return found.length > 0 ? found : undefined;
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not read the delegation set; the verifier looks the name servers up itself', errorFields(error));
    return undefined;
  }
}

/** Whether waiting can help: nothing but what passes by itself keeps it from being good. The file was seen live a moment ago. */
function isPassing({ verdict, findings }: VerificationResult): boolean {
  const passes = ({ temporary, code }: LiveFinding): boolean => temporary === true || code === 'sts-policy-fetch-error';
  const ours = errors(findings).filter((one) => !isUnreachableHost(one));
  return verdict === 'unknown' || (ours.length > 0 && ours.every(passes));
}

/**
 * Whether a finding says that mail hosts have no address. No deployment of a policy is the cause of that and no rollback mends it, and
 * it must not stand in the way of a policy that asks less of senders; so it is reported, and fails nothing.
 */
function isUnreachableHost({ code, subject }: LiveFinding): boolean {
  return code === 'mx-no-address' || (code === 'address-not-public' && subject.startsWith('MX '));
}

/** @throws where the verdict must fail the deployment */
function conclude(context: OperationContext, result: VerificationResult, onFailure: 'fail' | 'report'): Attributes {
  const { verdict, lookup, findings } = result;
  const attributes = { Verdict: verdict, Lookup: lookup, Summary: attribute(summary(result)) };
  const ours = errors(findings).filter((one) => !isUnreachableHost(one));
  if (verdict === 'fail' && ours.length === 0) {
    context.log.error('no mail host can be reached; that is not for the deployment to mend, which goes on', { summary: attributes.Summary });
  } else if (verdict === 'fail') {
    if (onFailure === 'fail') throw new Error(failure(findings));
    context.log.error('the verification failed; reported only, as `verification` asks for', { summary: attributes.Summary });
  } else if (verdict === 'unknown') {
    context.log.warn('the verification could not decide everything; the deployment goes on', { summary: attributes.Summary });
  }
  return attributes;
}

/** All errors, each with its way out; the report's own summary is too short for that. */
function failure(findings: readonly LiveFinding[]): string {
  return errors(findings).map(({ code, subject, message, fix, reference }) => {
    return `${code}: ${safeText(subject)}: ${safeText(message, 500)}`
      + `${fix === undefined ? '' : `; ${safeText(fix, 300)}`}${reference === undefined ? '' : ` (${reference})`}`;
  }).join('; ');
}

function errors(findings: readonly LiveFinding[]): readonly LiveFinding[] {
  return findings.filter(({ severity }) => severity === 'error');
}
