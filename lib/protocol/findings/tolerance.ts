// Lists the known senders, and which of them accept invalid input. All of this was observed by running them.
import type { SenderQuirk, Finding } from './finding';

/** The senders that were tested with the same inputs. */
export const KNOWN_SENDERS = [
  'mox', 'postfix-tlspol', 'postfix-mta-sts-resolver', 'mailauth', 'chasquid', 'go-mtasts', 'kumomta', 'stalwart', 'rest-mail', 'mailpiece', 'courier', 'aykevl',
  'danmarg',
] as const;

export type KnownSender = (typeof KNOWN_SENDERS)[number];

/** The kind of invalid input. */
export type Tolerated = 'policy' | 'record';

/** Returns both groups: the senders that refuse an invalid policy or record, and those that accept it. */
export function tolerance(what: Tolerated, takers: readonly KnownSender[]): readonly SenderQuirk[] {
  return [
    { senders: KNOWN_SENDERS.filter((sender) => !takers.includes(sender)), effect: `refuses the ${what}` },
    { senders: takers, effect: `takes the ${what} all the same`, accepts: true },
  ];
}

/** Returns both groups, given the senders that refuse. */
export function toleranceBut(what: Tolerated, refusers: readonly KnownSender[]): readonly SenderQuirk[] {
  return tolerance(what, KNOWN_SENDERS.filter((sender) => !refusers.includes(sender)));
}

/** Returns the known senders that accept an input despite all of its errors; all of them where no finding is an error. */
export function acceptingSenders(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ severity }) => severity === 'error').reduce<readonly string[]>((left, { quirks = [] }) => {
    const takers = quirks.filter(({ accepts }) => accepts).flatMap(({ senders }) => senders);
    return left.filter((sender) => takers.includes(sender));
  }, KNOWN_SENDERS);
}
