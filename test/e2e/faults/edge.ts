// CloudFront's edges serve what is old, refuse, fail, or do not answer at all.
import type { ViewerRequest, ViewerResponse } from '../../../lib/preview/edge/function-event';
import { EDGES } from '../environment/addresses';
import type { ShownCertificate } from '../environment/edge/edge';
import type { TestEnvironment } from '../environment/environment';
import { nextWrite, whenOver } from './fault';
import type { Fault } from './fault';
import { untilAfterWrite } from './window';

const ONE: string = EDGES.v4[1];

/** @param seconds - how long they last after the policy file was written */
export function edgeFaults(seconds: number): readonly Fault[] {
  const unreached = { holdsBack: seconds, blinds: true } as const;
  return [
    { what: `the edge serves the old bytes for ${seconds} s after the write`, holdsBack: seconds, begin: oldBytes(seconds) },
    { what: 'the edge serves the old bytes for 90 s after the write', slow: true, soak: false, holdsBack: 90, begin: oldBytes(90) },
    {
      what: `one address of the edge alone serves the old bytes for ${seconds} s after the write`,
      slow: true,
      holdsBack: seconds,
      begin: oldBytes(seconds, ONE),
    },
    { what: `the edge throttles with 429 for ${seconds} s after the write`, slow: true, ...unreached, begin: answers(429, seconds) },
    { what: `the edge fails with 500 for ${seconds} s after the write`, slow: true, ...unreached, begin: answers(500, seconds) },
    { what: `the edge throttles with 503 for ${seconds} s after the write`, ...unreached, begin: answers(503, seconds) },
    { what: `the edge answers 200 with a page of HTML for ${seconds} s after the write`, slow: true, ...unreached, begin: answers(200, seconds) },
    {
      what: `one address of the edge shows no certificate until ${seconds} s after the write`,
      slow: true,
      ...unreached,
      begin: certificate('none', seconds),
    },
    {
      what: `one address of the edge does not know the domain, and shows a certificate for another name until ${seconds} s after the write`,
      slow: true,
      ...unreached,
      begin: certificate('for another name', seconds),
    },
    {
      what: `one address of the edge takes connections and is silent for ${seconds} s after the write`,
      slow: true,
      ...unreached,
      begin: untilAfterWrite('write', seconds, ({ edge }, { isOn, meet }) => {
        edge.fail((address, request) => {
          if (address !== ONE || !isOn()) return undefined;
          if (isOfFunction(request)) meet();
          return 'hang';
        });
      }),
    },
  ];
}

/** @param address - of one edge; all where it is not given */
function oldBytes(seconds: number, address?: string): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, ({ edge }: TestEnvironment, { isOn, meet }, over) => {
    edge.freeze(address);
    edge.fail((at, request) => {
      if (isOn() && at === (address ?? at) && isOfFunction(request)) meet();
      return undefined;
    });
    whenOver(isOn, () => {
      edge.thaw();
    }, over);
  });
}

function answers(status: number, seconds: number): Fault['begin'] {
  return untilAfterWrite('write', seconds, ({ edge }, { isOn, meet }) => {
    edge.fail((_, request) => {
      if (!isOn()) return undefined;
      if (isOfFunction(request)) meet();
      return page(status);
    });
  });
}

/** From the write on, for good. */
export function failing(status: number): (environment: TestEnvironment) => void {
  return (environment) => {
    const write = nextWrite(environment);
    environment.edge.fail(() => write() === undefined ? undefined : page(status));
  };
}

/** HTML, which is no policy, whatever the status. */
export function page(status: number): ViewerResponse {
  return { status, headers: new Map([['content-type', 'text/html']]), body: Buffer.from('made to fail by the stage') };
}

/** The verifier says who it is, and nobody runs another one while a fault lasts; the watch does not. */
function isOfFunction({ headers }: ViewerRequest): boolean {
  return headers.some(([name, value]) => name === 'user-agent' && /^mta-sts\b/.test(value));
}

/** What the one address shows in place of the right certificate. A handshake that fails does not tell whose it was. */
function certificate(shown: ShownCertificate, seconds: number): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, ({ edge }, { isOn }, over) => {
    edge.certificates.set(ONE, shown);
    whenOver(isOn, () => edge.certificates.delete(ONE), over);
  }, false);
}
