// The policy domain of a construct: its name, and the rule that only one construct of an app publishes and serves it.
import { Stack, Token } from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import { hostNameProblem, toALabels } from '../protocol/domain-name';
import { policyHostName } from '../protocol/policy/url';
import { safeText } from '../util/safe-text';
import { outermostStack, userStack } from './us-east-1-stack';
import { warn } from './warnings';
import { isPrivate, privateZoneProblem, requireMailZone, withoutRecordLabels, zoneNameOf } from './zone';

/** Maximum length of the first name of a certificate (AWS Certificate Manager). The name is `mta-sts.<domain>`. */
const MAX_POLICY_HOST_LENGTH = 64;

/**
 * Returns the policy domain in lower-case A-labels.
 *
 * @param domainName - domain as the user wrote it; undefined for the name of the zone
 * @param hostedZone - zone that contains its records; undefined for external DNS
 * @throws Error if the domain is no mail domain, too long, not in the zone, or a token, or if the zone is private
 */
export function policyDomain(domainName: string | undefined, hostedZone: route53.IHostedZone | undefined): string {
  if (domainName === undefined && hostedZone === undefined) {
    throw new Error('`hostedZone` is missing, the Route 53 zone that contains the records. With external DNS, write '
      + '`domainName: \'example.com\'` without it. The records are then outputs, and you create them manually');
  }
  if (hostedZone !== undefined) requireMailZone(hostedZone);
  const zoneName = hostedZone === undefined ? undefined : zoneNameOf(hostedZone);
  const written = domainName ?? zoneName;
  if (written === undefined || Token.isUnresolved(written)) {
    throw new Error('`domainName` must be known at synthesis, because the certificate, the edge function and the records contain it. '
      + 'The name of the hosted zone is a token, or the zone was imported by its id. Write `domainName: \'example.com\'`');
  }
  const domain = toALabels(written) || written;
  const mailDomain = withoutRecordLabels(domain);
  if (mailDomain !== undefined) {
    throw new Error(`\`domainName\` must be the mail domain, the part after the @, got ${safeText(JSON.stringify(written))}, a name of its records. Write `
      + `\`domainName: '${hostNameProblem(mailDomain) === undefined ? mailDomain : 'example.com'}'\` (RFC 8461 §3.1)`);
  }
  const problem = hostNameProblem(domain);
  if (problem !== undefined) {
    throw new Error(`\`domainName\` ${safeText(JSON.stringify(written))} ${problem} (RFC 5321 §4.1.2)`);
  }
  if (!domain.includes('.')) {
    throw new Error(`\`domainName\` must be the whole mail domain, got the single label ${safeText(JSON.stringify(written))}. Write \`domainName: 'example.com'\``);
  }
  const host = policyHostName(domain);
  if (host.length > MAX_POLICY_HOST_LENGTH) {
    throw new Error(`\`domainName\` must be at most ${MAX_POLICY_HOST_LENGTH - policyHostName('').length} characters, got ${domain.length}. `
      + `${host} must fit a certificate, which allows ${MAX_POLICY_HOST_LENGTH} (AWS Certificate Manager)`);
  }
  if (zoneName !== undefined && domain !== zoneName && !domain.endsWith(`.${zoneName}`)) {
    throw new Error(`\`domainName\` must be the name of the hosted zone or below it, got ${domain} for the zone ${zoneName}. `
      + 'Pass the hosted zone that contains the records of the domain');
  }
  return domain;
}

/**
 * Checks zones at synthesis, after all changes of the app to them.
 *
 * @param construct - construct of this package
 */
export function watchZones(construct: Construct, zones: readonly (route53.IHostedZone | undefined)[]): void {
  const distinct = [...new Set(zones)].filter((zone) => zone !== undefined);
  construct.node.addValidation({
    // `addVpc()` makes a public zone private.
    validate: () => distinct.filter(isPrivate).map(privateZoneProblem),
  });
  for (const zone of distinct) {
    const name = zoneNameOf(zone);
    if (name === undefined || name.includes('.')) continue;
    warn(construct, {
      id: 'cdk-mta-sts:topLevelZone',
      names: [zone.node.path],
      noun: 'zones',
      message: (subject, isMany) => `${isMany ? '' : 'the hosted zone '}${subject} ${isMany ? 'are' : 'is'} named by a single label. Few people own a `
        + 'top-level domain. Pass the zone of the mail domain',
    });
  }
}

/** Parts of a domain that only one construct can have. */
interface Parts {
  /** The policy. */
  readonly policy?: boolean;
  /** The host that answers for `mta-sts.<domain>`. */
  readonly host?: boolean;
  /** The records of the parts above. Without either part, the records of both: a provider then serves the policy. */
  readonly records?: boolean;
}

interface Claim {
  readonly construct: Construct;
  /** Claimed parts: any of `policy`, `host`, `_mta-sts` and `mta-sts`. */
  readonly names: readonly string[];
  /** `published`, `served` or `delegated`. */
  readonly how: string;
  /** Whether the constructor has finished. A construct that threw an error claims nothing. */
  isComplete: boolean;
}

/** Claims by domain in lower-case A-labels. Stored at the root of the tree under a symbol that every copy of this package finds. */
type Claims = Map<string, Claim[]>;

const CLAIMS = Symbol.for('cdk-mta-sts.claims');

/**
 * Claims parts of a domain for a construct.
 *
 * Two constructs of one stack with the same part are an error. In two stacks or stages they are a warning: DNS can hold only one of them,
 * but an app can synthesize stacks that are never deployed together.
 *
 * @param domainName - domain in lower-case A-labels
 * @param how - `published`, `served` or `delegated`
 * @param parts - parts to claim
 * @returns a function to call when the constructor has finished
 * @throws Error if another construct of the same stack has one of the parts; nested stacks count as their outermost one
 */
export function claimDomain(construct: Construct, domainName: string, how: string, parts: Parts): () => void {
  const claims = claimsOf(construct);
  const known = (claims.get(domainName) ?? []).filter(({ construct: other }) => isInTree(other));
  const own = { construct, how, names: namesOf(parts), isComplete: false };
  const complete = (): void => {
    own.isComplete = true;
  };
  // A construct that creates its own PolicyHost has already claimed its parts.
  if (known.some((other) => !other.isComplete && isInside(construct, other.construct))) return complete;
  const rivals = known.filter((other) => other.isComplete && other.names.some((name) => own.names.includes(name)));
  const stack = userStack(construct);
  const rival = rivals.find((other) => userStack(other.construct) === stack);
  if (rival !== undefined) {
    throw new Error(`${domainName} is already ${rival.how} by ${rival.construct.node.path}, a construct of the same stack. A domain has one policy `
      + `(RFC 8461 §3.1), and both constructs need the same names. Remove one of them, or give ${construct.node.path} another domain`);
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

/** Returns whether a construct is below another, or below the resources of that one in the us-east-1 stack. */
function isInside(construct: IConstruct, outer: IConstruct): boolean {
  return userStack(construct) === userStack(outer) && pathInStack(construct).startsWith(`${pathInStack(outer)}/`);
}

/** Returns the path in the stack. It is the same for a construct and for its resources in the us-east-1 stack. */
function pathInStack(construct: IConstruct): string {
  const { scopes } = construct.node;
  return scopes.slice(outermostStack(Stack.of(construct)).node.scopes.length).map(({ node: { id } }) => id).join('/');
}

function warnOfRivals(construct: Construct, domainName: string, rivals: readonly Claim[]): void {
  const [rival] = rivals;
  if (rival === undefined) return;
  const { construct: first, how } = rival;
  const other = userStack(first).node.path;
  warn(construct, {
    id: 'cdk-mta-sts:domainTwice',
    names: [domainName],
    like: other,
    message: (subject, isMany) => `${subject} ${isMany ? 'are' : 'is'} ${how} in the stack ${other} too${isMany ? '' : `, by ${first.node.path}`}. A domain has one `
      + 'policy (RFC 8461 §3.1), and the stack that is deployed second fails, because the names are taken. Keep one of them, or acknowledge '
      + 'this warning if the two are never deployed at the same time',
  });
}

function claimsOf({ node: { root } }: Construct): Claims {
  const known: unknown = Reflect.get(root, CLAIMS);
  if (known instanceof Map) return known as Claims;
  const claims: Claims = new Map();
  Object.defineProperty(root, CLAIMS, { value: claims });
  return claims;
}

/** Returns whether a construct is still in the tree. A removed construct claims nothing. */
function isInTree(construct: IConstruct): boolean {
  const { scope, id } = construct.node;
  return scope === undefined || (scope.node.tryFindChild(id) === construct && isInTree(scope));
}
