// Checks the CNAMEs at `_mta-sts`, `mta-sts` and `_smtp._tls`: their targets, dangling ones, loops, and chains that are too long.
import type { Severity } from '../../../protocol/findings/finding';
import type { Area, LiveFindingKind } from '../../../protocol/findings/kind';
import { policyHostName } from '../../../protocol/policy/url';
import { stsRecordName } from '../../../protocol/records/record-names';
import { safeText } from '../../../util/safe-text';
import { ALIAS_PROBLEMS, TOO_MANY_RECORDS } from '../../dns/answer';
import type { DnsFailed } from '../../dns/answer';
import { appendedZone, appendedZoneText } from '../../dns/appended-zone';
import type { Delegation, LiveFinding } from '../../result';
import { findingFactory } from '../live-finding';

export const CNAME_FINDINGS = {
  'cname-dangling': {
    severity: 'error',
    area: 'record',
    meaning: 'A CNAME leads to a name that does not exist or has no record of the type.',
    impact: 'No other record can stand beside it, so senders find nothing. Anyone who can register the target controls what they find.',
    fix: 'delete the CNAME, or create what it leads to',
    reference: 'RFC 8461 §8.2',
  },
  'delegated': {
    severity: 'info',
    area: 'record',
    meaning: 'The record or the policy host is an alias (CNAME) of a name that may belong to another.',
    impact: 'None: senders follow it. The owner of the target controls the policy.',
    fix: 'nothing needs to be done where this is meant, such as a policy host that leads to a CloudFront distribution; where `_mta-sts` is an alias '
      + 'too, keep both with the same provider',
    reference: 'RFC 8461 §8.2',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(CNAME_FINDINGS);

/** Reports an alias whose target is gone. RFC 8461 §8.2 lets a domain delegate by CNAME. */
export function dangling(cnames: readonly string[], domain: string, { severity, ...place }: AliasPlace): LiveFinding {
  const target = cnames.at(-1) ?? '';
  const meant = appendedZone(target, domain)?.meant;
  return liveFinding('cname-dangling', {
    ...place,
    severity,
    message: danglingText(cnames, domain),
    fix: meant === undefined ? undefined : `let the CNAME lead to \`${safeText(meant)}.\`, with the dot at its end; or delete it`,
  });
}

/** Returns the problem with a dangling alias, as a phrase. */
export function danglingText(cnames: readonly string[], domain: string): string {
  const target = cnames.at(-1) ?? '';
  return `the CNAME leads to ${safeText(target)}, where nothing is found${appendedZoneText(target, domain)}`;
}

/** The name that holds the alias, and the answer about it. */
interface AliasPlace {
  readonly area: Area;
  readonly subject: string;
  readonly evidence: string;
  /** Replaces the severity `error`. */
  readonly severity?: Severity;
}

/** Returns the fix for a DNS failure that the records themselves cause. Trying again does not help then. */
export function aliasProblem({ reason }: DnsFailed): { readonly fix?: string; readonly temporary?: false } {
  if (reason.includes(ALIAS_PROBLEMS.chain)) {
    return { temporary: false, fix: 'shorten the chain: let the CNAME lead straight to the name that holds the record (RFC 1034 §3.6.2)' };
  }
  if (reason.includes(ALIAS_PROBLEMS.loop)) {
    return { temporary: false, fix: 'break the loop: let the CNAME lead to a name that holds the record (RFC 1034 §3.6.2)' };
  }
  return reason.includes(TOO_MANY_RECORDS) ? { temporary: false, fix: 'delete the records at this name that nobody needs; some resolvers and senders give up on so many as well' } : {};
}

/** Reports the aliases of the record and of the policy host. */
export function delegationFindings(domain: string, { record, policyHost }: Delegation, evidence: string | undefined): LiveFinding[] {
  const aliases = [[stsRecordName(domain), record], [policyHostName(domain), policyHost]] as const;
  const texts = aliases.filter(([, names]) => names.length > 0)
    .map(([name, names]) => `${name} is an alias of ${names.map((one) => safeText(one)).join(', an alias of ')}`);
  return texts.length === 0 ? [] : [liveFinding('delegated', { subject: `${domain} CNAME`, evidence, message: texts.join('; ') })];
}
