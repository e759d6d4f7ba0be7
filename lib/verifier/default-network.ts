// Creates the real network for a run over many domains: one resolver, one set of trusted roots, optionally a cache.
import { createFetchPolicy } from './https/policy-fetch';
import { createMxProbe } from './smtp/mx-probe';
import { createResolver } from './dns/resolver';
import { cachedMxProbe, cachedResolver } from './cached-network';
import { REAL_CLOCK } from './network';
import type { Network } from './network';

/** Options for `createNetwork`. */
export interface NetworkOptions {
  /** Cancels pending operations. */
  readonly signal?: AbortSignal;
  /**
   * Recursive resolvers to use, as `host`, `host:port` or `[v6]:port`.
   *
   * @default - the resolvers of the system
   */
  readonly servers?: readonly string[];
  /**
   * The SMTP port of the mail hosts.
   *
   * @default 25
   */
  readonly smtpPort?: number;
  /**
   * Whether answers that many domains share are cached.
   *
   * @default false
   */
  readonly remember?: boolean;
}

/**
 * Creates the network.
 *
 * @throws RangeError when a server has another form
 */
export function createNetwork({ signal, servers, smtpPort, remember = false }: NetworkOptions = {}): Network {
  const clock = REAL_CLOCK;
  const resolver = createResolver({ signal, servers });
  const mxProbe = createMxProbe({ signal, port: smtpPort });
  return {
    clock,
    resolver: remember ? cachedResolver(resolver, clock) : resolver,
    fetchPolicy: createFetchPolicy({ signal }),
    mxProbe: remember ? cachedMxProbe(mxProbe, clock) : mxProbe,
  };
}
