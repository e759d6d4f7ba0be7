// Compares the finding catalogue with the parsers: every code has a complete entry and an input that gives it.
import { describe, expect, test } from '@jest/globals';
import { FINDINGS } from '../../../lib/protocol/findings/catalog';
import type { FindingCode } from '../../../lib/protocol/findings/catalog';
import type { FindingKind } from '../../../lib/protocol/findings/kind';
import { MAX_POLICY_BYTES, parsePolicy } from '../../../lib/protocol/policy/policy';
import { parseRecord } from '../../../lib/protocol/records/sts-record';
import { parseTlsRpt } from '../../../lib/protocol/records/tls-rpt';

const kinds: readonly [string, FindingKind][] = Object.entries(FINDINGS);

describe('each code', () => {
  test.each(kinds)('the catalogue gives meaning, impact, fix and reference of %s', (code, kind) => {
    expect(code).toMatch(/^(txt|record|tls-rpt|policy)(-[a-z0-9]+)+$/);
    expect(kind.meaning).toMatch(/^[A-Z`].*\.$/);
    expect(kind.impact).toMatch(/^[A-Z].*\.$/);
    expect(kind.fix).toMatch(/^[a-z].*[^.]$/);
    expect(kind.reference).toMatch(/^RFC (8461|8460) §\d/);
  });

  /** One input for each code: TXT records for the codes of TXT records, a policy file for all others. */
  const inputs: Record<FindingCode, string | readonly string[]> = {
    'txt-version-delimiter': ['v=STSv1'],
    'txt-blank-before-delimiter': ['v=STSv1 ; id=1'],
    'txt-empty-field': ['v=STSv1;; id=1'],
    'txt-trailing-blank': ['v=STSv1; id=1 '],
    'txt-no-equals': ['v=STSv1; id'],
    'txt-blank-around-equals': ['v=STSv1; id =1'],
    'txt-field-name': ['v=STSv1; -=1'],
    'txt-field-value': ['v=STSv1; a='],
    'txt-duplicate-field': ['v=STSv1; id=1; id=2'],
    'txt-misspelled-field': ['v=STSv1; ID=1'],
    'txt-unknown-field': ['v=STSv1; a=1'],
    'record-multiple': ['v=STSv1;', 'v=STSv1;'],
    'record-unrecognised': ['v=STSv10;'],
    'record-version-text': ['v=STSv1; id=1', 'v=STSv1 is here'],
    'record-version-case': ['v=STSv1; id=1', 'v=stsv1;'],
    'record-none': ['v=spf1 -all'],
    'record-unrelated-txt': ['v=spf1 -all', 'v=STSv1; id=1'],
    'record-tab': ['v=STSv1;\tid=1'],
    'record-id-missing': ['v=STSv1;'],
    'record-id-invalid': ['v=STSv1; id=-'],
    'tls-rpt-multiple': ['v=TLSRPTv1;', 'v=TLSRPTv1;'],
    'tls-rpt-unrecognised': ['v=tlsrptv1;'],
    'tls-rpt-version-text': ['v=TLSRPTv1;', 'v=TLSRPTv1'],
    'tls-rpt-none': ['v=DMARC1'],
    'tls-rpt-unrelated-txt': ['v=DMARC1'],
    'tls-rpt-rua-missing': ['v=TLSRPTv1;'],
    'tls-rpt-rua-not-second': ['v=TLSRPTv1; a=b; rua=mailto:a@b.example'],
    'tls-rpt-rua-duplicate': ['v=TLSRPTv1; rua=mailto:a@b.example; rua=mailto:a@b.example'],
    'tls-rpt-uri': ['v=TLSRPTv1; rua=a@b.example'],
    'tls-rpt-uri-host': ['v=TLSRPTv1; rua=mailto:a@b'],
    'policy-too-large': 'x'.repeat(MAX_POLICY_BYTES + 1),
    'policy-empty': '',
    'policy-html': '<p>',
    'policy-encoding': 'base64://4=',
    'policy-bom': '\ufeffmode: none',
    'policy-utf8': 'base64:/w==',
    'policy-control-character': '\0',
    'policy-stray-cr': '\rx',
    'policy-blank-line': '\n',
    'policy-comment': '# x',
    'policy-leading-blank': ' mode: none',
    'policy-no-colon': 'mode',
    'policy-blank-before-colon': 'mode : none',
    'policy-field-name': '-: x',
    'policy-empty-value': 'mode:',
    'policy-version-missing': 'mode: none',
    'policy-mode-missing': 'version: STSv1',
    'policy-max-age-missing': 'mode: none',
    'policy-mx-missing': 'mode: enforce',
    'policy-version': 'version: 1',
    'policy-mode': 'mode: on',
    'policy-max-age': 'max_age: 1d',
    'policy-max-age-limit': 'max_age: 31557601',
    'policy-mx-pattern': 'mx: .example.com',
    'policy-large': `note: ${'x'.repeat(10240)}`,
    'policy-none-without-mx': 'mode: none',
    'policy-max-age-zero': 'max_age: 0',
    'policy-max-age-short': 'max_age: 1',
    'policy-max-age-enforce': 'mode: enforce\nmax_age: 86400',
    'policy-max-age-at-limit': 'max_age: 31557600',
    'policy-duplicate-field': 'mode: none\nmode: none',
    'policy-duplicate-version': 'version: STSv1\nversion: STSv1',
    'policy-mx-duplicate': 'mx: a.example\nmx: a.example',
    'policy-mx-upper-case': 'mx: A.example',
    'policy-mx-single-label': 'mx: *.example',
    'policy-mx-reserved-label': 'mx: mx--1.example.com',
    'policy-mx-digits': 'mx: mx.example.123',
    'policy-misspelled-field': 'max-age: 1',
    'policy-unknown-field': 'note: x',
  };

  test.each(Object.entries(inputs))('the parsers report %s with position, severity, reference and senders', (code, input) => {
    const { severity, reference, quirks } = new Map(kinds).get(code) ?? {};
    const accepting = quirks?.filter(({ accepts }) => accepts).flatMap((one) => one.senders) ?? [];
    const all = quirks?.flatMap((one) => one.senders);
    // A finding that many senders refuse names only the senders that accept the input.
    const senders = all !== undefined && accepting.length > 0 && all.length - accepting.length > 6 ? accepting : all;
    expect(findingsOf(input)).toContainEqual(expect.objectContaining({
      code, severity, reference, line: expect.any(Number), column: expect.any(Number), ...(senders && { senders }),
    }));
  });
});

test('every finding message begins in lower case, has no full stop and names its senders', () => {
  const samples = ['v: 1\nmode: none\nmode: x\nmax_age: 0\nmx: A\n\n# x', 'version: 2\nmode: on\nmax_age: 1d\nmx: *\n : \n-: x'];
  const findings = samples.flatMap(findingsOf);
  expect(findings.length).toBeGreaterThan(10);
  for (const { message, senders = [] } of findings) {
    expect(message).toMatch(/^[a-z`].*[^.]$/);
    for (const sender of senders) expect(message).toContain(sender);
  }
});

function findingsOf(input: string | readonly string[]): ReturnType<typeof parsePolicy>['findings'] {
  if (typeof input === 'string') {
    return parsePolicy(input.startsWith('base64:') ? Buffer.from(input.slice('base64:'.length), 'base64') : Buffer.from(input, 'utf8')).findings;
  }
  const [first = ''] = input;
  return first.toLowerCase().startsWith('v=sts') || first.startsWith('v=spf') ? parseRecord(input).findings : parseTlsRpt(input).findings;
}
