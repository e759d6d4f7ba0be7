// What came back, in one line and as zone files write it.
import { describe, expect, test } from '@jest/globals';
import { NOT_ASKED, answerText } from '../../lib/verifier/evidence';
import type { DnsData, DnsType } from '../../lib/verifier/dns/answer';

function found(...records: DnsData[DnsType][]): string {
  return answerText({ status: 'found', records, ttl: 60, authoritative: true, server: '192.0.2.53:53', cnames: [] });
}

describe('evidence', () => {
  test('evidence shows each record as a zone file does', () => {
    expect(found({ preference: 10, exchange: 'mx1.example.test' }, { preference: 0, exchange: '' })).toBe('10 mx1.example.test, 0 . (TTL 60 s)');
    expect(found({ critical: false, tag: 'issue', value: 'amazon.com' }, { critical: true, tag: 'iodef', value: '' }))
      .toBe('0 issue "amazon.com", 128 iodef "" (TTL 60 s)');
    expect(found(['v=STSv1; ', 'id=1;'], [])).toBe('"v=STSv1; id=1;", "" (TTL 60 s)');
    expect(found('ns1.example.test', '')).toBe('ns1.example.test, . (TTL 60 s)');
  });

  test('evidence escapes control characters in every part of a record', () => {
    expect(found({ preference: 1, exchange: 'm\u001b' })).toBe('1 m\\x1b (TTL 60 s)');
    expect(found({ critical: false, tag: 't\u001b', value: 'v\u001b' })).toBe('0 t\\x1b "v\\x1b" (TTL 60 s)');
  });

  test('evidence does not call a query unanswered that was never sent', () => {
    const failed = (reason: string): string => answerText({ status: 'failed', reason, server: 'the recursive resolver', cnames: [] });
    expect(failed(NOT_ASKED)).toBe('not asked, the time was up');
    expect(failed('SERVFAIL')).toBe('no answer (SERVFAIL)');
  });
});
