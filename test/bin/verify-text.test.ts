import { describe, expect, test } from '@jest/globals';
import { verifyJson } from '../../bin/command/json';
import { Style } from '../../bin/command/style';
import { summaryText, verifyText } from '../../bin/command/verify-text';
import type { Report, ReportFinding } from '../../lib/verifier/report';
import { mxReport, report as goodReport } from '../support/report';

const plain = new Style({ colour: false, unicode: true, columns: undefined });
const ascii = new Style({ colour: false, unicode: false, columns: undefined });

const GOOD = goodReport();

const RECORD = '_mta-sts.example.com TXT';
const FILE = 'https://mta-sts.example.com/.well-known/mta-sts.txt';

function finding(severity: ReportFinding['severity'], subject: string, more: Partial<ReportFinding> = {}): ReportFinding {
  return { code: `some-${severity}`, severity, subject, message: `a message about ${subject}`, ...more };
}

function pictureOf(report: Partial<Report>): string {
  return verifyText({ ...GOOD, ...report }, plain).split('\n').slice(2).join('\n');
}

describe('the picture of the way', () => {
  test('many MX hosts are counted rather than listed', () => {
    const text = pictureOf({ mx: Array.from({ length: 25 }, (_, at) => mxReport({ host: `mx${at}.example.com`, covered: true })) });
    expect(text).toContain('✔ mx19.example.com is covered\n');
    expect(text).not.toContain('mx20.');
    expect(text).toContain('· and 5 more; --format json lists them all\n');
  });

  test('no record: senders never ask for the file', () => {
    const text = pictureOf({ lookup: 'none', verdict: 'fail', record: null, policy: null, mx: [mxReport({ host: 'mx1.example.com', covered: null })], findings: [finding('error', RECORD)] });
    expect(text).toContain('  record    ✘ no usable record at _mta-sts.example.com\n');
    expect(text).toContain('  file      · senders never ask for it\n');
    expect(text).toContain('  mx        · mx1.example.com, no policy to hold it against\n');
  });

  test('no answer is not "no record"', () => {
    const text = pictureOf({ lookup: 'temporary-error', verdict: 'unknown', record: null, policy: null, mx: [], findings: [finding('unknown', RECORD), finding('unknown', FILE), finding('unknown', 'example.com MX')] });
    expect(text).toContain('  record    ? no answer for _mta-sts.example.com\n');
    expect(text).toContain(`  file      ? could not be decided for ${FILE}\n`);
    expect(text).toContain('  mx        ? no answer\n');
  });

  test('a file is not blamed for a record that could not be had, nor a record for an unreachable file', () => {
    expect(pictureOf({ lookup: 'temporary-error', verdict: 'unknown', record: null, policy: null, findings: [finding('unknown', RECORD)] }))
      .toContain(`  file      ? could not be decided for ${FILE}\n`);
    expect(pictureOf({ lookup: 'temporary-error', verdict: 'fail', policy: null, findings: [finding('error', FILE)] }))
      .toContain(`  record    ✔ id a1b2 at _mta-sts.example.com\n  file      ✘ no usable file at ${FILE}\n`);
  });

  test('a record without a usable file', () => {
    const text = pictureOf({ lookup: 'permanent-error', verdict: 'fail', policy: null, findings: [finding('error', FILE)] });
    expect(text).toContain('  record    ✔ id a1b2 at _mta-sts.example.com\n');
    expect(text).toContain(`  file      ✘ no usable file at ${FILE}\n`);
  });

  test('a warning shows at the station that it is about, and a note at none', () => {
    expect(pictureOf({ findings: [finding('warning', RECORD), finding('info', FILE)] })).toMatch(/record {4}! id.*\n {2}file {6}✔ mode enforce, kept for 30 days/);
    expect(pictureOf({ findings: [finding('warning', 'mta-sts.example.com AAAA')] })).toMatch(/record {4}✔ .*\n {2}file {6}! mode/);
  });

  test.each([
    ['enforce', '✘'],
    ['testing', '!'],
    ['none', 'i'],
  ] as const)('in %s an uncovered host is as bad as the mode makes it', (mode, mark) => {
    const text = pictureOf({ policy: { mode, maxAge: 86400, mx: [] }, mx: [mxReport({ host: 'mx1.example.com', covered: true }), mxReport({ host: 'other.test', covered: false })] });
    expect(text).toContain(`  mx        ✔ mx1.example.com is covered\n            ${mark} other.test is not covered\n`);
  });

  test('a domain without mail', () => {
    expect(pictureOf({ mx: [] })).toContain('  mx        · no host takes mail for the domain\n');
  });
});

describe('what senders learn', () => {
  test.each<[Partial<Report>, string]>([
    [{}, 'Senders find a policy: they deliver only to covered hosts with a valid certificate'],
    [{ policy: { mode: 'testing', maxAge: 1, mx: [] } }, 'they deliver to every host and report what would have failed'],
    [{ policy: { mode: 'none', maxAge: 1, mx: [] } }, 'it tells them to do without MTA-STS'],
    [{ lookup: 'none', record: null, policy: null }, 'Senders find no policy: they deliver to example.com without MTA-STS'],
    [{ lookup: 'temporary-error', policy: null }, 'they keep a policy that they know and try again later'],
    [{ lookup: 'permanent-error', policy: null }, 'Senders are told of a policy that they cannot use'],
  ])('%j', (report, text) => {
    expect(verifyText({ ...GOOD, ...report }, plain).split('\n')[1]).toContain(text);
  });

  test.each([
    ['pass', '✔ example.com: pass'],
    ['fail', '✘ example.com: fail'],
    ['unknown', '? example.com: could not be decided'],
  ] as const)('the headline of %s', (verdict, text) => {
    expect(verifyText({ ...GOOD, verdict }, plain).split('\n')[0]).toBe(text);
  });

  test('several domains are counted in one last line', () => {
    const reports = [GOOD, { ...GOOD, verdict: 'fail' as const }, GOOD, { ...GOOD, verdict: 'unknown' as const }];
    expect(summaryText(reports, plain)).toBe('4 domains: 2 pass, 1 fail, 1 could not be decided\n');
    expect(summaryText([GOOD, GOOD], plain)).toBe('2 domains: 2 pass\n');
  });
});

describe('findings', () => {
  const findings = [
    finding('error', 'MX other.test', { evidence: '10 other.test', fix: 'add it', reference: 'RFC 8461 §4.1' }),
    finding('unknown', 'AAAA', {}),
    finding('warning', RECORD, { senders: ['go-mtasts', 'courier'], line: 2, column: 1 }),
    finding('warning', FILE, { message: 'refused by mox', senders: ['mox'] }),
    finding('info', FILE),
  ];

  test('are grouped, worst first, with evidence, fix, senders and reference', () => {
    expect(verifyText({ ...GOOD, findings }, plain).split('\n').slice(7).join('\n')).toBe(`  1 error
  ✘ some-error · MX other.test
    a message about MX other.test
    seen     10 other.test
    fix      add it
    see      RFC 8461 §4.1

  1 thing that could not be decided from here
  ? some-unknown · AAAA
    a message about AAAA

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

  test('are ASCII where the terminal has nothing else', () => {
    const text = verifyText({ ...GOOD, findings: [...findings, finding('info', 'mø…')] }, ascii);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(text).toContain('see      RFC 8461 section 4.1');
    expect(text).toContain('a message about m\\u{f8}...');
    expect(text).toMatch(/^\+ example\.com: pass/);
  });

  test('are wrapped at blanks to the width of the terminal, under their own beginning', () => {
    const narrow = new Style({ colour: false, unicode: true, columns: 50 });
    const fix = 'word '.repeat(30).trim();
    const text = verifyText({ ...GOOD, findings: [finding('error', 'x', { fix })] }, narrow);
    expect(text).toMatch(/\n {4}fix {6}(word ){6}word\n {13}(word ){6}word\n/);
    for (const line of text.split('\n').filter((each) => each.includes('word'))) expect(line.length).toBeLessThanOrEqual(50);
  });

  test('a terminal of a few columns does not break words, and a wide one is not used up', () => {
    const width = (columns: number): number => Math.max(...verifyText({ ...GOOD, findings: [finding('error', 'x', { fix: 'word '.repeat(60).trim() })] },
      new Style({ colour: false, unicode: true, columns })).split('\n').filter((line) => line.includes('word')).map((line) => line.length));
    expect(width(5)).toBeLessThanOrEqual(40);
    expect(width(5)).toBeGreaterThan(30);
    expect(width(400)).toBeLessThanOrEqual(110);
    expect(width(400)).toBeGreaterThan(100);
  });

  test('no text of a stranger can drive the terminal, in whichever field it stands', () => {
    const evil = '\u001b[2J\u202e\u0007\r\n\u009b';
    const text = verifyText({
      ...GOOD,
      domain: evil,
      mx: [mxReport({ host: evil, covered: true }), mxReport({ host: '', covered: false })],
      findings: [finding('error', evil, { code: 'x', message: evil, evidence: evil, fix: evil, reference: evil, senders: [evil] })],
    }, plain);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(text).toContain('\\x1b[2J\\u{202e}\\x07\\x0d\\x0a\\x9b');
  });
});

test('colours are laid on where they are wanted, and the words are the same without them', () => {
  const report: Report = { ...GOOD, findings: [finding('warning', RECORD, { fix: 'mend', reference: 'RFC' })] };
  const coloured = verifyText(report, new Style({ colour: true, unicode: true, columns: undefined }));
  expect(coloured).toContain('\u001b[32m✔\u001b[39m');
  expect(coloured).toContain('\u001b[33m!\u001b[39m');
  expect(coloured.replaceAll(/\u001b\[[0-9]+m/g, '')).toBe(verifyText(report, plain));
});

test('JSON has exactly the promised fields', () => {
  const json: unknown = JSON.parse(verifyJson([
    { ...GOOD, findings: [finding('warning', RECORD, { line: 1, column: 2, evidence: 'e', fix: 'f', reference: 'r', senders: ['s'] })] },
    { ...GOOD, record: null, policy: null, lookup: 'none', verdict: 'fail', mx: [mxReport({ host: 'mx.example', covered: null })] },
  ]));
  expect(json).toEqual({
    domains: [
      {
        domain: 'example.com',
        verdict: 'pass',
        lookup: 'found',
        record: { id: 'a1b2' },
        policy: { mode: 'enforce', maxAge: 2592000, mx: ['*.example.com'] },
        mx: [mxReport({ host: 'mx1.example.com', covered: true })],
        findings: [{
          code: 'some-warning', severity: 'warning', subject: RECORD, message: `a message about ${RECORD}`, line: 1, column: 2, evidence: 'e', fix: 'f', reference: 'r', senders: ['s'],
        }],
      },
      { domain: 'example.com', verdict: 'fail', lookup: 'none', record: null, policy: null, mx: [mxReport({ host: 'mx.example', covered: null })], findings: [] },
    ],
  });
});
