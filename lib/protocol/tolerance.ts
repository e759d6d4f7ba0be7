// Senders that use what the RFC calls invalid: who they are, and who does not; seen by running them.
import type { SenderQuirk, Finding } from './findings/finding';

/** The senders that were run on the same inputs. */
export const KNOWN_SENDERS = [
  'mox', 'postfix-tlspol', 'postfix-mta-sts-resolver', 'mailauth', 'chasquid', 'go-mtasts', 'kumomta', 'stalwart', 'rest-mail', 'mailpiece', 'courier', 'aykevl',
  'danmarg',
] as const;

export type KnownSender = (typeof KNOWN_SENDERS)[number];

/** What is invalid. */
export type Tolerated = 'policy' | 'record';

/** Names both groups: the senders that refuse an invalid policy or record, and those that use it all the same. */
export function tolerance(what: Tolerated, takers: readonly KnownSender[]): readonly SenderQuirk[] {
  return [
    { senders: KNOWN_SENDERS.filter((sender) => !takers.includes(sender)), effect: `refuses the ${what}` },
    { senders: takers, effect: `takes the ${what} all the same`, accepts: true },
  ];
}

/** The same, by those that refuse. */
export function toleranceBut(what: Tolerated, refusers: readonly KnownSender[]): readonly SenderQuirk[] {
  return tolerance(what, KNOWN_SENDERS.filter((sender) => !refusers.includes(sender)));
}

/** The known senders that use an input in spite of all that is wrong with it; all of them where no finding is an error. */
export function acceptingSenders(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ severity }) => severity === 'error').reduce<readonly string[]>((left, { quirks = [] }) => {
    const takers = quirks.filter(({ accepts }) => accepts).flatMap(({ senders }) => senders);
    return left.filter((sender) => takers.includes(sender));
  }, KNOWN_SENDERS);
}
