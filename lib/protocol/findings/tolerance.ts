// Senders that accept a policy or a record that the RFC forbids, and senders that refuse it. Each was run on the same inputs.
import type { SenderQuirk, Finding } from './finding';

/** Senders that were run on the same inputs. */
export const KNOWN_SENDERS = [
  'mox', 'postfix-tlspol', 'postfix-mta-sts-resolver', 'mailauth', 'chasquid', 'go-mtasts', 'kumomta', 'stalwart', 'rest-mail', 'mailpiece', 'courier', 'aykevl',
  'danmarg',
] as const;

export type KnownSender = (typeof KNOWN_SENDERS)[number];

/** Kind of the invalid input. */
export type Tolerated = 'policy' | 'record';

/** Returns both groups of senders: those that refuse an invalid policy or record, and those that accept it. */
export function tolerance(what: Tolerated, accepting: readonly KnownSender[]): readonly SenderQuirk[] {
  return [
    { senders: KNOWN_SENDERS.filter((sender) => !accepting.includes(sender)), effect: `refuses the ${what}` },
    { senders: accepting, effect: `accepts the ${what}`, accepts: true },
  ];
}

/** Returns both groups, given the senders that refuse. */
export function toleranceBut(what: Tolerated, refusers: readonly KnownSender[]): readonly SenderQuirk[] {
  return tolerance(what, KNOWN_SENDERS.filter((sender) => !refusers.includes(sender)));
}

/** Returns the known senders that accept an input despite all its errors. Returns all of them if no finding is an error. */
export function acceptingSenders(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ severity }) => severity === 'error').reduce<readonly string[]>((left, { quirks = [] }) => {
    const accepting = quirks.filter(({ accepts }) => accepts).flatMap(({ senders }) => senders);
    return left.filter((sender) => accepting.includes(sender));
  }, KNOWN_SENDERS);
}
