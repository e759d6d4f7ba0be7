// CNAMEs that lead nowhere, at `_mta-sts`, `mta-sts` and `_smtp._tls` alike: to nothing, in a loop, or too far.
import type { Severity } from '../../../protocol/findings/finding';
import { safeText } from '../../../util/safe-text';
import { appendedZone, appendedZoneText } from '../../dns/appended-zone';
import { ALIAS_FAULTS } from '../../dns/query';
import { TOO_MANY_RECORDS } from '../../dns/transport';
import { liveFinding } from '../../findings';
import type { LiveFinding } from '../../result';
import type { DnsFailed } from '../../dns/answer';

/** RFC 8461 §8.2 lets a domain delegate by CNAME, and a target that is gone leaves the alias behind. */
export function dangling(cnames: readonly string[], domain: string, { severity, ...where }: Where): LiveFinding {
  const target = cnames.at(-1) ?? '';
  const meant = appendedZone(target, domain)?.meant;
  return liveFinding('cname-dangling', {
    ...where,
    ...severity === undefined ? {} : { severity },
    message: danglingText(cnames, domain),
    ...meant === undefined ? {} : { fix: `let the CNAME lead to \`${safeText(meant)}.\`, with the dot at its end; or delete it` },
  });
}

/** What is wrong with such an alias: a phrase. */
export function danglingText(cnames: readonly string[], domain: string): string {
  const target = cnames.at(-1) ?? '';
  return `the CNAME leads to ${safeText(target)}, where nothing is found${appendedZoneText(target, domain)}`;
}

/** Where the alias stands. */
interface Where {
  readonly subject: string;
  readonly evidence: string;
  /** Where it is less than an error. */
  readonly severity?: Severity;
}

/** How to mend a failure that comes from the records themselves, and that trying again does not mend. */
export function aliasProblem({ reason }: DnsFailed): { readonly fix?: string; readonly temporary?: false } {
  if (reason.includes(ALIAS_FAULTS.chain)) {
    return { temporary: false, fix: 'shorten the chain: let the CNAME lead straight to the name that holds the record (RFC 1034 §3.6.2)' };
  }
  if (reason.includes(ALIAS_FAULTS.loop)) {
    return { temporary: false, fix: 'break the loop: let the CNAME lead to a name that holds the record (RFC 1034 §3.6.2)' };
  }
  return reason.includes(TOO_MANY_RECORDS) ? { temporary: false, fix: 'delete the records at this name that nobody needs; some resolvers and senders give up on so many as well' } : {};
}
