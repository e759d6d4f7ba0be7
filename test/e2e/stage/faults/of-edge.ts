// CloudFront's edges serve what is old, refuse, fail, or do not answer at all.
import { EDGES } from '../addresses';
import type { Stage } from '../stage';
import { SECONDS, untilAfterWrite, whenOver } from './fault';
import type { Fault } from './fault';

const ONE: string = EDGES.v4[1];

const FAILING = { slow: true, holdsBack: SECONDS, blinds: true } as const;

export const FAULTS_OF_THE_EDGE: readonly Fault[] = [
  { what: `the edge serves the old bytes for ${SECONDS} s after the write`, slow: true, holdsBack: SECONDS, begin: oldBytes(SECONDS) },
  { what: 'the edge serves the old bytes for 90 s after the write', slow: true, soak: false, holdsBack: 90, begin: oldBytes(90) },
  {
    what: `one address of the edge alone serves the old bytes for ${SECONDS} s after the write`,
    slow: true,
    holdsBack: SECONDS,
    begin: oldBytes(SECONDS, ONE),
  },
  { what: `the edge throttles with 429 for ${SECONDS} s after the write`, ...FAILING, begin: answers(429) },
  { what: `the edge fails with 500 for ${SECONDS} s after the write`, ...FAILING, begin: answers(500) },
  { what: `the edge throttles with 503 for ${SECONDS} s after the write`, ...FAILING, begin: answers(503) },
  {
    what: `one address of the edge shows no certificate until ${SECONDS} s after the write`,
    ...FAILING,
    begin: untilAfterWrite('beginning', ({ edge }, isOn, over) => {
      edge.dead.add(ONE);
      whenOver(isOn, () => edge.dead.delete(ONE), over);
    }),
  },
  {
    what: `one address of the edge takes connections and is silent for ${SECONDS} s after the write`,
    ...FAILING,
    begin: untilAfterWrite('write', ({ edge }, isOn) => {
      edge.fail((address) => address === ONE && isOn() ? 'hang' : undefined);
    }),
  },
];

/** @param address - of one edge; all where it is not given */
function oldBytes(seconds: number, address?: string): Fault['begin'] {
  return untilAfterWrite('beginning', ({ edge }: Stage, isOn, over) => {
    edge.freeze(address);
    whenOver(isOn, () => {
      edge.thaw();
    }, over);
  }, seconds);
}

function answers(status: number): Fault['begin'] {
  return untilAfterWrite('write', ({ edge }, isOn) => {
    edge.fail(() => isOn() ? { status, headers: new Map([['content-type', 'text/html']]), body: Buffer.from('made to fail by the stage') } : undefined);
  });
}
