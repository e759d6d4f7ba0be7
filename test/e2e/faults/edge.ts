// Faults of the CloudFront edges: they serve old files, throttle, fail, present wrong certificates, or do not answer.
import type { ViewerRequest, ViewerResponse } from '../../../lib/preview/edge/function-event';
import { EDGES } from '../environment/addresses';
import type { ShownCertificate } from '../environment/edge/edge';
import type { TestEnvironment } from '../environment/environment';
import { nextWrite, whenOver } from './fault';
import type { Fault } from './fault';
import { untilAfterWrite } from './window';

/** Address of the only edge that fails, where one edge fails alone. */
const FAILING_EDGE: string = EDGES.v4[1];

/** @param seconds - duration of the faults after the policy file was written */
export function edgeFaults(seconds: number): readonly Fault[] {
  const unreachable = { holdsBack: seconds, blinds: true } as const;
  return [
    { what: `the edge serves the old bytes for ${seconds} s after the write`, holdsBack: seconds, begin: oldBytes(seconds) },
    { what: 'the edge serves the old bytes for 90 s after the write', slow: true, soak: false, holdsBack: 90, begin: oldBytes(90) },
    {
      what: `only one address of the edge serves the old bytes for ${seconds} s after the write`,
      slow: true,
      holdsBack: seconds,
      begin: oldBytes(seconds, FAILING_EDGE),
    },
    { what: `the edge answers 429 for ${seconds} s after the write`, slow: true, ...unreachable, begin: answers(429, seconds) },
    { what: `the edge answers 500 for ${seconds} s after the write`, slow: true, ...unreachable, begin: answers(500, seconds) },
    { what: `the edge answers 503 for ${seconds} s after the write`, ...unreachable, begin: answers(503, seconds) },
    { what: `the edge answers 200 with an HTML page for ${seconds} s after the write`, slow: true, ...unreachable, begin: answers(200, seconds) },
    {
      what: `one address of the edge presents no certificate until ${seconds} s after the write`,
      slow: true,
      ...unreachable,
      begin: certificate('none', seconds),
    },
    {
      what: `one address of the edge presents a certificate for another name until ${seconds} s after the write`,
      slow: true,
      ...unreachable,
      begin: certificate('for another name', seconds),
    },
    {
      what: `one address of the edge accepts connections and does not answer for ${seconds} s after the write`,
      slow: true,
      ...unreachable,
      begin: untilAfterWrite('write', seconds, ({ edge }, { isOn, meet }) => {
        edge.fail((address, request) => {
          if (address !== FAILING_EDGE || !isOn()) return undefined;
          if (isByFunction(request)) meet();
          return 'hang';
        });
      }),
    },
  ];
}

/** @param address - address of the one affected edge. @default all */
function oldBytes(seconds: number, address?: string): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, ({ edge }: TestEnvironment, { isOn, meet }, signal) => {
    edge.freeze(address);
    edge.fail((at, request) => {
      if (isOn() && at === (address ?? at) && isByFunction(request)) meet();
      return undefined;
    });
    whenOver(isOn, () => {
      edge.thaw();
    }, signal);
  });
}

function answers(status: number, seconds: number): Fault['begin'] {
  return untilAfterWrite('write', seconds, ({ edge }, { isOn, meet }) => {
    edge.fail((_, request) => {
      if (!isOn()) return undefined;
      if (isByFunction(request)) meet();
      return htmlPage(status);
    });
  });
}

/** Lets every edge answer with this status after the next policy write, without an end. */
export function failAfterWrite(status: number): (environment: TestEnvironment) => void {
  return (environment) => {
    const write = nextWrite(environment);
    environment.edge.fail(() => write() === undefined ? undefined : htmlPage(status));
  };
}

/** Returns an HTML page, which is not a valid policy with any status. */
export function htmlPage(status: number): ViewerResponse {
  return { status, headers: new Map([['content-type', 'text/html']]), body: Buffer.from('failure injected by the test environment') };
}

/** The verifier of the function sends its own user agent. The observer does not, and no other verifier runs during a fault. */
function isByFunction({ headers }: ViewerRequest): boolean {
  return headers.some(([name, value]) => name === 'user-agent' && /^mta-sts\b/.test(value));
}

/** Presents a wrong certificate at one address. A failed handshake does not show its client, so the requests are not counted. */
function certificate(presented: ShownCertificate, seconds: number): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, ({ edge }, { isOn }, signal) => {
    edge.certificates.set(FAILING_EDGE, presented);
    whenOver(isOn, () => edge.certificates.delete(FAILING_EDGE), signal);
  }, false);
}
