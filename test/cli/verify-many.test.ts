// `mta-sts verify` of many domains, files and outputs, with retries and interrupts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Verifier } from '../../cli/context';
import { RETRY_CLOCK } from '../../cli/commands/verify/wait';
import { policyHash, policyId, renderPolicyId } from '../../lib/protocol/policy/id';
import { createNetwork } from '../../lib/verifier/default-network';
import type { VerificationResult, LiveFinding } from '../../lib/verifier/result';
import type { Interruption } from '../../cli/io';
import { stackOutput } from '../../lib/contract/stack-output';
import { verificationResult } from '../support/report';
import { run, runJson } from '../support/command';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-verify-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

type Answer = VerificationResult | Promise<VerificationResult>;
type Options = NonNullable<Parameters<Verifier['verify']>[1]>;

/** Returns a loader of a verifier with the given answers. */
function answering(answer: (domain: string, options: Options) => Answer): () => Promise<Verifier> {
  return () => Promise.resolve({ createNetwork, verify: async (domain, options = {}) => answer(domain, options) });
}

const PASSING = answering((domain) => verificationResult({ domain }));
const FAILING = answering((domain) => verificationResult({ domain, verdict: 'fail' }));

const names = (json: unknown): unknown => (json as { domains: { domain: string }[] }).domains.map(({ domain }) => domain);

describe('a name that is probably not meant as a mail domain', () => {
  test('verify verifies a name that is probably not meant as a mail domain, with a hint', async () => {
    const input = { stdin: 'www.b.example\nb.example\n' };
    const { status, stderr, stdout } = await run(['verify', 'www.example.com', 'mta-sts.co.uk', '--file', '-', '--resolver', '127.0.0.1:1', '--timeout', '100ms'], input);
    expect(stderr).toContain('mta-sts: www.example.com is taken as the mail domain, the part after the @; where mail goes to addresses at example.com, write `example.com`\n');
    expect(stderr).toContain('mta-sts: mta-sts.co.uk is taken as the mail domain');
    expect(stderr).toContain('where mail goes to addresses at b.example, write `b.example`\n');
    expect(stdout).toContain('www.example.com');
    expect(status).toBe(3);
  });

  test('suggest accepts a name that is probably not meant as a mail domain, with the same hint', async () => {
    const { stderr } = await run(['suggest', 'www.example.com', '--resolver', '127.0.0.1:1', '--timeout', '100ms']);
    expect(stderr).toContain('where mail goes to addresses at example.com, write `example.com`\n');
  });
});

describe('a file of domains', () => {
  test('verify reads the domains of a file after the typed domains, in order', async () => {
    const { json, status } = await runJson(['verify', 'z.test', '--file', file('list.txt', 'b.test # ours\n\na.test\n')], { loadVerifier: PASSING });
    expect(names(json)).toEqual(['z.test', 'b.test', 'a.test']);
    expect(status).toBe(0);
  });

  test('verify reads domains from standard input', async () => {
    expect(names((await runJson(['verify', '--file', '-'], { loadVerifier: PASSING, stdin: 'a.test\nb.test\n' })).json)).toEqual(['a.test', 'b.test']);
  });

  test('verify with an invalid line in its file verifies all other lines, names the line, and ends with status 2', async () => {
    const path = file('bad.txt', 'a.test\nnot a domain\nb.test\n');
    const { status, stdout, stderr } = await run(['verify', '--file', path, '--format', 'ndjson'], { loadVerifier: PASSING });
    expect(stdout.split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as VerificationResult).domain)).toEqual(['a.test', 'b.test']);
    expect(stderr).toMatch(/^mta-sts: .*bad\.txt, line 2: `not a domain`, where a mail domain is expected, contains ` `/);
    expect(status).toBe(2);
  });

  test('verify of a missing file is wrong usage', async () => {
    const { status, stderr } = await run(['verify', '--file', join(folder, 'none.txt')], { loadVerifier: PASSING });
    expect(status).toBe(2);
    expect(stderr).toMatch(/cannot read `.*none\.txt`: there is no such file/);
  });

  test('verify without any domain is wrong usage', async () => {
    const { status, stderr } = await run(['verify'], { loadVerifier: PASSING });
    expect(status).toBe(2);
    expect(stderr).toContain('no domain to verify; give domains, `--file` or `--outputs`');
  });
});

describe('concurrency', () => {
  test('verify runs as many domains at once as --concurrency says, and keeps the order of the input', async () => {
    let running = 0;
    let most = 0;
    const loadVerifier = answering(async (domain) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(domain.startsWith('d1.') ? 20 : 1);
      running -= 1;
      return verificationResult({ domain });
    });
    const domains = Array.from({ length: 12 }, (_, at) => `d${at + 1}.test`);
    const { json } = await runJson(['verify', ...domains, '--concurrency', '3'], { loadVerifier });
    expect(most).toBe(3);
    expect(names(json)).toEqual(domains);
  });

  test.each(['0', '257', 'many', '1.5'])('verify --concurrency %s is wrong usage', async (number) => {
    const { status, stderr } = await run(['verify', 'a.test', '--concurrency', number], { loadVerifier: PASSING });
    expect(status).toBe(2);
    expect(stderr).toContain('1 to 256 are expected');
  });
});

describe('expectations', () => {
  test('verify --expect-policy passes the bytes of the file to the verifier', async () => {
    let seen: unknown;
    const loadVerifier = answering((domain, { expectPolicy }) => {
      seen = expectPolicy;
      return verificationResult({ domain });
    });
    await run(['verify', 'a.test', '--expect-policy', file('policy.txt', 'version: STSv1\r\n\u00e9')], { loadVerifier });
    expect(seen).toEqual(new Uint8Array(Buffer.from('version: STSv1\r\n\u00e9')));
  });

  test('verify --expect-policy with a missing file is wrong usage', async () => {
    expect((await run(['verify', 'a.test', '--expect-policy', join(folder, 'none')], { loadVerifier: PASSING })).status).toBe(2);
  });
});

describe('the outputs of a deployment', () => {
  const POLICY = 'version: STSv1\r\nmode: testing\r\nmx: mx.a.test\r\nmax_age: 86400\r\n';
  const ID = renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), policyHash(POLICY));
  const outputs = (): string => file('cdk-outputs.json', JSON.stringify({
    One: { MtaStsOutput1: stackOutput({ domain: 'a.test', id: ID, policy: POLICY, target: 'd111111abcdef8.cloudfront.net' }), BucketName: 'x' },
    Two: { MtaStsOutput2: stackOutput({ domain: 'b.test', id: ID, policy: POLICY, target: 'd111111abcdef8.cloudfront.net' }) },
  }));

  test('verify --outputs needs no other flags for its domains and expectations', async () => {
    const seen: unknown[] = [];
    const loadVerifier = answering((domain, { expectId, expectPolicy }) => {
      seen.push({ domain, expectId, expectPolicy });
      return verificationResult({ domain });
    });
    expect((await run(['verify', '--outputs', outputs()], { loadVerifier })).status).toBe(0);
    expect(seen).toEqual(['a.test', 'b.test'].map((domain) => ({ domain, expectId: ID, expectPolicy: POLICY })));
  });

  test.each([
    ['the deployment made', ID], ['a release before 0.2 wrote', policyId(POLICY)],
  ])('verify --outputs expects the hash of a policy that is left out, with an id that %s', async (_, id) => {
    const seen: unknown[] = [];
    const loadVerifier = answering((domain, { expectId, expectPolicy, expectHash }) => {
      seen.push({ domain, expectId, expectPolicy, expectHash });
      return verificationResult({ domain });
    });
    const path = file('short.json', JSON.stringify({ One: { Published: JSON.stringify({ mtaSts: { domain: 'a.test', id } }) } }));
    expect((await run(['verify', '--outputs', path], { loadVerifier })).status).toBe(0);
    expect(seen).toEqual([{ domain: 'a.test', expectId: id, expectPolicy: undefined, expectHash: policyHash(POLICY) }]);
  });

  describe('policies that senders may still hold', () => {
    const REFUSED = 'mail to mx9.a.test may be refused until 2027-02-03T04:05:06Z: the enforce policy abc does not cover it';
    const outputsWith = (earliestRemoval: string, warnings: string): string => file('outputs.json', JSON.stringify({
      One: { Published: stackOutput({ domain: 'a.test', id: ID, policy: POLICY, target: 'd111111abcdef8.cloudfront.net', earliestRemoval, warnings }) },
    }));
    const shown = async (outputsFile: string, ...more: string[]): Promise<string> => {
      return (await run(['verify', '--outputs', outputsFile, ...more], { loadVerifier: PASSING })).stdout;
    };

    test('verify --outputs prints removal and mx conflicts as two lines of text', async () => {
      const lines = (await shown(outputsWith('2027-01-02T03:04:05Z', REFUSED))).split('\n').map((line) => line.trim());
      // The result is of 2026.
      expect(lines).toContainEqual(expect.stringMatching(/^removal {7}i not before 2027-01-02T03:04:05Z$/));
      expect(lines).toContainEqual(expect.stringMatching(/^mx conflicts {2}\S+ mail to mx9\.a\.test may be refused until 2027-02-03T04:05:06Z: the enforce policy abc/));
    });

    test('verify --outputs prints removal and mx conflicts also without a time and without a warning', async () => {
      const text = await shown(outputsWith('not while enforce is published; publish none first', 'none'));
      expect(text).toMatch(/removal {7}\S+ not while enforce is published; publish none first\n/);
      expect(text).toMatch(/mx conflicts {2}\S+ when it was deployed, every policy of the publication history that senders may hold covered every MX host\n/);
    });

    test.each([
      ['2026-01-01T00:00:00Z', '✔ safe since 2026-01-01T00:00:00Z'],
      ['2026-01-01T00:00:00Z, if nothing published a policy before', 'i safe since 2026-01-01T00:00:00Z, if nothing published a policy before'],
    ])('verify --outputs prints the time %s after it has passed', async (moment, line) => {
      expect(await shown(outputsWith(moment, 'none'))).toContain(`removal       ${line}\n`);
    });

    test('verify --outputs never calls a removal safe while the domain fails', async () => {
      const { stdout } = await run(['verify', '--outputs', outputsWith('2026-01-01T00:00:00Z', 'none')], { loadVerifier: FAILING });
      expect(stdout).toContain('removal       i not before 2026-01-01T00:00:00Z\n');
    });

    test('verify --outputs prints removal and mx conflicts as JSON, as JUnit properties and as a warning of GitHub', async () => {
      const outputsFile = outputsWith('2027-01-02T03:04:05Z', REFUSED);
      expect(JSON.parse(await shown(outputsFile, '--format', 'json'))).toMatchObject({
        domains: [{ deployment: { earliestRemoval: '2027-01-02T03:04:05Z', warnings: REFUSED } }],
      });
      const junit = await shown(outputsFile, '--format', 'junit');
      expect(junit).toContain('<property name="earliest removal" value="2027-01-02T03:04:05Z"/>');
      expect(junit).toContain(`<property name="mx conflicts" value="${REFUSED}"/>`);
      expect(await shown(outputsFile, '--format', 'github')).toContain(`::warning title=a.test%3A mail may be refused::${REFUSED}\n`);
    });

    test('verify --outputs prints no removal and no mx conflicts from older outputs', async () => {
      expect(await shown(outputs())).not.toMatch(/removal|refusals/);
      expect(await shown(outputs(), '--format', 'json')).not.toContain('deployment');
    });

    test('verify --outputs escapes control characters of the outputs', async () => {
      expect(await shown(outputsWith('\u001b[2J', '\u001b]0;x\u0007'))).not.toContain('\u001b');
    });
  });

  test.each([
    [['a.test'], 'leave out a domain'],
    [['--file', '-'], 'leave out `--file`'],
    [['--expect-id', '1'], 'leave out `--expect-id`'],
    [['--expect-mode', 'none'], 'leave out `--expect-mode`'],
  ])('verify --outputs beside %j is wrong usage', async (more, fault) => {
    const { status, stderr } = await run(['verify', '--outputs', outputs(), ...more], { loadVerifier: PASSING });
    expect(status).toBe(2);
    expect(stderr).toContain(fault);
  });

  test('verify --outputs with a file without policies is wrong usage, with the reason', async () => {
    const { status, stderr } = await run(['verify', '--outputs', file('other.json', '{"Stack":{"Url":"x"}}')], { loadVerifier: PASSING });
    expect(status).toBe(2);
    expect(stderr).toContain('other.json');
    expect(stderr).toContain('Stack');
  });
});

describe('--wait', () => {
  const OLD: LiveFinding = { code: 'id-unexpected', severity: 'error', area: 'record', subject: 'x', message: 'the id is old', temporary: true };

  test('verify --wait repeats the verification until the expectation is met', async () => {
    let looks = 0;
    const loadVerifier = answering((domain) => (looks += 1) === 1 ? verificationResult({ domain, verdict: 'fail', findings: [OLD] }) : verificationResult({ domain }));
    const { status, stderr } = await run(['verify', 'a.test', '--wait', '30s'], { loadVerifier });
    expect({ status, looks }).toEqual({ status: 0, looks: 2 });
    expect(stderr).toBe('mta-sts: a.test: id-unexpected: the id is old; again in 2 s, for at most 30 s\n');
  });

  test('verify --wait ends at once if the problem is not temporary', async () => {
    let looks = 0;
    const loadVerifier = answering((domain) => {
      looks += 1;
      return verificationResult({ domain, verdict: 'fail', findings: [{ ...OLD, temporary: undefined }] });
    });
    expect((await run(['verify', 'a.test', '--wait', '1h'], { loadVerifier })).status).toBe(1);
    expect(looks).toBe(1);
  });
});

describe('an interrupt', () => {
  test('an interrupt prints the results so far as a complete document, and ends with status 130', async () => {
    let interrupt: () => void = () => undefined;
    const interrupted = (): Promise<Interruption> => new Promise((resolve) => {
      interrupt = () => {
        resolve('signal');
      };
    });
    const begun: string[] = [];
    const loadVerifier = answering(async (domain, { signal }) => {
      begun.push(domain);
      if (domain === 'c.test') interrupt();
      // A cancelled verifier ends its queries and returns a result.
      if (domain !== 'a.test') await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      return verificationResult({ domain, verdict: domain === 'a.test' ? 'pass' : 'unknown' });
    });
    const { status, stdout, stderr } = await run(
      ['verify', 'a.test', 'b.test', 'c.test', 'd.test', 'e.test', '--concurrency', '2', '--format', 'json'], { loadVerifier, interrupted },
    );
    expect(status).toBe(130);
    expect(names(JSON.parse(stdout))).toEqual(['a.test', 'b.test', 'c.test']);
    expect(begun).toEqual(['a.test', 'b.test', 'c.test']);
    expect(stderr).toContain('interrupted');
  });

  test('an interrupt ends verify --wait', async () => {
    let interrupt: () => void = () => undefined;
    const interrupted = (): Promise<Interruption> => new Promise((resolve) => {
      interrupt = () => {
        resolve('signal');
      };
    });
    const loadVerifier = answering((domain) => {
      setTimeout(interrupt, 10);
      return verificationResult({ domain, verdict: 'unknown', findings: [{ code: 'dns-failure', severity: 'unknown', area: 'record', subject: 'x', message: 'm', temporary: true }] });
    });
    // Only the interrupt ends the wait. Otherwise the test would time out.
    const sleep = jest.spyOn(RETRY_CLOCK, 'sleep').mockImplementation((_, signal) => new Promise((resolve) => {
      signal?.addEventListener('abort', resolve);
    }));
    expect((await run(['verify', 'a.test', '--wait', '1h'], { loadVerifier, interrupted })).status).toBe(130);
    expect(sleep).toHaveBeenCalledTimes(1);
    sleep.mockRestore();
  });
});

describe('progress', () => {
  const terminal = (): { text: string; write: (piece: string) => void } => ({
    text: '',
    write(piece: string) {
      this.text += piece;
    },
  });

  test('verify shows progress on the terminal while the results go elsewhere', async () => {
    const to = terminal();
    await run(['verify', 'a.test', 'b.test'], { loadVerifier: PASSING, terminal: to });
    expect(to.text).toContain('2 of 2 verified: 2 pass');
  });

  test('verify shows no progress among results on the same terminal, unless they go to a file', async () => {
    const [reports, filed] = [terminal(), terminal()];
    await run(['verify', 'a.test', 'b.test'], { loadVerifier: PASSING, terminal: reports, columns: 80 });
    expect(reports.text).toBe('');
    const output = join(folder, 'report.json');
    await run(['verify', 'a.test', 'b.test', '--format', 'json', '--output', output], { loadVerifier: PASSING, terminal: filed, columns: 80 });
    expect(filed.text).toContain('2 of 2 verified');
    expect(names(JSON.parse(readFileSync(output, 'utf8')))).toEqual(['a.test', 'b.test']);
  });

  test('verify shows no progress for one domain', async () => {
    const to = terminal();
    await run(['verify', 'a.test'], { loadVerifier: PASSING, terminal: to });
    expect(to.text).toBe('');
  });
});
