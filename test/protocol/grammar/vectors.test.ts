// Tests every case of test/vectors: its verdict, its values, and a warning where the RFC is ambiguous.
import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../lib/protocol/findings/finding';
import { mxMatches } from '../../../lib/protocol/mx/pattern';
import { parsePolicy } from '../../../lib/protocol/policy/policy';
import { parseRecord } from '../../../lib/protocol/records/sts-record';
import type { RecordResult } from '../../../lib/protocol/records/sts-record';
import { parseTlsRpt } from '../../../lib/protocol/records/tls-rpt';
import type { TlsRptResult } from '../../../lib/protocol/records/tls-rpt';
import { vectors } from './vectors';
import type { PolicyVector, TxtVector } from './vectors';

describe('the shared vectors', () => {
  test.each(vectors('record'))('vector $id: the MTA-STS record is $expect ($name)', (vector) => {
    expectTxt(parseRecord(txtRecords(vector.input)), vector);
  });

  test.each(vectors('tlsrpt'))('vector $id: the TLSRPT record is $expect ($name)', (vector) => {
    expectTxt(parseTlsRpt(txtRecords(vector.input)), vector);
  });

  test.each(vectors('policy'))('vector $id: the policy file is $expect ($name)', (vector) => {
    const { expect: verdict, parsed, ambiguous = false } = vector;
    const result = parsePolicy(bytes(vector));
    expect(result).toMatchObject({
      verdict,
      ...(parsed && { policy: { mode: parsed.mode, maxAge: parsed.max_age, mx: parsed.mx } }),
    });
    expect(result.findings.some(isError)).toBe(verdict === 'invalid');
    if (ambiguous) expect(result.findings.some(isWarningOrWorse)).toBe(true);
  });

  test.each(vectors('mxmatch'))('vector $id: the mx pattern $pattern covers the host $host: $expect ($name)', ({ pattern, host, expect: verdict }) => {
    expect(mxMatches(pattern, host)).toBe(verdict);
  });
});

function expectTxt(result: RecordResult | TlsRptResult, { expect: verdict, parsed, ambiguous = false }: TxtVector): void {
  expect(result).toMatchObject({ verdict, ...(parsed && { record: parsed }) });
  if (verdict === 'valid') expect(result.findings.filter(isError)).toEqual([]);
  if (verdict === 'invalid' || verdict === 'multiple') expect(result.findings.some(isError)).toBe(true);
  if (ambiguous) expect(result.findings.some(isWarningOrWorse)).toBe(true);
}

function txtRecords(input: TxtVector['input']): readonly (string | readonly string[])[] {
  return typeof input === 'string' ? [input] : input;
}

function bytes({ input = '', inputBase64 }: PolicyVector): Uint8Array {
  return inputBase64 === undefined ? Buffer.from(input, 'utf8') : Buffer.from(inputBase64, 'base64');
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

function isWarningOrWorse({ severity }: Finding): boolean {
  return severity === 'error' || severity === 'warning';
}
