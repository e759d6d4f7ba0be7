// Says what is wrong with a policy host's certificate (RFC 8461 §3.3, RFC 6125), in words and with the values found.
import { checkServerIdentity as nodeCheck } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { printable } from '../protocol/text';
import type { ServerCertificate } from './fetch-policy';

/** In characters: more than the hundred names that authorities put into a certificate. */
const MOST_SHOWN = 8192;

/** What a report shows of a certificate. */
export function describeCertificate(certificate: PeerCertificate): ServerCertificate {
  return {
    // A hostile one can hold a hundred thousand names, and reports of a long run are remembered for a while.
    subjectAltName: (certificate.subjectaltname ?? '').slice(0, MOST_SHOWN),
    issuer: [certificate.issuer.O, certificate.issuer.CN].filter((part) => part !== undefined).join(', ').slice(0, MOST_SHOWN),
    validFrom: isoDate(certificate.valid_from),
    validTo: isoDate(certificate.valid_to),
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

/** As Node's, but the name must stand in the SAN: a common name alone does not count (RFC 8461 §3.3, RFC 6125 §6.4.4). */
export function checkServerIdentity(host: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subjectaltname?.includes('DNS:') !== true) {
    return Object.assign(new Error('no DNS name in the SAN'), { code: WRONG_NAME });
  }
  return nodeCheck(host, certificate);
}

/**
 * One phrase for people.
 *
 * @param code - OpenSSL's or Node's code, `CERT_HAS_EXPIRED` for example
 */
export function certificateFault(code: string, host: string, certificate: ServerCertificate): string {
  const { subjectAltName, issuer, validFrom, validTo } = certificate;
  switch (code) {
    case WRONG_NAME:
      return `certificate is for ${names(subjectAltName)}, not for ${host}`;
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
      return `certificate is not trusted (${printable(code)})`;
  }
}

/** Node's code of a certificate for other names. */
export const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

function issuerName(issuer: string): string {
  return printable(issuer) || 'an unnamed authority';
}

/** `DNS:a.example, DNS:b.example` as `a.example, b.example`; a certificate can carry a hundred. */
function names(subjectAltName: string): string {
  const all = subjectAltName.split(', ').filter((name) => name.startsWith('DNS:')).map((name) => printable(name.slice(4)));
  if (all.length === 0) return 'no DNS name at all (its SAN has none)';
  return all.length > 5 ? `${all.slice(0, 5).join(', ')} and ${all.length - 5} more` : all.join(', ');
}

/** `Jan  2 00:00:00 2020 GMT` as `2020-01-02T00:00:00Z`. */
function isoDate(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : new Date(time).toISOString().replace('.000Z', 'Z');
}
