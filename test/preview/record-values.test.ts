// The values of record sets in a template.
import { describe, expect, test } from '@jest/globals';
import { bareName, readValue } from '../../lib/preview/assembly/record-values';

describe('values that Route 53 refuses', () => {
  test.each([
    ['A', '::1', 'is not an IPv4 address'],
    ['A', '127.0.0.1 ', 'is not an IPv4 address'],
    ['AAAA', '127.0.0.1', 'is not an IPv6 address'],
    ['CNAME', 'a b.example', 'is not a name'],
    ['CNAME', '', 'is not a name'],
    ['NS', '"ns.example"', 'is not a name'],
    ['MX', 'mx1.example.com', 'is not a preference and a host'],
    ['MX', '70000 mx1.example.com', 'is not a preference and a host'],
    ['MX', '10 "mx1"', 'is not a preference and a host'],
    ['TXT', 'v=STSv1; id=1;', 'is not in quotes'],
    ['TXT', '"v=STSv1; id=1;', 'is not in quotes'],
    ['TXT', '"ends in a backslash\\"', 'is not in quotes'],
    ['TXT', '"one" two', 'is not in quotes'],
    ['TXT', '', 'is empty'],
    ['TXT', `"${'x'.repeat(256)}"`, 'has a string of 256 characters'],
    ['CAA', 'issue "amazon.com"', 'is not flags, a tag and a value'],
    ['CAA', '0 is-sue "amazon.com"', 'is not flags, a tag and a value'],
    ['SRV', '0 0 25 mx.example', 'has the type SRV, which the preview does not serve'],
  ])('the preview refuses a record of type %s with the value %j', (type, value, problem) => {
    expect(readValue(type, value)).toEqual(expect.stringContaining(problem));
  });
});

describe('values that Route 53 accepts', () => {
  test.each([
    ['A', '192.0.2.1', '192.0.2.1'],
    ['AAAA', '2001:db8::1', '2001:db8::1'],
    ['CNAME', 'Target.Example.', 'target.example'],
    ['NS', 'ns-1.awsdns-00.com.', 'ns-1.awsdns-00.com'],
    ['MX', '10 MX1.example.com.', { preference: 10, exchange: 'mx1.example.com' }],
    ['MX', '0 .', { preference: 0, exchange: '.' }],
    ['TXT', '"v=STSv1; id=1;"', ['v=STSv1; id=1;']],
    ['TXT', '"v=STSv1; "\t "id=1;"', ['v=STSv1; ', 'id=1;']],
    ['TXT', '"a""b"', ['a', 'b']],
    ['TXT', '"a \\"quote\\", a \\\\ and \\052"', ['a "quote", a \\ and *']],
    ['TXT', '""', ['']],
    ['CAA', '0 issue "amazon.com"', { critical: false, tag: 'issue', value: 'amazon.com' }],
    ['CAA', '128 issuewild ";"', { critical: true, tag: 'issuewild', value: ';' }],
  ])('the preview reads a record of type %s with the value %j', (type, value, data) => {
    expect(readValue(type, value)).toEqual({ type, data });
  });
});

test('a record name loses its escapes, its case and its trailing dot', () => {
  expect(bareName('\\052.Example.COM.')).toBe('*.example.com');
});
