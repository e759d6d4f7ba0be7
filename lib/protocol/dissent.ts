// Where real senders disagree: how a finding tells of them, and what all findings together mean for each sender.
import type { Dissent, Finding } from './finding';

/** A known sender that reads what is published otherwise than others do. */
export interface SenderView {
  /** `chasquid` */
  readonly sender: string;
  /** What it does, a phrase: `refuses the policy`. */
  readonly effect: string;
  /** The finding that says why. */
  readonly code: string;
}

/** What the findings mean for each sender: ordered by its name, then as the findings are, each once. */
export function senderViews(findings: readonly Finding[]): readonly SenderView[] {
  const views = new Map<string, SenderView>();
  for (const { code, dissent = [] } of findings) {
    for (const { senders, effect } of dissent) {
      for (const sender of senders) views.set(JSON.stringify([sender, effect, code]), { sender, effect, code });
    }
  }
  return [...views.values()].sort((a, b) => Number(a.sender > b.sender) - Number(a.sender < b.sender));
}

/** The part of a finding that tells of dissent; its message names the senders, so that no output can lose them. */
export function toldOf(dissent: readonly Dissent[], message: string): Pick<Finding, 'message' | 'senders' | 'dissent'> {
  const senders = dissent.flatMap((one) => one.senders);
  return senders.length === 0 ? { message } : { message: `${message}; refused or read otherwise by ${senders.join(', ')}`, senders, dissent };
}
