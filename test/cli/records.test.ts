import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { zoneText } from '../../cli/commands/records/zone-file';
import { hclString, terraformText } from '../../cli/commands/records/terraform';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting } from '../../lib';
import { policyHash, readPolicyId, renderPolicyId } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import { ENV, importedZone, oneDomain } from '../support/stack';
import { NOW, run, runJson } from '../support/command';
import type { CommandOptions, CommandResult } from '../support/command';

const POLICY = MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com') });
/** The id for a policy file that a person publishes now. */
const ID = `20261130T192408${POLICY.hash}`;
const LONG = Array.from({ length: 8 }, (_, i) => `mailto:tls-reports-${i}-${'x'.repeat(30)}@example.com`);

let folder: string;
let file: string;
let app: string;
let shared: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-records-'));
  file = join(folder, 'mta-sts.txt');
  writeFileSync(file, POLICY.text);
  app = join(folder, 'cdk.out');
  const two = new App({ outdir: app });
  oneDomain(new Stack(two, 'One', { env: ENV }));
  const other = new Stack(two, 'Two', { env: ENV });
  oneDomain(other, { hostedZone: importedZone(other, 'example.net'), tlsReporting: undefined });
  two.synth();
  shared = join(folder, 'shared.out');
  const one = new App({ outdir: shared });
  const stack = new Stack(one, 'Shared', { env: ENV });
  const domains = ['example.com', 'example.net'].map((zoneName) => ({ hostedZone: importedZone(stack, zoneName) }));
  const policyHost = new PolicyHost(stack, 'Host', { domains });
  domains.forEach(({ hostedZone }, i) => {
    new MtaSts(stack, `MtaSts${i}`, { hostedZone, policyHost, policy: POLICY, tlsReporting: TlsReporting.to('mailto:a@example.com') });
  });
  one.synth();
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function ofFile(args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandResult> {
  return run(['records', '--domain', 'example.com', '--policy', file, ...args], options);
}

/** Returns a copy of the app with a changed template. */
function edited(name: string, change: (template: string) => string): string {
  const copy = join(folder, name);
  cpSync(app, copy, { recursive: true });
  const template = join(copy, 'One.template.json');
  writeFileSync(template, change(readFileSync(template, 'utf8')));
  return copy;
}

interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties: object }>;
}

/** Adds a second publication, of another policy, to the template. */
function withSecondPolicy(text: string): string {
  const template = JSON.parse(text) as Template;
  const [publication] = Object.values(template.Resources).filter(({ Type }) => Type === 'Custom::MtaStsPublication');
  const none = MtaStsPolicy.none();
  const Other = { ...publication, Properties: { ...publication?.Properties, Policy: policyLines(none.text), PolicyHash: none.hash } };
  return JSON.stringify({ ...template, Resources: { ...template.Resources, Other } });
}

describe('wrong usage of records', () => {
  test.each<[string, () => string[], string]>([
    ['a domain without a policy', () => ['--domain', 'example.com'], '`--domain` and `--policy` belong together; `--policy` is missing'],
    ['a policy without a domain', () => ['--policy', file], '`--domain` and `--policy` belong together; `--domain` is missing'],
    ['an app and a policy', () => ['--app', app, '--policy', file], 'give either `--app`, or `--domain` and `--policy`'],
    ['an app and a domain', () => ['--app', app, '--domain', 'example.com'], 'give either `--app`, or `--domain` and `--policy`'],
    ['a file that is not there', () => ['--domain', 'example.com', '--policy', join(folder, 'none')], 'none`: there is no such file'],
    ['an app that is not there', () => ['--app', join(folder, 'none')], 'npx cdk synth'],
    ['an app without a policy host', () => ['--app', folder], 'npx cdk synth'],
    ['an address for a target', () => ['--domain', 'example.com', '--policy', file, '--target', '192.0.2.1'], '--target: `192.0.2.1`, where the host that serves the policy is expected, is an IPv4 address'],
    ['a single label for a target', () => ['--domain', 'example.com', '--policy', file, '--target', 'host'], 'is a single label; write it in full'],
    ['a CNAME to itself', () => ['--domain', 'example.com', '--policy', file, '--target', 'MTA-STS.example.com.'], '--target: `mta-sts.example.com` is the name of the CNAME itself'],
    ['one target for two distributions', () => ['--app', app, '--target', 'd1.cloudfront.net'], '--target: the app has 2 distributions, each with a name of its own'],
    ['an address for reports without a scheme', () => ['--domain', 'example.com', '--policy', file, '--tls-rpt', 'a@example.com'], '--tls-rpt: the reporting address `a@example.com` has no scheme; write `mailto:a@example.com`'],
    ['a format that is none', () => ['--format', 'yaml'], 'Allowed choices are table, zone, json, terraform.'],
    ['a template whose policy was edited', () => ['--app', edited('edited', (text) => text.replaceAll('mx: mx1.example.com', 'mx: mx9.example.com'))], 'its policy has the hash'],
    ['an app with two policies for a domain', () => ['--app', edited('doubled', withSecondPolicy)], 'the app publishes two policies for example.com, One/MtaStsPublication'],
  ])('records ends with status 2 and the fix for %s', async (_, args, message) => {
    const { status, stdout, stderr } = await run(['records', ...args()]);
    expect(stderr).toContain(message);
    expect(stderr).toContain('try `npx cdk-mta-sts records --help`');
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

describe('a policy that senders would ignore', () => {
  test('records prints only findings, with status 1, for a policy that senders would ignore', async () => {
    const { status, stdout, stderr } = await run(['records', '--domain', 'example.com', '--policy', '-'], { stdin: 'version: STSv1\nmode: \u001b[2Jenforce\n' });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^✘ standard input: invalid\n/);
    expect(stderr).toContain('policy-mx-missing');
    expect(stderr).not.toMatch(/[^\n\P{C}]/u);
    expect(status).toBe(1);
  });
});

describe('the id contains its time and a hash of the bytes', () => {
  test.each<[string, Buffer]>([
    ['of another order and other line ends', Buffer.from('mode: enforce\nversion: STSv1\nmx: mx1.example.com\nmax_age: 2592000\n')],
    ['in UTF-8', Buffer.from('version: STSv1\r\nmode: none\r\nnote: bücher\r\nmax_age: 86400\r\n')],
  ])('records makes the id from the exact bytes of a file that is %s, and notes its form', async (_, stdin) => {
    const { status, stdout, stderr } = await run(['records', '--domain', 'example.com', '--policy', '-'], { stdin });
    expect(stdout).toContain(`v=STSv1; id=${renderPolicyId(NOW, policyHash(new Uint8Array(stdin)))};`);
    expect(stderr).toContain('mta-sts: standard input is valid, but not in the form that all senders are known to read in the same way');
    expect(status).toBe(0);
  });

  test('records prints the warnings about a policy', async () => {
    const { stderr } = await run(['records', '--domain', 'example.com', '--policy', '-'], { stdin: 'version: STSv1\r\nmode: none\r\nmax_age: 0\r\n' });
    expect(stderr).toMatch(/^mta-sts: standard input: policy-max-age-zero: max_age is 0/m);
  });

  test('records prints no note about a canonical file, and its hash is that of the construct', async () => {
    const { stdout, stderr } = await ofFile(['--target', 'd1.cloudfront.net', '--tls-rpt', 'mailto:a@example.com']);
    expect(stdout).toContain(`v=STSv1; id=${ID};`);
    expect(stderr.split('\n')).toEqual([
      'mta-sts: every run of this command makes a new id for example.com. Publish the file first, then create the record once',
      expect.stringMatching(/^mta-sts: many DNS panels append the zone to a name\. Then enter the name without the zone: _mta-sts, not _mta-sts\.example\.com\./),
      'mta-sts: create the _mta-sts record last, after the policy is served (RFC 8461 §8.1)',
      '',
    ]);
  });

  test('records makes a new id at every run, for the same file too', async () => {
    const texts = await Promise.all([NOW, NOW + 1000].map(async (now) => (await ofFile([], { now: () => now })).stdout));
    expect(texts.map((text) => readPolicyId(/id=(\w+);/.exec(text)?.[1] ?? ''))).toEqual([{ time: NOW, hash: POLICY.hash }, { time: NOW + 1000, hash: POLICY.hash }]);
  });
});

describe('the id of an app is known only after its deployment', () => {
  const WHERE = 'the id that the deployment makes; deploy with `--outputs-file cdk-outputs.json`, then take the record from `npx cdk-mta-sts records --outputs cdk-outputs.json`';

  test('records says once for all domains that the id of an app is not known yet', async () => {
    const { stderr, status } = await run(['records', '--app', app]);
    expect(stderr.split('\n').filter((line) => line.includes(WHERE))).toEqual([`mta-sts: the value of the _mta-sts record is not known yet: it contains ${WHERE}`]);
    expect(status).toBe(0);
  });

  test('records prints no pasteable record in any format while the id is not known', async () => {
    const texts = await Promise.all(['table', 'zone', 'json', 'terraform'].map(async (format) => (await run(['records', '--app', app, '--format', format])).stdout));
    expect(texts[0]).toContain(`_mta-sts.example.com    TXT    300  <${WHERE}>\n`);
    expect(texts[1]).toContain(`; _mta-sts.example.com. 300 IN TXT <${WHERE}>\n`);
    expect(JSON.parse(texts[2] ?? '')).toMatchObject({ records: expect.arrayContaining([{ name: '_mta-sts.example.com', type: 'TXT', ttl: 300, value: null }]) });
    expect(texts[3]).toContain('value = "v=STSv1; id=${var.mta_sts_ids["example.com"]};"\n');
    expect(texts[3]).toContain(`# For each mail domain ${WHERE}.\nvariable "mta_sts_ids" {\n`);
    for (const text of texts) expect(text).not.toMatch(/id=\w/);
  });
});

describe('the table', () => {
  test('the table has one line for each record with exact values', async () => {
    const { status, stdout } = await ofFile(['--target', 'D1.cloudfront.net.', '--tls-rpt', 'mailto:a@example.com', '--tls-rpt', 'https://r.example.net/x'], { columns: 60 });
    expect(stdout).toBe([
      'name                    type   ttl  value',
      'mta-sts.example.com     CNAME  300  d1.cloudfront.net',
      `_mta-sts.example.com    TXT    300  v=STSv1; id=${ID};`,
      '_smtp._tls.example.com  TXT    300  v=TLSRPTv1; rua=mailto:a@example.com,https://r.example.net/x',
      '',
    ].join('\n'));
    expect(status).toBe(0);
  });

  test('the table has a placeholder for an unknown target, and a note about missing TLS reports', async () => {
    const { stdout, stderr } = await ofFile();
    expect(stdout).toContain('CNAME  300  <the host that serves https://mta-sts.example.com/.well-known/mta-sts.txt>\n');
    expect(stderr).toContain('the value of mta-sts.example.com is not known yet');
    expect(stderr).toContain('without a record at _smtp._tls, senders cannot report');
  });
});

describe('JSON', () => {
  test('the JSON of records has null for an unknown target', async () => {
    const { status, json } = await runJson(['records', '--domain', 'example.com', '--policy', file]);
    expect(json).toEqual({
      records: [
        { name: 'mta-sts.example.com', type: 'CNAME', ttl: 300, value: null },
        { name: '_mta-sts.example.com', type: 'TXT', ttl: 300, value: `v=STSv1; id=${ID};` },
      ],
    });
    expect(status).toBe(0);
  });
});

describe('an app', () => {
  test('records of an app cover all its stacks and name the distribution of each', async () => {
    const { status, stdout, stderr } = await run(['records', '--app', app, '--format', 'json']);
    expect((JSON.parse(stdout) as { records: object[] }).records).toEqual([
      { name: 'mta-sts.example.com', type: 'CNAME', ttl: 300, value: null },
      { name: '_mta-sts.example.com', type: 'TXT', ttl: 300, value: null },
      { name: '_smtp._tls.example.com', type: 'TXT', ttl: 300, value: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com' },
      { name: 'mta-sts.example.net', type: 'CNAME', ttl: 300, value: null },
      { name: '_mta-sts.example.net', type: 'TXT', ttl: 300, value: null },
    ]);
    expect(stderr).toMatch(/mta-sts\.example\.net is not known yet: it is the domain name of the CloudFront distribution Two\/MtaStsPolicyHostDistribution\w+, such as/);
    expect(stderr).toContain("aws cloudfront list-distributions --output text --query \"DistributionList.Items[?contains(Aliases.Items || `[]`, 'mta-sts.example.com')].DomainName\"");
    expect(status).toBe(0);
  });

  test('records of an app whose domains share a distribution accept one target and other reporting addresses', async () => {
    const { stdout } = await run(['records', '--app', shared, '--target', 'd1.cloudfront.net', '--tls-rpt', 'mailto:b@example.com']);
    expect(stdout.match(/CNAME {2}300 {2}d1\.cloudfront\.net$/gm)).toHaveLength(2);
    expect(stdout.match(/v=TLSRPTv1; rua=mailto:b@example\.com$/gm)).toHaveLength(2);
  });

  test('records of an app leave out a broken reporting record with a note', async () => {
    const { status, stdout, stderr } = await run(['records', '--app', edited('odd', (text) => text.replace('v=TLSRPTv1; rua=mailto:', 'v=TLSRPTv1; rua='))]);
    expect(stdout).not.toContain('_smtp._tls.example.com');
    expect(stderr).toContain("the app's record at _smtp._tls.example.com is left out because it is not valid: ");
    expect(status).toBe(0);
  });

  test('records reads the app in cdk.out by default', async () => {
    const before = process.cwd();
    process.chdir(folder);
    const { stdout } = await run(['records']);
    process.chdir(before);
    expect(stdout).toContain('_mta-sts.example.net');
  });
});

describe('the zone file', () => {
  test('the zone file can be loaded, with whole names and values and long texts in pieces', async () => {
    const { stdout } = await ofFile(['--format', 'zone', '--target', 'd1.cloudfront.net', ...LONG.flatMap((uri) => ['--tls-rpt', uri])]);
    const records = readZone(stdout);
    expect(records.map(({ name, ttl, type }) => [name, ttl, type])).toEqual([
      ['mta-sts.example.com.', 300, 'CNAME'], ['_mta-sts.example.com.', 300, 'TXT'], ['_smtp._tls.example.com.', 300, 'TXT'],
    ]);
    const [target, id, reporting = []] = records.map(({ values }) => values);
    expect(target).toEqual(['d1.cloudfront.net.']);
    expect(id).toEqual([`v=STSv1; id=${ID};`]);
    expect(reporting.map(({ length }) => length)).toEqual([255, 255, 17]);
    expect(reporting.join('')).toBe(`v=TLSRPTv1; rua=${LONG.join(',')}`);
  });

  test('the zone file has a comment in place of an unknown target', async () => {
    const { stdout } = await run(['records', '--app', app, '--format', 'zone']);
    expect(stdout).toMatch(/^; mta-sts\.example\.com\. 300 IN CNAME <the domain name of the CloudFront distribution/m);
    expect(readZone(stdout).map(({ name }) => name)).toEqual(['_smtp._tls.example.com.']);
  });

  test('the zone file preserves every text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
      const [, record] = readZone(zoneText([{ domain: 'example.com', id: '1', target: null, targetSource: 'x\n"', tlsRpt: text }]));
      expect(record?.values.every(({ length }) => length <= 255)).toBe(true);
      expect(Buffer.from(record?.values.join('') ?? '', 'latin1')).toEqual(Buffer.from(text, 'utf8'));
    }));
  });
});

describe('Terraform', () => {
  test('the Terraform output is a map of the records with a variable for an unknown value', async () => {
    const { stdout } = await run(['records', '--app', app, '--format', 'terraform']);
    expect(stdout).toMatch(/^# mta-sts\.example\.com: the domain name of the CloudFront distribution/m);
    expect(stdout).toContain('variable "mta_sts_targets" {');
    expect(readLocals(stdout).get('mta-sts.example.com')).toEqual({ name: 'mta-sts.example.com', type: 'CNAME', ttl: 300, value: { variable: 'mta-sts.example.com' } });
    expect(readLocals(stdout).get('_mta-sts.example.com')).toEqual({ name: '_mta-sts.example.com', type: 'TXT', ttl: 300, value: { variable: 'example.com' } });
    expect([...readLocals(stdout).keys()]).toEqual(['mta-sts.example.com', '_smtp._tls.example.com', 'mta-sts.example.net', '_mta-sts.example.com', '_mta-sts.example.net']);
  });

  test('the Terraform output creates the _mta-sts records last, in a map of their own', async () => {
    const { stdout } = await ofFile(['--format', 'terraform', '--target', 'd1.cloudfront.net']);
    const [, stsRecords] = stdout.split('  mta_sts_announcements = {\n');
    expect(stsRecords).toMatch(/^ {4}"_mta-sts\.example\.com" = \{$/m);
    expect(stsRecords).not.toMatch(/^ {4}"mta-sts\.example\.com" = \{$/m);
    expect(stsRecords).toContain('#   depends_on = [cloudflare_dns_record.mta_sts]\n');
  });

  test('the Terraform output needs no variable if all values are known', async () => {
    const { stdout } = await ofFile(['--format', 'terraform', '--target', 'd1.cloudfront.net', '--tls-rpt', 'mailto:a@example.com']);
    expect(stdout).not.toContain('variable "');
    expect(readLocals(stdout).get('mta-sts.example.com')).toMatchObject({ value: 'd1.cloudfront.net' });
    expect(readLocals(stdout).get('_smtp._tls.example.com')).toEqual({ name: '_smtp._tls.example.com', type: 'TXT', ttl: 300, value: 'v=TLSRPTv1; rua=mailto:a@example.com' });
  });

  test.each([
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['${x}', '"$${x}"'],
    ['%{x}', '"%%{x}"'],
    ['$${x}', '"\\u0024\\u0024{x}"'],
    ['$x % {', '"$x % {"'],
    ['a\r\n\tb\u001b', '"a\\r\\n\\tb\\U0000001b"'],
  ])('the Terraform output quotes %j as %s', (text, written) => {
    expect(hclString(text)).toBe(written);
  });

  test('the Terraform output preserves every text', () => {
    const pieces = fc.array(fc.oneof(fc.constantFrom('$', '%', '{', '"', '\\', '\n', '${', '%{', '}'), fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 30 });
    fc.assert(fc.property(pieces.map((list) => list.join('')), (text) => {
      expect(readLocals(terraformText([{ domain: 'example.com', id: '1', target: 'a.example', targetSource: '', tlsRpt: text }])).get('_smtp._tls.example.com'))
        .toMatchObject({ value: text });
    }));
  });
});

interface ZoneRecord { readonly name: string; readonly ttl: number; readonly type: string; readonly values: readonly string[] }

/** Reads zone files (RFC 1035 §5.1), without directives and parentheses. A byte is a character. */
function readZone(text: string): ZoneRecord[] {
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  return text.split('\n').flatMap((line) => {
    const tokens: string[] = [];
    let at = 0;
    while (at < line.length && line[at] !== ';') {
      if (line[at] === ' ') {
        at += 1;
        continue;
      }
      const quoted = line[at] === '"';
      if (quoted) at += 1;
      let token = '';
      while (at < line.length && (quoted ? line[at] !== '"' : !/[ ;]/.test(line.charAt(at)))) {
        const number = /^\\(\d{3})/.exec(line.slice(at));
        token += number === null ? line.charAt(line[at] === '\\' ? at + 1 : at) : String.fromCharCode(Number(number[1]));
        at += number === null ? (line[at] === '\\' ? 2 : 1) : 4;
      }
      if (quoted) {
        expect(line[at]).toBe('"');
        at += 1;
      }
      tokens.push(token);
    }
    if (tokens.length === 0) return [];
    const [name = '', ttl, zoneClass, type = '', ...values] = tokens;
    expect(zoneClass).toBe('IN');
    return [{ name, ttl: Number(ttl), type, values }];
  });
}

/** Reads the map of the output. Every line must have a form of HCL's grammar. */
function readLocals(text: string): Map<string, Record<string, unknown>> {
  const [, body = ''] = text.replace('  }\n\n  mta_sts_announcements = {\n', '').split('\nlocals {\n  mta_sts_records = {\n');
  const records = new Map<string, Record<string, unknown>>();
  let current: Record<string, unknown> = {};
  for (const line of body.replace(/\n  \}\n\}\n[^]*$/, '').split('\n')) {
    const [, opening] = /^ {4}(".*") = \{$/.exec(line) ?? [];
    const [, key, value] = /^ {6}(\w+) += (.*)$/.exec(line) ?? [];
    if (opening !== undefined) {
      current = {};
      records.set(readTemplate(opening), current);
    } else if (key !== undefined && value !== undefined) {
      const [, variable] = /^var\.mta_sts_targets\[(".*")\]$/.exec(value) ?? /^"v=STSv1; id=\$\{var\.mta_sts_ids\[("[^"]*")\]\};"$/.exec(value) ?? [];
      const literal = /^\d+$/.test(value) ? Number(value) : undefined;
      current[key] = literal ?? (variable === undefined ? readTemplate(value) : { variable: readTemplate(variable) });
    } else {
      expect(line).toBe('    }');
    }
  }
  return records;
}

/** Reads a quoted template without interpolations (HCL native syntax). */
function readTemplate(quoted: string): string {
  const pieces = /^"((?:[^"\\\n]|\\.)*)"$/s.exec(quoted)?.[1]?.match(/\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[nrt"\\]|\$\$\{|%%\{|[^\\]/gsu) ?? [];
  expect(`"${pieces.join('')}"`).toBe(quoted);
  return pieces.map((piece, index) => {
    if ((piece === '$' || piece === '%') && pieces[index + 1] === '{') throw new Error(`a template sequence begins in ${quoted}`);
    if (piece === '$${' || piece === '%%{') return piece.slice(1);
    if (/^\\u/i.test(piece)) return String.fromCodePoint(Number.parseInt(piece.slice(2), 16));
    const escapes: Record<string, string> = { '\\n': '\n', '\\r': '\r', '\\t': '\t' };
    return piece.startsWith('\\') ? escapes[piece] ?? piece.slice(1) : piece;
  }).join('');
}

describe('records of a deployment', () => {
  const deployed = (claim: object): string => {
    const path = join(folder, 'outputs.json');
    writeFileSync(path, JSON.stringify({ Mail: { Published: JSON.stringify({ mtaSts: { domain: 'example.com', id: ID, ...claim } }), Other: 'x' } }));
    return path;
  };
  const WHOLE = {
    policy: POLICY.text,
    target: 'd111111abcdef8.cloudfront.net',
    tlsRpt: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com',
    validation: { name: '_a1.mta-sts.example.com', value: '_b2.acm-validations.aws' },
  };

  test('records of a deployment are complete, with the validation record of the certificate', async () => {
    const { stdout, stderr, status } = await run(['records', '--outputs', deployed(WHOLE), '--format', 'zone']);
    expect(stdout.split('\n').slice(1, -1)).toEqual([
      '_a1.mta-sts.example.com. 300 IN CNAME _b2.acm-validations.aws.',
      'mta-sts.example.com. 300 IN CNAME d111111abcdef8.cloudfront.net.',
      `_mta-sts.example.com. 300 IN TXT "v=STSv1; id=${ID};"`,
      '_smtp._tls.example.com. 300 IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@example.com"',
    ]);
    expect(stderr).toBe('mta-sts: create the _mta-sts record last, after the policy is served (RFC 8461 §8.1)\n');
    expect(status).toBe(0);
  });

  test('records of a deployment are printed in every format', async () => {
    const path = deployed(WHOLE);
    expect((await run(['records', '--outputs', path])).stdout).toContain('_a1.mta-sts.example.com  CNAME  300  _b2.acm-validations.aws');
    expect((await run(['records', '--outputs', path, '--format', 'terraform'])).stdout).toContain('"_a1.mta-sts.example.com" = {');
    const { json } = await runJson(['records', '--outputs', path, '--format', 'json']);
    expect(json).toMatchObject({
      records: ['_a1.mta-sts.example.com', 'mta-sts.example.com', '_mta-sts.example.com', '_smtp._tls.example.com'].map((name) => ({ name })),
    });
  });

  test('records of a deployment may come from standard input', async () => {
    const stdin = readFileSync(deployed(WHOLE), 'utf8');
    expect((await run(['records', '--outputs', '-'], { stdin })).stdout).toContain('d111111abcdef8.cloudfront.net');
  });

  test.each([
    ['a deployment by an older version', {}],
    ['a function that could not read it', { validation: { name: 'not known: look at the certificate', value: 'not known: look at the certificate' } }],
    ['what is no name', { target: 'a b', tlsRpt: 'x', validation: 'y' }],
  ])('records of a deployment name the missing values after %s', async (_, claim) => {
    const { stdout, stderr } = await run(['records', '--outputs', deployed(claim), '--format', 'zone']);
    expect(stdout).not.toContain('_a1.');
    expect(stdout).not.toContain('not known');
    expect(stderr).toContain('the value of mta-sts.example.com is not known yet');
    expect(stderr).toContain('without a record at _smtp._tls, senders cannot report');
  });

  test('records of a deployment exclude an app or a file at the same time', async () => {
    const { stderr, status } = await run(['records', '--outputs', deployed(WHOLE), '--app', app]);
    expect(stderr).toContain('`--outputs` already names the domains and policies; leave out `--app`, `--domain` and `--policy`');
    expect(status).toBe(2);
  });

  test('records of a deployment need a file of outputs', async () => {
    expect((await run(['records', '--outputs', join(folder, 'nothing.json')])).status).toBe(2);
    const path = join(folder, 'empty.json');
    writeFileSync(path, '{}');
    expect((await run(['records', '--outputs', path])).stderr).toContain('holds no output of a MtaSts construct');
  });
});
