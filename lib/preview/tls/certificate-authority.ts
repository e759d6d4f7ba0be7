// Creates a private certificate authority. Previews and tests use its certificates. No other client trusts it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** The names and the validity of a certificate. */
interface CertificateRequest {
  /** DNS names, wildcards allowed. */
  readonly names: readonly string[];
  /**
   * Common name of the subject. A certificate with a common name and without names is of the old form, without a SAN.
   *
   * @default - the first name
   */
  readonly commonName?: string;
  /** @default - an hour ago */
  readonly notBefore?: Date;
  /** @default - 90 days from now, as public authorities issue */
  readonly notAfter?: Date;
}

/** A private key and its certificate chain, as PEM texts. */
export interface IssuedCertificate {
  readonly keyPem: string;
  /** The certificate, followed by the certificate of the authority. */
  readonly certificatePem: string;
}

/** A private authority. Its private key stays in memory. */
export interface CertificateAuthority {
  /** The certificate that a client must trust. */
  readonly certificatePem: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Creates an authority with a new P-256 key. It is valid from ten years ago to ten years from now, so that it can also issue
 * expired certificates.
 *
 * @param name - common name of the authority, the issuer of its certificates
 */
export async function createCertificateAuthority(name = 'cdk-mta-sts private CA'): Promise<CertificateAuthority> {
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: commonName(name),
    keys,
    notBefore: new Date(Date.now() - 3650 * DAY_MS),
    notAfter: new Date(Date.now() + 3650 * DAY_MS),
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
    ],
  }, webcrypto);
  return {
    certificatePem: pem(certificate),
    issue: (request) => issue({ keys, certificate }, request),
  };
}

/** Creates a certificate that is its own issuer. */
export async function createSelfSigned(request: CertificateRequest): Promise<IssuedCertificate> {
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: commonName(subjectName(request)),
    keys,
    ...validity(request),
    signingAlgorithm: ECDSA,
    extensions: await serverExtensions(request, keys.publicKey, keys.publicKey),
  }, webcrypto);
  return { keyPem: await privateKeyPem(keys), certificatePem: pem(certificate) };
}

interface Issuer {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: x509.X509Certificate;
}

async function issue(issuer: Issuer, request: CertificateRequest): Promise<IssuedCertificate> {
  const subject = commonName(subjectName(request));
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer.certificate.subjectName,
    ...validity(request),
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ECDSA,
    extensions: await serverExtensions(request, keys.publicKey, issuer.keys.publicKey),
  }, webcrypto);
  return { keyPem: await privateKeyPem(keys), certificatePem: pem(certificate) + pem(issuer.certificate) };
}

async function serverExtensions(
  request: CertificateRequest, subject: webcrypto.CryptoKey, issuer: webcrypto.CryptoKey,
): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ...(request.names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(request.names.map((value) => ({ type: 'dns', value })))]),
    await x509.SubjectKeyIdentifierExtension.create(subject, false, webcrypto),
    await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
  ];
}

function subjectName({ commonName: given, names }: CertificateRequest): string {
  const name = given ?? names.at(0);
  if (!name) throw new RangeError('`names` must contain at least one DNS name, got none');
  return name;
}

/** Returns a common name of at most 64 characters (RFC 5280). A longer name appears only in the SAN, the only place clients check. */
function commonName(name: string): x509.JsonName {
  return [{ CN: [name.length > 64 ? 'cdk-mta-sts' : name] }];
}

function validity(request: CertificateRequest): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: request.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: request.notAfter ?? new Date(Date.now() + 90 * DAY_MS),
  };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
