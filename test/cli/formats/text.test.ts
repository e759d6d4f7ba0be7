import { describe, expect, test } from '@jest/globals';
import { Tally } from '../../../cli/output/reporter';
import { summaryText, textFormat, verifyText } from '../../../cli/output/formats/text';
import { Style } from '../../../cli/output/terminal';
import type { VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import { mxResult, observation, verificationResult } from '../../support/report';
import { documentOf } from '../../support/html-document';

const plain = new Style({ colour: false, unicode: true, columns: undefined });
const ascii = new Style({ colour: false, unicode: false, columns: undefined });

const GOOD = verificationResult();

const RECORD = '_mta-sts.example.com TXT';
const FILE = 'https://mta-sts.example.com/.well-known/mta-sts.txt';

function finding(severity: LiveFinding['severity'], subject: string, more: Partial<LiveFinding> = {}): LiveFinding {
  return { code: `some-${severity}`, severity, area: 'other', subject, message: `a message about ${subject}`, ...more };
}

function tallyOf(results: readonly VerificationResult[]): Tally {
  const tally = new Tally();
  for (const result of results) tally.add(result);
  return tally;
}

function pictureOf(more: Partial<VerificationResult>): string {
  return verifyText({ ...GOOD, ...more }, plain).split('\n').slice(2).join('\n');
}

describe('the steps', () => {
  test('many MX hosts are counted rather than listed', () => {
    const text = pictureOf({ mx: Array.from({ length: 25 }, (_, at) => mxResult({ host: `mx${at}.example.com`, covered: true })) });
    expect(text).toContain('✔ mx19.example.com is covered, delivered to over verified TLS\n');
    expect(text).not.toContain('mx20.');
    expect(text).toContain('· and 5 more; --format json lists them all\n');
  });

  test('without a record the text says that senders never ask for the file', () => {
    const text = pictureOf({ lookup: 'none', verdict: 'fail', record: null, policy: null, mx: [mxResult({ host: 'mx1.example.com', covered: null })], findings: [finding('error', RECORD)] });
    expect(text).toContain('  record    ✘ no usable record at _mta-sts.example.com\n');
    expect(text).toContain('  file      · senders never ask for it\n');
    expect(text).toContain('  mx        · mx1.example.com, no policy to hold it against\n');
  });

  test('a missing answer is not shown as a missing record', () => {
    const text = pictureOf({ lookup: 'temporary-error', verdict: 'unknown', record: null, policy: null, mx: [], findings: [finding('unknown', RECORD), finding('unknown', FILE), finding('unknown', 'example.com MX')] });
    expect(text).toContain('  record    ? no answer for _mta-sts.example.com\n');
    expect(text).toContain(`  file      ? could not be decided for ${FILE}\n`);
    expect(text).toContain('  mx        ? no answer\n');
  });

  test('an unavailable record is not a problem of the file, and an unreachable file not one of the record', () => {
    expect(pictureOf({ lookup: 'temporary-error', verdict: 'unknown', record: null, policy: null, findings: [finding('unknown', RECORD)] }))
      .toContain(`  file      ? could not be decided for ${FILE}\n`);
    expect(pictureOf({ lookup: 'temporary-error', verdict: 'fail', policy: null, findings: [finding('error', FILE)] }))
      .toMatch(/ {2}record {4}✔ id a1b2 at _mta-sts\.example\.com\n(?: {14}.*\n)* {2}file {6}✘ no usable file at https:/);
  });

  test('a record without a usable file is shown', () => {
    const text = pictureOf({ lookup: 'permanent-error', verdict: 'fail', policy: null, findings: [finding('error', FILE)] });
    expect(text).toContain('  record    ✔ id a1b2 at _mta-sts.example.com\n');
    expect(text).toContain(`  file      ✘ no usable file at ${FILE}\n`);
  });

  test('a warning is shown at its step, and a note at none', () => {
    expect(pictureOf({ findings: [finding('warning', RECORD), finding('info', FILE)] })).toMatch(/record {4}! id.*\n {14}.*\n {2}file {6}✔ mode enforce, kept for 30 days/);
    expect(pictureOf({ findings: [finding('warning', 'mta-sts.example.com AAAA')] })).toMatch(/record {4}✔ .*\n {14}.*\n {2}file {6}! mode/);
  });

  test.each([
    ['enforce', '✘'],
    ['testing', '!'],
    ['none', 'i'],
  ] as const)('in mode %s an uncovered host has the mark %s', (mode, mark) => {
    const text = pictureOf({ policy: { mode, maxAge: 86400, mx: [] }, mx: [mxResult({ delivery: 'unknown', observations: [] }), mxResult({ host: 'other.test', covered: false, delivery: 'unknown', observations: [] })] });
    expect(text).toContain(`  mx        ✔ mx1.example.com is covered\n            ${mark} other.test is not covered\n`);
  });

  test('a domain without mail is shown', () => {
    expect(pictureOf({ mx: [] })).toContain('  mx        · no host takes mail for the domain\n');
  });
});

describe('the observations of a step', () => {
  const servers = ['ns1.example.com (192.0.2.53)', 'ns2.example.com (192.0.2.54)', 'the recursive resolver (192.0.2.1:53)'];

  test('a failed observation is shown among the others, each with its time', () => {
    const text = pictureOf({ findings: [finding('warning', FILE)], policyObservations: [observation('192.0.2.80'), observation('192.0.2.81', { status: 'failed', answer: 'connection refused', milliseconds: 2 })] });
    expect(text).toMatch(/ {2}file {6}! mode .*\n {14}✔ 192\.0\.2\.80, 35 ms: as it should be\n {14}! 192\.0\.2\.81, 2 ms: connection refused\n/);
  });

  test('a failed observation has the mark of its step', () => {
    expect(pictureOf({ findings: [finding('error', FILE)], policy: null, lookup: 'permanent-error', policyObservations: [observation('192.0.2.80', { status: 'failed', answer: 'status 404' })] }))
      .toMatch(/ {2}file {6}✘ no usable file .*\n {14}✘ 192\.0\.2\.80, 35 ms: status 404\n/);
  });

  test('name servers that disagree are each shown, although each has answered', () => {
    const text = pictureOf({ recordObservations: servers.map((at, index) => observation(at, { answer: `id ${index}` })), findings: [finding('error', RECORD, { code: 'record-disagreement' })] });
    for (const [index, at] of servers.entries()) expect(text).toContain(`              ✔ ${at}, 35 ms: id ${index}\n`);
  });

  test('a slow address is shown with its time', () => {
    expect(pictureOf({ policyObservations: [observation('192.0.2.80'), observation('192.0.2.81', { milliseconds: 2100 })] })).toContain('✔ 192.0.2.81, 2100 ms: as it should be\n');
  });

  test('many observations are counted rather than listed', () => {
    const text = pictureOf({ policyObservations: Array.from({ length: 25 }, (_, at) => observation(`192.0.2.${at}`, { status: 'failed', answer: `status ${400 + at}` })) });
    expect(text).toContain('status 419\n');
    expect(text).not.toContain('status 420');
    expect(text).toContain('              and 5 more; --format json lists them all\n');
  });

  test('a time that is part of an answer is not shown twice', () => {
    expect(pictureOf({ policyObservations: [observation('192.0.2.80', { status: 'failed', answer: 'connection refused after 35 ms' })] })).toContain(' 192.0.2.80: connection refused after 35 ms\n');
  });

  test('observations that could not be tried for one reason are shown in one line', () => {
    const blocked = ['198.51.100.25', '198.51.100.26'].map((at) => observation(at, { status: 'unknown', answer: `no answer after 500${at.at(-1) ?? ''} ms` }));
    expect(pictureOf({ mx: [mxResult({ delivery: 'unknown', observations: blocked })] }))
      .toContain('  mx        ✔ mx1.example.com is covered\n              none of 2 addresses could be tried from here: no answer after 5005 ms\n');
  });

  test('successful observations are shown in one line with the slowest time', () => {
    const text = pictureOf({
      recordObservations: servers.map((at, index) => observation(at, { milliseconds: 10 + index })),
      mx: [mxResult({ observations: [observation('198.51.100.25'), observation('2001:db8::25', { milliseconds: 48 })] })],
    });
    expect(text).toContain('              the same from 2 name servers and the resolver, slowest 12 ms\n');
    expect(text).toContain('              from 192.0.2.80 in 35 ms\n');
    expect(text).toContain('              the same from 2 addresses, slowest 48 ms\n');
  });
});

describe('further facts about the steps', () => {
  test('an MX host is shown that senders refuse although it is covered', () => {
    expect(pictureOf({ mx: [mxResult({ delivery: 'refuse', observations: [observation('198.51.100.25', { status: 'failed', answer: 'certificate has expired' })] })] }))
      .toContain('  mx        ✘ mx1.example.com is covered, senders refuse to deliver to it\n              ✘ 198.51.100.25, 35 ms: certificate has expired\n');
  });

  test.each([
    ['refuse', '✘ a sender would now refuse to deliver'],
    ['unknown', '? it is not known from here whether a sender would now deliver'],
    ['deliver-verified', '✔ a sender would now deliver over TLS to a host that it has verified'],
  ] as const)('the delivery %s is shown', (delivery, text) => {
    expect(pictureOf({ delivery })).toContain(`  delivery  ${text}\n`);
  });

  test.each<[string, Partial<VerificationResult>, string]>([
    ['without a policy', { lookup: 'none', policy: null, delivery: 'deliver-unverified' }, '! a sender would now deliver, whatever it sees of TLS'],
    ['by a policy that wants it so', { policy: { mode: 'testing', maxAge: 1, mx: [] }, delivery: 'deliver-unverified' }, 'i a sender would now deliver, whatever it sees of TLS'],
    ['to one host of two', { mx: [mxResult(), mxResult({ host: 'b.test', delivery: 'refuse' })] }, '! a sender would now deliver over TLS to a host that it has verified, and would refuse 1 of the 2 MX hosts'],
    ['to nobody', { mx: [], delivery: 'refuse' }, '· there is no host that a sender could deliver to'],
  ])('the delivery %s is shown in words', (_, one, text) => {
    expect(pictureOf(one)).toContain(`  delivery  ${text}\n`);
  });

  test('a host with a TLS problem in testing is a warning, although senders deliver to it', () => {
    expect(pictureOf({ policy: { mode: 'testing', maxAge: 1, mx: [] }, mx: [mxResult({ delivery: 'deliver-unverified', observations: [observation('198.51.100.25', { status: 'failed' })] })], findings: [finding('warning', 'MX mx1.example.com')] }))
      .toMatch(/ {2}mx {8}! mx1\.example\.com is covered\n {14}! 198\.51\.100\.25, 35 ms: /);
  });

  test('delegations by CNAME are shown', () => {
    const text = pictureOf({ delegation: { record: ['a.provider.test', 'b.provider.test'], policyHost: ['c.provider.test'] } });
    expect(text).toMatch(/record .*\n {14}delegated by CNAME to a\.provider\.test, b\.provider\.test\n/);
    expect(text).toMatch(/file .*\n {14}delegated by CNAME to c\.provider\.test\n/);
  });

  test('TLSA records of an MX host are shown', () => {
    expect(pictureOf({ mx: [mxResult({ dane: true })] })).toMatch(/mx1\.example\.com is covered.*\n {14}TLSA records stand there: DANE comes before MTA-STS\n/);
  });

  test('senders that differ are shown, those with the same effect in one line', () => {
    const same = { effect: 'refuses the policy', code: 'policy-none-without-mx' };
    const text = pictureOf({ senders: [{ sender: 'chasquid', ...same }, { sender: 'kumomta', effect: 'compares with case', code: 'policy-mx-upper-case' }, { sender: 'aykevl', ...same }] });
    expect(text).toContain('  senders   ! chasquid, aykevl: refuses the policy (policy-none-without-mx)\n            ! kumomta: compares with case (policy-mx-upper-case)\n');
  });
});

describe('the sentence about senders', () => {
  test.each<[Partial<VerificationResult>, string]>([
    [{}, 'Senders find a policy: they deliver only to covered hosts with a valid certificate'],
    [{ policy: { mode: 'testing', maxAge: 1, mx: [] } }, 'they deliver to every host and report what would have failed'],
    [{ policy: { mode: 'none', maxAge: 1, mx: [] } }, 'it tells them to do without MTA-STS'],
    [{ lookup: 'none', record: null, policy: null }, 'Senders find no policy: they deliver to example.com without MTA-STS'],
    [{ lookup: 'temporary-error', policy: null }, 'they keep a cached policy and try again later'],
    [{ lookup: 'permanent-error', policy: null }, 'Senders find a policy that they cannot use'],
  ])('the sentence about senders for %j is right', (more, text) => {
    expect(verifyText({ ...GOOD, ...more }, plain).split('\n')[1]).toContain(text);
  });

  test.each([
    ['pass', '✔ example.com: pass'],
    ['fail', '✘ example.com: fail'],
    ['unknown', '? example.com: could not be decided'],
  ] as const)('the headline of %s is right', (verdict, text) => {
    expect(verifyText({ ...GOOD, verdict }, plain).split('\n')[0]).toBe(text);
  });

  test('several domains are counted in a last line', () => {
    const results = [GOOD, { ...GOOD, verdict: 'fail' as const }, GOOD, { ...GOOD, verdict: 'unknown' as const }];
    expect(summaryText(tallyOf(results), plain)).toBe('4 domains: 2 pass, 1 fail, 1 could not be decided\n');
    expect(summaryText(tallyOf([GOOD, GOOD]), plain)).toBe('2 domains: 2 pass\n');
    expect(documentOf(textFormat(plain), [GOOD, GOOD])).toMatch(/\n\n2 domains: 2 pass\n$/);
  });

  test('one domain has no last line, and no domain has no text', () => {
    expect(documentOf(textFormat(plain), [GOOD])).toBe(verifyText(GOOD, plain));
    expect(documentOf(textFormat(plain), [])).toBe('');
  });
});

describe('findings', () => {
  const findings = [
    finding('error', 'MX other.test', { evidence: '10 other.test', fix: 'add it', reference: 'RFC 8461 §4.1' }),
    finding('unknown', 'AAAA', { evidence: 'no answer', time: '2026-01-02T03:04:05.678Z' }),
    finding('warning', RECORD, { senders: ['go-mtasts', 'courier'], line: 2, column: 1 }),
    finding('warning', FILE, { message: 'refused by mox', senders: ['mox'] }),
    finding('info', FILE),
  ];

  test('findings are grouped worst first, with evidence, fix, senders and reference', () => {
    expect(verifyText({ ...GOOD, findings }, plain).split('\n').slice(11).join('\n')).toBe(`  1 error
  ✘ some-error · MX other.test
    a message about MX other.test
    seen     10 other.test
    fix      add it
    see      RFC 8461 §4.1

  1 thing that could not be decided from here
  ? some-unknown · AAAA
    a message about AAAA
    seen     no answer (2026-01-02T03:04:05Z)

  2 warnings
  ! some-warning · ${RECORD}, line 2, column 1
    a message about ${RECORD}
    senders  refused or read otherwise by go-mtasts, courier
  ! some-warning · ${FILE}
    refused by mox

  1 note
  i some-info · ${FILE}
    a message about ${FILE}
`);
  });

  test('findings are printed in ASCII if the terminal has nothing else', () => {
    const text = verifyText({ ...GOOD, findings: [...findings, finding('info', 'mø…')] }, ascii);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(text).toContain('see      RFC 8461 section 4.1');
    expect(text).toContain('a message about m\\u{f8}...');
    expect(text).toMatch(/^\+ example\.com: pass/);
  });

  test('findings are wrapped at blanks to the width of the terminal, under their own beginning', () => {
    const narrow = new Style({ colour: false, unicode: true, columns: 50 });
    const fix = 'word '.repeat(30).trim();
    const text = verifyText({ ...GOOD, findings: [finding('error', 'x', { fix })] }, narrow);
    expect(text).toMatch(/\n {4}fix {6}(word ){6}word\n {13}(word ){6}word\n/);
    for (const line of text.split('\n').filter((each) => each.includes('word'))) expect(line.length).toBeLessThanOrEqual(50);
  });

  test('a narrow terminal does not break words, and a wide one is not used up', () => {
    const width = (columns: number): number => Math.max(...verifyText({ ...GOOD, findings: [finding('error', 'x', { fix: 'word '.repeat(60).trim() })] },
      new Style({ colour: false, unicode: true, columns })).split('\n').filter((line) => line.includes('word')).map((line) => line.length));
    expect(width(5)).toBeLessThanOrEqual(40);
    expect(width(5)).toBeGreaterThan(30);
    expect(width(400)).toBeLessThanOrEqual(110);
    expect(width(400)).toBeGreaterThan(100);
  });

  test('hostile text in any field cannot control the terminal', () => {
    const evil = '\u001b[2J\u202e\u0007\r\n\u009b';
    const text = verifyText({
      ...GOOD,
      domain: evil,
      mx: [mxResult({ host: evil, covered: true, observations: [observation(evil, { status: 'unknown', answer: evil })] }), mxResult({ host: '', covered: false })],
      recordObservations: [observation(evil, { status: 'failed', answer: evil })],
      delegation: { record: [evil], policyHost: [evil] },
      senders: [{ sender: evil, effect: evil, code: evil }],
      findings: [finding('error', evil, { code: 'x', time: evil, message: evil, evidence: evil, fix: evil, reference: evil, senders: [evil] })],
    }, plain);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(text).toContain('\\x1b[2J\\u{202e}\\x07\\x0d\\x0a\\x9b');
  });
});

test('colours are used only where they are wanted, and the words are the same without them', () => {
  const result: VerificationResult = { ...GOOD, findings: [finding('warning', RECORD, { fix: 'replace', reference: 'RFC' })] };
  const coloured = verifyText(result, new Style({ colour: true, unicode: true, columns: undefined }));
  expect(coloured).toContain('\u001b[32m✔\u001b[39m');
  expect(coloured).toContain('\u001b[33m!\u001b[39m');
  expect(coloured.replaceAll(/\u001b\[[0-9]+m/g, '')).toBe(verifyText(result, plain));
});
