// Fetches a policy file from one address as a sender does (RFC 8461 §3.3), bounded in time and size.
import { performance } from 'node:perf_hooks';
import { allowManyListeners } from '../network-errors';
import { NO_COMMON_HTTP, mayLackCiphers } from '../tls/handshake-errors';
import { trustContext } from '../tls/trust-store';
import type { CipherChoice } from '../tls/trust-store';
import { PolicyExchange } from './exchange';
import type { HttpVariant } from './exchange';
import { HEADERS_TOO_LARGE, requestLeniently } from './http1-lenient';
import { requestStrictly } from './http1-strict';
import { requestOverHttp2 } from './http2';
import { CLIENT_CERTIFICATE, SPEAKS_HTTP2 } from './policy-response';
import type { PolicyRequest, PolicyResponse } from './policy-response';

/** Fetches a policy file. Never rejects: a failure is a response. */
export type FetchPolicy = (request: PolicyRequest) => Promise<PolicyResponse>;

export interface FetchPolicyOptions {
  /**
   * The port to connect to. Senders use only the default.
   *
   * @default 443
   */
  readonly port?: number;
  /**
   * Certificates of additional authorities to trust, as PEM texts.
   *
   * @default - only the authorities that Node trusts
   */
  readonly ca?: readonly string[];
  /**
   * Time from the connection to the last byte, in milliseconds. RFC 8461 §3.3 suggests a minute. Real senders wait two to four
   * seconds.
   *
   * @default 10000
   */
  readonly timeoutMs?: number;
  /** Cancels pending fetches; their response is `unreachable`. */
  readonly signal?: AbortSignal;
}

/** Creates a fetch that behaves as a sender's: TLS 1.2 or later, SNI, no redirect, no cache, no reused connection. */
export function createFetchPolicy(options: FetchPolicyOptions = {}): FetchPolicy {
  allowManyListeners(options.signal);
  return (request) => fetchPolicy(options, request);
}

/** A way to fetch: HTTP version, parser and cipher suites. */
interface FetchVariant extends HttpVariant {
  readonly ciphers: CipherChoice;
}

/** Every known sender supports this variant. */
const DEFAULT_VARIANT: FetchVariant = { alpn: 'http/1.1', request: requestStrictly, ciphers: 'common' };

/** Tries further variants after a failure that some senders do not have, and returns the response that says most. */
async function fetchPolicy(
  { port = 443, ca, timeoutMs = 10_000, signal }: FetchPolicyOptions, request: PolicyRequest,
): Promise<PolicyResponse> {
  const startedAt = performance.now();
  allowManyListeners(request.signal);
  const signals = [signal, request.signal].filter((one) => one !== undefined);
  const attempt = (variant: FetchVariant, leftMs: number): Promise<PolicyResponse> => {
    return new PolicyExchange({ ...request, port, timeoutMs: leftMs, signals, context: trustContext(ca, variant.ciphers), variant }).run();
  };
  let variant = DEFAULT_VARIANT;
  let response = await attempt(variant, timeoutMs);
  for (let next = nextVariant(variant, response); next !== undefined; next = nextVariant(variant, response)) {
    const leftMs = Math.min(MAX_RETRY_MS, timeoutMs - (performance.now() - startedAt));
    const other = leftMs < 1 ? undefined : await attempt(next, leftMs);
    if (other === undefined || !saysMore(next, other)) return response;
    variant = next;
    response = other;
  }
  return withVariantDetails(variant, response);
}

/** Maximum time for a further variant. No known sender waits longer, and one wrong response must not delay the verification. */
const MAX_RETRY_MS = 5000;

/** Tells whether the response of a further variant says more than the response before it. */
function saysMore(variant: FetchVariant, response: PolicyResponse): boolean {
  if (response.outcome === 'answered' || nextVariant(variant, response) !== undefined) return true;
  return (response.outcome === 'untrusted' && response.certificate !== undefined) || response.code === HEADERS_TOO_LARGE || response.code === CLIENT_CERTIFICATE;
}

/** Returns the variant that may succeed after a failure. Each change is made at most once. */
function nextVariant(variant: FetchVariant, response: PolicyResponse): FetchVariant | undefined {
  if (response.outcome === 'answered') return undefined;
  const { code, certificate } = response;
  if (variant.ciphers === 'common' && certificate === undefined && mayLackCiphers(code)) return { ...variant, ciphers: 'all' };
  if (variant.request !== requestStrictly) return undefined;
  if (code === NO_COMMON_HTTP || code === SPEAKS_HTTP2) return { ...variant, alpn: 'h2', request: requestOverHttp2 };
  return code.startsWith('HPE_') && !FINAL_PARSER_CODES.has(code) ? { ...variant, request: requestLeniently } : undefined;
}

/** Parser codes of responses that no client accepts: another protocol than HTTP, or a possible second message. */
const FINAL_PARSER_CODES: ReadonlySet<string> = new Set(['HPE_INVALID_CONSTANT', 'HPE_CHUNK_EXTENSIONS_OVERFLOW', 'HPE_INVALID_TRANSFER_ENCODING']);

/** Adds the weaknesses of the host that the variant reveals. */
function withVariantDetails(variant: FetchVariant, response: PolicyResponse): PolicyResponse {
  if (response.outcome !== 'answered') return response;
  return {
    ...response,
    violations: response.violations ?? (variant.request === requestLeniently ? ['other'] : undefined),
    cipher: variant.ciphers === 'all' ? response.cipher : undefined,
  };
}
