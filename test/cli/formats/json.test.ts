import { describe, expect, test } from '@jest/globals';
import { jsonFormat } from '../../../cli/output/formats/json';
import { ndjsonFormat } from '../../../cli/output/formats/ndjson';
import { mxResult, observation, verificationResult } from '../../support/report';
import { safeText } from '../../../lib/util/safe-text';
import { HOSTILE, documentOf, finding } from '../../support/html-document';

const GOOD = verificationResult();
const WARNED = verificationResult({
  findings: [finding({ severity: 'warning', line: 1, column: 2, evidence: 'e', time: '2026-01-02T03:04:05.678Z', temporary: true, fix: 'f', reference: 'r', senders: ['s'] })],
  senders: [{ sender: 'chasquid', effect: 'refuses the policy', code: 'policy-none-without-mx' }],
  delegation: { record: ['a.test'], policyHost: ['b.test'] },
});
const NONE = verificationResult({ verdict: 'fail', lookup: 'none', delivery: 'deliver-unverified', record: null, policy: null, mx: [mxResult({ preference: null, covered: null })] });

/** Hostile text, escaped for display. */
const SHOWN = safeText(HOSTILE, 1000);

/** All documented fields. */
const SHAPES = [
  {
    domain: 'example.com',
    time: '2026-01-02T03:04:05.678Z',
    milliseconds: 250,
    verdict: 'pass',
    lookup: 'found',
    delivery: 'deliver-verified',
    record: { id: 'a1b2' },
    recordObservations: [{ at: 'ns1.example.com (192.0.2.53)', status: 'ok', answer: '"v=STSv1; id=a1b2;" (TTL 300 s)', milliseconds: 35 }],
    policy: { mode: 'enforce', maxAge: 2592000, mx: ['*.example.com'] },
    policyObservations: [{ at: '192.0.2.80', status: 'ok', answer: 'status 200, text/plain, 80 bytes in 35 ms over TLSv1.3', milliseconds: 35 }],
    delegation: { record: ['a.test'], policyHost: ['b.test'] },
    mx: [{
      host: 'mx1.example.com', preference: 10, covered: true, delivery: 'deliver-verified', dane: false,
      observations: [{ at: '198.51.100.25', status: 'ok', answer: 'as it should be', milliseconds: 35 }],
    }],
    senders: [{ sender: 'chasquid', effect: 'refuses the policy', code: 'policy-none-without-mx' }],
    findings: [{
      code: 'some-code', severity: 'warning', subject: 'MX mx1.example.com', message: 'something is wrong', line: 1, column: 2,
      evidence: 'e', time: '2026-01-02T03:04:05.678Z', temporary: true, fix: 'f', reference: 'r', senders: ['s'],
    }],
  },
  expect.objectContaining({ verdict: 'fail', lookup: 'none', record: null, policy: null, mx: [expect.objectContaining({ preference: null, covered: null })], findings: [] }),
];

describe('json', () => {
  test('the JSON of a hostile result keeps data as it is and escapes invisible characters in texts', () => {
    const found = finding({ message: HOSTILE, evidence: HOSTILE, time: HOSTILE });
    const observed = observation(HOSTILE, { answer: HOSTILE });
    const evil = verificationResult({ domain: HOSTILE, recordObservations: [observed], findings: [found] });
    const text = documentOf(jsonFormat(), [evil]);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(JSON.parse(text)).toMatchObject({
      domains: [{
        domain: HOSTILE, recordObservations: [{ at: SHOWN, answer: SHOWN }], findings: [{ message: SHOWN, evidence: SHOWN, time: HOSTILE }],
      }],
    });
  });

  test('the JSON of a result has exactly the documented fields', () => {
    const more = { ...WARNED, secret: 1, record: { id: 'a1b2', extensions: [] } };
    expect(JSON.parse(documentOf(jsonFormat(), [more, NONE]))).toEqual({ domains: SHAPES });
  });

  test.each([0, 1, 3])('the JSON of %d results is laid out like JSON.stringify', (count) => {
    const text = documentOf(jsonFormat(), Array.from({ length: count }, () => GOOD));
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    expect(JSON.parse(text)).toHaveProperty('domains.length', count);
  });
});

describe('ndjson', () => {
  test('each result is one line of NDJSON, whatever it contains', () => {
    const lines = documentOf(ndjsonFormat(), [verificationResult({ domain: HOSTILE }), GOOD]).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('');
    expect(lines[0]).not.toMatch(/\p{C}/u);
    expect(JSON.parse(lines[0] ?? '')).toHaveProperty('domain', HOSTILE);
  });

  test('a line of NDJSON has the same fields as the JSON document', () => {
    const lines = documentOf(ndjsonFormat(), [WARNED, NONE]).trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(SHAPES);
  });

  test('a run without results prints no NDJSON line', () => {
    expect(documentOf(ndjsonFormat(), [])).toBe('');
  });
});
