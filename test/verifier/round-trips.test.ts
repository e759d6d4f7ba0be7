// How deep a verification is: in a world where every answer takes as long as any other, its time tells the round trips.
import { describe, expect, test } from '@jest/globals';
import { toWire } from '../../lib/preview/dns-records';
import type { DnsRecord } from '../../lib/preview/dns-records';
import { dataOf } from '../../lib/verifier/dns-data';
import type { DnsAnswer, DnsData, DnsType } from '../../lib/verifier/resolver';
import { verify } from '../../lib/verifier/verify';
import type { Clock, World } from '../../lib/verifier/verify';
import { DOMAIN, POLICY, RECORDS, zone } from '../support/domain';

/** What every answer takes, of DNS and of the policy host. */
const LATENCY_MS = 40;

/** Its time goes on only when nobody has anything left to do at the present one. */
class VirtualClock implements Clock {
  private time = Date.parse('2026-01-02T03:04:05Z');
  private alarms: { readonly at: number; readonly ring: () => void }[] = [];
  private turning = false;

  public now(): number {
    return this.time;
  }

  public sleep(milliseconds: number): Promise<void> {
    return new Promise((ring) => {
      this.alarms.push({ at: this.time + milliseconds, ring });
      if (!this.turning) this.turn();
    });
  }

  /** To the next alarm, and on. */
  private turn(): void {
    this.turning = true;
    setImmediate(() => {
      this.turning = false;
      this.time = Math.min(...this.alarms.map(({ at }) => at));
      const due = this.alarms.filter(({ at }) => at <= this.time);
      this.alarms = this.alarms.filter(({ at }) => at > this.time);
      due.forEach(({ ring }) => {
        ring();
      });
      if (this.alarms.length > 0) this.turn();
    });
  }
}

function answerOf<T extends DnsType>(zone: readonly DnsRecord[], name: string, type: T): DnsAnswer<T> {
  const base = { server: '192.0.2.53:53', cnames: [], authoritative: true, ttl: 300 };
  const records: DnsData[T][] = [];
  for (const record of zone.filter((one) => one.name === name)) {
    const data = dataOf(Object.assign(toWire(record), { class: 'IN' }), type);
    if (data !== undefined) records.push(data);
  }
  return records.length === 0 ? { status: 'empty', reason: 'NODATA', ...base } : { status: 'found', records, ...base };
}

/** Where every answer is as a zone has it, and comes after the latency. */
function slowWorld(records: readonly DnsRecord[]): World {
  const clock = new VirtualClock();
  const later = <T>(answer: T): Promise<T> => clock.sleep(LATENCY_MS).then(() => answer);
  return {
    clock,
    resolver: { query: (name, type) => later(answerOf(records, name, type)) },
    fetchPolicy: () => later({
      outcome: 'answered', status: 200, contentType: 'text/plain', body: Buffer.from(POLICY), tooLarge: false, milliseconds: LATENCY_MS,
      tlsVersion: 'TLSv1.3', certificate: { subjectAltName: '', issuer: '', validFrom: '2026-01-01T00:00:00Z', validTo: '2026-03-01T00:00:00Z' },
    }),
  };
}

describe('a verification', () => {
  const { nsAddress, address } = RECORDS;
  const v6 = ({ name }: { readonly name: string }): DnsRecord => ({ name, type: 'AAAA', ttl: 300, data: '2001:db8::1' });

  test.each<[string, DnsRecord[]]>([
    ['where all is well', zone()],
    ['with both address families', zone({}, v6(nsAddress), v6(address))],
    ['without MX records', zone({ mx1: undefined, mx2: undefined }, { ...address, name: DOMAIN })],
  ])('of a domain %s is four round trips deep', async (_, records) => {
    const report = await verify(DOMAIN, {}, slowWorld(records));
    expect(report.lookup).toBe('found');
    expect(report.milliseconds).toBe(4 * LATENCY_MS);
  });

  test('of a domain without a record takes one more, to look for it at wrong names', async () => {
    const report = await verify(DOMAIN, {}, slowWorld(zone({ sts: undefined })));
    expect(report.lookup).toBe('none');
    expect(report.milliseconds).toBe(5 * LATENCY_MS);
  });
});
