// Finds features of a response that only some senders can read, and names the senders that cannot.
import type { SenderQuirk } from '../../../protocol/findings/finding';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { joinList, safeText } from '../../../util/safe-text';
import type { HttpViolation } from '../../https/http-response';
import type { MediaType } from '../../https/media-type';
import type { PolicyAnswered } from '../../https/policy-response';

export const ODDITY_FINDINGS = {
  'policy-content-coding': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The policy file is served compressed, although `Accept-Encoding: identity` asked for it as it is.',
    impact: 'Senders that do not decode it read no policy. Go and aiohttp decode gzip by themselves; Node.js and others decode nothing.',
    fix: 'turn compression off for the policy file; a few hundred bytes gain nothing from it',
    reference: 'RFC 9110 §8.4 and §12.5.3',
  },
  'policy-media-type-parameters': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The media type is `text/plain`, but its parameters are unusual or malformed.',
    impact: 'Senders that read the header strictly refuse the whole policy.',
    fix: 'send the header `Content-Type: text/plain; charset=utf-8`',
    reference: 'RFC 9110 §8.3.1 and §5.6.6, RFC 8461 §3.2',
  },
  'policy-http-malformed': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The answer violates HTTP/1.1 in a way that many clients accept, but not all.',
    impact: 'Senders with a strict client read no policy, and a proxy on the way may refuse the answer.',
    fix: 'correct the header fields that the server or the program behind it sends',
    reference: 'RFC 9112 §2.2, §5 and §6.3',
  },
  'policy-http2-only': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The policy host speaks only HTTP/2.',
    impact: 'Senders whose client speaks only HTTP/1.1 read no policy.',
    fix: 'let the policy host speak HTTP/1.1 as well as HTTP/2',
    reference: 'RFC 8461 §3.3, RFC 7301 §3.2',
  },
} as const satisfies Record<string, LiveFindingKind>;

/** A feature of the response that some senders cannot read. */
export interface Oddity {
  readonly code: 'policy-content-coding' | 'policy-media-type-parameters' | 'policy-http-malformed' | 'policy-http2-only' | 'tls-cipher-uncommon';
  readonly message: string;
  readonly quirks: readonly SenderQuirk[];
}

/** Senders, grouped by their HTTP client. */
const GO = ['mox', 'postfix-tlspol', 'chasquid', 'go-mtasts', 'aykevl'];
const AIOHTTP = ['postfix-mta-sts-resolver'];
const NODE = ['mailauth'];

/** Returns the oddities of a response that holds a policy file. */
export function findOddities(response: PolicyAnswered, media: MediaType): readonly Oddity[] {
  const { coding, violations = [], http2Only, cipher } = response;
  return [
    ...coding === undefined ? [] : [coding.fault === undefined ? compressed(coding.codings) : mislabelled(coding.codings)],
    ...media.unusual.length === 0 ? [] : [unusualParameters(response.contentType, media.unusual)],
    ...violations.length === 0 ? [] : [malformed(violations)],
    ...http2Only === undefined ? [] : [{ code: 'policy-http2-only', message: 'the host speaks HTTP/2 alone, no HTTP/1.1', quirks: refusal(NO_HTTP2) } as const],
    ...cipher === undefined ? [] : [uncommonCipher(cipher, GO)],
  ];
}

/** Describes a cipher suite that Go does not offer. Senders with OpenSSL or GnuTLS, such as Postfix and courier, offer more. */
export function uncommonCipher(cipher: string, senders: readonly string[]): Oddity {
  const exchange = cipher.startsWith('TLS_RSA_WITH_') ? ', with RSA key exchange' : '';
  return {
    code: 'tls-cipher-uncommon',
    message: `the server accepts no common cipher suite of TLS 1.2 or later; with all offered it takes \`${cipher}\`${exchange}`,
    quirks: [{ senders, effect: 'cannot connect' }],
  };
}

const NO_HTTP2 = ['rest-mail', ...AIOHTTP, ...NODE];

function compressed(codings: readonly string[]): Oddity {
  const name = codings.join(', ');
  return {
    code: 'policy-content-coding',
    message: `the body is sent with Content-Encoding \`${safeText(name)}\`, which was not asked for`,
    quirks: refusal([...(name === 'gzip' ? [] : GO), ...(['gzip', 'deflate'].includes(name) ? [] : AIOHTTP), ...NODE]),
  };
}

/** Describes a coding that no client knows. Clients then pass the body on unchanged. */
function mislabelled(codings: readonly string[]): Oddity {
  return {
    code: 'policy-content-coding',
    message: `the body is sent with Content-Encoding \`${safeText(codings.join(', '))}\`, which was not asked for`
      + ' and is no known coding; it was read as it is',
    quirks: [],
  };
}

function unusualParameters(contentType: string, unusual: MediaType['unusual']): Oddity {
  const texts = joinList(unusual.map(({ text }) => safeText(text)));
  return {
    code: 'policy-media-type-parameters',
    message: `the media type is \`${safeText(contentType)}\`: ${texts}`,
    quirks: unusual.some(({ isRefused }) => isRefused) ? refusal(['postfix-tlspol', 'chasquid', 'rest-mail']) : [],
  };
}

function malformed(violations: readonly HttpViolation[]): Oddity {
  const senders = new Set(violations.flatMap((one) => VIOLATIONS[one].senders));
  const texts = violations.map((one) => VIOLATIONS[one].text).join(', ');
  return { code: 'policy-http-malformed', message: `the answer is not HTTP by the letter: ${texts}`, quirks: senders.size === 0 ? [] : refusal([...senders]) };
}

/** Deviations from HTTP/1.1, and the senders that reject them. Go's net/http supports only `chunked` as transfer coding. */
const VIOLATIONS: Readonly<Record<HttpViolation, { readonly text: string; readonly senders: readonly string[] }>> = {
  'bare-lf': { text: 'header lines end in LF without CR', senders: NODE },
  'obs-fold': { text: 'a header field goes on in a second line', senders: NODE },
  'length-twice': { text: 'the same Content-Length stands there more than once', senders: NODE },
  'length-list': { text: 'Content-Length is a list of the same number', senders: [...GO, ...NODE] },
  'headers-large': { text: 'there are more than 16 KiB of headers', senders: NODE },
  'field-large': { text: 'a header field is longer than 8190 bytes', senders: AIOHTTP },
  'space-before-colon': { text: 'there is a blank before the colon of a header field', senders: NODE },
  'chunk-blanks': { text: 'there are blanks behind a chunk size', senders: NODE },
  'types': { text: 'Content-Type stands there more than once, and says different things', senders: [] },
  'transfer-coding': { text: 'Transfer-Encoding is not `chunked` alone', senders: GO },
  'other': { text: 'a strict reader refuses it', senders: NODE },
};

function refusal(senders: readonly string[]): readonly SenderQuirk[] {
  return [{ senders, effect: 'reads no policy' }];
}
