// The finding for a CNAME that leads to nothing, at `_mta-sts` and at `mta-sts` alike.
import { printable } from '../../protocol/text';
import { liveFinding } from '../findings';
import type { ReportFinding } from '../report';

/** RFC 8461 §8.2 lets a domain delegate by CNAME, and a target that is gone leaves the alias behind. */
export function dangling(cnames: readonly string[], subject: string, evidence: string): ReportFinding {
  const target = printable(cnames.at(-1) ?? '');
  return liveFinding('cname-dangling', { subject, evidence, message: `the CNAME leads to ${target}, where nothing is found` });
}
