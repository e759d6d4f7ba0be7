import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run, runJson } from '../support/command';

const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmx: mx.example.net\r\nmax_age: 2592000\r\n';

let folder: string;
let valid: string;
let broken: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-lint-'));
  valid = join(folder, 'valid.txt');
  broken = join(folder, 'broken.txt');
  writeFileSync(valid, POLICY);
  writeFileSync(broken, 'version: STSv1\nmode: \u001b[31menforce\nmode:\u202e x\n\nmx: *.*.example.com\nmax_age: 2592000\n');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('unreadable input is wrong usage, and nothing is printed for the rest', () => {
  test.each<[string, () => string[], string]>([
    ['a missing file', () => [join(folder, 'none.txt')], 'none.txt`: there is no such file'],
    ['a missing file after a good one', () => [valid, join(folder, 'none.txt')], 'there is no such file'],
    ['a folder', () => [folder], 'it is a folder; a file is expected'],
    ['a path through a file', () => [join(valid, 'x')], 'a part of its path is not a folder'],
    ['a path that no system has', () => ['a\0b'], 'cannot read `a\\x00b`: '],
    ['standard input twice', () => ['-', '-'], 'standard input (`-`) can be read only once'],
  ])('lint refuses %s as wrong usage and prints nothing else', async (_, files, message) => {
    const { status, stdout, stderr } = await run(['lint', 'policy', ...files()], { stdin: POLICY });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toContain('try `npx cdk-mta-sts lint policy --help`');
  });
});

describe('lint policy --format json', () => {
  test('lint policy prints one JSON element for each file in order, with the values of valid files', async () => {
    const { status, json } = await runJson(['lint', 'policy', broken, valid]);
    expect(status).toBe(1);
    expect(json).toEqual([
      {
        input: broken,
        verdict: 'invalid',
        findings: expect.arrayContaining([expect.objectContaining({
          severity: 'error', line: 5, column: 5, message: expect.stringContaining('`*.*.example.com` has two wildcards'), reference: 'RFC 8461 §3.2',
        })]),
      },
      {
        input: valid,
        verdict: 'valid',
        policy: { mode: 'enforce', maxAge: 2592000, mx: ['*.example.com', 'mx.example.net'] },
        findings: [],
      },
    ]);
  });

  test.each([['text', POLICY], ['bytes', Buffer.from(POLICY)]])('lint policy reads standard input given as %s', async (_, stdin) => {
    const { status, json } = await runJson(['lint', 'policy', '-'], { stdin });
    expect(status).toBe(0);
    expect(json).toMatchObject([{ input: '-', verdict: 'valid', policy: { mode: 'enforce' } }]);
  });

  test('lint policy keeps a byte order mark for the linter', async () => {
    const { status, json } = await runJson(['lint', 'policy', '-'], { stdin: Buffer.from(`\ufeff${POLICY}`) });
    expect(status).toBe(1);
    expect(json).toMatchObject([{ verdict: 'invalid' }]);
  });

  test('lint policy stops reading an endless input once it is too long', async () => {
    let chunks = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        chunks += 1;
        yield await Promise.resolve(Buffer.alloc(65536, 'a'));
      }
    }
    const stdin = endless();
    const { status, stdout } = await run(['lint', 'policy', '-', '--format', 'json'], { readStdin: stdin });
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ verdict: 'invalid' }]);
    expect(chunks).toBe(16);
  });

  test('lint policy escapes invisible characters in JSON without changing the text', async () => {
    const odd = join(folder, 'a\u202e\u009b\u{e0001}b.txt');
    writeFileSync(odd, POLICY);
    const { stdout } = await run(['lint', 'policy', '--format', 'json', odd]);
    expect(stdout).toContain('a\\u202e\\u009b\\udb40\\udc01b.txt');
    expect(JSON.parse(stdout)).toMatchObject([{ input: odd }]);
  });
});

describe('lint policy in text', () => {
  test('lint policy prints a valid file as one headline and its values', async () => {
    const { status, stdout, stderr } = await run(['lint', 'policy', valid]);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toBe([
      `✔ ${valid}: valid`,
      '  mode      enforce',
      '  max_age   30 days',
      '  mx        *.example.com',
      '            mx.example.net',
      '',
    ].join('\n'));
  });

  test('lint policy prints findings worst first, each with its place, fix and reference', async () => {
    const stdin = 'version: STSv1\nmode: enforce\nfoo: bar\nmx: mail.example.com.\nmax_age: 2592000\n';
    const { status, stdout } = await run(['lint', 'policy', '-'], { stdin });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✘ standard input: invalid\n\n {2}1 error\n {2}✘ policy-mx-pattern · line 4, column 5\n {4}mx pattern `mail\.example\.com\.` ends with a dot/);
    expect(stdout).toMatch(/\n {4}fix {6}\S.*\n {4}see {6}RFC 8461 §3\.2\n\n {2}1 warning\n {2}! policy-unknown-field · line 3, column 1\n/);
  });

  test('lint policy escapes control characters of a file', async () => {
    const { stdout } = await run(['lint', 'policy', broken]);
    expect(stdout).toContain('\\x1b');
    expect(stdout).not.toMatch(/[^\n\P{C}]/u);
  });

  test('lint policy shows an error on hundreds of lines a few times and counts the rest', async () => {
    const stdin = `${POLICY}${'x: y\r\n'.repeat(300)}`;
    const { stdout } = await run(['lint', 'policy', '-'], { stdin });
    expect(stdout.match(/! policy-unknown-field/g)).toHaveLength(5);
    const { json } = await runJson(['lint', 'policy', '-'], { stdin });
    const [{ findings }] = json as [{ findings: object[] }];
    expect(stdout).toContain(`and ${findings.length - 5} more of policy-unknown-field`);
  });
});

describe.each([
  ['record', '_mta-sts'],
  ['tls-rpt', '_smtp._tls'],
])('lint %s', (kind) => {
  const good = kind === 'record' ? 'v=STSv1; id=20250114;' : 'v=TLSRPTv1; rua=mailto:a@example.com,https://example.com/r';
  const values = kind === 'record' ? { id: '20250114' } : { rua: ['mailto:a@example.com', 'https://example.com/r'] };

  test('an empty answer is an error because there is no record', async () => {
    const { status, json } = await runJson(['lint', kind]);
    expect(status).toBe(1);
    expect(json).toMatchObject([{ input: [], verdict: 'none', findings: [{ code: `${kind}-none`, severity: 'error' }] }]);
    expect((await run(['lint', kind])).stdout).toMatch(/record: none, the answer is empty\n/);
  });

  test('an answer with only other records has the verdict none', async () => {
    const { status, json } = await runJson(['lint', kind, 'v=spf1 -all']);
    expect(status).toBe(1);
    expect(json).toMatchObject([{
      input: 'v=spf1 -all',
      verdict: 'none',
      findings: [{ code: `${kind}-none`, severity: 'error' }, { code: `${kind}-unrelated-txt`, severity: 'warning' }],
    }]);
    expect(json).not.toHaveProperty('0.findings.1.senders');
    expect((await run(['lint', kind, 'v=spf1 -all'])).stdout).toContain('record: none, nothing in the answer is one\n');
  });

  test('an empty record is an error and differs from an empty answer', async () => {
    const { status, json } = await runJson(['lint', kind, '']);
    expect(status).toBe(1);
    expect(json).toMatchObject([{ input: '', verdict: 'none', findings: [{ code: `${kind}-none`, severity: 'error' }, { code: `${kind}-unrelated-txt` }] }]);
    const { stdout } = await run(['lint', kind, '']);
    expect(stdout).toContain('record: none, nothing in the answer is one\n');
    expect(stdout).toContain('an empty TXT record is no ');
    expect(stdout).not.toContain('``');
  });

  test('several arguments are one answer, in which two records are multiple', async () => {
    const { status, json } = await runJson(['lint', kind, good, good]);
    expect(status).toBe(1);
    expect(json).toHaveLength(1);
    expect(json).toMatchObject([{ input: [good, good], verdict: 'multiple' }]);
    expect((await run(['lint', kind, good, good])).stdout).toContain('record: multiple, so senders use none of them\n');
  });

  test('a malformed record is invalid', async () => {
    const { status, json } = await runJson(['lint', kind, `${good};;`]);
    expect(status).toBe(1);
    expect(json).toMatchObject([{ verdict: 'invalid' }]);
    expect(json).not.toHaveProperty('0.record');
  });

  test('a valid record is printed with its values, and a warning does not change the status', async () => {
    const { status, json } = await runJson(['lint', kind, good, 'v=spf1 -all']);
    expect(status).toBe(0);
    expect(json).toMatchObject([{ verdict: 'valid', record: values, findings: [{ severity: 'warning', line: 2, column: 1 }] }]);
    expect(json).toHaveProperty('0.record', values);
    const { stdout } = await run(['lint', kind, good]);
    expect(stdout).toMatch(/^✔ (MTA-STS|TLSRPT) record: valid\n {2}(id {8}20250114|rua {7}mailto:a@example\.com\n {12}https:\/\/example\.com\/r)\n$/);
  });
});

test('lint gives every test vector of records and files its verdict and its exit status', async () => {
  for (const [kind, file] of [['record', 'record'], ['tls-rpt', 'tlsrpt']] as const) {
    for (const { id, input, expect: verdict, ambiguous } of vectors(file)) {
      // A DNS client joins the character-strings of a record, so an argument is a whole record.
      const argv = typeof input === 'string' ? [input] : (input ?? []).map((record) => (typeof record === 'string' ? record : record.join('')));
      if (ambiguous === true) continue;
      const { status, json } = await runJson(['lint', kind, ...argv]);
      expect({ id, json, status }).toMatchObject({ id, json: [{ verdict }], status: verdict === 'valid' ? 0 : 1 });
      // Exit status 1 means that an error was found (see --help), so the output must contain one.
      const [{ findings }] = json as [{ findings: { severity: string }[] }];
      expect({ id, error: findings.some(({ severity }) => severity === 'error') }).toEqual({ id, error: verdict !== 'valid' });
    }
  }
  for (const { id, input, inputBase64, expect: verdict, ambiguous } of vectors('policy')) {
    const stdin = inputBase64 === undefined ? String(input) : Buffer.from(inputBase64, 'base64');
    if (ambiguous === true) continue;
    const { status, json } = await runJson(['lint', 'policy', '-'], { stdin });
    expect({ id, json, status }).toMatchObject({ id, json: [{ verdict }], status: verdict === 'valid' ? 0 : 1 });
  }
});

interface Vector {
  readonly id: string;
  readonly input?: string | (string | string[])[];
  readonly inputBase64?: string;
  readonly expect: string;
  readonly ambiguous?: boolean;
}

function vectors(name: string): Vector[] {
  return JSON.parse(readFileSync(join(__dirname, '..', 'vectors', `${name}.json`), 'utf8')) as Vector[];
}
