import { describe, expect, test } from '@jest/globals';
import { AREAS, CODES, sectionsOf } from '../../cli/catalog';
import { nearestWords } from '../../cli/commands/explain/command';
import { DEPLOYMENT_CODES, IN_DEPLOYMENTS } from '../../cli/commands/explain/deployment-codes';
import { MEANINGS_IN_REPORTS, RESULT_TYPES, STATUS_CODES } from '../../cli/commands/explain/report-codes';
import { DEPLOYMENT_FAILURES } from '../../lib/contract/deployment-failures';
import { FINDINGS } from '../../lib/protocol/findings/catalog';
import { POLICY_FINDINGS } from '../../lib/protocol/findings/policy';
import { LIVE_FINDINGS } from '../../lib/verifier/findings';
import { run, runJson } from '../support/command';

const ALL = [...Object.keys(LIVE_FINDINGS), ...Object.keys(FINDINGS)];

describe('an unknown code is wrong usage, with the codes that were probably meant', () => {
  test.each([
    ['mx-not-coverd', '`mx-not-coverd` is not the code of a finding; did you mean `mx-not-covered`?'],
    ['MX_NOT_COVERED', 'did you mean `mx-not-covered`?'],
    ['policy-mx-digit', 'did you mean `policy-mx-digits`?'],
    ['policy-html ', 'did you mean `policy-html`?'],
    ['record', 'is not the code of a finding; did you mean `record-'],
    ['toString', 'is not the code of a finding; without a code this command lists them all'],
    ['__proto__', 'is not the code of a finding; without a code'],
    ['', '`` is not the code of a finding; without a code'],
    ['\u001b[2J', '`\\x1b[2J` is not the code'],
    ['x'.repeat(5000), 'without a code this command lists them all'],
  ])('explain answers the unknown code %j with the codes that were probably meant', async (code, message) => {
    const { status, stdout, stderr } = await run(['explain', code]);
    expect(stderr).toContain(message);
    expect(stderr).toContain('try `npx cdk-mta-sts explain --help`');
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('explain prints nothing when one of its codes is unknown', async () => {
    const { status, stdout } = await run(['explain', 'mx-not-covered', 'mx-not']);
    expect(status).toBe(2);
    expect(stdout).toBe('');
  });
});

test.each([
  ['mx-null', ['mx-null', 'mx-nul', 'mx-nully', 'policy-mx-null', 'far-away'], ['mx-null', 'mx-nul', 'mx-nully']],
  ['null', ['mx-null', 'policy-null-mx', 'nullable'], ['mx-null', 'policy-null-mx']],
  ['abcdefgh', ['stuvwxyz'], []],
])('the words nearest to %j of %j are %j', (typed, words, near) => {
  expect(nearestWords(typed, words)).toEqual(near);
});

describe('explain prints everything about a code', () => {
  test.each(ALL)('explain prints meaning, impact, fix and reference of %s', async (code) => {
    const { status, stdout, stderr } = await run(['explain', code], { unicode: true });
    const kind = new Map(Object.entries({ ...LIVE_FINDINGS, ...FINDINGS })).get(code);
    expect(stderr).toBe('');
    expect(stdout).toContain(`${code} · ${kind?.severity ?? ''}\n  ${kind?.meaning ?? ''}\n`);
    expect(stdout).toContain(`  impact   ${kind?.impact ?? ''}\n`);
    expect(stdout).toContain(`  fix      ${kind?.fix ?? ''}\n`);
    expect(stdout).toContain(`  see      ${kind?.reference ?? ''}\n           https://www.rfc-editor.org/rfc/rfc`);
    expect(status).toBe(0);
  });

  test('explain names the senders that differ from the RFC', async () => {
    const { stdout } = await run(['explain', 'policy-blank-line']);
    expect(stdout).toContain('\n  senders  mox, postfix-tlspol, go-mtasts: refuses the policy\n           courier: ignores the lines that follow\n');
  });

  test('explain prints several codes in the order of the arguments, each once', async () => {
    const { stdout } = await run(['explain', 'policy-html', 'mx-null', 'policy-html']);
    expect(stdout.match(/^\S (\S+) ·/gm)).toEqual(['✘ policy-html ·', 'i mx-null ·']);
  });

  test('explain prints a code as JSON', async () => {
    const { status, json } = await runJson(['explain', 'id-unexpected', 'policy-blank-line']);
    expect(status).toBe(0);
    const { severity, meaning, impact, fix, reference } = LIVE_FINDINGS['id-unexpected'];
    expect(json).toEqual([
      {
        code: 'id-unexpected', severity, meaning, impact, fix, reference, quirks: [],
        sections: [
          { name: 'RFC 8461 §3.1', url: 'https://www.rfc-editor.org/rfc/rfc8461#section-3.1' },
          { name: 'RFC 8461 §8.1', url: 'https://www.rfc-editor.org/rfc/rfc8461#section-8.1' },
        ],
      },
      expect.objectContaining({ code: 'policy-blank-line', quirks: POLICY_FINDINGS['policy-blank-line'].quirks }),
    ]);
  });
});

describe('without a code', () => {
  test('explain without a code lists all codes with severity and meaning in a narrow terminal', async () => {
    const { status, stdout } = await run(['explain'], { columns: 80 });
    expect(stdout.match(/^ {2}\S (\S+) · (?:error|warning|info|unknown)$/gm)).toHaveLength(ALL.length);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const { stdout: wide } = await run(['explain']);
    for (const { meaning } of [...CODES.values(), ...DEPLOYMENT_CODES]) expect(wide).toContain(`    ${meaning}\n`);
    expect(status).toBe(0);
  });

  test('explain without a code lists all codes as JSON', async () => {
    const { json } = await runJson(['explain']);
    const listed = json as { code: string; kind?: string; severity?: string }[];
    expect(listed.filter(({ severity }) => severity !== undefined).map(({ code }) => code).sort()).toEqual([...ALL].sort());
    const others = listed.filter(({ kind }) => kind !== undefined).map(({ code }) => code);
    expect(others).toEqual([...DEPLOYMENT_CODES, ...RESULT_TYPES, ...STATUS_CODES].map(({ code }) => code));
  });
});

describe('the codes of failed deployments', () => {
  test.each(DEPLOYMENT_CODES)('explain prints all that is known of the deployment failure $code', async ({ code, meaning, impact, fix, steps, reference }) => {
    const { status, stdout, stderr } = await run(['explain', code], { unicode: true });
    expect(stderr).toBe('');
    expect(stdout).toContain(`✘ ${code} · fails a deployment\n  ${meaning}\n  impact   ${impact}\n  fix      ${fix}\n`);
    expect(stdout).toMatch(new RegExp(`^ {2}steps? {4,5}${steps.join(', ')}\n {2}see {6}${reference}\n {11}https://`, 'm'));
    expect(status).toBe(0);
  });

  test('every code of the catalogue of deployment failures is explained, alone or as the finding of the same name', () => {
    expect([...DEPLOYMENT_CODES.map(({ code }) => code), ...IN_DEPLOYMENTS.keys()].sort()).toEqual(Object.keys(DEPLOYMENT_FAILURES).sort());
  });

  test('explain says what a finding means for a deployment', async () => {
    const { stdout } = await run(['explain', 'mx-not-covered']);
    expect(stdout).toContain('\n  deploy   Preflight fails with it. In `enforce`, senders would refuse mail to this host.\n');
  });

  test('explain gives a deployment failure as JSON with its area and its steps', async () => {
    const { json } = await runJson(['explain', 'record-exists', 'dns-failure']);
    expect(json).toEqual([
      expect.objectContaining({ code: 'record-exists', kind: 'deployment-failure', area: 'record', steps: ['Preflight'], url: expect.stringContaining('https://') }),
      expect.objectContaining({ code: 'dns-failure', inDeployments: expect.stringContaining('Preflight fails with it') }),
    ]);
  });

  test('a slip in the code of a deployment failure is answered with the code that was meant', async () => {
    expect((await run(['explain', 'zone-not-delegatd'])).stderr).toContain('did you mean `zone-not-delegated`?');
  });
});

describe('result types of TLS reports', () => {
  /** All result types of RFC 8460 §4.3. */
  const RESULTS = [
    'starttls-not-supported', 'certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted', 'validation-failure',
    'tlsa-invalid', 'dnssec-invalid', 'dane-required', 'sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid',
  ];

  test.each(RESULTS)('explain explains the result type %s', async (code) => {
    const { status, stdout } = await run(['explain', code]);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^\\S ${code} · `));
    expect(stdout).toContain('RFC 8460 §4.3');
    expect(CODES.has(code)).toBe(MEANINGS_IN_REPORTS.has(code));
  });

  test('explain calls validation-failure the catch-all, not a failure of STARTTLS', async () => {
    const { stdout } = await run(['explain', 'validation-failure']);
    expect(stdout).toContain('the catch-all of RFC 8460 §4.3');
    expect(stdout).toContain('  reports  the catch-all: a failure that no other result type names, not only one of STARTTLS');
    expect(stdout).not.toMatch(/STARTTLS with a mail host failed/);
  });

  test('explain suggests the result type that a misspelt one probably means', async () => {
    expect((await run(['explain', 'tlsa-invald'])).stderr).toContain('did you mean `tlsa-invalid`?');
  });
});

describe('status codes of bounces', () => {
  test.each([
    [['5.7.5'], 'i 5.7.5 · in bounces', 'Exchange Online and Postfix use it where MTA-STS or DANE demands', 'permanent: the sender returns the message'],
    [['4.7.5'], 'i 4.7.5 · in bounces', 'Cryptographic failure', 'temporary: the sender keeps the message and tries again'],
    [['550 5.7.5'], 'i 5.7.5 · in bounces', 'Cryptographic failure', 'permanent'],
    [['550', '5.7.5', 'Remote', 'certificate', 'failed'], 'i 5.7.5 · in bounces', 'Cryptographic failure', 'permanent'],
    [['550-5.7.5 Remote certificate failed MTA-STS validation'], 'i 5.7.5 · in bounces', 'Cryptographic failure', 'permanent'],
    [['smtp; 550 (#5.7.5)'], 'i 5.7.5 · in bounces', 'Cryptographic failure', 'permanent'],
    [['x.7.5'], 'i X.7.5 · in bounces', 'Cryptographic failure', 'with 4 the sender tries again, with 5 it returns the message'],
    [['5.4.8'], 'i 5.4.8 · in bounces', 'no MX host of the domain passed its MTA-STS policy', 'permanent'],
    [['4.4.8'], 'i 4.4.8 · in bounces', 'no MX host of the domain passed its MTA-STS policy', 'temporary'],
    [['4.4.1'], 'i 4.4.1 · in bounces', 'No answer from host', 'temporary'],
    [['5.4.4'], 'i 5.4.4 · in bounces', 'Unable to route', 'permanent'],
    [['4.4.7'], 'i 4.4.7 · in bounces', 'Delivery time expired', 'temporary'],
    [['5.7.0'], 'i 5.7.0 · in bounces', 'Other or undefined security status', 'permanent'],
    [['5.7.1'], 'i 5.7.1 · in bounces', 'Delivery not authorized, message refused', 'permanent'],
    [['4.7.4'], 'i 4.7.4 · in bounces', 'Security features not supported', 'temporary'],
    [['5.7.10'], 'i 5.7.10 · in bounces', 'Encryption needed', 'permanent'],
    [['5.7.11'], 'i 5.7.11 · in bounces', 'Encryption required for requested authentication mechanism', 'permanent'],
    [['5.7.30'], 'i 5.7.30 · in bounces', 'REQUIRETLS support required', 'permanent'],
    [['5.7.323 tlsa-invalid'], 'i 5.7.323 · in bounces', 'does not match its TLSA records', 'permanent'],
  ])('explain finds the status code in %j', async (typed, title, meaning, kind) => {
    const { status, stdout, stderr } = await run(['explain', ...typed]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${title}\n`));
    expect(stdout).toContain(meaning);
    expect(stdout).toContain(`  class    ${kind}`);
  });

  test('explain prints a status code as JSON under the number that was typed', async () => {
    const { json } = await runJson(['explain', '550 5.7.5', 'tlsa-invalid']);
    expect(json).toEqual([
      expect.objectContaining({ code: '5.7.5', kind: 'status-code', findings: expect.arrayContaining(['certificate-expired']) }),
      expect.objectContaining({ code: 'tlsa-invalid', kind: 'result-type', sections: expect.arrayContaining([{ name: 'RFC 8460 §4.3.2.1', url: expect.any(String) }]) }),
    ]);
  });

  test.each([
    ['5.1.1', '`5.1.1` has nothing to do with MTA-STS, DANE or TLS; all codes are listed at https://www.iana.org/'],
    ['2.7.5', '`2.7.5` has nothing to do with MTA-STS'],
    ['550', '`550` says only whether a message was accepted; give the three numbers that follow it'],
    ['192.0.2.1', 'is not the code of a finding'],
  ])('explain rejects the status code %j', async (code, message) => {
    const { status, stderr } = await run(['explain', code]);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  test.each([...RESULT_TYPES, ...STATUS_CODES])('$code names existing findings and sections with a URL', ({ meaning, impact, fix, reference, findings }) => {
    const known = new Set([...ALL, ...RESULT_TYPES.map(({ code }) => code)]);
    expect(findings.filter((code) => !known.has(code))).toEqual([]);
    expect(sectionsOf(reference).length).toBeGreaterThan(0);
    expect(`${meaning}${impact}`).toMatch(/\.$/);
    expect(fix).toMatch(/^[a-z].*[^.]$/);
  });
});

describe('the catalog', () => {
  test('the catalog has every code of both rooms in exactly one area', () => {
    expect(AREAS.flatMap(({ codes }) => codes.map(({ code }) => code)).sort()).toEqual([...ALL].sort());
  });

  test('the catalog knows which codes come from a live domain', () => {
    const live = AREAS.filter((area) => area.live).flatMap(({ codes }) => codes.map(({ code }) => code));
    expect(live.sort()).toEqual(Object.keys(LIVE_FINDINGS).sort());
  });

  test.each([...CODES.values()])('$code names a section with a URL', ({ reference }) => {
    expect(sectionsOf(reference).length).toBeGreaterThan(0);
  });
});
