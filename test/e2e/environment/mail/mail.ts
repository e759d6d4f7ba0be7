// The cases of mail hosts of example.test, and how a sender that follows the policy refuses each.
import { put, record } from '../dns/domain';
import type { TestEnvironment } from '../environment';
import type { ExchangerBehaviour } from './mail-exchanger';

/** How a sender refuses a mail host, by the sender's log and by the connections of the mail host. */
export interface Refusal {
  readonly logPattern: RegExp;
  /** Step at which the sender stops; `unreached` if it does not connect at all. */
  readonly stoppedAt: 'certificate' | 'greeting' | 'unreached';
}

/** An action of a sender that differs from the prediction. */
export interface Deviation {
  readonly delivery: 'deliver-verified' | 'deliver-unverified' | 'refuse';
  readonly why: string;
}

/** `mta-sts verify` does not know which policy a sender has cached. */
export const REFUSE_AS_CACHED: Deviation = { delivery: 'refuse', why: 'has an older policy cached' };

export interface MailHost {
  readonly name: string;
  readonly preference: number;
  readonly behaviour: ExchangerBehaviour;
}

/** A case: the MX records of the domain, and what senders do. */
export interface Mail {
  readonly what: string;
  /** Hosts in the MX records of the domain. */
  readonly hosts: readonly MailHost[];
  /** Host that receives the message, if there are several. */
  readonly deliveredTo?: string;
  /** Hosts that a sender tries in vain, by the sender's name. */
  readonly triedInVain?: Readonly<Record<string, readonly string[]>>;
  /** Host for which more messages are sent until each sender has tried it, because senders try equal hosts in random order. */
  readonly untilTried?: string;
  /** How each sender refuses, by the sender's name. Undefined if no sender has a reason to. */
  readonly refusals?: Readonly<Record<string, Refusal>>;
  /** Deviations from RFC 8461 under `enforce`, by the sender's name. */
  readonly deviations?: Readonly<Record<string, Deviation>>;
}

/** Returns a mail host. By default, mx1.example.test with preference 10. */
export function mailHost(behaviour: ExchangerBehaviour, name = 'mx1.example.test', preference = 10): MailHost {
  return { name, preference, behaviour };
}

export const GOOD_HOST: Mail = { what: 'a good mail host', hosts: [mailHost('ok')] };

/** The log of chasquid does not distinguish the reasons why it refuses a certificate. */
const BAD_CERTIFICATE: Refusal = { logPattern: /invalid security level \(TLS_INSECURE\) for STS policy/, stoppedAt: 'certificate' };

/** chasquid skips uncovered hosts, so its log has no last failure. */
const SKIPPED: Refusal = { logPattern: /all MXs returned transient failures \(last: <nil>\)/, stoppedAt: 'unreached' };

export const UNTRUSTED_HOST: Mail = {
  what: 'an untrusted certificate',
  hosts: [mailHost('untrusted')],
  refusals: { Postfix: { logPattern: /certificate verification failed for .*untrusted issuer/, stoppedAt: 'certificate' }, chasquid: BAD_CERTIFICATE },
};

export const UNCOVERED_HOST: Mail = {
  what: 'a mail host that the policy does not cover',
  hosts: [mailHost('ok', 'mail.other.test')],
  refusals: {
    // Postfix compares the policy with the certificate.
    Postfix: { logPattern: /certificate verification failed for mail\.other\.test.*hostname mismatch/, stoppedAt: 'certificate' },
    chasquid: SKIPPED,
  },
};

const ONLY_CERTIFICATES: Deviation = { delivery: 'deliver-verified', why: 'compares the policy with the certificate, not with the MX' };

/** All cases with one host. */
export const ONE_HOST: readonly Mail[] = [
  GOOD_HOST,
  UNTRUSTED_HOST,
  {
    what: 'a certificate for another name',
    hosts: [mailHost('wrong-name')],
    refusals: { Postfix: { logPattern: /certificate verification failed for .*hostname mismatch/, stoppedAt: 'certificate' }, chasquid: BAD_CERTIFICATE },
  },
  {
    what: 'an expired certificate',
    hosts: [mailHost('expired')],
    refusals: { Postfix: { logPattern: /certificate verification failed for .*certificate has expired/, stoppedAt: 'certificate' }, chasquid: BAD_CERTIFICATE },
  },
  {
    what: 'no STARTTLS',
    hosts: [mailHost('no-starttls')],
    refusals: {
      Postfix: { logPattern: /TLS is required, but was not offered by host/, stoppedAt: 'greeting' },
      chasquid: { logPattern: /invalid security level \(PLAIN\) for STS policy/, stoppedAt: 'greeting' },
    },
  },
  UNCOVERED_HOST,
  {
    what: 'a mail host that is not covered, its certificate for a covered one too',
    hosts: [mailHost('two-names', 'mail.other.test')],
    refusals: { ...UNCOVERED_HOST.refusals },
    deviations: { Postfix: ONLY_CERTIFICATES },
  },
];

const [FIRST, BACKUP, OTHER] = ['mx1.example.test', 'mx2.example.test', 'mail.other.test'];

const GOOD_BACKUP = mailHost('ok', BACKUP, 20);

/** Cases with several hosts, for a policy that covers mx1.example.test and mx2.example.test. A sender that refuses one tries the next. */
export const SEVERAL_HOSTS: readonly Mail[] = [
  {
    what: 'the first host shows an untrusted certificate, the backup is good',
    hosts: [mailHost('untrusted'), GOOD_BACKUP],
    deliveredTo: BACKUP,
    triedInVain: { Postfix: [FIRST], chasquid: [FIRST] },
  },
  {
    what: 'the first host hangs up, the backup is good',
    hosts: [mailHost('hangs-up'), GOOD_BACKUP],
    deliveredTo: BACKUP,
    triedInVain: { Postfix: [FIRST], chasquid: [FIRST] },
  },
  {
    what: 'the first host is not covered, the backup is good',
    hosts: [mailHost('ok', OTHER), GOOD_BACKUP],
    deliveredTo: BACKUP,
    triedInVain: { Postfix: [OTHER], chasquid: [] },
  },
  {
    what: 'the first host is good, the backup is not covered',
    hosts: [mailHost('ok'), mailHost('ok', OTHER, 20)],
    deliveredTo: FIRST,
    triedInVain: { Postfix: [], chasquid: [] },
  },
  {
    what: 'of two equal hosts one shows an untrusted certificate',
    hosts: [mailHost('untrusted'), mailHost('ok', BACKUP)],
    deliveredTo: BACKUP,
    untilTried: FIRST,
  },
  {
    what: 'the first host shows an untrusted certificate, the backup an expired one',
    hosts: [mailHost('untrusted'), mailHost('expired', BACKUP, 20)],
    triedInVain: { Postfix: [FIRST, BACKUP], chasquid: [FIRST, BACKUP] },
    refusals: { Postfix: { logPattern: /certificate verification failed for mx2.*certificate has expired/, stoppedAt: 'certificate' }, chasquid: BAD_CERTIFICATE },
  },
  {
    what: 'the first host shows an untrusted certificate, the backup is not covered',
    hosts: [mailHost('untrusted'), mailHost('ok', OTHER, 20)],
    triedInVain: { Postfix: [FIRST, OTHER], chasquid: [FIRST] },
    refusals: { ...UNCOVERED_HOST.refusals, chasquid: BAD_CERTIFICATE },
  },
  {
    what: 'a covered host shows the certificate of another covered one',
    hosts: [mailHost('of-mx2')],
    refusals: { chasquid: BAD_CERTIFICATE },
    deviations: { Postfix: ONLY_CERTIFICATES },
  },
];

/** Cases for the policy `*.example.test`. The wildcard matches exactly one label (RFC 8461 §4.1). */
export const UNDER_A_WILDCARD: readonly Mail[] = [
  { what: 'a host one label below the wildcard', hosts: [mailHost('ok')] },
  {
    what: 'a host two labels below the wildcard',
    hosts: [mailHost('ok', 'mx.deep.example.test')],
    refusals: { chasquid: SKIPPED },
    deviations: { Postfix: { delivery: 'deliver-verified', why: 'lets the wildcard match several labels' } },
  },
];

/** Publishes the MX records of a case, and sets the behaviour of its hosts. All other hosts behave well. */
export async function serveMail(environment: TestEnvironment, { hosts }: Pick<Mail, 'hosts'>): Promise<void> {
  const { emulator: { route53 }, zoneId, exchangers } = environment;
  await put(route53, zoneId, [record('example.test', 'MX', ...hosts.map(({ name, preference }) => `${preference} ${name}.`))]);
  for (const exchanger of exchangers) exchanger.behaviour = hosts.find(({ name }) => name === exchanger.name)?.behaviour ?? 'ok';
}
