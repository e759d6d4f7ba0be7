// A verification that is called off: what is known by then is reported at once, and nothing of it is left behind.
import { getEventListeners, getMaxListeners } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import { createMxProbe } from '../../lib/verifier/smtp/mx-probe';
import type { DnsAnswer, DnsType } from '../../lib/verifier/dns/answer';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import { verify } from '../../lib/verifier/verify';
import type { Network } from '../../lib/verifier/verify';
import { DOMAIN, Loopback, mailZone } from '../support/domain';
import { realClockExcept } from '../support/fake-clock';
import { never, until } from '../support/waiting';
import { codes, finding } from '../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

/** A domain that does not exist, at once. */
const NOTHING: Partial<Network> = {
  resolver: {
    query: <T extends DnsType>(): Promise<DnsAnswer<T>> => {
      return Promise.resolve({ status: 'empty', reason: 'NXDOMAIN', authoritative: false, server: 'x', cnames: [] });
    },
  } satisfies Resolver,
  fetchPolicy: () => Promise.reject(new Error('nobody may be asked')),
};

describe('a verification that is interrupted', () => {
  test('an interrupted verification returns at once, with the rest unknown', async () => {
    const server = await loopback.policy({ behaviour: 'late' });
    const mx = await loopback.mx({ behaviour: 'silent-ehlo' });
    const controller = new AbortController();
    const { signal } = controller;
    // Nothing but the interruption ends it within the time of the test: the fetch and the looks have longer than that.
    const verifying = loopback.verify({
      zone: mailZone(), policyPort: server.port, mxPort: mx.port,
      options: { signal, timeoutMs: 120_000 }, fetchTimeoutMs: 120_000, probe: { timeoutMs: 120_000 },
      network: { clock: realClockExcept({ 120_000: never }) },
    });
    await until(() => server.requests.length > 0 && mx.sessions.length === 2);
    controller.abort();
    const result = await verifying;
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error', delivery: 'unknown', record: { id: '1' }, policy: null });
    expect(result.mx.map(({ host }) => host)).toEqual(['mx1.example.test', 'mx2.backup.test']);
    expect(codes(result).filter((code) => code.startsWith('error'))).toEqual([]);
    const cut = result.findings.filter(({ code }) => code === 'not-reached');
    expect(cut.map(({ subject }) => subject)).toEqual([`https://mta-sts.${DOMAIN}/.well-known/mta-sts.txt`, 'MX mx1.example.test', 'MX mx2.backup.test']);
    expect(cut.map(({ evidence }) => evidence)).toEqual(cut.map(() => expect.stringContaining('not answered before the verification was interrupted')));
    for (const { milliseconds } of [...result.policyObservations, ...result.mx.flatMap(({ observations: paths }) => paths)]) {
      expect(milliseconds).toBeLessThanOrEqual(result.milliseconds);
    }
    expect(listeners(controller.signal)).toBe(0);
  });

  test('an interrupted verification leaves the network of the caller open', async () => {
    const server = await loopback.mx({ behaviour: 'silent' });
    const controller = new AbortController();
    const probing = new AbortController();
    const probe = createMxProbe({ port: server.port, signal: probing.signal });
    const { signal } = controller;
    const verifying = loopback.verify({ zone: mailZone(), mxPort: server.port, network: { mxProbe: probe }, options: { signal } });
    await until(() => server.sessions.length === 2);
    controller.abort();
    await verifying;
    // A probe that is given belongs to the caller, and goes on for others.
    expect(server.open).toBe(2);
    probing.abort();
    await until(() => server.open === 0);
  });

  test('an interrupted verification reports no failure of a server', async () => {
    const server = await loopback.policy({ behaviour: 'late' });
    const mx = await loopback.mx({ behaviour: 'silent-ehlo' });
    const controller = new AbortController();
    const { signal } = controller;
    const network: Partial<Network> = {
      fetchPolicy: createFetchPolicy({ port: server.port, ca: [server.ca], signal }), mxProbe: createMxProbe({ port: mx.port, signal }),
    };
    const verifying = loopback.verify({ zone: mailZone(), policyPort: server.port, mxPort: mx.port, options: { signal }, network });
    await until(() => server.requests.length > 0 && mx.sessions.length === 2);
    controller.abort();
    const result = await verifying;
    expect(result.verdict).toBe('unknown');
    expect(codes(result).filter((code) => code.startsWith('error'))).toEqual([]);
    expect(codes(result)).not.toContain('unknown address-family-unusable');
    expect(listeners(signal)).toBe(0);
  });

  test('a verification interrupted before its start sends no query', async () => {
    let asked = 0;
    const network: Partial<Network> = {
      ...NOTHING,
      resolver: {
        query: () => {
          asked += 1;
          return Promise.reject(new Error('nobody may be asked'));
        },
      },
    };
    const result = await verify(DOMAIN, { signal: AbortSignal.abort() }, network);
    expect(asked).toBe(0);
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
    expect(finding(result, 'name-servers-unknown').message).toContain('not asked, the time was up');
  });
});

describe('one signal for many verifications', () => {
  test('a signal for many verifications has no listener afterwards, and causes no warning', async () => {
    const { signal } = new AbortController();
    let most = 0;
    for (let round = 0; round < 100; round += 1) {
      const verifying = Array.from({ length: 100 }, () => verify(DOMAIN, { signal }, NOTHING));
      most = Math.max(most, listeners(signal));
      await Promise.all(verifying);
    }
    expect(most).toBe(100);
    expect(listeners(signal)).toBe(0);
    // Node warns of more than these, as of a leak.
    expect(getMaxListeners(signal)).toBe(Infinity);
  });
});
