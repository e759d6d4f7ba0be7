// Warnings about domains. If several domains of a stack have the same warning, it appears once, with their number and examples.
import { Annotations, Aspects, Validations } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import { joinList } from '../util/safe-text';
import { userStack } from './us-east-1-stack';

/** Maximum number of names in a message. */
const MAX_NAMES = 3;

/** A warning about one domain or several. */
export interface DomainWarning {
  /** Id by which users acknowledge the warning: `cdk-mta-sts:testing`. */
  readonly id: string;
  /** Domains or hosts of the warning. */
  readonly names: readonly string[];
  /** Plural noun for the names. Default: `domains`. */
  readonly noun?: string;
  /** Another text that must be equal for two warnings to be merged. */
  readonly like?: string;
  /** @param subject - `example.com`, or `100 domains (a.example, b.example, c.example and 97 more)` where `isMany` */
  readonly message: (subject: string, isMany: boolean) => string;
}

interface Given { readonly construct: Construct; readonly warning: DomainWarning; readonly metadata: string }

/** Warnings of each stack and of the stacks nested in it. */
const GIVEN = new WeakMap<Stack, Given[]>();

/**
 * Adds a warning to a construct at once, so that it can be acknowledged there. Equal warnings are merged at synthesis.
 *
 * @param construct - construct of this package
 */
export function warn(construct: Construct, warning: DomainWarning): void {
  const before = construct.node.metadata.length;
  Validations.of(construct).addWarning(warning.id, textOf(warning, warning.names));
  const added = construct.node.metadata.at(before)?.data as unknown;
  // No text was added: a construct around it has acknowledged the warning.
  if (typeof added !== 'string') return;
  const stack = userStack(construct);
  const all = GIVEN.get(stack) ?? [];
  GIVEN.set(stack, all);
  all.push({ construct, warning, metadata: added });
  Aspects.of(construct).add({
    visit: (node) => {
      if (node === construct) mergeEqual(all);
    },
  });
}

/** Merges equal warnings. Called when all constructs exist. */
function mergeEqual(all: Given[]): void {
  const groups = new Map<string, Given[]>();
  for (const given of all.splice(0)) {
    // An acknowledged warning has been removed.
    if (!given.construct.node.metadata.some(({ data }) => data === given.metadata)) continue;
    const { id, like } = given.warning;
    const key = JSON.stringify([id, like]);
    groups.set(key, [...groups.get(key) ?? [], given]);
  }
  for (const group of groups.values()) {
    if (group.length > 1) merge(group);
  }
}

function merge(group: readonly Given[]): void {
  const [first] = group;
  if (first === undefined) return;
  const { warning } = first;
  for (const { construct, metadata } of group) {
    // CDK made this id from the id of the warning. Acknowledging it removes the warning.
    const id = /\[ack: ([^\]]*)\]$/.exec(metadata)?.at(1);
    if (id !== undefined) Annotations.of(construct).acknowledgeWarning(id);
  }
  const names = [...new Set(group.flatMap((given) => given.warning.names))];
  Validations.of(commonScope(first.construct, group.map(({ construct }) => construct))).addWarning(warning.id, textOf(warning, names));
}

function textOf({ message, noun = 'domains' }: DomainWarning, names: readonly string[]): string {
  const [only = '', ...others] = names;
  return others.length === 0 ? message(only, false) : message(`${names.length} ${noun} (${joinList(names, MAX_NAMES)})`, true);
}

/** Returns the innermost construct that contains all of these. */
function commonScope(first: Construct, others: readonly Construct[]): IConstruct {
  const common = first.node.scopes.filter((scope) => others.every(({ node }) => node.scopes.includes(scope)));
  return common.at(-1) ?? first;
}
