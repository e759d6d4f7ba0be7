// Reads the properties of the custom resources. All arrive as strings from the template, and none is trusted.
import { isObject } from '../../util/objects';
import { hostNameProblem, toALabels } from '../../protocol/domain-name';
import { parsePolicy } from '../../protocol/policy/policy';
import type { Policy } from '../../protocol/policy/policy';
import { policyHash, policyId } from '../../protocol/policy/id';
import { policyText } from '../../contract/custom-resources';
import type { PlannedRecord } from '../../operations/preflight/domain-plan';
import { safeText } from '../../util/safe-text';
import { invalidProperty, shown } from './event';
import type { Properties } from './event';

/** A policy with the exact bytes of its file. */
export interface PlannedPolicy {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** The hash of the bytes: the end of every id that names them. */
  readonly hash: string;
  readonly policy: Policy;
}

/** Reads a text that is not empty. */
export function textProperty(properties: Properties, name: string): string {
  const value = properties[name];
  if (typeof value !== 'string' || value === '') throw invalidProperty(`\`${name}\` must be a text that is not empty, got ${shown(value)}`);
  return value;
}

/** Reads a list of texts, at least one. */
function linesProperty(properties: Properties, name: string): readonly string[] {
  const value: unknown = properties[name];
  const lines: readonly unknown[] = Array.isArray(value) ? value : [];
  const texts = lines.filter((line) => typeof line === 'string');
  if (texts.length === 0 || texts.length < lines.length) throw invalidProperty(`\`${name}\` must be a list of lines, got ${shown(value)}`);
  return texts;
}

/** Reads the policy domain, in lower-case A-labels. */
export function domainProperty(properties: Properties): string {
  const written = textProperty(properties, 'DomainName');
  const domain = toALabels(written) || written;
  const problem = hostNameProblem(domain);
  if (problem !== undefined) throw invalidProperty(`\`DomainName\` ${shown(written)} ${problem} (RFC 5321 §4.1.2)`);
  return domain;
}

/** Reads the id of the hosted zone; undefined for external DNS. */
export function optionalZoneIdProperty(properties: Properties): string | undefined {
  return properties.HostedZoneId === undefined ? undefined : hostedZoneIdProperty(properties);
}

/** Reads the id of the hosted zone, also in the API's form `/hostedzone/Z...`. */
export function hostedZoneIdProperty(properties: Properties): string {
  const written = textProperty(properties, 'HostedZoneId');
  const id = written.replace(/^\/?hostedzone\//, '');
  if (!/^[A-Z0-9]{1,32}$/.test(id)) {
    throw invalidProperty(`\`HostedZoneId\` must be the id of a hosted zone, Z0123456789ABCDEFGHIJ for example, got ${shown(written)}`);
  }
  return id;
}

/** Reads the policy. Its lines must match the grammar of RFC 8461 §3.2. */
export function policyProperty(properties: Properties): PlannedPolicy {
  const text = policyText(linesProperty(properties, 'Policy'));
  const bytes = Buffer.from(text, 'utf8');
  const { policy, findings } = parsePolicy(bytes);
  if (policy === undefined) {
    const error = findings.find(({ severity }) => severity === 'error');
    throw invalidProperty(`\`Policy\` is not a valid policy: ${error?.message ?? 'no reason given'} (${error?.reference ?? 'RFC 8461 §3.2'})`);
  }
  return { text, bytes, hash: policyHash(bytes), policy };
}

/**
 * Returns the id that the template itself names, as those of the releases before 0.2 do; undefined for a template of today, which names
 * the hash alone.
 *
 * @throws DeploymentFailure where the template names another text than it carries
 */
export function givenIdProperty(properties: Properties, { bytes, hash }: PlannedPolicy): string | undefined {
  const isOld = properties.PolicyHash === undefined && properties.PolicyId !== undefined;
  const [name, expected] = isOld ? ['PolicyId', policyId(bytes)] : ['PolicyHash', hash];
  const named = textProperty(properties, name);
  if (named === expected) return isOld ? named : undefined;
  throw invalidProperty(`\`${name}\` must be the hash of \`Policy\`, ${expected}, got ${safeText(named)}, because the text was changed on its way here`);
}

/** Reads a list of objects, such as the domains of a host. */
export function objectsProperty(properties: Properties, name: string): readonly Properties[] {
  const value: unknown = properties[name];
  if (!Array.isArray(value)) throw invalidProperty(`\`${name}\` must be a list, got ${shown(value)}`);
  return value.map((entry: unknown, index) => {
    if (isObject(entry)) return entry;
    throw invalidProperty(`\`${name}[${index}]\` must be an object, got ${shown(entry)}`);
  });
}

/** Reads the record sets that the stack creates. */
export function recordsProperty(properties: Properties): readonly PlannedRecord[] {
  return objectsProperty(properties, 'Records').map((record) => ({
    name: textProperty(record, 'Name').replace(/\.$/, '').toLowerCase(),
    type: textProperty(record, 'Type').toUpperCase(),
    logicalId: textProperty(record, 'LogicalId'),
  }));
}

/** Reads one of several fixed texts. */
export function choiceProperty<T extends string>(properties: Properties, name: string, choices: readonly T[]): T {
  const value = properties[name];
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw invalidProperty(`\`${name}\` must be ${choices.join(' or ')}, got ${safeText(shown(value))}`);
  return choice;
}
