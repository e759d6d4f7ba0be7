// Makes findings about a live domain from the codes of a check.
import type { SenderQuirk, Severity } from '../../protocol/findings/finding';
import type { Area, LiveFindingKind } from '../../protocol/findings/kind';
import { withSenderQuirks } from '../../protocol/findings/sender-quirks';
import { safeWholeText } from '../../util/safe-text';
import type { LiveFinding } from '../result';

/** The part of a finding that its code does not determine. */
export interface LiveFindingDetail {
  /** `_mta-sts.example.com TXT`, for example. */
  readonly subject: string;
  /** The problem with the value found. Text from the network is already escaped. */
  readonly message: string;
  /** Replaces the area of the kind, for example for a DNS failure. */
  readonly area?: Area;
  /** Replaces the quirks of the kind. */
  readonly quirks?: readonly SenderQuirk[];
  /** The server that was asked, and its answer. */
  readonly evidence?: string;
  /** Replaces the fix of the kind with one for the value found. */
  readonly fix?: string;
  /** Replaces the severity of the kind. */
  readonly severity?: Severity;
  /** Overrides whether the problem can disappear without any action. */
  readonly temporary?: boolean;
}

/** Returns a function that makes a finding for a code of the given kinds. */
export function findingFactory<Code extends string>(
  kinds: Readonly<Record<Code, LiveFindingKind>>,
): (code: Code, detail: LiveFindingDetail) => LiveFinding {
  return (code, detail) => {
    const kind = kinds[code];
    return {
      code,
      severity: detail.severity ?? kind.severity,
      area: detail.area ?? kind.area,
      subject: safeWholeText(detail.subject),
      ...withSenderQuirks(detail.quirks ?? kind.quirks ?? [], safeWholeText(detail.message)),
      evidence: detail.evidence === undefined ? undefined : safeWholeText(detail.evidence),
      fix: safeWholeText(detail.fix ?? kind.fix),
      reference: kind.reference,
      temporary: detail.temporary ?? kind.temporary ?? false ? true : undefined,
    };
  };
}
