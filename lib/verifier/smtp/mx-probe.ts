// Probes one address of an MX host as a sender does before it delivers: connection, STARTTLS, certificate (RFC 8461 §4.2). Sends no mail.
import { PORT_BLOCKED } from './mx-response';
import { performance } from 'node:perf_hooks';
import { REFUSED, allowManyListeners } from '../network-errors';
import { mayLackCiphers } from '../tls/handshake-errors';
import { trustContext } from '../tls/trust-store';
import type { CipherChoice } from '../tls/trust-store';
import type { MxRequest, MxResponse } from './mx-response';
import { SmtpSession } from './session';

/** Probes MX hosts. */
export interface MxProbe {
  /** Never rejects: a failure is a response. */
  probe(request: MxRequest): Promise<MxResponse>;
  /** Whether any address has accepted a connection so far. If so, this network does not block the port. */
  readonly reachedAny: boolean;
}

export interface MxProbeOptions {
  /**
   * The port to connect to. Senders use only the default.
   *
   * @default 25
   */
  readonly port?: number;
  /**
   * Certificates of additional authorities to trust, as PEM texts.
   *
   * @default - only the authorities that Node trusts
   */
  readonly ca?: readonly string[];
  /**
   * Time for the connection, in milliseconds.
   *
   * @default 5000
   */
  readonly connectTimeoutMs?: number;
  /**
   * Time from the connection to the certificate, in milliseconds. Some servers delay their greeting to every stranger for some
   * seconds.
   *
   * @default 15000
   */
  readonly timeoutMs?: number;
  /**
   * Time after which the probe tries another address although several addresses did not answer, in milliseconds.
   *
   * @default 30000
   */
  readonly retryMs?: number;
  /** Cancels pending probes. */
  readonly signal?: AbortSignal;
}

/** Number of addresses without an answer, and none with one, after which the port counts as blocked. */
const MIN_SILENT_ADDRESSES = 4;

/** Creates a probe over real sockets, with one connection for each probe. */
export function createMxProbe(options: MxProbeOptions = {}): MxProbe {
  const { port = 25, connectTimeoutMs = 5000, timeoutMs = 15_000, retryMs = 30_000, signal } = options;
  allowManyListeners(signal);
  const silent = new Set<string>();
  let reachedAny = false;
  let lastTriedAt = -Infinity;
  return {
    get reachedAny() { return reachedAny; },
    probe: async (request) => {
      const now = performance.now();
      // Retry after a while: one dead domain at the beginning must not decide for all domains after it.
      if (!reachedAny && silent.size >= MIN_SILENT_ADDRESSES && now - lastTriedAt < retryMs) {
        return { outcome: 'timeout', code: PORT_BLOCKED, milliseconds: 0, reason: `not tried, for port ${port} was silent at all ${silent.size} addresses before it` };
      }
      lastTriedAt = now;
      const response = await probeOnce(request, { ca: options.ca, port, connectTimeoutMs, timeoutMs, signal });
      // A firewall on the way can refuse connections as well.
      if (response.outcome === 'secure' || (response.outcome !== 'timeout' && response.outcome !== 'unusable' && response.code !== REFUSED)) reachedAny = true;
      // Once the port is known to be open, the addresses are no longer needed. A long run would collect many.
      if (reachedAny) silent.clear();
      else if (response.outcome === 'timeout') silent.add(request.address);
      return response;
    },
  };
}

type ProbeSettings = Required<Pick<MxProbeOptions, 'port' | 'connectTimeoutMs' | 'timeoutMs'>> & Pick<MxProbeOptions, 'ca' | 'signal'>;

/** Offers the cipher suites of every known sender, and all suites if the server accepts none of them. */
async function probeOnce(request: MxRequest, { ca, signal, timeoutMs, ...settings }: ProbeSettings): Promise<MxResponse> {
  const startedAt = performance.now();
  allowManyListeners(request.signal);
  const signals = [signal, request.signal].filter((one) => one !== undefined);
  const session = (ciphers: CipherChoice, leftMs: number): Promise<MxResponse> => {
    return new SmtpSession({ ...request, ...settings, timeoutMs: leftMs, signals, context: trustContext(ca, ciphers) }).run();
  };
  const first = await session('common', timeoutMs);
  const leftMs = timeoutMs - (performance.now() - startedAt);
  if (first.outcome === 'secure') return { ...first, cipher: undefined };
  if (first.outcome !== 'tls-failed' || !mayLackCiphers(first.code) || leftMs < 1) return first;
  const other = await session('all', leftMs);
  return other.outcome === 'secure' || other.outcome === 'untrusted' ? other : first;
}
