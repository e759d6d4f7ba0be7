// Connects to every address of every mail host over SMTP. `smtp.ts` classifies the responses once the policy is known.
import { isIP } from 'node:net';
import { domainProblem } from '../../../protocol/domain-name';
import type { BothFamilies } from '../../dns/both-families';
import type { MxResponse } from '../../smtp/mx-response';
import type { Network } from '../../network';
import type { HostAddresses, MailAddresses } from './mx-reach';

/** The attempts to connect to one mail host. */
export interface HostObservations {
  readonly host: string;
  readonly addresses: BothFamilies;
  readonly attempts: readonly SmtpAttempt[];
  /** Number of addresses beyond the maximum. */
  readonly skipped: number;
}

/** The response of one address. */
export interface SmtpAttempt {
  readonly address: string;
  readonly response: MxResponse;
}

/** The attempts to connect to all mail hosts. */
export interface SmtpObservations {
  readonly hosts: readonly HostObservations[];
  /** Number of hosts beyond the maximum. */
  readonly skipped: number;
  /** Whether any connection to the port has succeeded from this network, for this domain or an earlier one. */
  readonly reachedAny: boolean;
}

/** Maximum number of addresses of a host to connect to; ordinary hosts have fewer. */
const MAX_ADDRESSES = 8;

/** Connects to every address of every host at the same time. */
export async function observeMailHosts(mxProbe: Network['mxProbe'], { hosts, skipped }: MailAddresses): Promise<SmtpObservations> {
  // A certificate cannot name a host with an invalid name.
  const named = hosts.filter(({ host }) => domainProblem(host) === undefined);
  const observations = await Promise.all(named.map((one) => observeHost(mxProbe, one)));
  return { hosts: observations, skipped, reachedAny: mxProbe.reachedAny };
}

async function observeHost(mxProbe: Network['mxProbe'], { host, answers: addresses }: HostAddresses): Promise<HostObservations> {
  const all = addresses.flatMap((answer) => answer.status === 'found' ? [...answer.records].filter((one) => isIP(one) !== 0).sort() : []);
  const attempts = await Promise.all(all.slice(0, MAX_ADDRESSES).map(async (address) => {
    return { address, response: await mxProbe.probe({ host, address }) };
  }));
  return { host, addresses, attempts, skipped: Math.max(0, all.length - MAX_ADDRESSES) };
}
