// A whole preview: its servers, its notes, and the commands that it prints.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { Stack } from 'aws-cdk-lib';
import { createCertificateAuthority, createSelfSigned } from '../../lib/preview/tls/certificate-authority';
import { PreviewError, howToQuery, startPreview } from '../../lib/preview';
import type { Preview, PreviewOptions } from '../../lib/preview';
import { policyHash } from '../../lib/protocol/policy/id';
import { createResolver } from '../../lib/verifier/dns/resolver';
import { until } from '../support/waiting';
import { ENV, importedZone, oneDomain } from '../support/stack';
import { removeFolders, synthesize, temporaryFolder, usualApp, writeAssembly } from '../support/assemblies';
import { firstItem, onlyItem } from '../support/items';
import { ask } from '../support/tls-client';

let app: string;
let running: Preview[] = [];

const { TMPDIR } = process.env;

beforeAll(() => {
  app = usualApp();
  // Other test files start previews at the same time. In its own folder, this file finds only its own left-over files.
  process.env.TMPDIR = temporaryFolder();
});

afterAll(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  removeFolders();
});

afterEach(async () => {
  await Promise.all(running.map((preview) => preview.close()));
  running = [];
});

async function start(options: Partial<PreviewOptions> = {}): Promise<Preview> {
  const preview = await startPreview({ app, listen: '127.0.0.1', ...options });
  running.push(preview);
  return preview;
}

function temporaryFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('mta-sts-preview-'));
}

describe('options that a user can fix', () => {
  test.each<[string, Partial<PreviewOptions>, RegExp]>([
    ['a missing assembly', { app: '/nowhere/cdk.out' }, /there is no folder \/nowhere\/cdk\.out\. Create the cloud assembly with `npx cdk synth`/],
    ['a name to listen on', { listen: 'localhost\u001b' }, /cannot listen on `localhost\\x1b`, which is not an IP address\. Give an IP address of this machine, such as 127\.0\.0\.1/],
    ['all IPv4 addresses', { listen: '0.0.0.0' }, /cannot listen on `0\.0\.0\.0`, which means every address\. DNS answers need one address/],
    ['all IPv6 addresses', { listen: '::' }, /which means every address/],
    ['an address of another machine', { listen: '192.0.2.1' }, /cannot listen on port 0 of 192\.0\.2\.1: .*EADDRNOTAVAIL/],
    ['an MX host with a space', { mx: [{ host: 'a b', address: '127.0.0.1' }] }, /the MX host `a b` contains/],
    ['an MX host without an IP address', { mx: [{ host: 'mx.example', address: 'here' }] }, /the MX host mx\.example needs an IP address, got `here`\. Write mx\.example=127\.0\.0\.1/],
    ['a certificate that is not PEM', { tls: { key: 'x', cert: 'y' } }, /the given TLS key and certificate cannot be used: .*\. Give a private key and its certificate as PEM, or leave out both/],
  ])('the preview does not start with %s, and says how to fix it', async (_, options, message) => {
    const before = temporaryFolders();
    await expect(start(options)).rejects.toThrow(PreviewError);
    await expect(start(options)).rejects.toThrow(message);
    expect(temporaryFolders()).toEqual(before);
  });

  test('the preview does not start with a key that does not match the certificate', async () => {
    const { keyPem } = await createSelfSigned({ names: ['mta-sts.example.com'] });
    const { certificatePem } = await createSelfSigned({ names: ['x.example'] });
    await expect(start({ tls: { key: keyPem, cert: certificatePem } })).rejects.toThrow(/cannot be used: .*key values mismatch/);
  });

  test('the preview does not start with an HTTPS port in use, and names the option', async () => {
    const { httpsPort } = await start();
    await expect(start({ httpsPort })).rejects.toThrow(/cannot listen on port \d+ of 127\.0\.0\.1: .*EADDRINUSE.*`--https-port`/);
  });

  test('the preview does not start with a DNS port in use, and closes its HTTPS port', async () => {
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind({ port: 0, address: '127.0.0.1', exclusive: true }, resolve));
    const web = createServer();
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = web.address();
    const httpsPort = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => web.close(resolve));
    await expect(start({ httpsPort, dnsPort: taken.address().port })).rejects.toThrow(/cannot listen on port \d+ of 127\.0\.0\.1 for DNS: .*EADDRINUSE.*`--dns-port`/);
    await new Promise<void>((resolve) => taken.close(resolve));
    expect((await start({ httpsPort })).httpsPort).toBe(httpsPort);
  });
});

describe('a running preview', () => {
  test('the preview serves the policy and the records of the construct, and returns their addresses', async () => {
    const preview = await start({ time: Date.UTC(2026, 10, 30, 19, 24, 8) });
    expect(preview).toMatchObject({
      hosts: ['mta-sts.example.com'],
      domains: [{ domain: 'example.com', policyHost: 'mta-sts.example.com', policyId: expect.stringMatching(/^20261130T192408[0-9a-f]{16}$/) }],
      mx: [{ domain: 'example.com', hosts: ['mx1.example.com', 'mx2.example.com'], origin: 'policy' }],
      notes: [],
    });
    const answer = await ask({ port: preview.httpsPort, ca: preview.ca });
    const { policyId, policyText } = onlyItem(preview.domains);
    expect(answer).toMatchObject({ status: 200, body: policyText, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    const resolver = createResolver({ servers: [`127.0.0.1:${preview.dnsPort}`] });
    expect(await resolver.query('_mta-sts.example.com', 'TXT')).toMatchObject({ status: 'found', authoritative: true, records: [[`v=STSv1; id=${policyId};`]] });
    expect(await resolver.query('mta-sts.example.com', 'A')).toMatchObject({ records: ['127.0.0.1'] });
    expect(await resolver.query('other.example', 'A')).toMatchObject({ status: 'failed', reason: expect.stringContaining('REFUSED') });
  });

  test('the preview listens on the given ports', async () => {
    const { httpsPort, dnsPort } = await start();
    await running.pop()?.close();
    expect(await start({ httpsPort, dnsPort })).toMatchObject({ httpsPort, dnsPort });
  });

  test('the preview has an IPv6 address in DNS only if it listens there', async () => {
    const preview = await start();
    const answer = await createResolver({ servers: [`127.0.0.1:${preview.dnsPort}`] }).query('mta-sts.example.com', 'AAAA');
    const reachable = await ask({ port: preview.httpsPort, ca: preview.ca, address: '::1' }).then(() => true, () => false);
    expect(answer.status === 'found').toBe(reachable);
  });

  test('the preview listens on another loopback address', async () => {
    const { dnsPort, httpsPort, ca } = await start({ listen: '127.0.0.2' });
    expect(await createResolver({ servers: [`127.0.0.2:${dnsPort}`] }).query('mta-sts.example.com', 'A')).toMatchObject({ records: ['127.0.0.2'] });
    expect((await ask({ port: httpsPort, ca, address: '127.0.0.2' })).status).toBe(200);
  });

  test('the preview uses the given certificate, and trusts the root certificate in the same file', async () => {
    const authority = await createCertificateAuthority('the user\'s');
    const { keyPem, certificatePem } = await authority.issue({ names: ['mta-sts.example.com'] });
    const preview = await start({ tls: { key: keyPem, cert: certificatePem } });
    expect(preview.ca?.trim()).toBe(authority.certificatePem.trim());
    expect((await ask({ port: preview.httpsPort, ca: authority.certificatePem })).status).toBe(200);
    expect(preview.notes).toEqual([]);
  });

  test('the preview uses a given certificate without a root certificate, and notes each name that it does not cover', async () => {
    const authority = await createCertificateAuthority('the user\'s');
    const { keyPem, certificatePem } = await authority.issue({ names: ['other.example'] });
    const leaf = firstItem(certificatePem.split(/(?<=-----END CERTIFICATE-----\n)/));
    const preview = await start({ tls: { key: keyPem, cert: leaf } });
    expect(preview).toMatchObject({ ca: undefined, caFile: undefined, notes: ['mta-sts.example.com: the given certificate does not cover this name'] });
    expect(howToQuery(preview)).not.toContain('--cacert');
  });

  test('a note names each domain without a policy or a policy host', async () => {
    const publication = (DomainName: string, PolicyHash = policyHash('x\r\n')): object => ({
      Type: 'Custom::MtaStsPublication', Properties: { DomainName, PolicyHash, Policy: ['x'], BucketName: 'b', ObjectKey: 'k' },
    });
    const preview = await start({ app: writeAssembly({ Resources: {
      Distribution: { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig: { Aliases: ['mta-sts.example.com', 'mta-sts.example.net'] } } },
      A: publication('example.com'), B: publication('example.com'), C: publication('example.org'), D: publication('example.net', '0123456789abcdef'),
    } }) });
    expect(preview.hosts).toEqual(['mta-sts.example.com', 'mta-sts.example.net']);
    expect(preview.domains.map(({ domain }) => domain)).toEqual(['example.com']);
    expect(preview.notes).toEqual([
      'Mail/B: Mail/A already publishes a policy for example.com. This one is left out',
      'Mail/C: no distribution of the assembly has the alias mta-sts.example.org. example.org is left out',
      `Mail/D: its policy has the hash ${policyHash('x\r\n')}, but the template gives 0123456789abcdef. `
      + 'The deployment refuses this policy, so example.net is left out. Run `npx cdk synth` again',
      'Mail/Distribution: no Custom::MtaStsPublication writes a policy for mta-sts.example.net. The preview serves no policy there',
    ]);
  });

  test('the preview logs a line for each request', async () => {
    const lines: string[] = [];
    const preview = await start({ log: (line) => lines.push(line) });
    await ask({ port: preview.httpsPort, ca: preview.ca, path: '/x' });
    expect(lines).toEqual(['GET https://mta-sts.example.com/x 404']);
  });
});

describe('the commands that query a preview', () => {
  /** Does what a command of the text does. tools/pasted.mjs, a step of .ci/run, runs the commands with the real dig and curl. */
  async function runCommand(command: string): Promise<string> {
    const dig = /^dig @(\S+) -p (\d+) \+short (\S+) (A|MX|TXT)$/.exec(command);
    if (dig !== null) {
      const [, server = '', port = '', name = '', typeName] = dig;
      const type = (['A', 'MX', 'TXT'] as const).find((known) => known === typeName) ?? 'TXT';
      const found = await createResolver().query(name, type, `${server}:${port}`);
      return found.status === 'found' ? JSON.stringify(found.records) : found.status;
    }
    const curl = /^curl -sS --noproxy '\*' --cacert (\S+) --connect-to (\S+):443:([\d.]+):(\d+) https:\/\/(\S+?)(\/\S+)$/.exec(command);
    const [, caFile = '', connectedHost, address, port, host, path] = curl ?? [];
    expect(connectedHost).toBe(host);
    return (await ask({ address, port: Number(port), ca: readFileSync(caFile, 'utf8'), host, servername: host, path })).body;
  }

  test('the commands query the record, the address, the policy file, the MX hosts and the TLSRPT record', async () => {
    const preview = await start();
    const { policyId, policyText } = onlyItem(preview.domains);
    expect(howToQuery(preview)).toContain(`\nexample.com  id ${policyId}  (of this preview; a deployment creates another id)\n`);
    const commands = howToQuery(preview).split('\n').filter((line) => /^ {2}(dig|curl) /.test(line)).map((line) => line.trim());
    expect(await Promise.all(commands.map(runCommand))).toEqual([
      `[["v=STSv1; id=${policyId};"]]`,
      '["127.0.0.1"]',
      policyText,
      '[{"preference":10,"exchange":"mx1.example.com"},{"preference":20,"exchange":"mx2.example.com"}]',
      '[["v=TLSRPTv1; rua=mailto:tls-reports@example.com"]]',
    ]);
  });

  test('the text of a preview says where the MX hosts come from', async () => {
    expect(howToQuery(await start())).toMatch(/MX mx1\.example\.com, mx2\.example\.com {2}\(made from the policy\)[^]*The template has no MX records[^]*--mx mx1\.example\.com=127\.0\.0\.1/);
    const given = howToQuery(await start({ mx: [{ host: 'mail.other.test', address: '127.0.0.1' }] }));
    expect(given).toContain('MX mail.other.test  (as given)');
    expect(given).not.toContain('The template has no MX records');
  });

  test('the text of a preview lists the differences from AWS', async () => {
    const folder = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: ENV });
      const zone = importedZone(stack);
      oneDomain(stack, { hostedZone: zone });
    });
    const text = howToQuery({ ...await start({ app: folder }), notes: ['a note'], mx: [] });
    expect(text).toContain('Differences from AWS:\n  a note\n');
    expect(text).not.toContain('MX mx1');
  });

  test('the commands are correct for a domain without mail, an IPv6 address, and a folder with special characters', () => {
    const text = howToQuery({
      app: 'cdk\u001b.out', listen: '::1', hosts: [], domains: [{ domain: 'example.com', policyHost: 'mta-sts.example.com', policyId: '1', policyText: '' }],
      httpsPort: 8443, dnsPort: 5353, mx: [{ domain: 'example.com', hosts: [], origin: 'policy' }], caFile: "/tmp/it's here/ca.pem", notes: [],
      verification: { resolverServers: [], nameServerPort: 0, httpsPort: 0, ca: [] }, close: () => Promise.resolve(),
    });
    expect(text).toContain('of cdk\\x1b.out on ::1');
    expect(text).toContain('MX none');
    expect(text).toContain('dig @::1 -p 5353 +short _mta-sts.example.com TXT');
    expect(text).toContain("curl -sS --noproxy '*' --cacert '/tmp/it'\\''s here/ca.pem' --connect-to mta-sts.example.com:443:[::1]:8443 https://mta-sts.example.com/.well-known/mta-sts.txt");
  });
});

describe('a closed preview', () => {
  test('a closed preview leaves no file and no open port, and a second close has no effect', async () => {
    const preview = await start();
    const caFile = preview.caFile ?? '';
    expect(readFileSync(caFile, 'utf8')).toBe(preview.ca);
    await ask({ port: preview.httpsPort, ca: preview.ca });
    await preview.close();
    await preview.close();
    expect(existsSync(caFile)).toBe(false);
    await expect(ask({ port: preview.httpsPort, ca: preview.ca })).rejects.toThrow(/ECONNREFUSED/);
  });

  test('a closed preview leaves nothing that keeps the process alive', async () => {
    const resources = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|UDP|MessagePort|Worker/.test(name)).length;
    const before = resources();
    const preview = await startPreview({ app, listen: '127.0.0.1' });
    await ask({ port: preview.httpsPort, ca: preview.ca });
    await preview.close();
    await until(() => resources() <= before);
    expect(resources()).toBeLessThanOrEqual(before);
  });
});
