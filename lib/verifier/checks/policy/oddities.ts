// What some senders cannot read of an answer that holds a policy file, although others can; and which senders these are.
import type { SenderQuirk } from '../../../protocol/findings/finding';
import { joinList, safeText } from '../../../util/safe-text';
import type { PolicyAnswered } from '../../https/policy-response';
import type { HttpLiberty } from '../../https/http-response';
import type { MediaType } from '../../https/media-type';

/** What is odd about the way in which a file is served. */
export interface Oddity {
  readonly code: 'policy-content-coding' | 'policy-media-type-parameters' | 'policy-http-malformed' | 'policy-http2-only' | 'tls-cipher-uncommon';
  readonly message: string;
  readonly quirks: readonly SenderQuirk[];
}

/** Senders by what they fetch with. */
const GO = ['mox', 'postfix-tlspol', 'chasquid', 'go-mtasts', 'aykevl'];
const AIOHTTP = ['postfix-mta-sts-resolver'];
const NODE = ['mailauth'];

/** Every oddity of an answer. */
export function odditiesOf(response: PolicyAnswered, media: MediaType): readonly Oddity[] {
  const { coding, liberties = [], http2Only, cipher } = response;
  return [
    ...coding === undefined ? [] : [coding.fault === undefined ? compressed(coding.codings) : mislabelled(coding.codings)],
    ...media.unusual.length === 0 ? [] : [unusualParameters(response.contentType, media.unusual)],
    ...liberties.length === 0 ? [] : [malformed(liberties)],
    ...http2Only === undefined ? [] : [{ code: 'policy-http2-only', message: 'the host speaks HTTP/2 alone, no HTTP/1.1', quirks: refusal(NO_HTTP2) } as const],
    ...cipher === undefined ? [] : [uncommonCipher(cipher, GO)],
  ];
}

/** Postfix, courier and others connect with OpenSSL or GnuTLS, which have more. */
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

/** Nobody undoes what nobody knows: the clients of senders hand the body on as it is. */
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

function malformed(liberties: readonly HttpLiberty[]): Oddity {
  const senders = new Set(liberties.flatMap((one) => LIBERTIES[one].senders));
  const texts = liberties.map((one) => LIBERTIES[one].text).join(', ');
  return { code: 'policy-http-malformed', message: `the answer is not HTTP by the letter: ${texts}`, quirks: senders.size === 0 ? [] : refusal([...senders]) };
}

/** Go's net/http knows no transfer coding but the one. */
const LIBERTIES: Readonly<Record<HttpLiberty, { readonly text: string; readonly senders: readonly string[] }>> = {
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
