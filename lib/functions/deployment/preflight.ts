// Custom::MtaStsPreflight: is the deployment safe to start? One for all domains of a host.
import { isDeepStrictEqual } from 'node:util';
import type { OperationContext } from '../../operations/context/operation-context';
import { DeploymentFailure } from '../../operations/failures';
import type { PlannedDomain, PlannedRecord } from '../../operations/preflight/domain-plan';
import { runPreflight } from '../../operations/preflight/preflight';
import type { AboutDomains, PreflightInput, PreflightResult } from '../../operations/preflight/preflight';
import type { Mode, Policy } from '../../protocol/policy/policy';
import { joinList } from '../../util/safe-text';
import type { Attributes, CustomResource } from './custom-resource';
import { isObject } from '../../util/objects';
import type { DeploymentEvent, Properties } from './event';
import { attribute } from './failure-message';
import { choiceProperty, domainProperty, objectsProperty, optionalZoneIdProperty, policyProperty, recordsProperty } from './properties';

/** Maximum number of domains to name in a message. */
const MAX_DOMAINS = 3;

/** Reads the event of a Preflight. */
export function preflightResource({ properties, oldProperties, stackId, physicalResourceId }: DeploymentEvent): CustomResource {
  const certificateGiven = isCertificateGiven(properties);
  const entries = objectsProperty(properties, 'Domains');
  const [first] = entries;
  const input = { stackId, certificateGiven, domains: changedDomains(entries, oldProperties, certificateGiven) };
  return {
    // Named after the first domain, and kept when that domain leaves: a new id would replace the resource.
    physicalResourceId: physicalResourceId ?? `mta-sts-preflight/${first === undefined ? 'none' : domainProperty(first)}`,
    work: async (context) => preflightAttributes(context, input),
    ignoresFailure: (rollingBack) => rollingBack,
    attributesOnIgnoredFailure: (message) => ({ Summary: attribute(message) }),
  };
}

async function preflightAttributes(context: OperationContext, input: PreflightInput): Promise<Attributes> {
  const result = await runPreflight(context, input);
  const isSeveral = input.domains.length > 1;
  if (result.failures.length > 0) {
    throw new DeploymentFailure(result.failures.map((failure) => ({ code: failure.code, message: aboutDomains(failure, isSeveral) })));
  }
  return { Summary: attribute(summaryText(result, isSeveral) || 'nothing to check has changed') };
}

function summaryText({ warnings, passed }: PreflightResult, isSeveral: boolean): string {
  return [
    ...warnings.map((warning) => `warning: ${warning.code === undefined ? '' : `${warning.code}: `}${aboutDomains(warning, isSeveral)}`),
    passed.map((fact) => aboutDomains(fact, isSeveral)).join('; '),
  ].filter((text) => text !== '').join(' ');
}

/** Returns the message; with several domains, the domains that it is about come first. */
function aboutDomains({ domains, message }: AboutDomains & { readonly message: string }, isSeveral: boolean): string {
  return isSeveral ? `${joinList(domains, MAX_DOMAINS)}: ${message}` : message;
}

/** Returns the domains that this event adds or changes. Without properties before, or with another certificate, all of them. */
function changedDomains(
  entries: readonly Properties[], oldProperties: Properties | undefined, certificateGiven: boolean,
): readonly PlannedDomain[] {
  const before = entriesBefore(oldProperties);
  const keepsSource = oldProperties !== undefined && isCertificateGiven(oldProperties) === certificateGiven;
  // An earlier deployment checked the unchanged domains. Anything that changed since is not caused by this update.
  const changed = keepsSource ? entries.filter((entry) => !before.some((old) => isDeepStrictEqual(old, entry))) : entries;
  // Other names, or other zones to validate them in, need a new certificate.
  const keepsCertificate = keepsSource && isDeepStrictEqual(before.map(certifiedName), entries.map(certifiedName));
  return changed.map((entry) => plannedDomain(entry, before, keepsCertificate));
}

/** Returns the domains before this update. Another version may have written them, so the unreadable ones are left out. */
function entriesBefore(oldProperties: Properties | undefined): readonly Properties[] {
  const entries: unknown = oldProperties?.Domains;
  return Array.isArray(entries) ? entries.filter(isObject) : [];
}

function isCertificateGiven(properties: Properties): boolean {
  return choiceProperty({ Certificate: 'made', ...properties }, 'Certificate', ['given', 'made']) === 'given';
}

function certifiedName({ DomainName: name, HostedZoneId: zone }: Properties): readonly unknown[] {
  return [name, zone];
}

function hasSameDomain(one: Properties, { DomainName: name }: Properties): boolean {
  return typeof one.DomainName === 'string' && typeof name === 'string' && one.DomainName.toLowerCase() === name.toLowerCase();
}

function plannedDomain(entry: Properties, allBefore: readonly Properties[], keepsCertificate: boolean): PlannedDomain {
  const policy = entry.Policy === undefined ? undefined : policyProperty(entry).policy;
  const domain = domainProperty(entry);
  const { Publication: publication } = entry;
  const before = allBefore.find((old) => hasSameDomain(old, entry));
  const other = allBefore.find((old) => {
    return publication !== undefined && old.Publication === publication && !hasSameDomain(old, { DomainName: domain });
  });
  return {
    domain,
    zoneId: optionalZoneIdProperty(entry),
    policy,
    records: recordsProperty(entry),
    recordsBefore: before === undefined ? [] : recordsBefore(before),
    domainBefore: other === undefined ? undefined : String(other.DomainName),
    changesPublisher: before?.Publication !== undefined && publication !== undefined && before.Publication !== publication,
    changesZone: before !== undefined && before.HostedZoneId !== entry.HostedZoneId,
    relaxesPolicy: before !== undefined && keepsCertificate && relaxesPolicy(entry, before, policy),
  };
}

/** A relaxing update is the way out where senders refuse mail. */
function relaxesPolicy(entry: Properties, before: Properties, policy: Policy | undefined): boolean {
  const [rest, restBefore] = [entry, before].map((one) => ({ ...one, Policy: undefined }));
  return policy !== undefined && STRICTNESS[policy.mode] < STRICTNESS[modeBefore(before)] && isDeepStrictEqual(rest, restBefore);
}

const STRICTNESS: Readonly<Record<Mode, number>> = { none: 0, testing: 1, enforce: 2 };

/** Another version may have stored the policy in another format. Assumes `none` then, the least strict mode. */
function modeBefore(before: Properties): Mode {
  try {
    return policyProperty(before).policy.mode;
  } catch {
    return 'none';
  }
}

/** Another version may have stored the records in another format. CloudFormation is then asked for the resources of the stack. */
function recordsBefore(before: Properties): readonly PlannedRecord[] {
  try {
    return recordsProperty(before);
  } catch {
    return [];
  }
}
