// Tests the id of a publication: the time of the publication and the hash of the policy file, in 31 letters and digits.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LAST_ID_TIME, hashOfPolicyId, policyHash, policyId, readPolicyId, renderPolicyId } from '../../../lib/protocol/policy/id';
import { parseRecord, renderRecord } from '../../../lib/protocol/records/sts-record';

const TEXT = 'version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n';
const HASH = policyHash(TEXT);

describe('a policy id', () => {
  test('a policy id contains the UTC time of the publication and the hash of the bytes', () => {
    expect(renderPolicyId(Date.parse('2026-11-30T19:24:08.999Z'), 'a1b2c3d4e5f60718')).toBe('20261130T192408a1b2c3d4e5f60718');
    expect(readPolicyId('20261130T192408a1b2c3d4e5f60718')).toEqual({ time: Date.parse('2026-11-30T19:24:08Z'), hash: 'a1b2c3d4e5f60718' });
  });

  test('every sender accepts a policy id, and policy ids sort by time', () => {
    const times = fc.integer({ min: Date.UTC(1000), max: LAST_ID_TIME });
    fc.assert(fc.property(times, times, (one, other) => {
      const [id, next] = [renderPolicyId(one, HASH), renderPolicyId(other, HASH)];
      expect(parseRecord([renderRecord(id)])).toMatchObject({ verdict: 'valid', record: { id } });
      expect(readPolicyId(id)).toEqual({ time: Math.floor(one / 1000) * 1000, hash: HASH });
      if (Math.floor(one / 1000) < Math.floor(other / 1000)) expect(id < next).toBe(true);
    }));
  });

  test.each([
    ['an invalid month', '20261330T192408'], ['an invalid day', '20260230T192408'], ['an invalid hour', '20261130T242408'],
    ['a year before 1000', '00991130T192408'], ['a date alone', '20261130'],
  ])('an id with %s has no time and hash to read', (_, time) => {
    expect(readPolicyId(`${time}${HASH}`)).toBeUndefined();
  });

  test.each([
    ['a time after the year 9999', LAST_ID_TIME + 1000, HASH], ['a time before the year 1000', Date.UTC(999), HASH], ['a longer hash', 0, `${HASH}0`],
    ['a hash in upper case', 0, 'A1B2C3D4E5F60718'],
  ])('a policy id cannot be rendered with %s', (_, time, hash) => {
    expect(() => renderPolicyId(time, hash)).toThrow(RangeError);
  });

  test('the hash is read from the ids of this release and of releases before 0.2, and from no other id', () => {
    expect(hashOfPolicyId(renderPolicyId(0, HASH))).toBe(HASH);
    expect(hashOfPolicyId(policyId(TEXT))).toBe(HASH);
    expect(['20261130', 'abc', `${HASH}${HASH}0`, policyId(TEXT).toUpperCase()].map(hashOfPolicyId)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

test('the policy hash is the beginning of the SHA-256 of the exact bytes', () => {
  expect(policyHash('')).toBe('e3b0c44298fc1c14');
  expect(policyHash(Buffer.from(TEXT))).toBe(HASH);
  expect(policyHash(TEXT.replaceAll('\r\n', '\n'))).not.toBe(HASH);
});
