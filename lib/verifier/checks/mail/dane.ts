// Check: TLSA records at the mail hosts (DANE for SMTP, RFC 7672), which come before MTA-STS.
import { domainProblem } from '../../../protocol/domain-name';
import { safeText } from '../../../util/safe-text';
import { answerText } from '../../evidence';
import { liveFinding } from '../../findings';
import type { LiveFinding } from '../../result';
import type { DnsAnswer, DnsFailed } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';

/** The TLSA answers by host. */
export type TlsaAnswers = ReadonlyMap<string, DnsAnswer<'TLSA'>>;

/** More than any honest domain has. */
const MOST_HOSTS = 20;

/** RFC 7672 §2.2.3. */
export async function askForTlsa(resolver: Resolver, hosts: readonly string[]): Promise<TlsaAnswers> {
  const names = hosts.filter((host) => domainProblem(host) === undefined).slice(0, MOST_HOSTS);
  return new Map(await Promise.all(names.map(async (host) => {
    return [host, await resolver.query(`_25._tcp.${host}`, 'TLSA')] as const;
  })));
}

/**
 * Says where TLSA records stand, and where DNS does not tell.
 *
 * @param silent - hosts whose addresses could not be had either, which is told already
 */
export function checkDane(answers: TlsaAnswers, silent: ReadonlySet<string> = new Set()): LiveFinding[] {
  return [...answers].flatMap(([host, answer]) => {
    const detail = { subject: `MX ${safeText(host)}`, evidence: `${answer.server}: ${answerText(answer)}` };
    switch (answer.status) {
      case 'empty': return [];
      case 'failed': return silent.has(host) ? [] : [liveFinding('dane-unknown', { ...detail, message: unknown(safeText(host), answer) })];
      case 'found': return [liveFinding('dane-present', {
        ...detail,
        message: `${safeText(host)} has ${answer.records.length === 1 ? 'a TLSA record' : `${answer.records.length} TLSA records`}; `
          + 'where DNSSEC validates, senders that support DANE go by that, and MTA-STS must not override a DANE check that fails',
      })];
    }
  });
}

/** Whether the host has TLSA records, or `null` where that is not known. */
export function hasTlsa(answer: DnsAnswer<'TLSA'> | undefined): boolean | null {
  return answer?.status === 'failed' ? null : answer?.status === 'found';
}

function unknown(host: string, { reason }: DnsFailed): string {
  return `whether ${host} has TLSA records could not be had: ${reason}. Senders that do DANE have the same experience, and then they do not deliver to this host`;
}
