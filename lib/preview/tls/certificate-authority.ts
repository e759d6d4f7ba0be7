// A private certificate authority made on the fly: what a preview and the tests serve HTTPS with, and nobody else trusts.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** What to certify. */
export interface CertificateRequest {
  /** DNS names, wildcards allowed. */
  readonly names: readonly string[];
  /**
   * The subject's. A certificate with this and no names is one from before names stood in the SAN.
   *
   * @default - the first of the names
   */
  readonly commonName?: string;
  /** @default - an hour ago */
  readonly notBefore?: Date;
  /** @default - 90 days from now, as public authorities issue */
  readonly notAfter?: Date;
}

/** A private key and the chain that goes with it, as PEM texts. */
export interface IssuedCertificate {
  readonly keyPem: string;
  /** The certificate, followed by the authority's. */
  readonly certificatePem: string;
}

/** Lives in memory only: its private key is never written anywhere. */
export interface CertificateAuthority {
  /** What a client must trust. */
  readonly certificatePem: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Makes an authority with a fresh P-256 key, valid for ten years either way so that expired certificates can be issued too.
 *
 * @param name - the common name that its certificates carry as their issuer
 */
export async function createCertificateAuthority(name = 'cdk-mta-sts private CA'): Promise<CertificateAuthority> {
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: commonName(name),
    keys,
    notBefore: new Date(Date.now() - 3650 * DAY),
    notAfter: new Date(Date.now() + 3650 * DAY),
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

/** A certificate that is its own issuer, as a server without any authority would show. */
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

/** RFC 5280 allows a common name 64 characters; longer names stand in the SAN alone, where names are looked for anyway. */
function commonName(name: string): x509.JsonName {
  return [{ CN: [name.length > 64 ? 'cdk-mta-sts' : name] }];
}

function validity(request: CertificateRequest): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: request.notBefore ?? new Date(Date.now() - HOUR),
    notAfter: request.notAfter ?? new Date(Date.now() + 90 * DAY),
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
