// A control of the stage: what a fault lets hang ends with the fault.
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { EDGES } from '../../environment/addresses';
import { PROXY } from '../../environment/aws/aws-proxy';
import type { TestEnvironment } from '../../environment/environment';
import { underFault } from '../../faults/fault';
import type { End } from '../../faults/fault';

/** Beyond that it would not be the end of the fault that ends it. */
const MAX_MILLISECONDS = 20_000;

export async function expectHangsEnd(environment: TestEnvironment): Promise<string> {
  const begin = ({ aws, edge }: TestEnvironment): End => {
    aws.fail(() => 'hang');
    edge.fail(() => 'hang');
    return undefined;
  };
  const { ended: authorizedCalls } = await underFault({ begin }, environment, async () => {
    const all = [askEdge(environment), fetch(PROXY, { signal: AbortSignal.timeout(MAX_MILLISECONDS) })];
    const endings = all.map((answer) => answer.then(() => 'answered', () => 'broken off'));
    const early = await Promise.race([...endings, sleep(500, undefined)]);
    if (early !== undefined) throw new Error(`a request was ${early} while the fault lasted`);
    return endings;
  });
  const endings = await Promise.all(authorizedCalls.map((ending) => Promise.race([ending, sleep(2_000, 'still open')])));
  if (endings.some((ending) => ending !== 'broken off')) throw new Error(`two seconds after the fault the requests to the edge and to AWS were ${endings.join(' and ')}`);
  return 'the one to the edge, and the one to AWS';
}

function askEdge({ authority }: TestEnvironment): Promise<void> {
  const host = 'mta-sts.example.test';
  return new Promise((resolve, reject) => {
    const asking = request({
      host: EDGES.v4[0], servername: host, path: '/.well-known/mta-sts.txt', headers: { host }, ca: authority.certificatePem, agent: false,
      timeout: MAX_MILLISECONDS,
    }, () => {
      resolve();
    });
    asking.on('error', reject).on('timeout', () => asking.destroy(new Error('no answer'))).end();
  });
}
