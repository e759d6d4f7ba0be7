// Custom::MtaStsPreflight: is it safe to start? Fails in seconds, with every reason of every domain of a host at once.
import { isDeepStrictEqual } from 'node:util';
import { joinList, safeText } from '../../util/safe-text';
import type { CheckResult } from './check-result';
import type { DeploymentEvent, Properties } from '../../functions/deployment/event';
import { fewAtOnce } from '../../util/few-at-once';
import { checkDomain, entriesBefore, plannedDomain } from './domain-plan';
import type { PlannedDomain } from './domain-plan';
import { choiceProperty, domainProperty, objectsProperty } from '../../functions/deployment/properties';
import { attribute } from '../../functions/deployment/failure-message';
import type { OperationContext } from '../context/operation-context';
import type { Attributes, CustomResource } from '../../functions/deployment/custom-resource';

/** Route 53 takes five requests a second of an account, and a domain needs about as many. */
const DOMAINS_AT_ONCE = 4;

/** Domains of a message. */
const MOST_DOMAINS = 3;

export function preflightTask(event: DeploymentEvent): CustomResource {
  const { properties, oldProperties, stackId, physicalResourceId } = event;
  const certificateGiven = isGiven(properties);
  const entries = objectsProperty(properties, 'Domains');
  const before = entriesBefore(oldProperties);
  const isGivenAsBefore = oldProperties !== undefined && isGiven(oldProperties) === certificateGiven;
  // Of the others another event has said that they are in order; what has changed since is not what this update changes.
  const changed = isGivenAsBefore ? entries.filter((entry) => !before.some((old) => isDeepStrictEqual(old, entry))) : entries;
  // It is made anew for other names, and where they are validated in other zones.
  const sameCertificate = isGivenAsBefore && isDeepStrictEqual(before.map(certified), entries.map(certified));
  const domains = changed.map((entry) => plannedDomain(entry, before.find((old) => isSame(old, entry)), sameCertificate));

  const work = async (context: OperationContext): Promise<Attributes> => {
    domains.forEach((domain) => {
      refuseOtherDomain(domain, before);
    });
    const results = await fewAtOnce(DOMAINS_AT_ONCE, domains, async (planned) => {
      return { domain: planned.domain, checked: await checkDomain(context, planned, { stackId, certificateGiven }) };
    });
    return { Summary: summary(results) };
  };

  return {
    // Of the first domain, and kept when that one leaves: another id would be another resource.
    physicalResourceId: physicalResourceId ?? `mta-sts-preflight/${entries.length > 0 ? domainProperty(entries[0]) : 'none'}`,
    work,
    ignoresFailure: (rollingBack) => rollingBack,
    attributesOnIgnoredFailure: (message) => ({ Summary: attribute(message) }),
  };
}

function isGiven(properties: Properties): boolean {
  return choiceProperty({ Certificate: 'made', ...properties }, 'Certificate', ['given', 'made']) === 'given';
}

function certified({ DomainName: name, HostedZoneId: zone }: Properties): readonly unknown[] {
  return [name, zone];
}

function isSame(old: Properties, { DomainName: name }: Properties): boolean {
  return typeof old.DomainName === 'string' && typeof name === 'string' && old.DomainName.toLowerCase() === name.toLowerCase();
}

/**
 * CloudFormation would take the host of the old domain away at once and its record only in the end: in between senders would find
 * a record whose file is gone.
 */
function refuseOtherDomain({ domain, publication }: PlannedDomain, before: readonly Properties[]): void {
  const other = before.find((old) => publication !== undefined && old.Publication === publication && !isSame(old, { DomainName: domain }));
  if (other !== undefined) {
    throw new Error(`the domain of this construct was ${safeText(String(other.DomainName))} and is now ${domain}: a domain is not changed in place, `
      + 'since its record would outlive its policy file; give the construct of the new domain an id of its own, and remove the old one later');
  }
}

interface CheckedDomain {
  readonly domain: string;
  readonly checked: readonly CheckResult[];
}

/**
 * @throws with all faults in one line; one that kept several checks from being made stands there once
 */
function summary(results: readonly CheckedDomain[]): string {
  const faults = texts(results, ({ failures: faults }) => faults);
  if (faults.length === 1) throw new Error(faults[0]);
  if (faults.length > 1) throw new Error(`${faults.length} faults: ${faults.map((fault, index) => `(${index + 1}) ${fault}`).join('; ')}`);
  const warnings = texts(results, ({ warnings }) => warnings).map((warning) => `warning: ${warning}`);
  return attribute([...warnings, ...texts(results, ({ checkPassed: good }) => good === undefined ? [] : [good])].join('; ') || 'nothing has changed that is to be checked');
}

/** Each text once; where there are several domains with those that it is about. */
function texts(results: readonly CheckedDomain[], of: (checked: CheckResult) => readonly string[]): readonly string[] {
  const found = new Map<string, Set<string>>();
  for (const { domain, checked } of results) {
    for (const text of checked.flatMap(of)) found.set(text, (found.get(text) ?? new Set()).add(domain));
  }
  return [...found].map(([text, domains]) => results.length > 1 ? `${joinList([...domains], MOST_DOMAINS)}: ${text}` : text);
}
