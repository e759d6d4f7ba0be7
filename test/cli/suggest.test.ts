import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { Plan, Suggestion } from '../../cli/commands/suggest/suggestion';
import { MtaStsPolicy, MxHosts, ZohoDataCenter } from '../../lib';
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server/server';
import type { DnsRecord, DnsReply, DnsServer } from '../../lib/preview/dns-server/server';
import { parsePolicy } from '../../lib/protocol/policy/policy';
import { policyLines } from '../../lib/contract/custom-resources';
import { compilerErrors, synthesize } from '../support/snippets';
import { NOW, run, runJson } from '../support/command';
import type { CommandOptions } from '../support/command';

const ROOT = join(__dirname, '..', '..');

let dns: DnsServer;
let silent: DnsServer;

const SOA: DnsRecord = {
  name: 'test', type: 'SOA', ttl: 60, data: { mname: 'ns.test', rname: 'hostmaster.test', serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 60 },
};

/** A domain for each case. */
const DOMAINS: DnsRecord[] = [
  SOA,
  ...mx('google.test', 'ASPMX.L.GOOGLE.COM', 'alt1.aspmx.l.google.com', 'alt2.aspmx.l.google.com', 'aspmx2.googlemail.com'),
  ...mx('microsoft.test', 'microsoft-test.mail.protection.outlook.com'),
  ...mx('dnssec.test', 'dnssec-test.o-v1.mx.microsoft'),
  ...mx('ses.test', 'inbound-smtp.eu-west-1.amazonaws.com', 'inbound-smtp.us-east-1.amazonaws.com'),
  ...mx('zoho.test', 'mx.zoho.eu', 'mx2.zoho.eu', 'mx3.zoho.eu'),
  ...mx('fast.test', 'in1-smtp.messagingengine.com', 'in2-smtp.messagingengine.com'),
  ...mx('mixed.test', 'mail.protonmail.ch', 'mx1.mixed.test', 'mx01.mail.icloud.com', 'backup.other.test', 'mailsec.protonmail.ch'),
  ...mx('own.test', 'mx1.own.test', 'mx2.own.test', 'mx3.own.test', 'mx4.own.test'),
  ...mx('null.test', '.'),
  ...mx('both.test', '.', 'mx1.both.test'),
  ...mx('odd.test', 'mx_1.odd.test', 'mx2.odd.test'),
  ...mx('hopeless.test', 'mx_1.hopeless.test'),
  ...mx('single.test', 'localhost'),
  ...mx('taken.test', 'mx1.taken.test'),
  ...mx('broken.test', 'mx1.broken.test'),
  ...mx(`${'long-'.repeat(10)}domain.test`, 'mx1.own.test'),
  ...mx('lost.test', 'gone.lost.test'),
  ...mx('twice.test', 'gone.twice.test.twice.test'),
  ...mx('half.test', 'mx1.half.test', 'gone.half.test'),
  ...mx('aliased.test', 'alias.aliased.test'),
  { name: 'alias.aliased.test', type: 'CNAME', ttl: 60, data: 'mx1.own.test' },
  ...mx('dangling.test', 'mx1.dangling.test'),
  ...['_mta-sts', 'mta-sts', '_smtp._tls'].map((label): DnsRecord => ({ name: `${label}.dangling.test`, type: 'CNAME', ttl: 60, data: 'gone.provider.test.dangling.test' })),
  ...mx('unread.test', 'mx1.unread.test'),
  { name: '_smtp._tls.unread.test', type: 'TXT', ttl: 60, data: ['v=TLSRPTv1; rua=mailto:a@gone.unread.test'] },
  { name: 'implicit.test', type: 'AAAA', ttl: 60, data: '2001:db8::1' },
  { name: 'nobody.test', type: 'TXT', ttl: 60, data: ['v=spf1 -all'] },
  { name: '_mta-sts.taken.test', type: 'TXT', ttl: 60, data: ['v=STSv1; id=20250114;'] },
  { name: '_smtp._tls.taken.test', type: 'TXT', ttl: 60, data: ['v=TLSRPTv1; rua=mailto:a@taken.test,', 'https://r.example/\'x\''] },
  ...mx('slip.test', 'mx1.slip.test'),
  { name: '_mta-sts.slip.test', type: 'TXT', ttl: 60, data: ['v=STS1; id=1'] },
  { name: '_smtp._tls.slip.test', type: 'TXT', ttl: 60, data: ['v=TLSRPT1; rua=mailto:a@slip.test'] },
  ...mx('astray.test', 'mx1.astray.test'),
  { name: '_mta_sts.astray.test', type: 'TXT', ttl: 60, data: ['v=STSv1; id=1'] },
  { name: 'mta-sts.astray.test', type: 'TXT', ttl: 60, data: ['v=TLSRPTv1; rua=mailto:a@astray.test'] },
  ...mx('swapped.test', 'mx1.swapped.test'),
  { name: '_mta-sts.swapped.test', type: 'TXT', ttl: 60, data: ['v=TLSRPTv1; rua=mailto:a@swapped.test'] },
  { name: '_smtp._tls.swapped.test', type: 'TXT', ttl: 60, data: ['v=STSv1; id=1'] },
  { name: '_mta-sts.broken.test', type: 'TXT', ttl: 60, data: ['v=spf1 \u001b[2J -all'] },
  { name: '_smtp._tls.broken.test', type: 'TXT', ttl: 60, data: ['v=TLSRPTv1; rua=a@broken.test'] },
];

/** Every mail host has an address, except those that are `gone`. The zones of providers contain their hosts. */
const ZONE: DnsRecord[] = [
  ...DOMAINS,
  ...['com', 'microsoft', 'eu', 'ch', 'localhost'].map((name): DnsRecord => ({ ...SOA, name })),
  ...[...new Set(DOMAINS.flatMap((record) => record.type === 'MX' ? [record.data.exchange.toLowerCase()] : []))]
    .filter((host) => host !== '.' && !/^(?:gone|alias)/.test(host))
    .map((name): DnsRecord => ({ name, type: 'A', ttl: 60, data: '192.0.2.25' })),
];

function mx(domain: string, ...hosts: string[]): DnsRecord[] {
  return hosts.map((exchange, index) => ({ name: domain, type: 'MX', ttl: 60, data: { preference: 10 * (index + 1), exchange } }));
}

beforeAll(async () => {
  dns = await startDnsServer({ address: '127.0.0.1', answer: zoneAnswers(ZONE) });
  silent = await startDnsServer({ address: '127.0.0.1', answer: () => 'drop' });
});

afterAll(async () => {
  await Promise.all([dns.close(), silent.close()]);
});

function refusal(rcode: DnsReply['rcode']): DnsReply {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

const at = (server: DnsServer): string[] => ['--resolver', `127.0.0.1:${server.port}`];

async function suggested(domain: string): Promise<{ readonly status: number; readonly json: Json }> {
  const { status, json } = await runJson(['suggest', domain, ...at(dns)]);
  return { status, json: json as Json };
}

type Json = Pick<Suggestion, 'domain' | 'verdict' | 'reasons'> & {
  readonly mx: readonly { readonly host: string; readonly provider: string | null; readonly fault?: string }[];
  readonly construct: Plan['construct'] | null;
  readonly policies: Pick<Plan, 'testing' | 'enforce'> | null;
  readonly rollout: Plan['rollout'];
};

function text(domain: string, options: CommandOptions = {}): ReturnType<typeof run> {
  return run(['suggest', domain, ...at(dns)], options);
}

describe('DNS without an answer', () => {
  test('suggest ends with status 3 within its timeout when DNS does not answer', async () => {
    const { status, stdout, stderr } = await run(['suggest', 'example.test', '--timeout', '200ms', ...at(silent)]);
    expect(stdout).toMatch(/^\? example\.test: could not be decided\n\n {2}- the mail hosts of example\.test could not be looked up: cancelled from 127\.0\.0\.1:\d+; try again\n$/);
    expect(stderr).toBe('');
    expect(status).toBe(3);
  });

  test('suggest ends with status 3 when nothing listens at the resolver', async () => {
    const { status, json } = await runJson(['suggest', 'example.test', '--resolver', '127.0.0.1:1']);
    expect(json).toMatchObject({ verdict: 'undecided', construct: null, policies: null, rollout: [] });
    expect(status).toBe(3);
  });

  test('suggest does not take a failed address look-up for a missing address', async () => {
    const answer = zoneAnswers(ZONE);
    const server = await startDnsServer({ address: '127.0.0.1', answer: (query) => query.type === 'AAAA' ? refusal('SERVFAIL') : answer(query) });
    const { status, json } = await runJson(['suggest', 'nobody.test', ...at(server)]);
    await server.close();
    expect(json).toMatchObject({ verdict: 'undecided', reasons: [expect.stringContaining('SERVFAIL')] });
    expect(status).toBe(3);
  });
});

describe('mail hosts that no policy can cover', () => {
  test('suggest reports a host that no policy can name, and suggests a policy for the others', async () => {
    const { status, json } = await suggested('odd.test');
    expect(json).toMatchObject({ verdict: 'incomplete', mx: [{ host: 'mx_1.odd.test', fault: expect.stringContaining('underscore') }, { host: 'mx2.odd.test' }] });
    expect(json.reasons[0]).toBe('no policy can name the mail host `mx_1.odd.test`, because it contains an underscore, which no host name may contain; '
      + 'in enforce mode senders would not deliver to it, so fix the MX record first (RFC 8461 §3.2)');
    expect(json.construct?.code).toContain("MxHosts.of('mx2.odd.test')");
    expect(status).toBe(1);
  });

  test('suggest ends with status 1 when no policy can name any host', async () => {
    const { status, json } = await suggested('hopeless.test');
    expect(json).toMatchObject({ verdict: 'incomplete', construct: null, policies: null, rollout: [] });
    expect(json.reasons.at(-1)).toBe('so no policy can cover a mail host of this domain; fix its MX records first');
    expect(status).toBe(1);
  });

  test('suggest ends with status 1 for more hosts than fit into a policy file', async () => {
    const { suggest } = await import('../../cli/commands/suggest/suggestion');
    const hosts = Array.from({ length: 2000 }, (_, i) => ({ name: `mx${i}.${'x'.repeat(40)}.example.test`, preference: 10 }));
    const none = { status: 'none' } as const;
    const { verdict, reasons, plan } = suggest({ domain: 'example.test', mail: { kind: 'hosts', hosts, findImplicitHost: false, hasNullMx: false }, record: none, tlsRpt: none }, NOW);
    expect(verdict).toBe('incomplete');
    expect(reasons.at(-1)).toMatch(/must be at most 65536 bytes/);
    expect(plan).toBeUndefined();
  });
});

test.each([
  ['nobody.test', 1, 'no-host', /^nobody\.test has neither an MX record nor an address.*null MX/],
  ['absent.test', 1, 'no-host', /^absent\.test does not exist in DNS; check its spelling$/],
  ['null.test', 0, 'no-mail', /^null\.test has a null MX: it takes no mail.*\(RFC 7505 §3\)$/],
])('suggest for %s ends with status %d, the verdict %s and the reason', async (domain, status, verdict, reason) => {
  const result = await suggested(domain);
  expect(result.json).toMatchObject({ domain, verdict, mx: [], reasons: [expect.stringMatching(reason)], construct: null });
  expect(result.status).toBe(status);
});

describe('known providers', () => {
  test.each<[string, string, MxHosts]>([
    ['google.test', "MxHosts.googleWorkspace().plus(MxHosts.of('aspmx2.googlemail.com'))", MxHosts.googleWorkspace().plus(MxHosts.of('aspmx2.googlemail.com'))],
    ['microsoft.test', 'MxHosts.microsoft365()', MxHosts.microsoft365()],
    ['dnssec.test', "MxHosts.of('dnssec-test.o-v1.mx.microsoft')", MxHosts.of('dnssec-test.o-v1.mx.microsoft')],
    ['ses.test', "MxHosts.sesInbound('eu-west-1').plus(MxHosts.sesInbound('us-east-1'))", MxHosts.sesInbound('eu-west-1').plus(MxHosts.sesInbound('us-east-1'))],
    ['zoho.test', 'MxHosts.zoho(ZohoDataCenter.EUROPE)', MxHosts.zoho(ZohoDataCenter.EUROPE)],
    ['fast.test', 'MxHosts.fastmail()', MxHosts.fastmail()],
    ['mixed.test', "MxHosts.protonMail().plus(MxHosts.icloud()).plus(MxHosts.of('mx1.mixed.test', 'backup.other.test'))",
      MxHosts.protonMail().plus(MxHosts.icloud()).plus(MxHosts.of('mx1.mixed.test', 'backup.other.test'))],
    ['implicit.test', "MxHosts.of('implicit.test')", MxHosts.of('implicit.test')],
  ])('suggest for %s writes %s, with the files and ids that the construct makes', async (domain, expression, hosts) => {
    const { status, json } = await suggested(domain);
    expect(json.construct?.code).toContain(`policy: MtaStsPolicy.testing({ mx: ${expression} }),`);
    const [testing, enforce] = [MtaStsPolicy.testing({ mx: hosts }), MtaStsPolicy.enforce({ mx: hosts })];
    expect(json.policies).toEqual({ testing: { text: testing.text, id: `20261130T192408${testing.hash}` }, enforce: { text: enforce.text, id: `20261130T192408${enforce.hash}` } });
    expect(json.verdict).toBe('suggested');
    expect(status).toBe(0);
  });

  test('suggest names the provider of each host, in the order of preference', async () => {
    const { json } = await suggested('mixed.test');
    expect(json.mx).toEqual([
      { host: 'mail.protonmail.ch', preference: 10, provider: 'Proton Mail' },
      { host: 'mx1.mixed.test', preference: 20, provider: null },
      { host: 'mx01.mail.icloud.com', preference: 30, provider: 'iCloud Mail' },
      { host: 'backup.other.test', preference: 40, provider: null },
      { host: 'mailsec.protonmail.ch', preference: 50, provider: 'Proton Mail' },
    ]);
  });
});

describe('the reasons', () => {
  test.each([
    ['fast.test', /^Fastmail takes mail at in1-smtp\.messagingengine\.com, in2-.*, which MxHosts\.fastmail\(\) covers as documented at https:/],
    ['google.test', /^aspmx2\.googlemail\.com is an old host of Google Workspace/],
    ['dnssec.test', /^dnssec-test\.o-v1\.mx\.microsoft is in the DNSSEC-signed zone of Microsoft 365/],
    ['mixed.test', /^the policy names mx1\.mixed\.test, backup\.other\.test without a wildcard, which would also allow other hosts.*each offers STARTTLS/],
    ['implicit.test', /^implicit\.test has no MX record, so its own address takes the mail/],
    ['both.test', /^there is a null MX \(`0 \.`\) beside the other MX records/],
    ['single.test', /^localhost is a single label, which no sender on the internet can look up/],
    [`${'long-'.repeat(10)}domain.test`, /has 61 characters, and AWS Certificate Manager gives no certificate/],
    ['taken.test', /^_mta-sts\.taken\.test already publishes a policy with the id 20250114/],
    ['taken.test', /^TLS reports already go to mailto:a@taken\.test, https:\/\/r\.example\/'x', so the record at _smtp\._tls\.taken\.test stays/],
    ['slip.test', /^the record at _mta-sts\.slip\.test is not an MTA-STS record: unrecognised version: .*`v=STS1`.*write `v=STSv1;` at the beginning/],
    ['slip.test', /^the record at _smtp\._tls\.slip\.test is not a TLSRPT record: unrecognised version: .*write `v=TLSRPTv1;` at the beginning/],
    ['broken.test', /^the record at _mta-sts\.broken\.test is not an MTA-STS record: .*delete it first/],
    ['broken.test', /^the record at _smtp\._tls\.broken\.test is not a TLSRPT record: .*has no scheme.*delete it first/],
  ])('the reasons for %s contain %s', async (domain, reason) => {
    expect((await suggested(domain)).json.reasons).toContainEqual(expect.stringMatching(reason));
  });

  test('the reasons name the published records that could not be looked up', async () => {
    const answer = zoneAnswers(ZONE);
    const server = await startDnsServer({ address: '127.0.0.1', answer: (query) => query.type === 'TXT' ? refusal('REFUSED') : answer(query) });
    const { status, json } = await runJson(['suggest', 'fast.test', ...at(server)]);
    await server.close();
    expect(json).toMatchObject({
      verdict: 'suggested',
      published: { record: { status: 'unknown' }, tlsRpt: { status: 'unknown' } },
      reasons: expect.arrayContaining([
        expect.stringMatching(/^the record at _mta-sts\.fast\.test could not be looked up: REFUSED from/),
        expect.stringMatching(/^the record at _smtp\._tls\.fast\.test could not be looked up: REFUSED from/),
      ]),
    });
    expect(status).toBe(0);
  });
});

describe('mail hosts without an address', () => {
  test.each([
    ['lost.test', 'the mail host gone.lost.test cannot be reached: there is no such name in DNS. It is the only mail host of lost.test, so mail to lost.test is not delivered; '
    + 'publish A and AAAA records for the host, or remove the MX record (RFC 5321 §5.1)'],
    ['twice.test', 'the mail host gone.twice.test.twice.test cannot be reached: there is no such name in DNS; the zone name is appended twice. It is the only mail host of twice.test, '
    + 'so mail to twice.test is not delivered; let the MX record name `gone.twice.test.`, with the dot at its end (RFC 5321 §5.1)'],
  ])('suggest ends with status 1 if no host can be reached (%s)', async (domain, reason) => {
    const { status, json } = await suggested(domain);
    expect(json).toMatchObject({ verdict: 'no-host', mx: [{ reachable: false }], construct: null, reasons: [reason, expect.stringContaining('fix the MX records first')] });
    expect(status).toBe(1);
    expect((await text(domain)).stdout).toContain('no host that can be reached takes its mail');
  });

  test('suggest reports unreachable hosts beside reachable ones', async () => {
    const { status, json } = await suggested('half.test');
    expect(json).toMatchObject({ verdict: 'suggested', mx: [{ host: 'mx1.half.test' }, { host: 'gone.half.test', reachable: false }] });
    expect(json.reasons).toContainEqual(expect.stringMatching(/^the mail host gone\.half\.test cannot be reached: .*Senders pass it over/));
    expect(status).toBe(0);
  });

  test('suggest ignores hosts whose addresses DNS does not return', async () => {
    const answer = zoneAnswers(ZONE);
    const server = await startDnsServer({ address: '127.0.0.1', answer: (query) => query.name === 'mx1.taken.test' ? refusal('SERVFAIL') : answer(query) });
    const { status, json } = await runJson(['suggest', 'taken.test', ...at(server)]);
    await server.close();
    expect(json).toMatchObject({ verdict: 'suggested', reasons: expect.arrayContaining([expect.stringContaining('mx1.taken.test could not all be looked up: SERVFAIL')]) });
    expect(JSON.stringify(json)).not.toContain('cannot be reached');
    expect(status).toBe(0);
  });

  test('suggest reports a host that is an alias with its target', async () => {
    expect((await suggested('aliased.test')).json.reasons).toContainEqual(expect.stringMatching(/^the mail host alias\.aliased\.test is an alias \(CNAME\) of mx1\.own\.test\..*RFC 2181 §10\.3/));
  });
});

describe('broken published records', () => {
  test('suggest reports dangling aliases at all three names', async () => {
    const { reasons } = (await suggested('dangling.test')).json;
    const where = 'the CNAME leads to gone.provider.test.dangling.test, where nothing is found. If `gone.provider.test` is meant, the dot at its end is missing (cname-dangling)';
    expect(reasons).toEqual(expect.arrayContaining([
      `the record at _mta-sts.dangling.test is not an MTA-STS record: ${where}; the deployment refuses to overwrite it, so delete it first`,
      `the record at _smtp._tls.dangling.test is not a TLSRPT record: ${where}; the deployment refuses to overwrite it, so delete it first`,
      `at mta-sts.dangling.test ${where}; the deployment refuses to overwrite it, so delete it first`,
    ]));
  });

  test('suggest reports records at wrong names', async () => {
    expect((await suggested('astray.test')).json.reasons).toEqual(expect.arrayContaining([
      expect.stringMatching(/^a record that belongs at _mta-sts\.astray\.test stands at _mta_sts\.astray\.test: "v=STSv1; id=1"; move it to /),
      expect.stringMatching(/^a record that belongs at _smtp\._tls\.astray\.test stands at mta-sts\.astray\.test: /),
    ]));
    expect((await suggested('swapped.test')).json.reasons).toEqual(expect.arrayContaining([
      expect.stringContaining('move it to `_smtp._tls`, where the TLSRPT record belongs'), expect.stringContaining('move it to `_mta-sts`, where the MTA-STS record belongs'),
    ]));
  });

  test('suggest reports TLS reporting addresses that cannot receive reports', async () => {
    expect((await suggested('unread.test')).json.reasons).toContainEqual(expect.stringMatching(/^TLS reports to mailto:a@gone\.unread\.test cannot arrive: there is no gone\.unread\.test in DNS/));
  });
});

describe('the rollout', () => {
  test('the rollout is TLS reports, two weeks of testing, then enforcement, each with a command that checks it', async () => {
    const { json } = await suggested('fast.test');
    expect(json.rollout.map(({ title, check }) => [title, check])).toEqual([
      ['Create a mailbox for TLS reports', "npx cdk-mta-sts lint tls-rpt 'v=TLSRPTv1; rua=mailto:tls-reports@fast.test'"],
      ['Publish the policy in testing', 'npx cdk-mta-sts verify fast.test --expect-mode testing'],
      ['Read the reports for two weeks', 'npx cdk-mta-sts verify fast.test --expect-mode testing'],
      ['Enforce', 'npx cdk-mta-sts verify fast.test --expect-mode enforce'],
    ]);
  });

  test('the rollout begins with an existing policy and keeps existing TLS reporting', async () => {
    const { json } = await suggested('taken.test');
    expect(json.rollout.map(({ title }) => title)).toEqual([
      'Check the existing policy', 'Make sure that somebody reads the TLS reports', 'Publish the policy in testing', 'Read the reports for two weeks', 'Enforce',
    ]);
    expect(json.construct?.code).toContain('// No tlsReporting: keep the existing record.');
    expect(json.construct?.import).not.toContain('TlsReporting');
  });

  test('the rollout has only commands that this command knows', async () => {
    const { json: { rollout: ofNew } } = await suggested('fast.test');
    const { json: { rollout: ofTaken } } = await suggested('taken.test');
    for (const { check } of [...ofNew, ...ofTaken]) {
      const [npx, name, ...args] = [...check.matchAll(/'[^']*'|\S+/g)].map(([word]) => word.replace(/^'|'$/g, ''));
      expect([npx, name]).toEqual(['npx', 'cdk-mta-sts']);
      const { status } = await run(args[0] === 'verify' ? [...args, '--resolver', '127.0.0.1:1', '--timeout', '50ms'] : args);
      expect({ check, status }).toEqual({ check, status: args[0] === 'verify' ? 3 : 0 });
    }
  });
});

describe('the construct', () => {
  const DOMAINS = ['google.test', 'ses.test', 'zoho.test', 'mixed.test', 'own.test', 'taken.test'];

  async function snippets(): Promise<{ readonly domain: string; readonly file: string; readonly source: string; readonly text: string }[]> {
    return Promise.all(DOMAINS.map(async (domain) => {
      const { json: { construct, policies } } = await suggested(domain);
      const source = `import type { Stack, aws_route53 as route53 } from 'aws-cdk-lib';
${construct?.import ?? ''}
export function run(this: Stack, hostedZone: route53.IHostedZone): void {
${construct?.code ?? ''}
}`;
      return { domain, file: join(ROOT, `suggested-for-${domain}.ts`), source, text: policies?.testing.text ?? '' };
    }));
  }

  test('the suggested construct compiles', async () => {
    expect(compilerErrors(await snippets())).toEqual([]);
  }, 120_000);

  test('the suggested construct can be synthesized and publishes exactly the printed file', async () => {
    for (const snippet of await snippets()) {
      const [stack] = synthesize(snippet, snippet.domain);
      expect(JSON.stringify(stack?.template)).toContain(JSON.stringify(policyLines(snippet.text)));
    }
  }, 120_000);
});

describe('the text', () => {
  test('the text of suggest has hosts, reasons, steps, construct and file', async () => {
    const { status, stdout, stderr } = await text('fast.test');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✔ fast\.test: a policy that covers every mail host\n {2}mx {8}✔ 10 in1-smtp\.messagingengine\.com \(Fastmail\)\n/);
    expect(stdout).toMatch(/\nStep by step\n\n {2}1\. Create a mailbox for TLS reports\n/);
    expect(stdout).toMatch(/\n {5}\$ npx cdk-mta-sts verify fast\.test --expect-mode enforce\n/);
    expect(stdout).toContain('\nThe construct\n\n    import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from \'cdk-mta-sts\';\n\n    new MtaSts(this, \'MtaSts\', {\n      hostedZone,\n');
    const [, file = ''] = stdout.split('/.well-known/mta-sts.txt\n\n');
    expect(parsePolicy(Buffer.from(file.replace(/^ {4}/gm, '')))).toMatchObject({ verdict: 'valid', policy: { mode: 'testing', maxAge: 86_400 } });
    expect(status).toBe(0);
  });

  test('the text of suggest wraps reasons to the terminal, but neither commands nor code', async () => {
    const { stdout } = await text('mixed.test', { columns: 60 });
    const wide = stdout.split('\n').filter((line) => line.length > 60);
    expect(wide.every((line) => /^ {5}\$ | {4}|^The file that/.test(line) || !line.trim().includes(' '))).toBe(true);
    expect(stdout).toMatch(/\$ npx cdk-mta-sts verify mixed\.test --expect-mode testing\n/);
  });

  test.each(['broken.test', 'odd.test', 'taken.test'])('the text of suggest escapes control characters in the DNS of %s', async (domain) => {
    const { stdout } = await text(domain);
    expect(stdout).not.toMatch(/[^\n\P{C}]/u);
  });

  test('the text of suggest stays readable for a domain with very many hosts', async () => {
    const { suggest } = await import('../../cli/commands/suggest/suggestion');
    const { suggestionText } = await import('../../cli/commands/suggest/text');
    const { Style } = await import('../../cli/output/terminal');
    const hosts = Array.from({ length: 300 }, (_, i) => ({ name: `mx${i}.example.test`, preference: 10 }));
    const none = { status: 'none' } as const;
    const printed = suggestionText(
      suggest({ domain: 'example.test', mail: { kind: 'hosts', hosts, findImplicitHost: false, hasNullMx: false }, record: none, tlsRpt: none }, NOW),
      new Style({ colour: false, unicode: true, columns: undefined }),
    );
    expect(printed).toContain('and 280 more\n');
    expect(printed).toContain('mx4.example.test and 295 more without a wildcard');
  });
});
