// Every code that a finding can have, by subject. `mta-sts explain` prints it, and docs/reference/findings.md is generated from it.
import type { SenderQuirk, Severity } from '../lib/protocol/findings/finding';
import type { FindingKind } from '../lib/protocol/findings/kind';
import { POLICY_FINDINGS } from '../lib/protocol/findings/policy';
import { TXT_FINDINGS } from '../lib/protocol/findings/txt';
import { DNS_FINDINGS, MX_FINDINGS, POLICY_HOST_FINDINGS } from '../lib/verifier/findings';

/** Codes of one subject. */
export interface Area {
  readonly title: string;
  /** Whether the codes come from the verification of a live domain. The others are found in any text. */
  readonly live: boolean;
  /** Sorted by severity, worst first, then by name. */
  readonly codes: readonly CodeEntry[];
}

/** One code and its explanation. */
export interface CodeEntry {
  readonly code: string;
  readonly severity: Severity;
  readonly meaning: string;
  readonly impact: string;
  readonly fix: string;
  readonly reference: string;
  readonly quirks: readonly SenderQuirk[];
}

const SEVERITIES: readonly Severity[] = ['error', 'unknown', 'warning', 'info'];

export const AREAS: readonly Area[] = [
  area('DNS: the records and the servers that give them', true, DNS_FINDINGS),
  area('The policy host and the file that it serves', true, POLICY_HOST_FINDINGS),
  area('Mail hosts and TLS reporting', true, MX_FINDINGS),
  area('The text of the records', false, TXT_FINDINGS),
  area('The text of the policy file', false, POLICY_FINDINGS),
];

export const CODES: ReadonlyMap<string, CodeEntry> = new Map(AREAS.flatMap(({ codes }) => codes).map((entry) => [entry.code, entry]));

/** Returns the sections that a reference names, with their URLs: `RFC 8461 §3.1 and §8.1` names two. */
export function sectionsOf(reference: string): readonly { readonly name: string; readonly url: string }[] {
  let rfc = '';
  return [...reference.matchAll(/RFC (\d+)|§([0-9.]*[0-9])/g)].flatMap((match) => {
    const section = match.at(2);
    rfc = match.at(1) ?? rfc;
    return section === undefined ? [] : [{ name: `RFC ${rfc} §${section}`, url: `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}` }];
  });
}

function area(title: string, live: boolean, kinds: Readonly<Record<string, FindingKind>>): Area {
  return { title, live, codes: Object.entries(kinds).map(entry).sort(worstFirst) };
}

function entry([code, kind]: [string, FindingKind]): CodeEntry {
  const { severity, meaning, impact, fix, reference, quirks = [] } = kind;
  return { code, severity, meaning, impact, fix, reference, quirks };
}

function worstFirst(one: CodeEntry, other: CodeEntry): number {
  return SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || one.code.localeCompare(other.code);
}
