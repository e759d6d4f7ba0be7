// Check: TLSA records at the mail hosts (DANE for SMTP, RFC 7672), which come before MTA-STS.
import { domainFault } from '../../protocol/domain-name';
import { printable } from '../../protocol/text';
import { answerText } from '../evidence';
import { liveFinding } from '../findings';
import type { ReportFinding } from '../report';
import type { DnsAnswer, Resolver } from '../resolver';

/** The TLSA answers by host. */
export type TlsaAnswers = ReadonlyMap<string, DnsAnswer<'TLSA'>>;

/** More than any honest domain has. */
const MOST_HOSTS = 20;

/** RFC 7672 §2.2.3. */
export async function askForTlsa(resolver: Resolver, hosts: readonly string[]): Promise<TlsaAnswers> {
  const names = hosts.filter((host) => domainFault(host) === undefined).slice(0, MOST_HOSTS);
  return new Map(await Promise.all(names.map(async (host) => {
    return [host, await resolver.query(`_25._tcp.${host}`, 'TLSA')] as const;
  })));
}

/** What DNS does not answer here is of no matter. */
export function checkDane(answers: TlsaAnswers): ReportFinding[] {
  return [...answers].flatMap(([host, answer]) => answer.status !== 'found'
    ? []
    : [liveFinding('dane-present', {
        subject: `MX ${printable(host)}`,
        message: `${printable(host)} has ${answer.records.length === 1 ? 'a TLSA record' : `${answer.records.length} TLSA records`}; `
          + 'where DNSSEC validates, senders that support DANE go by that, and MTA-STS must not override a DANE check that fails',
        evidence: `${answer.server}: ${answerText(answer)}`,
      })]);
}
