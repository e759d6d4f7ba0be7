// Lists every code of a record or a policy file, and makes findings from them.
import { withSenderQuirks } from './sender-quirks';
import type { SenderQuirk, Finding } from './finding';
import type { FindingKind } from './kind';
import { POLICY_FINDINGS } from './policy';
import { TXT_FINDINGS } from './txt';
import { safeWholeText } from '../../util/safe-text';

/** Every code of a record or a policy file. */
export const FINDINGS = { ...TXT_FINDINGS, ...POLICY_FINDINGS } as const;

export type FindingCode = keyof typeof FINDINGS;

/** The part of a finding that its code does not determine. */
export interface FindingDetail {
  /** The problem with the value found: a phrase without a full stop. Text from the input is already escaped. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
  /** Replaces the fix of the kind with one for the value found. */
  readonly fix?: string;
  /** Replaces the quirks of the kind. Empty where all senders agree on this input. */
  readonly quirks?: readonly SenderQuirk[];
}

/** Makes a finding. Its message names the senders that disagree, so that every output shows them. */
export function finding(code: FindingCode, detail: FindingDetail): Finding {
  const kind: FindingKind = FINDINGS[code];
  return {
    code,
    severity: kind.severity,
    // The caller has escaped the text of the input. Escape again, in case the caller forgot it.
    ...withSenderQuirks(detail.quirks ?? kind.quirks ?? [], safeWholeText(detail.message)),
    fix: safeWholeText(detail.fix ?? kind.fix),
    reference: kind.reference,
    line: detail.line,
    column: detail.column,
  };
}
