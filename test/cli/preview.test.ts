import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../cli/io';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { createCertificateAuthority } from '../../lib/preview/tls/certificate-authority';
import { ENV, oneDomain } from '../support/stack';
import { run, runJson } from '../support/command';

let folder: string;
let app: string;
let taken: Server;
let takenPort: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-preview-'));
  app = join(folder, 'cdk.out');
  const cdk = new App({ outdir: app });
  oneDomain(new Stack(cdk, 'Test', { env: ENV }));
  cdk.synth();
  writeFileSync(join(folder, 'no.pem'), 'not PEM');
  const authority = await createCertificateAuthority();
  const { keyPem, certificatePem } = await authority.issue({ names: ['mta-sts.example.com'] });
  writeFileSync(join(folder, 'key.pem'), keyPem);
  // Without its authority: every client knows the root of a public certificate.
  writeFileSync(join(folder, 'cert.pem'), certificatePem.slice(0, certificatePem.indexOf('-----END CERTIFICATE-----') + 26));
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  takenPort = (taken.address() as AddressInfo).port;
});

afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true });
});

describe('wrong usage of preview', () => {
  test.each<[string, () => string[], string]>([
    ['no such folder', () => ['--app', join(folder, 'none')], 'npx cdk synth'],
    ['a folder that is no cloud assembly', () => ['--app', folder], 'npx cdk synth'],
    ['a key without its certificate', () => ['--tls-key', 'key.pem'], '`--tls-key` and `--tls-cert` belong together; `--tls-cert` is missing'],
    ['a certificate without its key', () => ['--tls-cert', 'cert.pem'], '`--tls-key` and `--tls-cert` belong together; `--tls-key` is missing'],
    ['a key that cannot be read', () => ['--tls-key', join(folder, 'none.pem'), '--tls-cert', join(folder, 'cert.pem')], 'none.pem`: there is no such file'],
    ['a certificate that cannot be read', () => ['--tls-key', join(folder, 'key.pem'), '--tls-cert', folder], 'it is a folder; a file is expected'],
    ['a key that is none', () => ['--app', app, '--tls-key', join(folder, 'no.pem'), '--tls-cert', join(folder, 'no.pem')], 'the given TLS key and certificate cannot be used'],
    ['a JSON format without results', () => ['--app', app, '--format', 'json'], '`--format json` is for results; add `--verify`'],
    ['an HTML format without results', () => ['--app', app, '--format', 'html'], '`--format html` is for results; add `--verify`'],
    ['an output file without results', () => ['--app', app, '--output', 'result.html'], '`--output` is for results; add `--verify`'],
    ['a file that cannot be written', () => ['--app', app, '--verify', '--output', folder], '`: it is a folder; a file is expected'],
    ['a port that is taken', () => ['--app', app, '--https-port', String(takenPort)], 'of 127.0.0.1: '],
    ['a port that cannot be', () => ['--https-port', '65536'], '--https-port: `65536` is not a port; a number from 1 to 65535 is expected'],
    ['a port that is no number', () => ['--dns-port', '53x'], '--dns-port: `53x` is not a port'],
    ['a name to listen on', () => ['--listen', 'localhost'], '--listen: `localhost` is not an IP address; write `127.0.0.1` or `::1`'],
    ['an MX host without address', () => ['--mx', 'mx.example.com'], '--mx: `mx.example.com` has no address; write `host=address`, such as `mx1.example.com=127.0.0.1`'],
    ['an MX host with a name for an address', () => ['--mx', 'mx.example.com=localhost'], '--mx: `localhost` is not an IP address'],
    ['an MX host that is a pattern', () => ['--mx', '*.example.com=127.0.0.1'], '--mx: `*.example.com=127.0.0.1` names no MX host: `*.example.com` contains `*`'],
    ['an MX host with a dot at the end', () => ['--mx', 'mx.example.com.=127.0.0.1'], 'ends with a dot; write `mx.example.com`'],
  ])('preview ends with status 2 and the fix for %s', async (_, args, message) => {
    const { status, stdout, stderr } = await run(['preview', ...args()]);
    expect(stderr).toContain(message);
    expect(stderr).toContain('try `npx cdk-mta-sts preview --help`');
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

describe('preview --verify', () => {
  test('preview --verify ends with status 1 for an MX host that the policy does not cover', async () => {
    const { status, json } = await runJson(['preview', '--app', app, '--verify', '--mx', 'mail.other.test=127.0.0.1']);
    expect(json).toMatchObject({ domains: [{ domain: 'example.com', verdict: 'fail', lookup: 'found', mx: [{ host: 'mail.other.test', covered: false }] }] });
    expect(json).toHaveProperty('domains.0.findings.0', expect.objectContaining({ code: 'mx-not-covered', severity: 'error' }));
    expect(status).toBe(1);
  });

  test('preview --verify ends with status 1 for an edge function that throws, and names the error', async () => {
    const broken = join(folder, 'broken');
    cpSync(app, broken, { recursive: true });
    const template = join(broken, 'Test.template.json');
    writeFileSync(template, readFileSync(template, 'utf8').replace('const request = event.request;', 'throw new Error(\'boom\');'));
    const { status, stdout, stderr } = await run(['preview', '--app', broken, '--verify']);
    expect(stdout).toContain('status 503');
    expect(stderr).toMatch(/^the edge function of .* failed: .*boom/m);
    expect(stderr).not.toContain('GET ');
    expect(status).toBe(1);
  });

  test('preview --verify ends with status 0 for an app as the construct makes it', async () => {
    const { status, json } = await runJson(['preview', '--app', app, '--verify']);
    expect(json).toMatchObject({
      domains: [{
        domain: 'example.com',
        verdict: 'pass',
        lookup: 'found',
        policy: { mode: 'enforce', mx: ['mx1.example.com', 'mx2.example.com'] },
        mx: [{ host: 'mx1.example.com', covered: true }, { host: 'mx2.example.com', covered: true }],
      }],
    });
    expect(status).toBe(0);
  });

  test('preview --verify supports every format of verify, and a file', async () => {
    const file = join(folder, 'result.html');
    const { status, stdout } = await run(['preview', '--app', app, '--verify', '--mx', 'mail.other.test=127.0.0.1', '--format', 'html', '--output', file]);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>[^]*mail\.other\.test[^]*<\/html>\n$/);
    expect(stdout).toMatch(/^✘ example\.com: fail\n {2}mx-not-covered: .*mail\.other\.test.*\n1 domain: 1 fail\n$/);
    expect(status).toBe(1);
  });

  test('preview --verify prints the text of verify', async () => {
    const { status, stdout } = await run(['preview', '--app', app, '--verify', '--mx', 'mx1.example.com=127.0.0.1', '--mx', 'mx2.example.com=127.0.0.1']);
    expect(stdout).toMatch(/^✔ example\.com: pass\n {2}Senders find a policy/);
    expect(status).toBe(0);
  });
});

describe('preview without --verify', () => {
  /** Runs the preview until a port answers, then interrupts it. */
  async function serve(args: readonly string[], atOutput: (text: string) => Promise<void>): Promise<{ status: number; stdout: string }> {
    let seen: (text: string) => void = () => undefined;
    const output = new Promise<string>((resolve) => {
      seen = resolve;
    });
    const interrupted: Io['interrupted'] = async () => {
      await atOutput(await output);
      return 'signal';
    };
    return run(['preview', '--app', app, ...args], { onOutput: seen, interrupted });
  }

  function reachable(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => {
        resolve(false);
      });
    });
  }

  test('preview explains how to query it, serves until an interrupt, and leaves neither port nor file', async () => {
    let port = 0;
    let files: string[] = [];
    const { status, stdout } = await serve([], async (text) => {
      port = Number(/--connect-to \S+:(\d+)\s/.exec(text)?.[1]);
      files = [...text.matchAll(/--cacert (\S+)/g)].map(([, file = '']) => file);
      expect(await reachable(port)).toBe(true);
      expect(files.every((file) => readFileSync(file, 'utf8').includes('BEGIN CERTIFICATE'))).toBe(true);
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/\bdig\b.*_mta-sts\.example\.com/);
    expect(stdout).toMatch(/\bcurl\b.*https:\/\/mta-sts\.example\.com/);
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => existsSync(file))).toEqual([]);
    expect(await reachable(port)).toBe(false);
  });

  test('preview with the key and certificate of the user mentions no private CA', async () => {
    const { status, stdout } = await serve(['--tls-key', join(folder, 'key.pem'), '--tls-cert', join(folder, 'cert.pem')], () => Promise.resolve());
    expect(status).toBe(0);
    expect(stdout).toContain('https://mta-sts.example.com/.well-known/mta-sts.txt');
    expect(stdout).not.toContain('--cacert');
  });
});
