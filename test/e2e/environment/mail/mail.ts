// How the mail of example.test is served, and why a sender that goes by the policy declines it.
import { put, record } from '../dns/domain';
import type { TestEnvironment } from '../environment';
import type { ExchangerBehaviour } from './mail-exchanger';

/** How a sender that goes by the policy declines a mail host, by its own log and by what the mail host saw of it. */
export interface Refusal {
  readonly logPattern: RegExp;
  /** Where it turns back; `unreached`: it does not come to the host at all. */
  readonly stoppedAt: 'certificate' | 'greeting' | 'unreached';
}

/** What a sender does in place of what is foretold. */
export interface Deviation {
  readonly delivery: 'deliver-verified' | 'deliver-unverified' | 'refuse';
  readonly why: string;
}

/** `mta-sts verify` knows the world, not what a sender holds. */
export const REFUSE_AS_CACHED: Deviation = { delivery: 'refuse', why: 'holds an older policy' };

export interface MailHost {
  readonly name: string;
  readonly preference: number;
  readonly behaviour: ExchangerBehaviour;
}

export interface Mail {
  readonly what: string;
  /** The MX records of the domain. */
  readonly hosts: readonly MailHost[];
  /** Which host has what is delivered, where there are several. */
  readonly deliveredTo?: string;
  /** The hosts that a sender comes to in vain, by the senders' names. */
  readonly triedInVain?: Readonly<Record<string, readonly string[]>>;
  /** Senders take equal hosts in random order: more messages are sent, until each sender has met this one. */
  readonly untilTried?: string;
  /** By the senders' names; none where nobody has a reason to refuse. */
  readonly refusals?: Readonly<Record<string, Refusal>>;
  /** Who does otherwise under `enforce` than RFC 8461 has it, by the senders' names. */
  readonly deviations?: Readonly<Record<string, Deviation>>;
}

/** The host of a policy for mx1.example.test, unless it is said otherwise. */
export function mailHost(behaviour: ExchangerBehaviour, name = 'mx1.example.test', preference = 10): MailHost {
  return { name, preference, behaviour };
}

export const GOOD_HOST: Mail = { what: 'a good mail host', hosts: [mailHost('ok')] };

/** chasquid tells no certificate that it does not take from another. */
const BAD_CERTIFICATE: Refusal = { logPattern: /invalid security level \(TLS_INSECURE\) for STS policy/, stoppedAt: 'certificate' };

/** It skips what is not covered, so there is no last failure of any. */
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
    // It looks for the policy's names in the certificate.
    Postfix: { logPattern: /certificate verification failed for mail\.other\.test.*hostname mismatch/, stoppedAt: 'certificate' },
    chasquid: SKIPPED,
  },
};

const ONLY_CERTIFICATES: Deviation = { delivery: 'deliver-verified', why: 'compares the policy with the certificate, not with the MX' };

/** One host, in every way. */
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

/** Several, of which the policy covers mx1.example.test and mx2.example.test: whoever declines one comes to the next. */
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

/** The policy has `*.example.test`, which stands for one label (RFC 8461 §4.1). */
export const UNDER_A_WILDCARD: readonly Mail[] = [
  { what: 'a host one label below the wildcard', hosts: [mailHost('ok')] },
  {
    what: 'a host two labels below the wildcard',
    hosts: [mailHost('ok', 'mx.deep.example.test')],
    refusals: { chasquid: SKIPPED },
    deviations: { Postfix: { delivery: 'deliver-verified', why: 'lets the wildcard match several labels' } },
  },
];

/** The others are as they should be. */
export async function serveMail(environment: TestEnvironment, { hosts }: Pick<Mail, 'hosts'>): Promise<void> {
  const { emulator: { route53 }, zoneId, exchangers } = environment;
  await put(route53, zoneId, [record('example.test', 'MX', ...hosts.map(({ name, preference }) => `${preference} ${name}.`))]);
  for (const exchanger of exchangers) exchanger.behaviour = hosts.find(({ name }) => name === exchanger.name)?.behaviour ?? 'ok';
}
