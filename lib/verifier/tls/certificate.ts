// Reads a server's certificate and describes its problems (RFC 8461 §3.3, RFC 6125).
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { joinList, safeText } from '../../util/safe-text';
import { readable } from '../guard';
import { dnsNames, matchesName, nearMiss } from './certificate-names';

/** The certificate of a server, as results show it. */
export interface ServerCertificate {
  /** Names in Node's form: `DNS:a.example, IP Address:192.0.2.1`. */
  readonly subjectAltName: string;
  /** Organization and common name of the issuer. */
  readonly issuer: string;
  /** ISO 8601 in UTC, or Node's text if it is no date. */
  readonly validFrom: string;
  /** ISO 8601 in UTC, or Node's text if it is no date. */
  readonly validTo: string;
}

/** Node's fields of a certificate. A field is missing if OpenSSL cannot convert its ASN.1 type. */
export type CertificateDescription = Partial<PeerCertificate>;

/**
 * Returns a function that reads the server's certificate. The function returns undefined before the server has sent a
 * certificate, or if Node cannot read it. Call this before the handshake.
 */
export function certificateReader(socket: TLSSocket): () => CertificateDescription | undefined {
  const read = socket.getPeerCertificate.bind(socket, false);
  disableChainRead(socket);
  return () => {
    const certificate: CertificateDescription | null = readable(read, null);
    return certificate === null || Object.keys(certificate).length === 0 ? undefined : certificate;
  };
}

/** Returns the fields of a certificate that results show. */
export function describeCertificate(certificate: CertificateDescription = {}): ServerCertificate {
  const text = (read: () => string | undefined): string => truncate(readable(() => read() ?? '', ''));
  return {
    subjectAltName: text(() => certificate.subjectaltname),
    issuer: text(() => [certificate.issuer?.O, certificate.issuer?.CN].filter((part) => part !== undefined).join(', ')),
    validFrom: isoDate(text(() => certificate.valid_from)),
    validTo: isoDate(text(() => certificate.valid_to)),
  };
}

/**
 * Tells whether a certificate should have been renewed by now. Authorities of short-lived certificates renew when a third of the
 * lifetime is left.
 *
 * @param limitMs - time before its end at which a long-lived certificate should have been renewed
 */
export function endsSoon({ validFrom, validTo }: ServerCertificate, now: number, limitMs: number): boolean {
  const [begin, end] = [Date.parse(validFrom), Date.parse(validTo)];
  return end - now < Math.min(limitMs, (end - begin) / 4);
}

/** Returns an error unless a DNS name in the SAN matches the host. Ignores the common name (RFC 8461 §3.3, RFC 6125 §6.4.4). */
export function checkServerIdentity(host: string, certificate: CertificateDescription = {}): Error | undefined {
  const names = readable(() => dnsNames(certificate.subjectaltname ?? ''), []);
  return names.some((name) => matchesName(name, host)) ? undefined : Object.assign(new Error('no name in the SAN is that of the host'), { code: WRONG_NAME });
}

/**
 * Returns one phrase for people that says why senders reject a certificate.
 *
 * @param code - OpenSSL's or Node's code, `CERT_HAS_EXPIRED` for example
 */
export function certificateProblem(code: string, host: string, certificate: ServerCertificate): string {
  const { subjectAltName, issuer, validFrom, validTo } = certificate;
  switch (code) {
    case WRONG_NAME:
      return wrongNameProblem(subjectAltName, host);
    case 'CERT_HAS_EXPIRED':
      // OpenSSL uses this code for every certificate of the chain.
      return Date.parse(validTo) < Date.now() ? `certificate has expired on ${validTo}` : 'certificate is issued by an authority whose own certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return `certificate is not valid before ${validFrom}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'certificate is self-signed';
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `certificate is issued by ${issuerName(issuer)}, which is not a trusted authority`;
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `certificate comes without the intermediate certificate of its issuer ${issuerName(issuer)}, or the issuer is not trusted`;
    default:
      return `certificate is not trusted (${safeText(code)})`;
  }
}

/** Node's code of a certificate for other names. */
export const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/**
 * Makes Node skip the certificate chain after the handshake. Node calls `getPeerCertificate(true)` in a callback of its own and
 * passes the result to `checkServerIdentity`, which does nothing here. Nothing catches an error in that callback, so a hostile
 * certificate could end the process. Reading the chain also takes 0.5 of the 2.3 ms of processor time for a connection (Node 20,
 * a chain of two certificates).
 */
function disableChainRead(socket: TLSSocket): void {
  Object.assign(socket, { getPeerCertificate: () => ({}) });
}

/** Maximum length of a text of a certificate, in characters. Authorities put at most a hundred names into a certificate. */
const MAX_TEXT_LENGTH = 8192;

/**
 * Truncates the text of a hostile certificate, which can hold a hundred thousand names. Copies the rest: a slice would keep the
 * whole text in memory as long as the result, and a long run caches results.
 */
function truncate(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : Buffer.from(text.slice(0, MAX_TEXT_LENGTH)).toString();
}

function issuerName(issuer: string): string {
  return safeText(issuer) || 'an unnamed authority';
}

/** Describes a certificate without a name for the host. Prefers a name that almost matches, with the reason why it does not. */
function wrongNameProblem(subjectAltName: string, host: string): string {
  const names = dnsNames(subjectAltName);
  if (names.length === 0) return `certificate is for no DNS name at all (its SAN has none), not for ${host}`;
  for (const name of names) {
    const reason = nearMiss(name, host);
    if (reason !== undefined) return `certificate is for ${safeText(name)}, which senders do not take for ${host}: the name ${reason}`;
  }
  // Escape only the names that are shown: escaping copies a name, and a hostile certificate holds tens of thousands.
  const shown = names.map((name, at) => at < MAX_SHOWN_NAMES ? safeText(name) : name);
  return `certificate is for ${joinList(shown, MAX_SHOWN_NAMES)}, not for ${host}`;
}

const MAX_SHOWN_NAMES = 5;

/** Converts `Jan  2 00:00:00 2020 GMT` to `2020-01-02T00:00:00Z`. */
function isoDate(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : new Date(time).toISOString().replace('.000Z', 'Z');
}
