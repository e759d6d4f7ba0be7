// Which names of a certificate a sender takes for a host, and the words for those that it does not.
import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { certificateProblem, describeCertificate } from '../../../lib/verifier/tls/certificate';
import { dnsNames, matchesName, nearMiss } from '../../../lib/verifier/tls/certificate-names';
import { Loopback, MX1, POLICY_HOST } from '../../support/domain';
import { testAuthority } from '../../support/policy-server';
import { finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

describe('a name in a certificate is taken for a host', () => {
  test.each([
    ['mta-sts.example.com', 'mta-sts.example.com'],
    ['MTA-STS.Example.COM', 'mta-sts.example.com'],
    ['mta-sts.example.com', 'MTA-STS.EXAMPLE.COM.'],
    ['*.example.com', 'mta-sts.example.com'],
    ['*.com', 'example.com'],
    ['*.xn--bcher-kva.example', 'mta-sts.xn--bcher-kva.example'],
    ['*.example.com', 'xn--bcher-kva.example.com'],
    ['_mx.example.com', '_mx.example.com'],
  ])('the certificate name %s matches the host %s', (name, host) => {
    expect(matchesName(name, host)).toBe(true);
    expect(nearMiss(name, host)).toBeUndefined();
  });
});

test('a letter that only Unicode folds to ASCII does not match', () => {
  expect(matchesName('MTA-STS.\u212aEY.example', 'mta-sts.key.example')).toBe(false);
  expect(nearMiss('MTA-STS.\u212aEY.example', 'mta-sts.key.example')).toBeUndefined();
});

describe('a name in a certificate is not taken for a host', () => {
  const STAR = 'has a `*` that is not its complete left-most label';
  test.each([
    ['mta-*.example.com', 'mta-sts.example.com', STAR],
    ['m*.example.com', 'mta-sts.example.com', STAR],
    ['*-sts.example.com', 'mta-sts.example.com', STAR],
    ['m*s.example.com', 'mta-sts.example.com', STAR],
    ['**.example.com', 'mta-sts.example.com', STAR],
    ['mta-sts.*.com', 'mta-sts.example.com', STAR],
    ['*.*.com', 'mta-sts.example.com', STAR],
    ['xn--*.example.com', 'xn--bcher-kva.example.com', STAR],
    ['mta-sts.example.com.', 'mta-sts.example.com', 'ends in a dot, which no name in a certificate may'],
    ['*.example.com.', 'mta-sts.example.com', 'ends in a dot, which no name in a certificate may'],
    ['*.com', 'mta-sts.example.com', 'has a `*`, which stands for exactly one label'],
    ['*.example.com', 'mta-sts.a.example.com', 'has a `*`, which stands for exactly one label'],
    ['*', 'mta-sts.example.com', 'has a `*`, which stands for exactly one label'],
    ['*.example.com', 'example.com', 'is a wildcard, which does not stand for the name below it'],
    ['https://mta-sts.example.com/', 'mta-sts.example.com', 'is more than a host name'],
    ['mta-sts.example.com:443', 'mta-sts.example.com', 'is more than a host name'],
    ['.mta-sts.example.com', 'mta-sts.example.com', 'is more than a host name'],
    ['other.example', 'mta-sts.example.com', undefined],
    ['', 'mta-sts.example.com', undefined],
    ['mta-sts.example.com', '', undefined],
    ['', '', undefined],
    ['*.', 'com', 'ends in a dot, which no name in a certificate may'],
    ['mta-sts.example.com\0.evil.example', 'mta-sts.example.com', undefined],
    // The Kelvin sign and the long s, which become ASCII when letters are made lower or upper case.
    ['mx.ban\u212a.example', 'mx.bank.example', undefined],
    ['mta-\u017fts.example.com', 'mta-sts.example.com', undefined],
    ['*.b\u00fccher.example', 'mx.xn--bcher-kva.example', undefined],
    ['*****.example.com', 'mta-sts.example.com', undefined],
  ])('the certificate name %j does not match the host %s', (name, host, reason) => {
    expect(matchesName(name, host)).toBe(false);
    expect(nearMiss(name, host)).toBe(reason);
  });

  test('a name with many wildcards is compared without backtracking', () => {
    const begin = performance.now();
    expect(nearMiss(`${'*a'.repeat(100)}.example.com`, `${'a'.repeat(60)}.example.com`)).toBeUndefined();
    expect(nearMiss(`${'*'.repeat(1_000_000)}.example.com`, 'mta-sts.example.com')).toBeUndefined();
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});

describe('the names of a SAN are read as Node writes them', () => {
  test.each([
    ['DNS:a.example, DNS:*.b.example', ['a.example', '*.b.example']],
    ['IP Address:192.0.2.1, DNS:a.example, email:x@a.example, URI:https://b.example/', ['a.example']],
    ['', []],
    ['DNS:', ['']],
    // CVE-2021-44532: a comma or a quote inside of a name forges no other one.
    ['DNS:"evil.example, DNS:good.example"', ['evil.example, DNS:good.example']],
    ['URI:"https://evil.example/, DNS:good.example", DNS:a.example', ['a.example']],
    ['DNS:"a\\"b, DNS:good.example", DNS:c.example', ['a"b, DNS:good.example', 'c.example']],
    ['DNS:"good.example\\u0000.evil.example"', ['good.example\0.evil.example']],
    ['DNS:"cut off, DNS:good.exam', ['"cut off, DNS:good.exam']],
    ['DNS:"no json\\q"', ['"no json\\q"']],
    ['dns:a.example, DNS a.example', []],
  ])('the SAN %j is read as Node.js writes it', (subjectAltName, names) => {
    expect(dnsNames(subjectAltName)).toEqual(names);
  });

  test('names with unusual characters are read from a certificate', async () => {
    const { certificatePem } = await (await testAuthority()).issue({ names: ['evil.example, DNS:good.example', 'a"b', 'x\0y', 'c.example'] });
    const names = dnsNames(describeCertificate(new X509Certificate(certificatePem).toLegacyObject()).subjectAltName);
    expect(names).toEqual(['evil.example, DNS:good.example', 'a"b', 'x\0y', 'c.example']);
  });
});

describe('a certificate that Node would take and senders refuse', () => {
  const NAMES = [
    ['mta-*.example.test', 'the name has a `*` that is not its complete left-most label'],
    [`${POLICY_HOST}.`, 'the name ends in a dot, which no name in a certificate may'],
    ['m*.example.test', 'the name has a `*` that is not its complete left-most label'],
  ] as const;

  test.each(NAMES)('a certificate that Node.js accepts and senders refuse fails at the policy host: %s', async (name, reason) => {
    const result = await loopback.verify({ policy: { names: ['other.example', name] } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(finding(result, 'sts-webpki-invalid').message).toBe(`certificate is for ${name}, which senders do not take for ${POLICY_HOST}: ${reason}, at 127.0.0.1`);
  });

  test.each([['mx*.example.test'], ['m*.example.test'], [`${MX1}.`]])('a certificate for %s, which Node.js accepts and senders refuse, fails at a mail host', async (name) => {
    const result = await loopback.verify({ mx: { names: [name, 'mx2.backup.test'] } });
    expect(result.verdict).toBe('fail');
    expect(finding(result, 'certificate-host-mismatch').message).toContain(`certificate is for ${name}, which senders do not take for ${MX1}: the name `);
  });

  test('a certificate is described by five of its names when none is similar to the host', () => {
    const certificate = { subjectAltName: ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `DNS:${name}.example`).join(', '), issuer: '', validFrom: '', validTo: '' };
    expect(certificateProblem('ERR_TLS_CERT_ALTNAME_INVALID', 'x.test', certificate))
      .toBe('certificate is for a.example, b.example, c.example, d.example, e.example and 1 more, not for x.test');
  });
});
