// The private certificate authority and its certificates.
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { checkServerIdentity, rootCertificates } from 'node:tls';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createCertificateAuthority, createSelfSigned } from '../../lib/preview/tls/certificate-authority';
import type { CertificateAuthority } from '../../lib/preview/tls/certificate-authority';

let authority: CertificateAuthority;

beforeAll(async () => {
  authority = await createCertificateAuthority();
});

describe('an invalid request', () => {
  test('the private authority refuses a request without a name', async () => {
    await expect(authority.issue({ names: [] })).rejects.toThrow('`names` must contain at least one DNS name, got none');
  });
});

describe('an issued certificate', () => {
  test('the private authority signs its certificates with its own key', async () => {
    const issued = new X509Certificate((await authority.issue({ names: ['mta-sts.example.test'] })).certificatePem);
    const otherRoot = new X509Certificate((await createCertificateAuthority()).certificatePem);
    const root = new X509Certificate(authority.certificatePem);
    expect(issued.verify(root.publicKey)).toBe(true);
    expect(issued.checkIssued(root)).toBe(true);
    expect(issued.verify(otherRoot.publicKey)).toBe(false);
    expect(root.ca).toBe(true);
    expect(issued.ca).toBe(false);
  });

  test('an issued certificate has every name in its SAN, including wildcards', async () => {
    const { certificatePem } = await authority.issue({ names: ['mta-sts.example.test', '*.example.org'] });
    const legacy = new X509Certificate(certificatePem).toLegacyObject();
    expect(checkServerIdentity('mta-sts.example.test', legacy)).toBeUndefined();
    expect(checkServerIdentity('mta-sts.example.org', legacy)).toBeUndefined();
    expect(checkServerIdentity('example.test', legacy)?.message).toContain('does not match');
  });

  test('an issued certificate can have a name that is too long for a common name', async () => {
    const name = `mta-sts.${'a'.repeat(60)}.example.test`;
    const issued = new X509Certificate((await authority.issue({ names: [name] })).certificatePem);
    expect(issued.subjectAltName).toBe(`DNS:${name}`);
    expect(issued.subject).toBe('CN=cdk-mta-sts');
  });

  test('an issued certificate comes with its private key and its chain', async () => {
    const { keyPem, certificatePem } = await authority.issue({ names: ['mta-sts.example.test'] });
    expect(new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
    expect(certificatePem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(certificatePem.endsWith(authority.certificatePem)).toBe(true);
  });

  test('an issued certificate is for servers and valid for 90 days by default', async () => {
    const issued = new X509Certificate((await authority.issue({ names: ['mta-sts.example.test'] })).certificatePem);
    expect(issued.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(Date.parse(issued.validFrom)).toBeLessThan(Date.now());
    expect(Math.round((Date.parse(issued.validTo) - Date.now()) / 86_400_000)).toBe(90);
  });

  test('an issued certificate has the requested validity', async () => {
    const notBefore = new Date('2020-01-01T00:00:00Z');
    const notAfter = new Date('2020-02-01T00:00:00Z');
    const issued = new X509Certificate((await authority.issue({ names: ['mta-sts.example.test'], notBefore, notAfter })).certificatePem);
    expect(new Date(issued.validFrom)).toEqual(notBefore);
    expect(new Date(issued.validTo)).toEqual(notAfter);
  });
});

describe('the authority', () => {
  test('the system does not trust the private authority', () => {
    expect(rootCertificates).not.toContain(authority.certificatePem.trim());
  });
});

describe('a self-signed certificate', () => {
  test('a self-signed certificate is its own issuer and not an authority', async () => {
    const selfSigned = new X509Certificate((await createSelfSigned({ names: ['mta-sts.example.test'] })).certificatePem);
    expect(selfSigned.issuer).toBe(selfSigned.subject);
    expect(selfSigned.verify(selfSigned.publicKey)).toBe(true);
    expect(selfSigned.ca).toBe(false);
  });
});
