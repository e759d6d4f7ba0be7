// Warnings of domains: where several domains of a stack have the same one, it is said once, with their number and examples.
import { Annotations, Aspects, Validations } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import { joinList } from '../util/safe-text';
import { userStack } from './us-east-1-stack';

/** Names of a message. */
const MOST_NAMES = 3;

/** A warning of one domain or of several. */
export interface DomainWarning {
  /** By which users acknowledge it: `cdk-mta-sts:testing`. */
  readonly id: string;
  /** The domains, or hosts, that it is about. */
  readonly names: readonly string[];
  /** What names are called where they are many. Default: `domains`. */
  readonly noun?: string;
  /** What else must be equal for two warnings to be one. */
  readonly like?: string;
  /** @param subject - `example.com`, or `100 domains (a.example, b.example, c.example and 97 more)` where `isMany` */
  readonly message: (subject: string, isMany: boolean) => string;
}

interface Given { readonly construct: Construct; readonly warning: DomainWarning; readonly metadata: string }

/** Those of a stack, with all that is nested in it. */
const GIVEN = new WeakMap<Stack, Given[]>();

/**
 * Warns at once, so that it can be acknowledged on the construct; equal warnings are put together at synthesis.
 *
 * @param construct - one of ours
 */
export function warn(construct: Construct, warning: DomainWarning): void {
  const before = construct.node.metadata.length;
  Validations.of(construct).addWarning(warning.id, textOf(warning, warning.names));
  const added = construct.node.metadata.at(before)?.data as unknown;
  // Acknowledged on a construct around it already.
  if (typeof added !== 'string') return;
  const stack = userStack(construct);
  const all = GIVEN.get(stack) ?? [];
  GIVEN.set(stack, all);
  all.push({ construct, warning, metadata: added });
  Aspects.of(construct).add({
    visit: (node) => {
      if (node === construct) putTogether(all);
    },
  });
}

/** Once all constructs are there. */
function putTogether(all: Given[]): void {
  const groups = new Map<string, Given[]>();
  for (const given of all.splice(0)) {
    // Those that were acknowledged are gone.
    if (!given.construct.node.metadata.some(({ data }) => data === given.metadata)) continue;
    const { id, like } = given.warning;
    const key = JSON.stringify([id, like]);
    groups.set(key, [...groups.get(key) ?? [], given]);
  }
  for (const group of groups.values()) {
    if (group.length > 1) sayOnce(group);
  }
}

function sayOnce(group: readonly Given[]): void {
  const [{ warning }] = group;
  for (const { construct, metadata } of group) {
    // Takes it away: by the id that CDK has made of ours.
    const id = /\[ack: ([^\]]*)\]$/.exec(metadata)?.[1];
    if (id !== undefined) Annotations.of(construct).acknowledgeWarning(id);
  }
  const names = [...new Set(group.flatMap((given) => given.warning.names))];
  Validations.of(around(group.map(({ construct }) => construct))).addWarning(warning.id, textOf(warning, names));
}

function textOf({ message, noun = 'domains' }: DomainWarning, names: readonly string[]): string {
  return names.length === 1 ? message(names[0], false) : message(`${names.length} ${noun} (${joinList(names, MOST_NAMES)})`, true);
}

/** The innermost construct that holds all of these. */
function around([first, ...others]: readonly Construct[]): IConstruct {
  const held = first.node.scopes.filter((scope) => others.every(({ node: { scopes } }) => scopes.includes(scope)));
  return held.at(-1) ?? first;
}
