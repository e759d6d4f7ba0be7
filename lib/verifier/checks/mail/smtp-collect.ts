// Connects to each address of each mail host over SMTP; what that comes to is judged in smtp.ts, when the policy is known.
import { isIP } from 'node:net';
import { domainProblem } from '../../../protocol/domain-name';
import type { BothFamilies } from '../../dns/both-families';
import type { MxResponse } from '../../smtp/mx-response';
import type { Network } from '../../network';
import type { HostAddresses, MailAddresses } from './mx-reach';

/** One mail host and what its addresses showed. */
export interface HostObservations {
  readonly host: string;
  readonly addresses: BothFamilies;
  readonly visits: readonly SmtpAttempt[];
  readonly skipped: number;
}

/** One address, and what it showed. */
export interface SmtpAttempt {
  readonly address: string;
  readonly response: MxResponse;
}

/** What was seen of all mail hosts. */
export interface SmtpObservations {
  readonly hosts: readonly HostObservations[];
  /** Hosts beyond those that are looked at. */
  readonly skipped: number;
  /** Whether the network let any connection through to the port, for this domain or an earlier one. */
  readonly reachedAny: boolean;
}

/** More than any honest host has. */
const MOST_ADDRESSES = 8;

/** Connects to every address of every host, all at once. */
export async function observeMailHosts(mxProbe: Network['mxProbe'], { hosts, skipped }: MailAddresses): Promise<SmtpObservations> {
  // What is no host name cannot be in a certificate.
  const named = hosts.filter(({ host }) => domainProblem(host) === undefined);
  const looks = await Promise.all(named.map((one) => lookAt(mxProbe, one)));
  return { hosts: looks, skipped, reachedAny: mxProbe.reachedAny };
}

async function lookAt(mxProbe: Network['mxProbe'], { host, answers: addresses }: HostAddresses): Promise<HostObservations> {
  const all = addresses.flatMap((answer) => answer.status === 'found' ? [...answer.records].filter((one) => isIP(one) !== 0).sort() : []);
  const visits = await Promise.all(all.slice(0, MOST_ADDRESSES).map(async (address) => {
    return { address, response: await mxProbe.probe({ host, address }) };
  }));
  return { host, addresses, visits, skipped: Math.max(0, all.length - MOST_ADDRESSES) };
}
