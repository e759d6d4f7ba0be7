// Checks TLSA records at the mail hosts (DANE for SMTP, RFC 7672). DANE takes precedence over MTA-STS.
import { domainProblem } from '../../../protocol/domain-name';
import { safeText } from '../../../util/safe-text';
import { answerText } from '../../evidence';
import type { LiveFinding } from '../../result';
import type { DnsAnswer, DnsFailed } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { findingFactory } from '../live-finding';

export const DANE_FINDINGS = {
  'dane-present': {
    severity: 'info',
    area: 'smtp',
    meaning: 'A mail host has TLSA records (DANE).',
    impact: 'None: a sender that supports DANE and finds them signed by DNSSEC goes by them, and a policy never makes a failed DANE check good.',
    fix: 'nothing needs to be done; keep the TLSA records in step with the certificate',
    reference: 'RFC 8461 §2, RFC 7672 §2.2',
  },
  'dane-unknown': {
    severity: 'unknown',
    area: 'smtp',
    temporary: true,
    meaning: 'DNS did not answer whether a mail host has TLSA records (DANE).',
    impact: 'Senders that support DANE do not deliver to a host whose TLSA records they cannot look up. They try again later, and finally return the mail.',
    fix: 'check the zone of the host with a DNSSEC checker, and let its name servers answer questions for TLSA, if only that there are none',
    reference: 'RFC 7672 §2.1.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(DANE_FINDINGS);

/** The TLSA answers by host. */
export type TlsaAnswers = ReadonlyMap<string, DnsAnswer<'TLSA'>>;

/** Maximum number of hosts to query; ordinary domains have fewer. */
const MAX_HOSTS = 20;

/** Queries the TLSA records of port 25 (RFC 7672 §2.2.3). */
export async function askForTlsa(resolver: Resolver, hosts: readonly string[]): Promise<TlsaAnswers> {
  const names = hosts.filter((host) => domainProblem(host) === undefined).slice(0, MAX_HOSTS);
  return new Map(await Promise.all(names.map(async (host) => {
    return [host, await resolver.query(`_25._tcp.${host}`, 'TLSA')] as const;
  })));
}

/**
 * Reports hosts with TLSA records, and hosts whose TLSA query failed.
 *
 * @param withoutAddresses - hosts whose address query failed too, which another check reports
 */
export function checkDane(answers: TlsaAnswers, withoutAddresses: ReadonlySet<string> = new Set()): LiveFinding[] {
  return [...answers].flatMap(([host, answer]) => {
    const detail = { subject: `MX ${safeText(host)}`, evidence: `${answer.server}: ${answerText(answer)}` };
    switch (answer.status) {
      case 'empty': return [];
      case 'failed': return withoutAddresses.has(host) ? [] : [liveFinding('dane-unknown', { ...detail, message: unknownText(safeText(host), answer) })];
      case 'found': return [liveFinding('dane-present', {
        ...detail,
        message: `${safeText(host)} has ${answer.records.length === 1 ? 'a TLSA record' : `${answer.records.length} TLSA records`}; `
          + 'where DNSSEC validates, senders that support DANE go by that, and MTA-STS must not override a DANE check that fails',
      })];
    }
  });
}

/** Returns whether the host has TLSA records; `null` where the query failed. */
export function hasTlsa(answer: DnsAnswer<'TLSA'> | undefined): boolean | null {
  return answer?.status === 'failed' ? null : answer?.status === 'found';
}

function unknownText(host: string, { reason }: DnsFailed): string {
  return `the TLSA records of ${host} could not be looked up: ${reason}. Senders that support DANE fail in the same way, and then do not deliver to this host`;
}
