// A domain has one policy and one host: two constructs of an app that take the same names are found at synthesis.
import { Stack } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import { outermostStack, userStack } from './us-east-1-stack';
import { warn } from './warnings';

/** What one construct alone can have of a domain. */
interface Parts {
  /** Its policy. */
  readonly policy?: boolean;
  /** The host that answers for `mta-sts.<domain>`. */
  readonly host?: boolean;
  /** The records of what it has of the two above, or of both where it has neither: somebody else serves the policy then. */
  readonly records?: boolean;
}

interface Claim {
  readonly construct: Construct;
  /** What it takes: `policy`, `host`, `_mta-sts` or `mta-sts`. */
  readonly names: readonly string[];
  /** `published`, `served` or `delegated`. */
  readonly how: string;
  /** Whether the construct is complete: one that threw an error claims nothing. */
  isComplete: boolean;
}

/** By the domain in lower-case A-labels. On the root of the tree, under a name that every copy of this package finds. */
type Claims = Map<string, Claim[]>;

const CLAIMS = Symbol.for('cdk-mta-sts.claims');

/**
 * Takes parts of a domain for a construct.
 *
 * Across stacks it is a warning, also across stages: no two of them can hold in the DNS at once, but an app may synthesize stacks that are
 * never deployed together.
 *
 * @param domainName - in lower-case A-labels
 * @param how - what it does: `published`, `served` or `delegated`
 * @param parts - what it takes
 * @returns what to call once the construct is complete
 * @throws where another construct of the same stack has one of the parts; nested stacks count as their outermost one
 */
export function claimDomain(construct: Construct, domainName: string, how: string, parts: Parts): () => void {
  const claims = claimsOf(construct);
  const known = (claims.get(domainName) ?? []).filter(({ construct: other }) => isInTree(other));
  const own = { construct, how, names: namesOf(parts), isComplete: false };
  const complete = (): void => {
    own.isComplete = true;
  };
  // The host of its own that a construct makes is claimed by that.
  if (known.some((other) => !other.isComplete && isInside(construct, other.construct))) return complete;
  const rivals = known.filter((other) => other.isComplete && other.names.some((name) => own.names.includes(name)));
  const stack = userStack(construct);
  const rival = rivals.find((other) => userStack(other.construct) === stack);
  if (rival !== undefined) {
    throw new Error(`${domainName} is ${rival.how} by ${rival.construct.node.path} already, a construct of the same stack: a domain has one policy `
      + `(RFC 8461 §3.1), and both would take the same names; remove one of them, or give ${construct.node.path} another domain`);
  }
  claims.set(domainName, [...known, own]);
  if (rivals.length > 0) warnOfRivals(construct, domainName, rivals);
  return complete;
}

function namesOf({ policy = false, host = false, records = false }: Parts): string[] {
  const all = [
    [policy, 'policy'], [host, 'host'],
    [records && (policy || !host), '_mta-sts'], [records && (host || !policy), 'mta-sts'],
  ] as const;
  return all.filter(([isTaken]) => isTaken).map(([, name]) => name);
}

/** Whether a construct is below another, or below the place of that in the us-east-1 stack. */
function isInside(construct: IConstruct, outer: IConstruct): boolean {
  return userStack(construct) === userStack(outer) && pathInStack(construct).startsWith(`${pathInStack(outer)}/`);
}

/** The same for a construct and for its place in the us-east-1 stack. */
function pathInStack(construct: IConstruct): string {
  const { scopes } = construct.node;
  return scopes.slice(outermostStack(Stack.of(construct)).node.scopes.length).map(({ node: { id } }) => id).join('/');
}

function warnOfRivals(construct: Construct, domainName: string, rivals: readonly Claim[]): void {
  const [{ construct: first, how }] = rivals;
  const other = userStack(first).node.path;
  warn(construct, {
    id: 'cdk-mta-sts:domainTwice',
    names: [domainName],
    like: other,
    message: (subject, isMany) => `${subject} ${isMany ? 'are' : 'is'} ${how} in the stack ${other} too${isMany ? '' : `, by ${first.node.path}`}: a domain has one `
      + 'policy (RFC 8461 §3.1), and the stack that is deployed second fails, since the names are taken; keep one of them, or acknowledge '
      + 'this warning where the two are never deployed at the same time',
  });
}

function claimsOf({ node: { root } }: Construct): Claims {
  const known: unknown = Reflect.get(root, CLAIMS);
  if (known instanceof Map) return known as Claims;
  const claims: Claims = new Map();
  Object.defineProperty(root, CLAIMS, { value: claims });
  return claims;
}

/** What was taken out of the tree claims nothing. */
function isInTree(construct: IConstruct): boolean {
  const { scope, id } = construct.node;
  return scope === undefined || (scope.node.tryFindChild(id) === construct && isInTree(scope));
}
