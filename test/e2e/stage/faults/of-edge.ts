// CloudFront's edges serve what is old, refuse, fail, or do not answer at all.
import { setTimeout as sleep } from 'node:timers/promises';
import { EDGES } from '../addresses';
import type { Stage } from '../stage';
import { SECONDS, untilAfterWrite } from './fault';
import type { Fault } from './fault';

const ONE: string = EDGES.v4[1];

export const FAULTS_OF_THE_EDGE: readonly Fault[] = [
  { what: `the edge serves the old bytes for ${SECONDS} s after the write`, slow: true, begin: oldBytes(SECONDS) },
  { what: 'the edge serves the old bytes for 90 s after the write', slow: true, soak: false, begin: oldBytes(90) },
  { what: `the edge throttles with 429 for ${SECONDS} s after the write`, slow: true, begin: answers(429) },
  { what: `the edge fails with 500 for ${SECONDS} s after the write`, slow: true, begin: answers(500) },
  { what: `the edge throttles with 503 for ${SECONDS} s after the write`, slow: true, begin: answers(503) },
  {
    what: `one address of the edge shows no certificate until ${SECONDS} s after the write`,
    slow: true,
    begin: untilAfterWrite('beginning', ({ edge }, isOn) => {
      edge.dead.add(ONE);
      whenOver(isOn, () => edge.dead.delete(ONE));
    }),
  },
  {
    what: `one address of the edge takes connections and is silent for ${SECONDS} s after the write`,
    slow: true,
    begin: untilAfterWrite('write', ({ edge }, isOn) => {
      edge.fail((address) => address === ONE && isOn() ? 'hang' : undefined);
    }),
  },
];

function oldBytes(seconds: number): Fault['begin'] {
  return untilAfterWrite('beginning', ({ edge }: Stage, isOn) => {
    edge.freeze();
    whenOver(isOn, () => {
      edge.thaw();
    });
  }, seconds);
}

function answers(status: number): Fault['begin'] {
  return untilAfterWrite('write', ({ edge }, isOn) => {
    edge.fail(() => isOn() ? { status, headers: new Map([['content-type', 'text/html']]), body: Buffer.from('made to fail by the stage') } : undefined);
  });
}

function whenOver(isOn: () => boolean, end: () => void): void {
  void (async () => {
    while (isOn()) await sleep(100);
    end();
  })();
}
