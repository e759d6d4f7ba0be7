// The catalogue: every code that reading a record or a policy file can give, and how a finding is made from it.
import { withSenderQuirks } from './sender-quirks';
import type { SenderQuirk, Finding } from './finding';
import type { FindingKind } from './kind';
import { POLICY_FINDINGS } from './policy';
import { TXT_FINDINGS } from './txt';
import { safeWholeText } from '../../util/safe-text';

/** Every code of this room. */
export const FINDINGS = { ...TXT_FINDINGS, ...POLICY_FINDINGS } as const;

export type FindingCode = keyof typeof FINDINGS;

/** What one finding adds to its kind. */
export interface FindingDetail {
  /** What is wrong, with the value found; a phrase without a full stop, the text of others already escaped. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
  /** A better fix than the kind's, where the value allows one. */
  readonly fix?: string;
  /** Where it is not the kind's: empty when all senders agree on this input. */
  readonly quirks?: readonly SenderQuirk[];
}

/** Makes a finding; its message names the senders that disagree, so that no output can lose them. */
export function finding(code: FindingCode, detail: FindingDetail): Finding {
  const kind: FindingKind = FINDINGS[code];
  return {
    code,
    severity: kind.severity,
    // Whoever wrote the message has escaped and cut the text of others; what was forgotten must do no harm.
    ...withSenderQuirks(detail.quirks ?? kind.quirks ?? [], safeWholeText(detail.message)),
    fix: safeWholeText(detail.fix ?? kind.fix),
    reference: kind.reference,
    line: detail.line,
    column: detail.column,
  };
}
