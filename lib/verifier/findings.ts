// The catalogue: every code that looking at a live domain can give, and how a finding is made from it.
import { withSenderQuirks } from '../protocol/findings/sender-quirks';
import type { SenderQuirk, Severity } from '../protocol/findings/finding';
import type { Area, LiveFindingKind } from '../protocol/findings/kind';
import { safeWholeText } from '../util/safe-text';
import { DNS_FINDINGS } from './findings-dns';
import { MX_FINDINGS } from './findings-mx';
import { POLICY_HOST_FINDINGS } from './findings-policy-host';
import type { LiveFinding } from './result';

/** Every code of this room; those of RFC 8460 §4.3 are that RFC's own. */
export const LIVE_FINDINGS = { ...DNS_FINDINGS, ...POLICY_HOST_FINDINGS, ...MX_FINDINGS } as const;

export type LiveFindingCode = keyof typeof LIVE_FINDINGS;

/** What one finding adds to its kind. */
export interface LiveFindingDetail {
  /** `_mta-sts.example.com TXT`, for example. */
  readonly subject: string;
  /** Where the finding belongs to another part of the lookup than its kind. */
  readonly area?: Area;
  /** What is wrong, with the value found; text of others already escaped. */
  readonly message: string;
  /** The real senders that refuse it or read it otherwise, where they are not the kind's. */
  readonly quirks?: readonly SenderQuirk[];
  /** What was asked of whom and what came back. */
  readonly evidence?: string;
  /** A better fix than the kind's, where the value allows one. */
  readonly fix?: string;
  /** Where the circumstances make it less, or more, than it is as a rule. */
  readonly severity?: Severity;
  /** Where it passes by itself although its kind does not as a rule, or the other way round. */
  readonly temporary?: boolean;
}

/** Makes a finding about a live domain. */
export function liveFinding(code: LiveFindingCode, detail: LiveFindingDetail): LiveFinding {
  const kind: LiveFindingKind = LIVE_FINDINGS[code];
  return {
    code,
    severity: detail.severity ?? kind.severity,
    area: detail.area ?? kind.area,
    subject: safeWholeText(detail.subject),
    ...withSenderQuirks(detail.quirks ?? kind.quirks ?? [], safeWholeText(detail.message)),
    ...(detail.evidence === undefined ? {} : { evidence: safeWholeText(detail.evidence) }),
    fix: safeWholeText(detail.fix ?? kind.fix),
    reference: kind.reference,
    ...(detail.temporary ?? kind.temporary ?? false ? { temporary: true } : {}),
  };
}
