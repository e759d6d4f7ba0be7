// The depth of a verification: if each answer takes one round trip, a verification takes at most four.
import { describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../lib/preview/dns-server/server';
import type { DnsRecord } from '../../lib/preview/dns-server/server';
import type { PolicyResponse } from '../../lib/verifier/https/policy-response';
import type { MxResponse } from '../../lib/verifier/smtp/mx-response';
import type { VerificationResult } from '../../lib/verifier/result';
import type { DnsAnswer, DnsType } from '../../lib/verifier/dns/answer';
import { verify } from '../../lib/verifier/verify';
import type { VerifyOptions, Network } from '../../lib/verifier/verify';
import { DOMAIN, MX1, POLICY, RECORDS, addressOf, mailZone } from '../support/domain';
import { FakeClock } from '../support/fake-clock';

const ROUND_TRIP_MS = 40;
const START = Date.parse('2026-01-01T00:00:00Z');

const CERTIFICATE = { subjectAltName: '', issuer: '', validFrom: '2025-12-01T00:00:00Z', validTo: '2100-01-01T00:00:00Z' };
const SERVED: PolicyResponse = {
  outcome: 'answered', status: 200, contentType: 'text/plain', body: Buffer.from(POLICY), tooLarge: false, milliseconds: ROUND_TRIP_MS,
  tlsVersion: 'TLSv1.3', certificate: CERTIFICATE,
};
const SECURE: MxResponse = { outcome: 'secure', tlsVersion: 'TLSv1.3', certificate: CERTIFICATE, milliseconds: 0 };

interface Depth {
  readonly result: VerificationResult;
  /** Of the whole. */
  readonly roundTrips: number;
  readonly questions: readonly string[];
}

/** Name servers and resolver answer from the records, the policy host serves the policy: each after one round trip; SMTP takes none. */
async function depthOf(records: readonly DnsRecord[], options: VerifyOptions = {}): Promise<Depth> {
  const clock = new FakeClock(START);
  const answer = zoneAnswers(records);
  const questions: string[] = [];
  const network: Partial<Network> = {
    clock,
    resolver: {
      query: async <T extends DnsType>(name: string, type: T, server?: string): Promise<DnsAnswer<T>> => {
        questions.push(`${name} ${type}`);
        await clock.sleep(ROUND_TRIP_MS);
        const reply = await answer({ name, type });
        const found = reply === 'drop' ? [] : reply.answers.filter((record) => record.type === type);
        const base = { server: server ?? 'resolver', cnames: [], authoritative: true };
        return found.length === 0
          ? { status: 'empty', reason: 'NODATA', ...base }
          : { status: 'found', ttl: 300, records: found.map(({ data }) => data) as never, ...base };
      },
    },
    fetchPolicy: async () => {
      await clock.sleep(ROUND_TRIP_MS);
      return SERVED;
    },
    mxProbe: { reachedAny: true, probe: () => Promise.resolve(SECURE) },
  };
  const result = await clock.run(() => verify(DOMAIN, { allowPrivate: true, ...options }, network));
  return { result, questions, roundTrips: (clock.now() - START) / ROUND_TRIP_MS };
}

describe('no more than four round trips deep is', () => {
  test('a verification takes at most four round trips', async () => {
    const { result, roundTrips } = await depthOf(mailZone());
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', milliseconds: 4 * ROUND_TRIP_MS });
    expect(roundTrips).toBe(4);
  });

  test('a verification with SMTP takes at most four round trips before the SMTP session', async () => {
    const { result, roundTrips } = await depthOf(mailZone(), { smtp: true });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'deliver-verified' });
    expect(roundTrips).toBe(4);
  });

  test('a verification of a domain that is its own mail host takes at most four round trips', async () => {
    const zone = mailZone([addressOf(DOMAIN, '127.0.0.1')], { mx1: undefined, mx2: undefined });
    const { result, roundTrips } = await depthOf(zone, { smtp: true });
    expect(result.mx).toMatchObject([{ host: DOMAIN, observations: [{ status: 'ok' }] }]);
    expect(roundTrips).toBe(4);
  });

  test('a verification without a record takes at most four round trips', async () => {
    const zone = mailZone([addressOf(MX1, '127.0.0.1'), { ...RECORDS.mx1, name: `mail.${DOMAIN}` }], { sts: undefined, mx2: undefined });
    const { result, roundTrips, questions } = await depthOf(zone, { smtp: true });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none' });
    expect(questions).toEqual(expect.arrayContaining([`_25._tcp.${MX1} TLSA`, `_mta-sts.mail.${DOMAIN} TXT`, `_mta_sts.${DOMAIN} TXT`]));
    expect(roundTrips).toBe(4);
  });

  test('a verification with given name servers takes two round trips', async () => {
    const { result, roundTrips } = await depthOf(mailZone(), { nameServers: ['192.0.2.53'] });
    expect(result.lookup).toBe('found');
    expect(roundTrips).toBe(2);
  });

  test('a verification of a domain deep below its zone takes at most four round trips', async () => {
    const { roundTrips } = await depthOf(mailZone([{ ...RECORDS.ns, name: 'test' }, { ...RECORDS.soa, name: 'test' }], { ns: undefined }));
    expect(roundTrips).toBeLessThanOrEqual(4);
  });
});
