// Looks at one address of an MX host as a sender does before it delivers: connect, STARTTLS, certificate (RFC 8461 §4.2). No mail is sent.
import { performance } from 'node:perf_hooks';
import type { ServerCertificate } from '../https/fetch-policy';
import { REFUSED, allowManyListeners } from '../network-errors';
import { SmtpSession } from './session';
import { mayLackCiphers } from '../tls/handshake-errors';
import { trustContext } from '../tls/trust-store';
import type { CipherChoice } from '../tls/trust-store';

/** One look at one address. */
export interface MxRequest {
  /** The name in the MX record: the SNI, and the name that the certificate must carry. */
  readonly host: string;
  /** The IPv4 or IPv6 address to connect to. */
  readonly address: string;
  /** Ends this one look. */
  readonly signal?: AbortSignal;
}

/** STARTTLS led to a connection that a sender can rely on. */
export interface MxSecure {
  readonly outcome: 'secure';
  readonly tlsVersion: string;
  /** The cipher suite by its standard name, where it is one that Go's TLS does not offer. */
  readonly cipher?: string;
  readonly certificate: ServerCertificate;
  readonly milliseconds: number;
}

/**
 * There is no TLS at all.
 *
 * - `unusable`: could not be tried from here, for there is no route for the address family or no time left; says nothing about the server
 * - `silent`: no connection came about and nobody said why: the host is down, or this network lets nobody through to the port
 * - `unreachable`: refused, or lost before the greeting was whole
 * - `turned-away`: a greeting or an answer that ends the conversation
 * - `plain`: SMTP without STARTTLS
 * - `broken`: the TLS handshake failed, or what came after the answer to STARTTLS was not TLS
 */
export interface MxInsecure {
  readonly outcome: 'unusable' | 'silent' | 'unreachable' | 'turned-away' | 'plain' | 'broken';
  /** For people, one line. */
  readonly reason: string;
  /** Node's or OpenSSL's code, an SMTP reply code, or one of ours. */
  readonly code: string;
  readonly milliseconds: number;
}

/** TLS with a certificate that is not valid for the host. */
export interface MxUntrusted {
  readonly outcome: 'untrusted';
  /** For people, one line. */
  readonly reason: string;
  /** OpenSSL's or Node's code of the first fault. */
  readonly code: string;
  /** Every fault that can be told, at least one. */
  readonly faults: readonly { readonly code: string; readonly reason: string }[];
  readonly tlsVersion: string;
  readonly certificate: ServerCertificate;
  readonly milliseconds: number;
}

export type MxResponse = MxSecure | MxUntrusted | MxInsecure;

/** What the verifier looks at MX hosts with. */
export interface MxProbe {
  /** Never rejects: what goes wrong is an answer. */
  probe(request: MxRequest): Promise<MxResponse>;
  /** Whether any address has let us connect so far: then the network here lets us through to the port. */
  readonly reachedAny: boolean;
}

export interface MxProbeOptions {
  /**
   * The port to connect to. Senders know no other than the default.
   *
   * @default 25
   */
  readonly port?: number;
  /**
   * Certificates of authorities to trust besides the public ones, as PEM texts.
   *
   * @default - only those that Node trusts
   */
  readonly ca?: readonly string[];
  /**
   * For the connection, in milliseconds.
   *
   * @default 5000
   */
  readonly connectTimeoutMs?: number;
  /**
   * For everything from the connection to the certificate, in milliseconds. Some servers let every stranger wait for some seconds
   * before they greet.
   *
   * @default 15000
   */
  readonly timeoutMs?: number;
  /**
   * After how long another address is tried all the same, where nothing came back from several, in milliseconds.
   *
   * @default 30000
   */
  readonly retryMs?: number;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

/** The `code` of an address that was not tried, because nothing came back from any address before it. */
export const PORT_BLOCKED = 'PORT_BLOCKED';

/** So many addresses must have been silent, and none have answered, before the others are spared. */
const SILENT_ENOUGH = 4;

/** Makes a probe over real sockets, one connection for each look. */
export function createMxProbe(options: MxProbeOptions = {}): MxProbe {
  const { port = 25, connectTimeoutMs = 5000, timeoutMs = 15_000, retryMs = 30_000, signal } = options;
  allowManyListeners(signal);
  const silent = new Set<string>();
  let reachedAny = false;
  let lastTry = -Infinity;
  return {
    get reachedAny() { return reachedAny; },
    probe: async (request) => {
      const now = performance.now();
      // One dead domain at the beginning must not decide for all that come after it.
      if (!reachedAny && silent.size >= SILENT_ENOUGH && now - lastTry < retryMs) {
        return { outcome: 'silent', code: PORT_BLOCKED, milliseconds: 0, reason: `not tried, for port ${port} was silent at all ${silent.size} addresses before it` };
      }
      lastTry = now;
      const response = await look(request, { ca: options.ca, port, connectTimeoutMs, timeoutMs, signal });
      // A refusal can come from a firewall on the way as well.
      if (response.outcome === 'secure' || (response.outcome !== 'silent' && response.outcome !== 'unusable' && response.code !== REFUSED)) reachedAny = true;
      // Of no interest any more once the port is known to be open, and a long run would gather a great many.
      if (reachedAny) silent.clear();
      else if (response.outcome === 'silent') silent.add(request.address);
      return response;
    },
  };
}

type Setting = Required<Pick<MxProbeOptions, 'port' | 'connectTimeoutMs' | 'timeoutMs'>> & Pick<MxProbeOptions, 'ca' | 'signal'>;

/** With the cipher suites that every known sender offers; where the server takes none of them, with all. */
async function look(request: MxRequest, { ca, signal, timeoutMs, ...setting }: Setting): Promise<MxResponse> {
  const begin = performance.now();
  allowManyListeners(request.signal);
  const signals = [signal, request.signal].filter((one) => one !== undefined);
  const session = (ciphers: CipherChoice, leftMs: number): Promise<MxResponse> => {
    return new SmtpSession({ ...request, ...setting, timeoutMs: leftMs, signals, context: trustContext(ca, ciphers) }).run();
  };
  const first = await session('common', timeoutMs);
  const leftMs = timeoutMs - (performance.now() - begin);
  if (first.outcome === 'secure') return { ...first, cipher: undefined };
  if (first.outcome !== 'broken' || !mayLackCiphers(first.code) || leftMs < 1) return first;
  const other = await session('all', leftMs);
  return other.outcome === 'secure' || other.outcome === 'untrusted' ? other : first;
}
