// Tests properties of every input: rendered text is read back, and any bytes get a verdict in linear time.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Finding } from '../../../lib/protocol/findings/finding';
import { toALabels } from '../../../lib/protocol/domain-name';
import { mxGrammarProblem, mxMatches, mxPatternProblem } from '../../../lib/protocol/mx/pattern';
import { MAX_AGE_LIMIT, MAX_POLICY_BYTES, parsePolicy, renderPolicy } from '../../../lib/protocol/policy/policy';
import type { Policy } from '../../../lib/protocol/policy/policy';
import { policyId } from '../../../lib/protocol/policy/id';
import { parseRecord, renderRecord } from '../../../lib/protocol/records/sts-record';
import { safeText, safeBytes } from '../../../lib/util/safe-text';
import { parseTlsRpt, renderTlsRpt, reportingUriDoubt, reportingUriFault } from '../../../lib/protocol/records/tls-rpt';
import { growsTooFast } from '../../support/work';

const label = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/);
const hostName = fc.tuple(fc.array(label, { maxLength: 2 }), fc.stringMatching(/^[a-z][a-z0-9]{1,10}$/)).map(([labels, top]) => [...labels, top].join('.'));
const pattern = fc.tuple(fc.boolean(), hostName).map(([wild, name]) => (wild ? `*.${name}` : name));
const maxAge = fc.integer({ min: 0, max: MAX_AGE_LIMIT });
const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.record({ mode: fc.constantFrom('enforce', 'testing'), maxAge, mx: fc.array(pattern, { minLength: 1, maxLength: 20 }) }),
  fc.record({ mode: fc.constant('none'), maxAge, mx: fc.array(pattern, { maxLength: 20 }) }),
);
const id = fc.stringMatching(/^[A-Za-z0-9]{1,32}$/);
const uri = fc.oneof(
  fc.tuple(fc.stringMatching(/^[a-z0-9+%2C.-]{1,20}$/), hostName).map(([local, host]) => `mailto:${local}@${host}`),
  fc.tuple(hostName, fc.webPath()).map(([host, path]) => `https://${host}${path}`),
).filter((text) => reportingUriFault(text) === undefined && reportingUriDoubt(text) === undefined);

/** Pieces of the grammars, and pieces that violate the grammars. */
const piece = fc.oneof(
  fc.constantFrom(
    'version: STSv1', 'mode: enforce', 'mode: none', 'mode', 'mx: *.example.com', 'mx: mail.example.com', 'mx:', 'max_age: 86400', 'max_age', ':', ': ', '\n', '\r\n',
    '\r', ' ', '\t', '\0', '\x7f', '\x85', '\xa0', '\ufeff', '\u2028', '\ud800', '#', '<', '*.', '.', '-', '_', 'xn--', 'é', '\u{1f600}', '0', '9999999999',
    'v=STSv1', 'v=STSv1;', 'v=TLSRPTv1;', ';', '; ', 'id=', 'id=1', 'rua=', 'rua=mailto:a@example.com', 'https://', '[', ']', '@', '%', '%2C', ',', '!', '=', '__proto__',
  ),
  fc.string({ maxLength: 5 }),
);
const grammarNear = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));

describe('rendered text is read back', () => {
  test('a rendered policy is read back, and its canonical form stays the same', () => {
    fc.assert(fc.property(policy, (given) => {
      const text = renderPolicy(given);
      const { verdict, policy: read, findings } = parsePolicy(Buffer.from(text, 'ascii'));
      expect(verdict).toBe('valid');
      expect(read).toEqual({ ...given, mx: [...new Set(given.mx.map((one) => one.toLowerCase()))].sort() });
      expect(findings.filter(isError)).toEqual([]);
      // Rendering the canonical form again gives the same bytes.
      expect(renderPolicy(read ?? given)).toBe(text);
    }));
  });

  test('a rendered MTA-STS record is read back without findings', () => {
    fc.assert(fc.property(id, (given) => {
      expect(parseRecord([renderRecord(given)])).toMatchObject({ verdict: 'valid', record: { id: given }, findings: [] });
    }));
  });

  test('a rendered MTA-STS record is read back from character-strings that are cut anywhere', () => {
    fc.assert(fc.property(id, fc.nat(60), fc.nat(60), (given, a, b) => {
      const text = renderRecord(given);
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      expect(parseRecord([[text.slice(0, from), text.slice(from, to), text.slice(to)]])).toEqual(parseRecord([text]));
    }));
  });

  test('a rendered TLSRPT record is read back without errors', () => {
    fc.assert(fc.property(fc.array(uri, { minLength: 1, maxLength: 5 }), (rua) => {
      const { verdict, record, findings } = parseTlsRpt([renderTlsRpt(rua)]);
      expect({ verdict, record, errors: findings.filter(isError) }).toEqual({ verdict: 'valid', record: { rua }, errors: [] });
    }));
  });

  test('the policy id of any text is a valid id of an MTA-STS record', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect(parseRecord([renderRecord(policyId(text))]).verdict).toBe('valid');
    }));
  });
});

describe('any input gets a verdict', () => {
  test('a policy file of random bytes gets a verdict', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), expectPolicyVerdict));
  });

  test('a policy file of 64 KiB of random bytes gets a verdict', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: MAX_POLICY_BYTES, maxLength: MAX_POLICY_BYTES, size: 'max' }), expectPolicyVerdict), { numRuns: 3 });
  });

  test('a policy file of text near the grammar gets a verdict', () => {
    fc.assert(fc.property(grammarNear, (text) => {
      expectPolicyVerdict(Buffer.from(text, 'utf8'));
    }), { numRuns: 300 });
  });

  test('a valid policy file with some bytes changed gets a verdict', () => {
    const change = fc.record({ at: fc.nat(400), bytes: fc.uint8Array({ maxLength: 3 }), removed: fc.nat(3) });
    fc.assert(fc.property(policy, fc.array(change, { minLength: 1, maxLength: 4 }), (given, changes) => {
      const file = changes.reduce((before, { at, bytes, removed }) => (
        Buffer.concat([before.subarray(0, at), bytes, before.subarray(at + removed)])
      ), Buffer.from(renderPolicy(given)));
      expectPolicyVerdict(file);
    }), { numRuns: 200 });
  });

  test('TXT records of text near the grammar get a verdict', () => {
    fc.assert(fc.property(fc.array(fc.oneof(grammarNear, fc.array(grammarNear, { maxLength: 3 })), { maxLength: 4 }), (records) => {
      for (const { verdict, record, text, findings } of [parseRecord(records), parseTlsRpt(records)]) {
        expect(record !== undefined).toBe(verdict === 'valid');
        expect(text !== undefined).toBe(verdict === 'valid' || verdict === 'invalid');
        expect(findings.some(isError)).toBe(verdict !== 'valid');
        findings.forEach(expectShowable);
      }
    }), { numRuns: 300 });
  });

  test('any text as a name or as an mx pattern gets a verdict', () => {
    fc.assert(fc.property(grammarNear, hostName, (text, host) => {
      if (mxGrammarProblem(text) !== undefined) {
        expect(mxPatternProblem(text)).toBe(mxGrammarProblem(text));
        expect(mxMatches(text, host)).toBe(false);
      }
      expect(mxMatches(host, `${text}${host}`)).toBe(text === '');
      const converted = toALabels(text);
      expect(toALabels(converted)).toBe(converted);
    }), { numRuns: 300 });
  });

  test('a reporting address is refused in a TLSRPT record exactly when it is refused alone', () => {
    fc.assert(fc.property(grammarNear.filter((text) => !/[,; \t]/.test(text)), (text) => {
      expect(parseTlsRpt([`v=TLSRPTv1; rua=${text}`]).verdict).toBe(reportingUriFault(text) === undefined ? 'valid' : 'invalid');
    }), { numRuns: 300 });
  });

  test('any escaped text or bytes are printable and at most as long as requested', () => {
    fc.assert(fc.property(fc.oneof(grammarNear, fc.string({ unit: 'binary' })), fc.uint8Array(), fc.integer({ min: 1, max: 200 }), (text, bytes, max) => {
      for (const shown of [safeText(text, max), safeBytes(bytes, max)]) {
        expect(shown).toMatch(/^[\P{C}]*$/u);
        expect(shown.length).toBeLessThanOrEqual(max);
      }
    }));
  });
});

describe('slow inputs of 64 KiB', () => {
  const units = [
    '\n', '\r', '\r\n', ' ', '\t', ' \n', ':', '\0', '#\n', 'a', 'é', '\u202e', ';', '; ', '=', ',', '%', '%41', '@', '*.', '.', '-.', 'a.', 'é.', '9', '[', 'xn--', 'a:b\n',
    'mx:\n', 'mx: é\n', 'mx: a.b\n', 'mode: none\n', 'a=b;', 'id=1;', ' \t', 'v=STSv1', '\\',
  ];
  const readers: Record<string, (text: string) => void> = {
    'policy file': (text) => parsePolicy(Buffer.from(text)),
    'record': (text) => parseRecord([text]),
    'TLSRPT record': (text) => parseTlsRpt([text]),
    'MX pattern': (text) => mxMatches(text, text),
    'reporting address': reportingUriFault,
    'name': toALabels,
  };

  test.each([
    ['policy file', ''],
    ['policy file', 'mx: '],
    ['policy file', 'mx: *.'],
    ['policy file', 'max_age: '],
    ['policy file', 'mode: none'],
    ['policy file', 'note: x'],
    ['record', ''],
    ['record', 'v=STSv1'],
    ['record', 'v=STSv1;'],
    ['record', 'v=STSv1; id='],
    ['record', 'v=STSv1; a'],
    ['TLSRPT record', 'v=TLSRPTv1; rua='],
    ['TLSRPT record', 'v=TLSRPTv1; rua=mailto:a@'],
    ['TLSRPT record', 'v=TLSRPTv1; rua=mailto:a@%5B'],
    ['TLSRPT record', 'v=TLSRPTv1; rua=https://'],
    ['MX pattern', ''],
    ['MX pattern', '*.'],
    ['MX pattern', '1 '],
    ['reporting address', 'mailto:'],
    ['reporting address', 'https://['],
    ['name', ''],
  ])('a %s of 64 KiB that begins with %j is read in linear time', (reader, prefix) => {
    const slow = units.filter((unit) => {
      const times = Math.floor((MAX_POLICY_BYTES - prefix.length) / Buffer.byteLength(unit));
      const texts = { 1: prefix + unit.repeat(times), 0.25: prefix + unit.repeat(times / 4) };
      return growsTooFast((share) => {
        readers[reader]?.(texts[share]);
      });
    });
    expect(slow).toEqual([]);
  }, 300_000);
});

function expectPolicyVerdict(file: Uint8Array): void {
  const { verdict, policy: read, findings } = parsePolicy(file);
  expect(read !== undefined).toBe(verdict === 'valid');
  expect(findings.some(isError)).toBe(verdict === 'invalid');
  findings.forEach(expectShowable);
  if (read !== undefined) expect(() => renderPolicy(read)).not.toThrow();
}

function expectShowable({ message, fix = '', line = 0, column = 0 }: Finding): void {
  expect(`${message}${fix}`).toMatch(/^[\P{C}]*$/u);
  expect(message.length).toBeLessThan(600);
  expect(Math.min(line, column)).toBeGreaterThan(0);
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}
