import { describe, expect, test } from '@jest/globals';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { junitFormat } from '../../../cli/output/formats/junit';
import type { VerificationResult } from '../../../lib/verifier/result';
import { mxResult, observation, verificationResult } from '../../support/report';
import { HOSTILE, documentOf, finding } from '../../support/html-document';

interface TestCase {
  readonly '@name': string;
  readonly '@classname': string;
  readonly '@time': string;
  readonly 'failure'?: { readonly '@message': string; readonly '@type': string; readonly '#text': string };
  readonly 'skipped'?: { readonly '@message': string };
  readonly 'system-out'?: string;
}

interface Suite {
  readonly [attribute: `@${string}`]: string;
  readonly properties: { readonly property: readonly { readonly '@name': string; readonly '@value': string }[] };
  readonly testcase: readonly TestCase[];
}

const PARSER = new XMLParser({
  ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, parseAttributeValue: false, trimValues: false,
  isArray: (name) => ['testsuite', 'testcase', 'property'].includes(name),
});

function suitesOf(results: readonly VerificationResult[]): readonly Suite[] {
  const xml = documentOf(junitFormat(), results);
  expect(XMLValidator.validate(xml)).toBe(true);
  const { testsuites } = PARSER.parse(xml) as { testsuites: { testsuite?: readonly Suite[] } | string };
  return typeof testsuites === 'string' ? [] : testsuites.testsuite ?? [];
}

function caseOf(one: Partial<VerificationResult>, name: string): TestCase | undefined {
  return suitesOf([verificationResult(one)])[0]?.testcase.find((each) => each['@name'] === `example.com: ${name}`);
}

describe('hostile text', () => {
  const texts = { subject: HOSTILE, message: HOSTILE, evidence: HOSTILE, time: HOSTILE, fix: HOSTILE, reference: HOSTILE };
  const evil = { domain: HOSTILE, time: HOSTILE, findings: [finding({ code: HOSTILE, area: 'other', ...texts })] };

  test('JUnit XML has no character that XML 1.0 forbids', () => {
    expect(documentOf(junitFormat(), [verificationResult(evil)])).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  });

  test('hostile text in JUnit XML is no markup, and reads as it was, escaped for people', () => {
    const [suite] = suitesOf([verificationResult(evil)]);
    expect(suite?.testcase).toHaveLength(7);
    const failed = suite?.testcase.find(({ failure }) => failure !== undefined);
    expect(failed?.failure?.['@message']).toContain('\\x1b[2J\\u{202e}\\x0d\\x0a::error::x%0A%25,a|b`c`\\x00<script>alert(1)</script>]]>&amp;"\'\\u{d800}\\u{fffe}##[error]');
    expect(failed?.failure?.['#text']).toContain('<script>alert(1)</script>]]>&amp;');
  });

  test('an attribute of JUnit XML always has its value', () => {
    const [suite] = suitesOf([verificationResult({ domain: 'true' })]);
    expect(suite?.['@name']).toBe('true');
  });
});

describe('problems in JUnit XML', () => {
  test('an error fails the test case of its area, with message, code and details', () => {
    const found = finding({ area: 'mx', code: 'mx-not-covered', message: 'mx1.example.com is not covered', evidence: '10 mx1', fix: 'add it', reference: 'RFC 8461 §4.1', time: '2026-01-02T03:04:05Z' });
    expect(caseOf({ verdict: 'fail', findings: [found] }, 'MX hosts')?.failure).toEqual({
      '@message': 'mx1.example.com is not covered',
      '@type': 'mx-not-covered',
      '#text': 'error mx-not-covered: MX mx1.example.com\nmx1.example.com is not covered\nseen: 10 mx1\nat: 2026-01-02T03:04:05Z\nfix: add it\nsee: RFC 8461 §4.1',
    });
  });

  test('several errors of an area are one failure, which counts them', () => {
    const failure = caseOf({ findings: [finding({ code: 'a', area: 'mx', subject: 'example.com MX', message: 'one' }), finding({ code: 'b', area: 'mx', subject: 'example.com MX', message: 'other' })] }, 'MX hosts')?.failure;
    expect(failure).toMatchObject({ '@message': 'one (and 1 more)', '@type': 'a' });
    expect(failure?.['#text']).toContain('error b: ');
  });

  test.each([
    ['record', 'TXT record'],
    ['policy-host', 'policy host'],
    ['policy-file', 'policy file'],
    ['mx', 'MX hosts'],
    ['smtp', 'STARTTLS of the MX hosts'],
    ['tls-reporting', 'TLS reporting'],
    ['other', 'anything else'],
  ] as const)('a finding of the area %s belongs to the test case "%s"', (area, name) => {
    const cases = suitesOf([verificationResult({ findings: [finding({ area })] })]).flatMap(({ testcase }) => testcase);
    expect(cases.filter(({ failure }) => failure !== undefined).map((one) => one['@name'])).toEqual([`example.com: ${name}`]);
  });

  test('an undecided area is a skipped test case with the reason', () => {
    const unknown = finding({ severity: 'unknown', code: 'dns-failure', area: 'record', subject: '_mta-sts.example.com TXT', message: 'no answer' });
    const one = caseOf({ verdict: 'unknown', lookup: 'temporary-error', record: null, policy: null, findings: [unknown] }, 'TXT record');
    expect(one?.skipped).toEqual({ '@message': 'no answer' });
    expect(one?.['system-out']).toContain('unknown dns-failure');
    expect(one?.failure).toBeUndefined();
  });

  test('one silent name server among others skips no test case but is reported', () => {
    const one = caseOf({ findings: [finding({ severity: 'unknown', code: 'name-server-unanswered', area: 'record', subject: '_mta-sts.example.com TXT' })] }, 'TXT record');
    expect(one?.skipped).toBeUndefined();
    expect(one?.['system-out']).toContain('name-server-unanswered');
  });

  test.each<[Partial<VerificationResult>, string, string]>([
    [{ lookup: 'none', record: null, policy: null, mx: [] }, 'policy file', 'senders never ask for it'],
    [{ lookup: 'temporary-error', policy: null }, 'policy host', 'could not be decided for https://mta-sts.example.com/.well-known/mta-sts.txt'],
    [{ mx: [] }, 'MX hosts', 'no host takes mail for the domain'],
    [{ mx: [mxResult({ observations: [] })] }, 'STARTTLS of the MX hosts', 'no MX host was connected to'],
    [{ mx: [mxResult({ observations: [observation('192.0.2.1', { status: 'unknown' })] })] }, 'STARTTLS of the MX hosts', 'no MX host could be reached from here'],
  ])('with %j the test case "%s" is skipped: %s', (one, name, message) => {
    expect(caseOf(one, name)?.skipped).toEqual({ '@message': message });
  });

  test('warnings and notes are in the output of a passed test case', () => {
    const one = caseOf({ findings: [finding({ severity: 'warning', code: 'tls-rpt-missing', area: 'tls-reporting' }), finding({ severity: 'info', code: 'tls-rpt-x', area: 'tls-reporting' })] }, 'TLS reporting');
    expect(one?.['system-out']).toMatch(/^warning tls-rpt-missing: .*\n.*\n\ninfo tls-rpt-x: /);
    expect(one?.failure ?? one?.skipped).toBeUndefined();
  });
});

describe('the attributes that CI systems read', () => {
  const suites = suitesOf([
    verificationResult({ verdict: 'fail', findings: [finding({ area: 'mx', code: 'mx-not-covered' })], mx: [mxResult({ observations: [] })] }),
    verificationResult({ domain: 'other.test', record: { id: 'x9' } }),
  ]);

  test('each domain is a test suite with its counts, its time and its start', () => {
    expect(suites.map((suite) => Object.fromEntries(Object.entries(suite).filter(([name]) => name.startsWith('@'))))).toEqual([
      { '@name': 'example.com', '@tests': '6', '@failures': '1', '@errors': '0', '@skipped': '1', '@time': '0.250', '@timestamp': '2026-01-02T03:04:05' },
      { '@name': 'other.test', '@tests': '6', '@failures': '0', '@errors': '0', '@skipped': '0', '@time': '0.250', '@timestamp': '2026-01-02T03:04:05' },
    ]);
  });

  test('the counts of a test suite are those of its test cases', () => {
    for (const suite of suites) {
      expect(suite.testcase).toHaveLength(Number(suite['@tests']));
      expect(suite.testcase.filter(({ failure }) => failure !== undefined)).toHaveLength(Number(suite['@failures']));
      expect(suite.testcase.filter(({ skipped }) => skipped !== undefined)).toHaveLength(Number(suite['@skipped']));
    }
  });

  test('each test case has a unique name, a class and a time', () => {
    const cases = suites.flatMap(({ testcase }) => testcase);
    expect(new Set(cases.map((one) => one['@name'])).size).toBe(cases.length);
    for (const one of cases) {
      expect(one['@classname']).toMatch(/^(example\.com|other\.test)$/);
      expect(one['@time']).toMatch(/^\d+\.\d{3}$/);
    }
  });

  test('the properties of a test suite contain the result', () => {
    expect(suites[1]?.properties.property.map((one) => [one['@name'], one['@value']])).toEqual([
      ['verdict', 'pass'], ['lookup', 'found'], ['delivery', 'deliver-verified'], ['id', 'x9'], ['mode', 'enforce'], ['max_age', '2592000'],
      ['mta-sts', expect.stringMatching(/^\d+\.\d+\.\d+/)],
    ]);
  });

  test('a run without domains prints a valid JUnit document', () => {
    expect(suitesOf([])).toEqual([]);
  });
});
