// Checks before a deployment changes anything: they fail within seconds, with every reason of every domain of a host at once.
import { safeText } from '../../util/safe-text';
import { mapConcurrently } from '../../util/concurrency';
import type { OperationContext } from '../context/operation-context';
import type { Problem } from '../failures';
import { checkDomain } from './check-domain';
import type { SharedFacts } from './check-domain';
import type { CheckResult, PreflightWarning } from './check-result';
import type { PlannedDomain } from './domain-plan';

/** Route 53 answers five requests a second for each account, and a domain needs about as many. */
const MAX_CONCURRENT_DOMAINS = 4;

/** The domains to check, and the facts that they share. */
export interface PreflightInput extends SharedFacts {
  readonly domains: readonly PlannedDomain[];
}

/** The domains that a fact is about, in the order of the input. */
export interface AboutDomains {
  readonly domains: readonly string[];
}

/** The results of all checks. A fact that several domains share is there once. */
export interface PreflightResult {
  /** Problems that make the deployment unsafe. */
  readonly failures: readonly (Problem & AboutDomains)[];
  readonly warnings: readonly (PreflightWarning & AboutDomains)[];
  /** The facts that were found in order. */
  readonly passed: readonly ({ readonly message: string } & AboutDomains)[];
}

/** Checks whether a deployment is safe to start. Does not throw for a domain that is not. */
export async function runPreflight(context: OperationContext, { domains, ...shared }: PreflightInput): Promise<PreflightResult> {
  const changed = domains.flatMap(domainChange);
  if (changed.length > 0) return { failures: changed, warnings: [], passed: [] };
  const results = await mapConcurrently(domains, MAX_CONCURRENT_DOMAINS, async (planned): Promise<CheckedDomain> => {
    return { domain: planned.domain, checks: await checkDomain(context, planned, shared) };
  });
  return {
    failures: collect(results, ({ failures }) => failures),
    warnings: collect(results, ({ warnings }) => warnings),
    passed: collect(results, ({ passed }) => passed === undefined ? [] : [{ message: passed }]),
  };
}

/**
 * CloudFormation would delete the policy host of the old domain at once and its record only at the end. In between, senders would
 * find a record without a file.
 */
function domainChange({ domain, domainBefore }: PlannedDomain): readonly (Problem & AboutDomains)[] {
  if (domainBefore === undefined) return [];
  const old = safeText(domainBefore);
  return [{
    code: 'domain-changed',
    domains: [domain],
    message: `the domain of this construct was ${old} and is now ${domain}. The record of ${old} would outlive its policy file. Give the construct of the `
      + 'new domain an id of its own, and remove the old one later (RFC 8461 §8.3).',
  }];
}

interface CheckedDomain {
  readonly domain: string;
  readonly checks: readonly CheckResult[];
}

/** Returns each fact once, with the domains that it is about. */
function collect<T extends { readonly message: string }>(
  results: readonly CheckedDomain[], facts: (check: CheckResult) => readonly T[],
): readonly (T & AboutDomains)[] {
  const found = new Map<string, { readonly fact: T; readonly domains: Set<string> }>();
  for (const { domain, checks } of results) {
    for (const fact of checks.flatMap(facts)) {
      const known = found.get(fact.message) ?? { fact, domains: new Set() };
      found.set(fact.message, known);
      known.domains.add(domain);
    }
  }
  return [...found.values()].map(({ fact, domains }) => ({ ...fact, domains: [...domains] }));
}
