// The real world for a run over many domains: one resolver, one set of trusted roots, one look at each mail host.
import { createFetchPolicy } from './https/policy-fetch';
import { createMxProbe } from './smtp/mx-probe';
import { createResolver } from './dns/resolver';
import { cachedMxProbe, cachedResolver } from './cached-network';
import { REAL_CLOCK } from './network';
import type { Network } from './network';

export interface NetworkOptions {
  /** Ends what is under way, when all is said. */
  readonly signal?: AbortSignal;
  /**
   * Recursive resolvers to ask, as `host`, `host:port` or `[v6]:port`.
   *
   * @default - those that the system is set up with
   */
  readonly servers?: readonly string[];
  /**
   * The port of the mail hosts.
   *
   * @default 25
   */
  readonly smtpPort?: number;
  /**
   * Whether what many domains have in common is asked for once.
   *
   * @default false
   */
  readonly remember?: boolean;
}

/** @throws RangeError when a server is not written as it should be */
export function createNetwork({ signal, servers, smtpPort, remember = false }: NetworkOptions = {}): Network {
  const clock = REAL_CLOCK;
  const resolver = createResolver({ signal, ...servers === undefined ? {} : { servers } });
  const mxProbe = createMxProbe({ signal, port: smtpPort });
  return {
    clock,
    resolver: remember ? cachedResolver(resolver, clock) : resolver,
    fetchPolicy: createFetchPolicy({ signal }),
    mxProbe: remember ? cachedMxProbe(mxProbe, clock) : mxProbe,
  };
}
