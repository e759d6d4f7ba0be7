// Controls the test environment: a request that a fault keeps open ends with the fault.
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { EDGES } from '../../environment/addresses';
import { PROXY } from '../../environment/aws/aws-proxy';
import type { TestEnvironment } from '../../environment/environment';
import { underFault } from '../../faults/fault';
import type { End } from '../../faults/fault';

/** Time limit of each request. Longer than the fault, so the end of the fault must have closed the request. */
const REQUEST_TIMEOUT_MS = 20_000;

export async function expectHangsEnd(environment: TestEnvironment): Promise<string> {
  const begin = ({ aws, edge }: TestEnvironment): End => {
    aws.fail(() => 'hang');
    edge.fail(() => 'hang');
    return undefined;
  };
  const { ended: pending } = await underFault({ begin }, environment, async () => {
    const requests = [askEdge(environment), fetch(PROXY, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })];
    const endings = requests.map((answer) => answer.then(() => 'answered', () => 'closed'));
    const early = await Promise.race([...endings, sleep(500, undefined)]);
    if (early !== undefined) throw new Error(`a request was ${early} while the fault lasted`);
    return endings;
  });
  const endings = await Promise.all(pending.map((ending) => Promise.race([ending, sleep(2_000, 'still open')])));
  if (endings.some((ending) => ending !== 'closed')) throw new Error(`two seconds after the fault the requests to the edge and to AWS were ${endings.join(' and ')}`);
  return 'one request to the edge, and one to AWS';
}

function askEdge({ authority }: TestEnvironment): Promise<void> {
  const host = 'mta-sts.example.test';
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: EDGES.v4[0], servername: host, path: '/.well-known/mta-sts.txt', headers: { host }, ca: authority.certificatePem, agent: false,
      timeout: REQUEST_TIMEOUT_MS,
    }, () => {
      resolve();
    });
    outgoing.on('error', reject).on('timeout', () => outgoing.destroy(new Error('no answer'))).end();
  });
}
