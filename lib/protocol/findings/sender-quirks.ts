// Where real senders disagree: how a finding tells of them, and what all findings together mean for each sender.
import type { SenderQuirk, Finding } from './finding';

/** A known sender that reads what is published otherwise than others do. */
export interface SenderView {
  /** `chasquid` */
  readonly sender: string;
  /** What it does, a phrase: `refuses the policy`. */
  readonly effect: string;
  /** The finding that says why. */
  readonly code: string;
  /** Whether it uses what the RFC calls invalid. */
  readonly accepts?: true;
}

/** What the findings mean for each sender: ordered by its name, then as the findings are, each once. */
export function senderViews(findings: readonly Finding[]): readonly SenderView[] {
  const views = new Map<string, SenderView>();
  for (const { code, quirks = [] } of findings) {
    for (const { senders, effect, accepts } of quirks) {
      const why = { effect, code, ...accepts === undefined ? {} : { accepts } };
      for (const sender of senders) views.set(JSON.stringify([sender, effect, code]), { sender, ...why });
    }
  }
  return [...views.values()].sort((a, b) => Number(a.sender > b.sender) - Number(a.sender < b.sender));
}

/** More names of those that do as the RFC says are not read. */
const MOST_REFUSERS = 6;

/**
 * The same for a policy that is malformed and that some senders use all the same: whoever refuses it for one reason does not take it in
 * spite of another.
 *
 * @param takers - those that use it in spite of everything
 */
export function acceptingViews(findings: readonly Finding[], takers: readonly string[]): readonly SenderView[] {
  return senderViews(findings).filter(({ accepts, sender }) => accepts === undefined || takers.includes(sender));
}

/** The part of a finding that tells of quirks; its message names the senders, so that no output can lose them. */
export function withSenderQuirks(quirks: readonly SenderQuirk[], message: string): Pick<Finding, 'message' | 'senders' | 'quirks'> {
  const others = quirks.filter(({ accepts }) => accepts === undefined).flatMap((one) => one.senders);
  const takers = quirks.filter(({ accepts }) => accepts).flatMap((one) => one.senders);
  if (others.length + takers.length === 0) return { message };
  if (takers.length > 0 && others.length > MOST_REFUSERS) {
    return { message: `${message}; taken all the same by ${takers.join(', ')}, refused by the other known senders`, senders: takers, quirks };
  }
  const told = [
    message,
    ...others.length === 0 ? [] : [`refused or read otherwise by ${others.join(', ')}`],
    ...takers.length === 0 ? [] : [`taken all the same by ${takers.join(', ')}`],
  ];
  return { message: told.join('; '), senders: [...others, ...takers], quirks };
}
