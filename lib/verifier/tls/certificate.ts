// Says what is wrong with a server's certificate (RFC 8461 §3.3, RFC 6125), in words and with the values found.
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { joinList, safeText } from '../../util/safe-text';
import { dnsNames, matchesName, nearMiss } from './certificate-names';
import type { ServerCertificate } from '../https/fetch-policy';
import { readable } from '../guard';

/** In characters: more than the hundred names that authorities put into a certificate. */
const MOST_SHOWN = 8192;

/** What Node gives of a certificate. A part is missing where OpenSSL cannot convert its ASN.1 type. */
export type CertificateDescription = Partial<PeerCertificate>;

/**
 * Node asks for the whole chain when the handshake is done, in a callback of its own: it copies every certificate, at a fifth of a
 * fetch's cost, and what that throws nobody catches. So it gets an empty one; the names are compared by `checkServerIdentity`.
 *
 * @returns reads the certificate that the server has shown; undefined where there is none yet, or it cannot be read
 */
export function certificateReader(socket: TLSSocket): () => CertificateDescription | undefined {
  const read = socket.getPeerCertificate.bind(socket, false);
  Object.assign(socket, { getPeerCertificate: () => ({}) });
  return () => {
    const shown: CertificateDescription | null = readable(read, null);
    return shown === null || Object.keys(shown).length === 0 ? undefined : shown;
  };
}

/** A slice alone would keep the whole text in memory for as long as the report lives. */
function shortened(text: string): string {
  return text.length <= MOST_SHOWN ? text : Buffer.from(text.slice(0, MOST_SHOWN)).toString();
}

/** What a report shows of a certificate. */
export function describeCertificate(certificate: CertificateDescription = {}): ServerCertificate {
  const text = (read: () => string | undefined): string => shortened(readable(() => read() ?? '', ''));
  return {
    // A hostile one can hold a hundred thousand names, and reports of a long run are remembered for a while.
    subjectAltName: text(() => certificate.subjectaltname),
    issuer: text(() => [certificate.issuer?.O, certificate.issuer?.CN].filter((part) => part !== undefined).join(', ')),
    validFrom: isoDate(text(() => certificate.valid_from)),
    validTo: isoDate(text(() => certificate.valid_to)),
  };
}

/**
 * Whether a certificate should have been renewed by now. Authorities of short-lived ones renew when a third of the time is left.
 *
 * @param limit - how long before its end a long-lived one should have been, in milliseconds
 */
export function endsSoon({ validFrom, validTo }: ServerCertificate, now: number, limit: number): boolean {
  const [begin, end] = [Date.parse(validFrom), Date.parse(validTo)];
  return end - now < Math.min(limit, (end - begin) / 4);
}

/** Whether the certificate is for the host: by a DNS name in its SAN alone, never by its common name (RFC 8461 §3.3, RFC 6125 §6.4.4). */
export function checkServerIdentity(host: string, certificate: CertificateDescription = {}): Error | undefined {
  const names = readable(() => dnsNames(certificate.subjectaltname ?? ''), []);
  return names.some((name) => matchesName(name, host)) ? undefined : Object.assign(new Error('no name in the SAN is that of the host'), { code: WRONG_NAME });
}

/**
 * One phrase for people.
 *
 * @param code - OpenSSL's or Node's code, `CERT_HAS_EXPIRED` for example
 */
export function certificateProblem(code: string, host: string, certificate: ServerCertificate): string {
  const { subjectAltName, issuer, validFrom, validTo } = certificate;
  switch (code) {
    case WRONG_NAME:
      return wrongName(subjectAltName, host);
    case 'CERT_HAS_EXPIRED':
      // OpenSSL says it of any certificate on the way to the authority.
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

function issuerName(issuer: string): string {
  return safeText(issuer) || 'an unnamed authority';
}

/** A certificate can carry a hundred names. One that nearly is the host's comes first, with the reason why senders refuse it. */
function wrongName(subjectAltName: string, host: string): string {
  const names = dnsNames(subjectAltName);
  if (names.length === 0) return `certificate is for no DNS name at all (its SAN has none), not for ${host}`;
  for (const name of names) {
    const reason = nearMiss(name, host);
    if (reason !== undefined) return `certificate is for ${safeText(name)}, which senders do not take for ${host}: the name ${reason}`;
  }
  // Each takes a copy, and a hostile certificate holds ten thousands.
  return `certificate is for ${joinList(names.map((name, at) => at < 5 ? safeText(name) : name), 5)}, not for ${host}`;
}

/** `Jan  2 00:00:00 2020 GMT` as `2020-01-02T00:00:00Z`. */
function isoDate(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : new Date(time).toISOString().replace('.000Z', 'Z');
}
