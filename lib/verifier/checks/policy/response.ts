// Classifies one response of a policy host by RFC 8461 §3.3: a policy file, a problem of the server, or one of this machine.
import { isUtf8 } from 'node:buffer';
import type { SenderQuirk } from '../../../protocol/findings/finding';
import { MAX_POLICY_BYTES } from '../../../protocol/policy/policy';
import { safeText } from '../../../util/safe-text';
import { UNKNOWN_CODING } from '../../https/content-coding';
import type { PolicyAnswered, PolicyResponse, PolicyUnanswered } from '../../https/policy-response';
import { INTERNAL_ERROR } from '../../guard';
import { parseMediaType } from '../../https/media-type';
import { isLocalFault } from '../../network-errors';
import { CLIENT_CERTIFICATE, NO_FINAL_RESPONSE, SPEAKS_HTTP2, TOO_MANY_PIECES } from '../../https/policy-response';
import { NOT_PUBLIC } from '../../public-only';
import { NO_COMMON_HTTP } from '../../tls/handshake-errors';
import { isWebPage, titleOf } from '../../https/web-page';
import { CANCELLED, DEADLINE_EXCEEDED } from '../../network-errors';
import { findOddities } from './oddities';
import type { Oddity } from './oddities';
import type { LiveFindingKind } from '../../../protocol/findings/kind';

const NO_FETCH = 'Senders cannot fetch the policy: those that have none deliver without checking, the others until their cached one expires.';

export const POLICY_FETCH_FINDINGS = {
  'sts-policy-fetch-error': {
    severity: 'error',
    area: 'policy-file',
    meaning: 'The policy file could not be fetched.',
    impact: NO_FETCH,
    fix: 'let the address of the policy file answer with status 200 and the policy, at every IP address of the policy host',
    reference: 'RFC 8461 §3.3, RFC 8460 §4.3',
  },
  'sts-webpki-invalid': {
    severity: 'error',
    area: 'policy-host',
    meaning: 'The certificate of the policy host is not trusted, has expired, or is for another name.',
    impact: NO_FETCH,
    fix: 'serve a certificate of a public authority for the name of the policy host, with its intermediate certificates',
    reference: 'RFC 8461 §3.3, RFC 8460 §4.3',
  },
  'sts-policy-invalid': {
    severity: 'error',
    area: 'policy-file',
    meaning: 'The served file is not a valid policy, because of its media type or its syntax.',
    impact: 'Senders ignore the whole file, as if there were no policy.',
    fix: 'correct the file and change the id in the TXT record afterwards',
    reference: 'RFC 8461 §3.2, RFC 8460 §4.3',
  },
} as const satisfies Record<string, LiveFindingKind>;

/** The result of one fetch. */
export type Classification
  = | PolicyFile
    | { readonly kind: 'unusable' | 'local-fault' | 'internal-fault' | 'not-reached'; readonly message: string }
    | FetchProblem;

/** A file, valid or not. */
export interface PolicyFile {
  readonly kind: 'file';
  readonly body: Uint8Array;
  /** Features that only some senders can read. */
  readonly oddities: readonly Oddity[];
}

/** A response without a file. */
export interface FetchProblem {
  readonly kind: 'fault';
  readonly code: 'address-not-public' | 'sts-policy-fetch-error' | 'sts-webpki-invalid' | 'sts-policy-invalid';
  /** Whether the problem can disappear without any action. */
  readonly temporary: boolean;
  /** Whether the connection itself failed. */
  readonly unreachable: boolean;
  readonly message: string;
  readonly fix?: string;
  /** The senders that refuse the response; undefined where all do. */
  readonly quirks?: readonly SenderQuirk[];
}

/** Classifies a response, or the failure to get one. */
export function classifyResponse(response: PolicyResponse): Classification {
  return response.outcome === 'answered' ? classifyAnswer(response) : classifyFailure(response);
}

function classifyAnswer(response: PolicyAnswered): Classification {
  const { status, contentType, tooLarge, body, coding } = response;
  if (status !== 200) return classifyStatus(response);
  if (tooLarge) {
    return problem('sts-policy-fetch-error', `the body is larger than ${MAX_POLICY_BYTES} bytes, where senders stop reading`, {
      fix: 'serve the policy file alone, which has some hundred bytes',
    });
  }
  if (coding?.fault !== undefined && !(coding.fault === UNKNOWN_CODING && isText(body))) {
    return problem('sts-policy-fetch-error', `the body is sent with Content-Encoding \`${safeText(coding.codings.join(', '))}\`, which was not asked for, and ${coding.fault}`, {
      fix: 'serve the policy file as it is, without compression',
    });
  }
  if (isWebPage(body)) return webPage(response);
  if (isGzip(body)) {
    return problem('sts-policy-invalid', 'the file is compressed with gzip, and no Content-Encoding says so; senders read no policy in it', {
      fix: 'serve the policy file as it is, without compression: it was probably compressed before it was uploaded',
    });
  }
  const media = parseMediaType(contentType);
  if (media.essence !== 'text/plain') {
    const found = contentType === '' ? 'there is no media type' : `the media type is \`${safeText(contentType)}\``;
    return problem('sts-policy-invalid', `${found}, \`text/plain\` is expected`, { quirks: MEDIA_TYPE_QUIRKS, fix: MEDIA_TYPE_FIX });
  }
  return { kind: 'file', body, oddities: findOddities(response, media) };
}

/** Returns whether the body is plain text. Compressed data soon contains a control character. */
function isText(body: Uint8Array): boolean {
  return body.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) && isUtf8(body);
}

/** Returns whether the body begins with the gzip signature (RFC 1952 §2.3.1), which no text begins with. */
function isGzip(body: Uint8Array): boolean {
  return body[0] === 0x1f && body[1] === 0x8b;
}

const MEDIA_TYPE_FIX = 'send the header `Content-Type: text/plain; charset=utf-8`';

/** The senders that check the media type, as they SHOULD (RFC 8461 §3.2). */
const MEDIA_TYPE_QUIRKS: readonly SenderQuirk[] = [{
  senders: ['postfix-tlspol', 'chasquid', 'go-mtasts', 'kumomta', 'postfix-mta-sts-resolver', 'rest-mail'],
  effect: 'refuses the policy',
}];

function webPage({ body, contentType }: PolicyAnswered): FetchProblem {
  const title = titleOf(body);
  const named = title === '' ? '' : `, its title is \`${safeText(title, 60)}\``;
  const media = contentType === '' ? 'without media type' : `as \`${safeText(contentType)}\``;
  return problem('sts-policy-invalid', `a web page is served in place of the policy (${media}${named})`, {
    fix: 'serve the policy file itself at `/.well-known/mta-sts.txt`: look for a catch-all route, a login or parking page, or a bot check that answers in its place',
  });
}

function classifyStatus({ status, location, botCheck }: PolicyAnswered): FetchProblem {
  if (status >= 300 && status < 400 && status !== 304) {
    const target = location === undefined ? '' : ` to ${safeText(location)}`;
    return problem('sts-policy-fetch-error', `the answer is a redirect (status ${status}${target}), which senders never follow`, {
      fix: 'serve the policy file itself at this address, with status 200',
    });
  }
  const temporary = botCheck === undefined && (status >= 500 || TEMPORARY_STATUSES.includes(status));
  const only = `the answer has status ${status}, only 200 is a policy`;
  if (botCheck !== undefined) return problem('sts-policy-fetch-error', `${only}; a bot check stands before the file (\`${safeText(botCheck)}\`), which no sender passes`, { fix: BOT_CHECK_FIX });
  if (status === 401) return problem('sts-policy-fetch-error', `${only}; the host asks for a login, and senders have none`, { fix: 'let everyone read the policy file, without a login' });
  if (status === 403 || status === 429) {
    return problem('sts-policy-fetch-error', `${only}; often a bot check, a firewall or a rate limit turns away programs, and senders are programs`, { temporary, fix: BOT_CHECK_FIX });
  }
  return problem('sts-policy-fetch-error', only, { temporary });
}

const BOT_CHECK_FIX = 'let everyone read the policy file: leave its path out of bot checks, country blocks and rate limits, and check that the file is readable';

/** Request timeout, too early, too many requests (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4). */
const TEMPORARY_STATUSES = [408, 425, 429];

function classifyFailure({ outcome, reason, code, certificate }: PolicyUnanswered): Classification {
  if (code === INTERNAL_ERROR) return { kind: 'internal-fault', message: reason };
  if (code === DEADLINE_EXCEEDED || code === CANCELLED) return { kind: 'not-reached', message: reason };
  if (code === NOT_PUBLIC) return problem('address-not-public', `the address of the policy host ${reason}`, { unreachable: true });
  switch (outcome) {
    case 'unusable':
      return { kind: isLocalFault(code) ? 'local-fault' : 'unusable', message: reason };
    case 'unreachable':
      return problem('sts-policy-fetch-error', reason, { temporary: true, unreachable: true });
    case 'protocol':
      if (code === CLIENT_CERTIFICATE) return problem('sts-policy-fetch-error', `the policy host ${reason}`, { fix: CLIENT_CERTIFICATE_FIX });
      if (code === SPEAKS_HTTP2) return problem('sts-policy-fetch-error', reason, { fix: HTTP_FIX });
      // A malformed or endless response will come again. A response that breaks off may be complete the next time.
      return problem('sts-policy-fetch-error', reason, { temporary: !code.startsWith('HPE_') && code !== NO_FINAL_RESPONSE && code !== TOO_MANY_PIECES });
    case 'untrusted':
      if (code === NO_COMMON_HTTP) return problem('sts-policy-fetch-error', reason, { fix: HTTP_FIX });
      return certificate === undefined
        ? problem('sts-policy-fetch-error', reason, { fix: 'serve HTTPS with TLS 1.2 or later on port 443, and a certificate for the policy host' })
        : problem('sts-webpki-invalid', reason, {});
  }
}

const CLIENT_CERTIFICATE_FIX = 'turn off client authentication (mutual TLS) for the policy host: everyone must be able to read the policy';

const HTTP_FIX = 'let the policy host speak HTTP/1.1 as well as HTTP/2';

function problem(code: FetchProblem['code'], message: string, more: Partial<Pick<FetchProblem, 'temporary' | 'unreachable' | 'fix' | 'quirks'>>): FetchProblem {
  return { kind: 'fault', code, message, temporary: false, unreachable: false, ...more };
}
