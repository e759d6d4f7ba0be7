// Hostile DNS and servers: no text of any format hides text, changes its direction, controls a terminal or becomes a link.
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Reporter } from '../../../cli/output/reporter';
import { githubFormat } from '../../../cli/output/formats/github';
import { htmlFormat } from '../../../cli/output/formats/html';
import { jobSummaryFormat } from '../../../cli/output/formats/job-summary';
import { jsonFormat } from '../../../cli/output/formats/json';
import { junitFormat } from '../../../cli/output/formats/junit';
import { ndjsonFormat } from '../../../cli/output/formats/ndjson';
import { textFormat } from '../../../cli/output/formats/text';
import { Style } from '../../../cli/output/terminal';
import { summary } from '../../../lib/verifier/result';
import type { VerificationResult } from '../../../lib/verifier/result';
import { Loopback, POLICY, RECORDS, zone } from '../../support/domain';
import { mxResult, observation, verificationResult } from '../../support/report';
import { documentOf, finding } from '../../support/html-document';

const loopback = new Loopback();
afterEach(() => loopback.close());

/** Control, bidi and invisible characters, half characters, links of every kind, and any text between them. */
const hostile = fc.array(fc.oneof(
  fc.constantFrom(
    '\0', '\t', '\n', '\r', '\x1b[31m', '\x7f', '\x85', '\x9b', '\u061c', '\u200b', '\u200e', '\u200f', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067',
    '\u2068', '\u2069', '\u2028', '\u2029', '\ufeff', '\ufff9', '\ud800', '\udcff', '\u{e0041}', '\ufffe', 'www.evil.example', 'a@evil.example', '@evil', 'xmpp:a@evil.example/x',
    'mailto:a@evil.example', 'https://evil.example/', 'HTTP://evil.example', 'ftp://evil.example', '_www.evil.example', '#123', 'evil/repo#1', 'GH-1', 'GHSA-aaaa-bbbb-cccc',
    'deadbeefcafe', '0123456789abcdef0123456789abcdef01234567', ':tada:', '`', '|', '<b>', '[x](https://evil.example)', '::error::x', '%0A', ']]>', '&amp;',
  ),
  fc.string({ maxLength: 4 }),
), { maxLength: 8 }).map((pieces) => pieces.join(''));

const hostileReport: fc.Arbitrary<VerificationResult> = fc.tuple(hostile, hostile, hostile).map(([one, two, three]) => verificationResult({
  domain: one,
  verdict: 'fail',
  delivery: 'refuse',
  record: { id: two },
  recordObservations: [observation(one, { answer: two }), observation(two, { answer: three, status: 'failed' })],
  policyObservations: [observation(three, { answer: one, status: 'unknown' })],
  delegation: { record: [two], policyHost: [three] },
  mx: [mxResult({ host: three, observations: [observation(one, { answer: three })] })],
  senders: [{ sender: one, effect: two, code: three }],
  findings: [finding({ subject: one, message: two, evidence: three, fix: one, reference: two, senders: [three] }), finding({ severity: 'warning', code: two, message: three })],
  deployment: { earliestRemoval: one, warnings: two },
}));

/** Characters that hide text, change its direction or control a terminal. `\n` is the layout of a document. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Removes line ends and our own emoji, two of which have a variation selector. */
function bare(document: string): string {
  return document.replace(/\n|[⚠ℹ]\ufe0f/gu, '');
}

/** The keys whose values are unescaped data. */
const DATA = new Set(['domain', 'record', 'policy', 'delegation', 'host', 'input', 'time']);

/** Returns every text in the parsed JSON of a result. */
function wordsOf(value: unknown, key = ''): string[] {
  if (DATA.has(key)) return [];
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => wordsOf(inner, Array.isArray(value) ? '' : name));
}

const FORMATS: readonly (readonly [string, () => Reporter])[] = [
  ['text', () => textFormat(new Style({ colour: false, unicode: true, columns: 80 }))],
  ['text in ASCII', () => textFormat(new Style({ colour: false, unicode: false, columns: undefined }))],
  ['json', jsonFormat], ['ndjson', ndjsonFormat], ['junit', junitFormat], ['github', githubFormat], ['job summary', jobSummaryFormat], ['html', htmlFormat],
];

describe('a hostile result', () => {
  test.each(FORMATS)('a hostile result as %s has no control, bidi or invisible character', (_name, format) => {
    fc.assert(fc.property(hostileReport, (one) => {
      expect(bare(documentOf(format(), [one]))).not.toMatch(UNSAFE);
    }));
  });

  test.each([['json', jsonFormat], ['ndjson', ndjsonFormat]] as const)('a hostile result as %s has no such character in its texts after the JSON is parsed', (_name, format) => {
    fc.assert(fc.property(hostileReport, (one) => {
      const words = wordsOf(JSON.parse(documentOf(format(), [one])));
      expect(words.length).toBeGreaterThan(20);
      for (const word of words) expect(word).not.toMatch(UNSAFE);
    }));
  });

  test('a hostile result makes no link, mention or reference in the job summary', () => {
    fc.assert(fc.property(hostileReport, (one) => {
      for (const text of textNodes(documentOf(jobSummaryFormat(), [one]))) {
        for (const link of LINKS) expect(text).not.toMatch(link);
      }
    }), { numRuns: 200 });
  });

  test.each([
    ['www.evil.example', 'www<wbr>.evil.example'],
    ['a@evil.example', 'a\\@<wbr>evil.example'],
    ['xmpp:a@evil.example', 'xmpp\\:<wbr>a\\@<wbr>evil.example'],
    ['https://evil.example', 'https\\:<wbr>//evil.example'],
  ])('the job summary shows %j as %j', (text, markdown) => {
    expect(documentOf(jobSummaryFormat(), [verificationResult({ findings: [finding({ message: text })] })])).toContain(`| ${markdown} |`);
  });
});

/** Text between two elements that GitHub would turn into a link, after the escapes of Markdown are removed. */
const LINKS = [
  /www\./i, /[\w.+-]@[\w-]/, /@\w/, /(?:mailto|xmpp):\S/i, /[a-z][\w+.-]*:\/\//i, /#\d/, /\bGH-\d/i, /\b(?:GHSA|CVE)-\w/i, /\b[0-9a-f]{7,40}\b/i,
];

/** Returns the texts between the elements, without the escapes of Markdown. */
function textNodes(markdown: string): string[] {
  return markdown.replace(/\\([!-/:-@[-`{-~])/g, '$1').split(/<\/?(?:wbr|br|sub)>|\|/)
    .map((text) => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&'));
}

describe('a whole verification of a hostile domain', () => {
  const CONTROLS = '\x1b[31m\u202e\u2066\x85\xff';
  const bytes = Buffer.from(CONTROLS, 'utf8').toString('latin1');

  test.each([
    ['TLSRPT', { tlsRpt: { ...RECORDS.tlsRpt, data: [`v=TLSRPTv1; rua=mailto:a@\xff@\x1b[31m, mailto:b@${bytes}, https://${bytes}/`] } }],
    ['the record', { sts: { ...RECORDS.sts, data: [`v=STSv1; id=${bytes}; ${bytes}=x; x=${bytes}`] } }],
    ['text beside the record', { sts: { ...RECORDS.sts, data: [`v=STS1${bytes}; id=1`] } }],
    ['a mail host', { mx1: { ...RECORDS.mx1, data: { preference: 10, exchange: 'mx\x1b[31m.evil.test' } } }],
  ])('a verification with %s has no control character in its texts', async (_name, changes) => {
    const one = await loopback.verify({ zone: zone(changes), policy: { body: `${POLICY}${CONTROLS}: x\r\nmx: ${CONTROLS}\r\nnote: \x1b\r\nmode: \u202e\r\n` } });
    const json: unknown = JSON.parse(documentOf(jsonFormat(), [one]));
    for (const word of [...wordsOf(json), summary(one), ...one.findings.flatMap(({ message, fix = '', evidence = '', subject }) => [message, fix, evidence, subject])]) {
      expect(word).not.toMatch(UNSAFE);
    }
    for (const [, format] of FORMATS) expect(bare(documentOf(format(), [one]))).not.toMatch(UNSAFE);
  });
});
