// CNAMEs that lead nowhere, at `_mta-sts` and at `mta-sts` alike: to nothing, in a loop, or too far.
import { printable } from '../../protocol/text';
import { ALIAS_FAULTS } from '../dns-inquiry';
import { TOO_MANY_RECORDS } from '../dns-transport';
import { liveFinding } from '../findings';
import type { ReportFinding } from '../report';
import type { DnsFailed } from '../resolver';

/** RFC 8461 §8.2 lets a domain delegate by CNAME, and a target that is gone leaves the alias behind. */
export function dangling(cnames: readonly string[], subject: string, evidence: string): ReportFinding {
  const target = printable(cnames.at(-1) ?? '');
  return liveFinding('cname-dangling', { subject, evidence, message: `the CNAME leads to ${target}, where nothing is found` });
}

/** How to mend a failure that comes from the records themselves, and that trying again does not mend. */
export function aliasFault({ reason }: DnsFailed): { readonly fix?: string; readonly temporary?: false } {
  if (reason.includes(ALIAS_FAULTS.chain)) {
    return { temporary: false, fix: 'shorten the chain: let the CNAME lead straight to the name that holds the record (RFC 1034 §3.6.2)' };
  }
  if (reason.includes(ALIAS_FAULTS.loop)) {
    return { temporary: false, fix: 'break the loop: let the CNAME lead to a name that holds the record (RFC 1034 §3.6.2)' };
  }
  return reason.includes(TOO_MANY_RECORDS) ? { temporary: false, fix: 'delete the records at this name that nobody needs; some resolvers and senders give up on so many as well' } : {};
}
