// Describes how real senders differ: in the message of one finding, and for each sender over all findings.
import type { SenderQuirk, Finding } from './finding';

/** A known sender that behaves differently from others. */
export interface SenderView {
  /** `chasquid` */
  readonly sender: string;
  /** The behaviour, as a phrase: `refuses the policy`. */
  readonly effect: string;
  /** The code of the finding that explains it. */
  readonly code: string;
  /** Whether it accepts an input that the RFC calls invalid. */
  readonly accepts?: true;
}

/** Returns the behaviour of each sender: sorted by sender, then in the order of the findings, without duplicates. */
export function senderViews(findings: readonly Finding[]): readonly SenderView[] {
  const views = new Map<string, SenderView>();
  for (const { code, quirks = [] } of findings) {
    for (const { senders, effect, accepts } of quirks) {
      const view = { effect, code, accepts };
      for (const sender of senders) views.set(JSON.stringify([sender, effect, code]), { sender, ...view });
    }
  }
  return [...views.values()].sort((a, b) => Number(a.sender > b.sender) - Number(a.sender < b.sender));
}

/** Maximum number of refusing senders that a message names. */
const MAX_REFUSING_SENDERS = 6;

/**
 * Returns the behaviour of each sender for a malformed policy. A sender that refuses the policy for one reason does not accept it
 * despite another.
 *
 * @param accepting - the senders that accept the policy despite all of its problems
 */
export function acceptingViews(findings: readonly Finding[], accepting: readonly string[]): readonly SenderView[] {
  return senderViews(findings).filter(({ accepts, sender }) => accepts === undefined || accepting.includes(sender));
}

/** Returns the part of a finding about sender quirks. The message names the senders, so that every output shows them. */
export function withSenderQuirks(quirks: readonly SenderQuirk[], message: string): Pick<Finding, 'message' | 'senders' | 'quirks'> {
  const refusing = quirks.filter(({ accepts }) => accepts === undefined).flatMap((one) => one.senders);
  const accepting = quirks.filter(({ accepts }) => accepts).flatMap((one) => one.senders);
  if (refusing.length + accepting.length === 0) return { message };
  if (accepting.length > 0 && refusing.length > MAX_REFUSING_SENDERS) {
    return { message: `${message}; still accepted by ${accepting.join(', ')}, refused by the other known senders`, senders: accepting, quirks };
  }
  const parts = [
    message,
    ...refusing.length === 0 ? [] : [`refused or read otherwise by ${refusing.join(', ')}`],
    ...accepting.length === 0 ? [] : [`still accepted by ${accepting.join(', ')}`],
  ];
  return { message: parts.join('; '), senders: [...refusing, ...accepting], quirks };
}
