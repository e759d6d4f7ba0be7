// Looks at the policy file once, as senders will: every address that the zone's own name servers give, fetched and compared.
import { printable } from '../protocol/text';
import { judge } from '../verifier/checks/policy-response';
import { firstDifference } from '../verifier/difference';
import type { DnsAnswer } from '../verifier/resolver';
import type { NameServer } from './authorities';
import type { Run } from './run';

/** What was seen in one look. */
export interface Look {
  readonly live: boolean;
  /** One entry for each thing that is not right yet; equal ones of several servers stand together. */
  readonly missing: readonly string[];
  /** The addresses that served the right bytes. */
  readonly addresses: readonly string[];
}

/** What must be seen. */
export interface Expected {
  /** `mta-sts.example.com` */
  readonly policyHost: string;
  readonly bytes: Uint8Array;
}

/** RFC 8461 §3.3: status 200, `text/plain`, and, for us, the intended bytes, at every IPv4 address. */
export async function look(run: Run, expected: Expected, nameServers: readonly NameServer[]): Promise<Look> {
  const answers = await Promise.all(nameServers.map(async (server) => ask(run, server, expected.policyHost, 'A')));
  const addresses = [...new Set(answers.flatMap(({ found }) => found))].sort();
  const fetched = await Promise.all(addresses.map(async (address) => ({ who: address, fault: await fetchFault(run, expected, address) })));
  const missing = grouped([...answers, ...fetched]);
  const good = fetched.filter(({ fault }) => fault === undefined).map(({ who }) => who);
  return { live: missing.length === 0 && good.length > 0, missing, addresses: good };
}

/**
 * What the IPv6 addresses serve, for the log alone: a Lambda function has no IPv6, and a failure would say nothing.
 */
export async function lookByIPv6(run: Run, expected: Expected, nameServers: readonly NameServer[]): Promise<readonly string[]> {
  const answers = await Promise.all(nameServers.map(async (server) => ask(run, server, expected.policyHost, 'AAAA')));
  const addresses = [...new Set(answers.flatMap(({ found }) => found))].sort();
  const fetched = await Promise.all(addresses.map(async (address) => {
    return { who: address, fault: await fetchFault(run, expected, address) ?? 'as intended' };
  }));
  return grouped([...answers, ...fetched]);
}

interface Seen {
  /** The address, or the name of the name server. */
  readonly who: string;
  readonly fault?: string;
}

/** Asks a name server at its addresses in order until one answers. */
async function ask(
  run: Run, server: NameServer, name: string, type: 'A' | 'AAAA',
): Promise<Seen & { readonly found: readonly string[] }> {
  let fault = 'its own address is not known';
  for (const address of server.addresses) {
    const answer: DnsAnswer<'A' | 'AAAA'> = await run.watch.during(`the name server ${server.name} (${address})`, async () => {
      return run.world.resolver.query(name, type, address);
    });
    if (answer.status === 'found') return { who: server.name, found: answer.records };
    fault = answer.status === 'empty' ? `no ${type} record yet (${answer.reason})` : answer.reason;
    if (answer.status === 'empty') break;
  }
  return { who: `name server ${server.name}`, fault: printable(fault), found: [] };
}

async function fetchFault(run: Run, { policyHost, bytes }: Expected, address: string): Promise<string | undefined> {
  const response = await run.watch.during(`https://${policyHost} at ${address}`, async () => run.world.fetchPolicy({ policyHost, address }));
  const judgement = judge(response);
  if (judgement.kind !== 'file') return printable(judgement.message, 300);
  const { body } = judgement;
  return Buffer.compare(body, bytes) === 0 ? undefined : `other bytes: ${firstDifference(bytes, body, 'expected', 'served')}`;
}

/** `192.0.2.1, 192.0.2.2: the answer has status 404, only 200 is a policy` */
function grouped(all: readonly Seen[]): readonly string[] {
  const byFault = new Map<string, string[]>();
  for (const { who, fault } of all) {
    if (fault !== undefined) byFault.set(fault, [...byFault.get(fault) ?? [], who]);
  }
  return [...byFault].map(([fault, who]) => `${who.join(', ')}: ${fault}`);
}
