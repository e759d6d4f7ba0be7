import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { XMLValidator } from 'fast-xml-parser';
import { htmlFormat } from '../../../cli/output/formats/html';
import type { VerificationResult } from '../../../lib/verifier/result';
import { mxResult, observation, verificationResult } from '../../support/report';
import { HOSTILE, documentOf, finding } from '../../support/html-document';

function pageOf(...results: readonly VerificationResult[]): string {
  return documentOf(htmlFormat(), results);
}

/** Returns the visible text, a line for each element with text, without the style sheet. */
function wordsOf(page: string): string {
  return page.replace(/<style>[^]*<\/style>/, '').replace(/<[^>]*>/g, '\n').replace(/\n+/g, '\n')
    .replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', '\'').replaceAll('&amp;', '&');
}

/** Returns the pictures. Each must be well-formed. */
function picturesOf(page: string): string[] {
  return page.match(/<figure class="picture">[^]*?<\/figure>/g) ?? [];
}

const FAIL = verificationResult({
  verdict: 'fail',
  delivery: 'refuse',
  findings: [
    finding({ code: 'mx-not-covered', message: 'it is `not` covered', evidence: '10 mx1.example.com', time: '2026-01-02T03:04:05.678Z', fix: 'add `mx: mx1.example.com`', reference: 'RFC 8461 §4.1 and §8.1, RFC 3629 §4' }),
    finding({ severity: 'unknown', code: 'dns-failure', message: 'no answer' }),
    finding({ severity: 'warning', code: 'policy-mx-upper-case', line: 3, column: 5, senders: ['aykevl', 'kumomta'] }),
    finding({ severity: 'info', code: 'ipv6-missing' }),
  ],
});

describe('hostile text', () => {
  const shown = { subject: HOSTILE, message: HOSTILE, evidence: HOSTILE, time: HOSTILE, fix: HOSTILE, reference: HOSTILE };
  const texts = { code: HOSTILE, ...shown, senders: [HOSTILE] };
  const evil = verificationResult({
    verdict: 'fail', domain: HOSTILE, time: HOSTILE, findings: [finding(texts)],
    record: { id: HOSTILE },
    recordObservations: [observation(`${HOSTILE} (${HOSTILE})`, { answer: HOSTILE })],
    policyObservations: [observation(HOSTILE, { answer: HOSTILE, status: 'failed' })],
    delegation: { record: [HOSTILE], policyHost: [HOSTILE] },
    mx: [mxResult({ host: HOSTILE, observations: [observation(HOSTILE)] })],
    senders: [{ sender: HOSTILE, effect: HOSTILE, code: HOSTILE }],
  });

  test('hostile text is never markup in the page, neither in a section nor in the index', () => {
    for (const page of [pageOf(evil), pageOf(evil, verificationResult())]) {
      expect(page).not.toMatch(/<script/i);
      expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(page).not.toMatch(/[^\n\P{C}]/u);
    }
  });

  test('hostile text closes no attribute of the page', () => {
    const page = pageOf(evil).replace(/<style>[^]*<\/style>/, '');
    const tags = page.match(/<[a-z][^>]*>/g) ?? [];
    expect(tags.filter((tag) => !/^<[a-z][a-z0-9]*(?: [a-z-]+(?:="[^"<]*")?)*\/?>$/i.test(tag))).toEqual([]);
  });

  test('hostile text in the picture is cut and escaped, and the picture stays well-formed', () => {
    const pictures = picturesOf(pageOf(evil));
    expect(pictures).toHaveLength(1);
    for (const one of pictures) expect(XMLValidator.validate(one)).toBe(true);
  });

  test('a name of 253 characters is cut in the picture and complete in the text', () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    const page = pageOf(verificationResult({ domain: long }));
    const drawn = picturesOf(page).flatMap((one) => [...one.matchAll(/<code>([^<]*)</g)].map(([, text = '']) => text));
    expect(Math.max(...drawn.map((text) => text.length))).toBeLessThanOrEqual(80);
    expect(drawn).toContainEqual(expect.stringMatching(/^a+\.b+…$/));
    expect(page).toContain(`${long}: <span`);
  });
});

describe('a page without requests', () => {
  const page = pageOf(FAIL);

  test('the page forbids everything but its own style sheet, by its hash', () => {
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(page) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;">`);
    expect(page.match(/<style/g)).toHaveLength(1);
  });

  test('the page loads, runs and styles nothing from outside', () => {
    expect(page).not.toMatch(/<(?:script|link|img|iframe|object|embed|form|base|video|audio|image)\b/i);
    expect(page).not.toMatch(/ (?:src|style|on[a-z]+|srcset|background)=/i);
    expect(page).not.toMatch(/url\(|@import|@font-face/i);
    expect([...page.matchAll(/ href="([^"]*)"/g)].map(([, target = '']) => target).filter((target) => !/^(?:#[a-z0-9-]+|https:\/\/www\.rfc-editor\.org\/rfc\/rfc\d+#section-[\d.]+)$/.test(target))).toEqual([]);
  });
});

describe('the section of a domain', () => {
  const page = pageOf(FAIL);
  const words = wordsOf(page);

  test('the section shows the verdict first, in the only first-level heading', () => {
    expect(page.match(/<h1/g)).toHaveLength(1);
    expect(page).toMatch(/<h1 id="d1-h">example\.com: <span class="word">fail<\/span><\/h1>/);
    expect(page).toContain('<title>MTA-STS of example.com: fail</title>');
  });

  test('the section shows each finding with evidence, time, fix and links to its sections, worst first', () => {
    expect([...page.matchAll(/<article class="finding ([a-z]+)"/g)].map(([, severity]) => severity)).toEqual(['error', 'unknown', 'warning', 'info']);
    expect(page).toContain('<h4>it is <code>not</code> covered</h4>');
    expect(page).toContain('add <code>mx: mx1.example.com</code>');
    expect(page).toContain('<code>10 mx1.example.com</code>');
    expect(page).toContain('<time datetime="2026-01-02T03:04:05.678Z">2026-01-02 03:04:05 UTC</time>');
    expect(page).toContain('<a href="https://www.rfc-editor.org/rfc/rfc8461#section-4.1" rel="noreferrer">RFC 8461 §4.1</a> and §8.1, <a href="https://www.rfc-editor.org/rfc/rfc3629#section-4" rel="noreferrer">RFC 3629 §4</a>');
    expect(words).toContain('MX mx1.example.com, line 3, column 5\n');
    expect(words).toContain('\naykevl, kumomta\n');
  });

  test('the section lists every observation with its answer', () => {
    expect(words).toMatch(/All observations \(3\)[^]*TXT record\nns1\.example\.com \(192\.0\.2\.53\)\n"v=STSv1; id=a1b2;" \(TTL 300 s\)\n35 ms[^]*policy file\n192\.0\.2\.80\n/);
  });

  test('the section shows the delivery to each MX host', () => {
    const text = wordsOf(pageOf(verificationResult({ mx: [mxResult({ dane: true }), mxResult({ host: '', preference: null, covered: false, delivery: 'refuse' })] })));
    expect(text).toContain('mx1.example.com\n10\ncovers it\ndelivers, verified\nTLSA records\n');
    expect(text).toContain('\n.\nimplicit\ndoes not cover it\nrefuses\nnone\n');
  });

  test('the section lists senders that differ, with a link to the finding that says why', () => {
    const seen = pageOf(verificationResult({ findings: [finding({ severity: 'warning', code: 'policy-none-without-mx' })], senders: [{ sender: 'chasquid', effect: 'refuses the policy', code: 'policy-none-without-mx' }] }));
    expect(seen).toContain('<a href="#d1-policy-none-without-mx">');
    expect(seen).toContain('id="d1-policy-none-without-mx"');
    expect(wordsOf(seen)).toContain('chasquid\nrefuses the policy\npolicy-none-without-mx\n');
  });

  test('the section shows a delegation by CNAME', () => {
    expect(wordsOf(pageOf(verificationResult({ delegation: { record: ['a.provider.test'], policyHost: [] } })))).toContain('_mta-sts.example.com is delegated by CNAME to a.provider.test');
  });

  test('the page has no id twice', () => {
    const ids = [...pageOf(FAIL, verificationResult(), { ...FAIL, findings: [finding(), finding()] }).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the section lists findings up to a limit and counts the rest', () => {
    const seen = pageOf(verificationResult({ findings: Array.from({ length: 130 }, () => finding()) }));
    expect(seen.match(/<article/g)).toHaveLength(100);
    expect(wordsOf(seen)).toContain('130 errors\n');
    expect(wordsOf(seen)).toContain('and 30 findings more; --format json lists them all');
  });
});

describe('the picture', () => {
  /** Returns mark and title of each box. */
  function boxesOf(one: Partial<VerificationResult>): string[] {
    const pictures = picturesOf(pageOf(verificationResult(one)));
    return pictures.flatMap((html) => [...html.matchAll(/<li class="box (\w+)".*?<code>(.*?)<\/code>/g)].map(([, mark, title]) => `${mark ?? ''} ${title ?? ''}`));
  }

  test('the picture marks a failed observation like its step, and one that could not be tried as unknown', () => {
    expect(boxesOf({
      verdict: 'fail',
      findings: [finding({ severity: 'warning', subject: 'https://mta-sts.example.com/.well-known/mta-sts.txt' })],
      recordObservations: [observation('ns1.example.com (192.0.2.53)'), observation('the recursive resolver (192.0.2.1:53)', { status: 'unknown' })],
      policyObservations: [observation('192.0.2.80'), observation('192.0.2.81', { status: 'failed' })],
      mx: [mxResult(), mxResult({ host: 'other.test', covered: false, delivery: 'refuse' })],
    })).toEqual([
      'error example.com',
      'good ns1.example.com', 'unknown recursive resolver',
      'good 192.0.2.80', 'warning 192.0.2.81',
      'warning mode enforce',
      'good mx1.example.com', 'error other.test',
    ]);
  });

  test('the picture of a domain without a record does not ask for the rest', () => {
    expect(boxesOf({ verdict: 'fail', lookup: 'none', record: null, policy: null, recordObservations: [], policyObservations: [], mx: [], findings: [] })).toEqual([
      'error example.com', 'error _mta-sts.example.com', 'skipped mta-sts.example.com', 'skipped never asked for', 'skipped no mail host',
    ]);
  });

  test('the picture marks an undecided step as neither good nor an error', () => {
    expect(boxesOf({ verdict: 'unknown', lookup: 'temporary-error', record: null, policy: null, recordObservations: [], policyObservations: [], mx: [], findings: [] })).toEqual([
      'unknown example.com', 'unknown _mta-sts.example.com', 'unknown mta-sts.example.com', 'unknown no usable policy', 'skipped no mail host',
    ]);
  });

  test('the picture of many observations draws those that are not good and counts the others', () => {
    const boxes = boxesOf({
      policyObservations: Array.from({ length: 12 }, (_, at) => observation(`192.0.2.${at}`, { status: at === 11 ? 'failed' : 'ok' })),
      mx: Array.from({ length: 9 }, (_, at) => mxResult({ host: `mx${at}.example.com`, covered: at !== 8, delivery: at === 8 ? 'refuse' : 'deliver-verified' })),
    });
    expect(boxes).toContain('warning 192.0.2.11');
    expect(boxes).toContain('skipped 7 more addresses');
    expect(boxes).toContain('error mx8.example.com');
    expect(boxes).toContain('skipped 4 more hosts');
    expect(boxes).toHaveLength(15);
  });

  test('the picture has a label for screen readers, and a word for each mark', () => {
    const [picture = ''] = picturesOf(pageOf(FAIL));
    expect(picture).toContain('<ol aria-label="The steps of a sender&#39;s look-up of example.com">');
    const marks = [...picture.matchAll(/<li class="box (\w+)".*?<p><b>(\w+)<\/b>/g)].map(([, mark, word]) => `${mark ?? ''} ${word ?? ''}`);
    expect(marks).toEqual(['error fail', 'good good', 'good good', 'good good', 'error error']);
  });
});

describe('several domains', () => {
  test('the page of several domains has an index with links, worst first', () => {
    const page = pageOf(verificationResult({ domain: 'a.test' }), { ...FAIL, domain: 'b.test' }, verificationResult({ domain: 'c.test', verdict: 'unknown' }));
    expect([...page.matchAll(/<a href="#(d\d)">([^<]*)</g)].map(([, id, domain]) => `${id} ${domain}`)).toEqual(['d2 b.test', 'd3 c.test', 'd1 a.test']);
    expect([...page.matchAll(/<section class="domain" id="(d\d)"/g)].map(([, id]) => id)).toEqual(['d2', 'd3', 'd1']);
    expect(wordsOf(page)).toMatch(/3 domains\n[^]*fail\n1\n[^]*undecided\n1\n[^]*pass\n1\n/);
    expect(page.match(/<h1/g)).toHaveLength(1);
  });

  test('the page of several domains folds those that passed', () => {
    const page = pageOf(verificationResult({ domain: 'a.test' }), { ...FAIL, domain: 'b.test' });
    expect(page.match(/<details class="passed">/g)).toHaveLength(1);
    expect(page).toMatch(/<details class="passed"><summary class="good">[^\n]*<b>a\.test<\/b><span>enforce, pass<\/span><\/summary>/);
  });

  test('the page of very many domains shows the worst, names more, and counts all', () => {
    const results = Array.from({ length: 1200 }, (_, at) => verificationResult({ domain: `d${at}.test`, verdict: at === 1199 ? 'fail' : 'pass' }));
    const page = pageOf(...results);
    expect(page.match(/<section class="domain"/g)).toHaveLength(100);
    expect(page.match(/<li><svg/g)).toHaveLength(1000);
    expect(page).toContain('<a href="#d1200">d1199.test</a>');
    expect(wordsOf(page)).toContain('1200 domains\n');
    expect(wordsOf(page)).toContain('and 200 more; --format ndjson lists them all');
  });

  test('the page without any domain says so', () => {
    expect(wordsOf(pageOf())).toContain('No domain was verified\n');
  });
});

test('the section says of each mail host that its delivery depends on the sender, as the picture does', () => {
  const disputed = verificationResult({ verdict: 'fail', policy: null, delivery: 'unknown', takenBy: ['courier'], mx: [mxResult({ delivery: 'unknown' })] });
  expect(wordsOf(pageOf(disputed))).toContain('\ndepends on the sender\n');
  expect(wordsOf(pageOf(verificationResult({ delivery: 'unknown', mx: [mxResult({ delivery: 'unknown' })] })))).not.toContain('depends on the sender');
});
