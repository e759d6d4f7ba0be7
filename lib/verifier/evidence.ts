// Writes answers and responses as one line of evidence. Text from the network is escaped and cut.
import { MAX_POLICY_BYTES } from '../protocol/policy/policy';
import { joinList, safeText } from '../util/safe-text';
import type { PolicyResponse } from './https/policy-response';
import type { ServerCertificate } from './tls/certificate';
import type { MxResponse } from './smtp/mx-response';
import type { DnsAnswer, DnsData, DnsType } from './dns/answer';

/** The reason of a query that was never sent. A timeout would blame the server. */
export const NOT_ASKED = 'not asked, the time was up';

/** Returns `"v=STSv1; id=1;" (TTL 300 s)`, `no such name (NXDOMAIN)`, `no answer (SERVFAIL)`. */
export function answerText(answer: DnsAnswer<DnsType>): string {
  const via = answer.cnames.length === 0 ? '' : ` through CNAME ${answer.cnames.map((name) => safeText(name)).join(', ')}`;
  switch (answer.status) {
    case 'found':
      return `${joinList(answer.records.map(dataText), 4)}${via} (TTL ${answer.ttl} s)`;
    case 'empty':
      return answer.reason === 'NXDOMAIN' ? `no such name${via} (NXDOMAIN)` : `no such record${via} (NODATA)`;
    case 'failed':
      return answer.reason === NOT_ASKED ? NOT_ASKED : `no answer${via} (${answer.reason})`;
  }
}

/** Returns the remaining TTL of a cached answer, ` for up to 300 s`, or an empty text. */
export function lifetime(answer: DnsAnswer<DnsType>): string {
  return answer.status === 'failed' || answer.ttl === undefined ? '' : ` for up to ${answer.ttl} s`;
}

/** Returns `status 200, text/plain, 63 bytes in 35 ms over TLSv1.3, certificate for mta-sts.example.com until 2027-01-01T00:00:00Z`. */
export function responseText(response: PolicyResponse): string {
  if (response.outcome !== 'answered') {
    return `${response.reason} (${response.code}) after ${response.milliseconds} ms${certificateText(response.certificate)}`;
  }
  const { status, contentType, body, tooLarge, milliseconds, tlsVersion, certificate } = response;
  const size = `${tooLarge ? `more than ${MAX_POLICY_BYTES}` : body.length} bytes in ${milliseconds} ms`;
  return `status ${status}, ${safeText(contentType) || 'no media type'}, ${size} over ${tlsVersion}${certificateText(certificate)}`;
}

/** Returns `STARTTLS with TLSv1.3 in 120 ms, certificate for mx1.example.com until 2027-01-01T00:00:00Z`. */
export function mxResponseText(response: MxResponse): string {
  if (!('tlsVersion' in response)) return `${response.reason} (${response.code}) after ${response.milliseconds} ms`;
  const problem = response.outcome === 'untrusted' ? `, ${response.reason}` : '';
  return `STARTTLS with ${response.tlsVersion} in ${response.milliseconds} ms${problem}${certificateText(response.certificate)}`;
}

function certificateText(certificate: ServerCertificate | undefined): string {
  if (certificate === undefined) return '';
  const { subjectAltName, issuer, validTo } = certificate;
  return `, certificate for ${safeText(subjectAltName) || 'no name'} of ${safeText(issuer) || 'an unnamed issuer'} until ${safeText(validTo)}`;
}

/** Returns the data as a zone file would hold it (RFC 1035 §5.1, RFC 8659 §4.1.1). */
function dataText(data: DnsData[DnsType]): string {
  if (typeof data === 'string') return safeText(data) || '.';
  if ('exchange' in data) return `${data.preference} ${safeText(data.exchange) || '.'}`;
  if ('usage' in data) return `${data.usage} ${data.selector} ${data.matchingType}`;
  if ('tag' in data) return `${data.critical ? 128 : 0} ${safeText(data.tag)} "${safeText(data.value)}"`;
  return `"${safeText(data.join(''))}"`;
}
