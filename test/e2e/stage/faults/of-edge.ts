// CloudFront's edges serve what is old, refuse, fail, or do not answer at all.
import { EDGES } from '../addresses';
import type { ShownCertificate } from '../edge';
import type { Stage } from '../stage';
import { untilAfterWrite, whenOver } from './fault';
import type { Fault } from './fault';

const ONE: string = EDGES.v4[1];

/** @param seconds - how long they last after the policy file was written */
export function faultsOfTheEdge(seconds: number): readonly Fault[] {
  const failing = { holdsBack: seconds, blinds: true } as const;
  return [
    { what: `the edge serves the old bytes for ${seconds} s after the write`, holdsBack: seconds, begin: oldBytes(seconds) },
    { what: 'the edge serves the old bytes for 90 s after the write', slow: true, soak: false, holdsBack: 90, begin: oldBytes(90) },
    {
      what: `one address of the edge alone serves the old bytes for ${seconds} s after the write`,
      slow: true,
      holdsBack: seconds,
      begin: oldBytes(seconds, ONE),
    },
    { what: `the edge throttles with 429 for ${seconds} s after the write`, slow: true, ...failing, begin: answers(429, seconds) },
    { what: `the edge fails with 500 for ${seconds} s after the write`, slow: true, ...failing, begin: answers(500, seconds) },
    { what: `the edge throttles with 503 for ${seconds} s after the write`, ...failing, begin: answers(503, seconds) },
    { what: `the edge answers 200 with a page of HTML for ${seconds} s after the write`, slow: true, ...failing, begin: answers(200, seconds) },
    {
      what: `one address of the edge shows no certificate until ${seconds} s after the write`,
      slow: true,
      ...failing,
      begin: certificate('none', seconds),
    },
    {
      what: `one address of the edge does not know the domain, and shows a certificate for another name until ${seconds} s after the write`,
      slow: true,
      ...failing,
      begin: certificate('for another name', seconds),
    },
    {
      what: `one address of the edge takes connections and is silent for ${seconds} s after the write`,
      ...failing,
      begin: untilAfterWrite('write', seconds, ({ edge }, isOn) => {
        edge.fail((address) => address === ONE && isOn() ? 'hang' : undefined);
      }),
    },
  ];
}

/** @param address - of one edge; all where it is not given */
function oldBytes(seconds: number, address?: string): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, ({ edge }: Stage, isOn, over) => {
    edge.freeze(address);
    whenOver(isOn, () => {
      edge.thaw();
    }, over);
  });
}

function answers(status: number, seconds: number): Fault['begin'] {
  return untilAfterWrite('write', seconds, ({ edge }, isOn) => {
    edge.fail(() => isOn() ? { status, headers: new Map([['content-type', 'text/html']]), body: Buffer.from('made to fail by the stage') } : undefined);
  });
}

/** What the one address shows in place of the right certificate. */
function certificate(shown: ShownCertificate, seconds: number): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, ({ edge }, isOn, over) => {
    edge.certificates.set(ONE, shown);
    whenOver(isOn, () => edge.certificates.delete(ONE), over);
  });
}
