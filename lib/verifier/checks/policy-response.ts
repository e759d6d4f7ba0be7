// Judges one answer of a policy host by RFC 8461 §3.3: is it a policy file, and if not, whose fault is it and will it pass.
import type { Dissent } from '../../protocol/finding';
import { MAX_POLICY_BYTES } from '../../protocol/policy';
import { printable } from '../../protocol/text';
import type { PolicyAnswered, PolicyResponse, PolicyUnanswered } from '../fetch-policy';
import { NO_FINAL_RESPONSE } from '../policy-exchange';
import { isLocalFault } from '../network-fault';
import { NOT_PUBLIC } from '../public-address';
import { CALLED_OFF, DEADLINE } from '../world';

/** What one address comes to. */
export type Judgement
  = | { readonly kind: 'file'; readonly body: Uint8Array }
    | { readonly kind: 'unusable' | 'local-fault' | 'not-reached'; readonly message: string }
    | FetchFault;

/** Why there is no file. */
export interface FetchFault {
  readonly kind: 'fault';
  readonly code: 'address-not-public' | 'sts-policy-fetch-error' | 'sts-webpki-invalid' | 'sts-policy-invalid';
  /** Whether waiting may mend it. */
  readonly temporary: boolean;
  /** Whether it is the connection that failed, not what came over it. */
  readonly unreachable: boolean;
  readonly message: string;
  readonly fix?: string;
  /** The real senders that object; without, all do. */
  readonly dissent?: readonly Dissent[];
}

export function judge(response: PolicyResponse): Judgement {
  return response.outcome === 'answered' ? judgeAnswer(response) : judgeSilence(response);
}

function judgeAnswer(response: PolicyAnswered): Judgement {
  const { status, contentType, tooLarge, body } = response;
  if (status !== 200) return judgeStatus(response);
  if (tooLarge) {
    return fault('sts-policy-fetch-error', `the body is larger than ${MAX_POLICY_BYTES} bytes, where senders stop reading`, {
      fix: 'serve the policy file alone, which has some hundred bytes',
    });
  }
  // Parameters are of no matter (RFC 8461 §3.2).
  if (contentType.split(';')[0].trim().toLowerCase() !== 'text/plain') {
    const found = contentType === '' ? 'there is no media type' : `the media type is \`${printable(contentType)}\``;
    return fault('sts-policy-invalid', `${found}, \`text/plain\` is expected`, {
      dissent: MEDIA_TYPE_DISSENT,
      fix: 'send the header `Content-Type: text/plain; charset=utf-8`',
    });
  }
  return { kind: 'file', body };
}

/** The RFC says that senders SHOULD look at the media type (RFC 8461 §3.2); these do. */
const MEDIA_TYPE_DISSENT: readonly Dissent[] = [{
  senders: ['postfix-tlspol', 'chasquid', 'go-mtasts', 'kumomta', 'postfix-mta-sts-resolver', 'rest-mail'],
  effect: 'refuses the policy',
}];

function judgeStatus({ status, location }: PolicyAnswered): FetchFault {
  if (status >= 300 && status < 400) {
    const target = location === undefined ? '' : ` to ${printable(location)}`;
    return fault('sts-policy-fetch-error', `the answer is a redirect (status ${status}${target}), which senders never follow`, {
      fix: 'serve the policy file itself at this address, with status 200',
    });
  }
  return fault('sts-policy-fetch-error', `the answer has status ${status}, only 200 is a policy`, { temporary: status >= 500 || PASSING.includes(status) });
}

/** Time-out, too early, too many requests (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4). */
const PASSING = [408, 425, 429];

function judgeSilence({ outcome, reason, code, certificate }: PolicyUnanswered): Judgement {
  if (code === DEADLINE || code === CALLED_OFF) return { kind: 'not-reached', message: reason };
  if (code === NOT_PUBLIC) return fault('address-not-public', `the address of the policy host ${reason}`, { unreachable: true });
  switch (outcome) {
    case 'unusable':
      return { kind: isLocalFault(code) ? 'local-fault' : 'unusable', message: reason };
    case 'unreachable':
      return fault('sts-policy-fetch-error', reason, { temporary: true, unreachable: true });
    case 'protocol':
      // What the server sends wrongly, or without end, it will send again; what breaks off may come whole the next time.
      return fault('sts-policy-fetch-error', reason, { temporary: !code.startsWith('HPE_') && code !== NO_FINAL_RESPONSE });
    case 'untrusted':
      return certificate === undefined
        ? fault('sts-policy-fetch-error', reason, { fix: 'serve HTTPS with TLS 1.2 or later on port 443, and a certificate for the policy host' })
        : fault('sts-webpki-invalid', reason, {});
  }
}

function fault(code: FetchFault['code'], message: string, more: Partial<Pick<FetchFault, 'temporary' | 'unreachable' | 'fix' | 'dissent'>>): FetchFault {
  return { kind: 'fault', code, message, temporary: false, unreachable: false, ...more };
}
