// A stack of another Region, with its us-east-1 stack inside: both come, and both go.
import { expectEnd } from '../../environment/app/cdk-cli';
import { IntegApp } from '../../environment/app/integ-app';
import { ACCOUNT, REGION } from '../../environment/aws/emulator';
import { OTHER_REGION, expectNothingButLog, takeInventory, findLeftovers } from '../../environment/aws/inventory';
import { stackEvents, stackResources, findStack } from '../../environment/aws/stacks';
import { createZone, deleteZone, record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { expectDesignedOrder, expectShippedBundle } from './deploy';
import { expectDestroyOrder, observedDestroy } from './destroy';

const DOMAIN = 'region.test';
/** The names of test/integ.other-region.ts. */
const OUTER = 'MtaStsIntegOtherRegion';
const INNER = `${OUTER}-${OTHER_REGION}-mta-sts`;

export async function regionScenario(environment: TestEnvironment): Promise<void> {
  const { table, cli, emulator } = environment;
  table.begin('A stack of another Region');
  const there = emulator.inRegion(OTHER_REGION).cloudformation;
  const here = emulator.cloudformation;
  const app = new IntegApp(environment, 'other-region');
  const zoneId = await createZone(emulator.route53, DOMAIN, [record(DOMAIN, 'MX', `10 mx.${DOMAIN}.`)]);
  const before: string[] = [];
  const made: string[] = [];
  await table.prove(`cdk bootstrap prepares ${OTHER_REGION}`, async () => {
    expectEnd(await cli.cdk('bootstrap', `aws://${ACCOUNT}/${OTHER_REGION}`, '--app', ''), 0, 'cdk bootstrap');
    before.push(...await takeInventory(environment));
    return `stack CDKToolkit of ${OTHER_REGION}, ${(await stackResources(there, 'CDKToolkit')).length} resources`;
  });
  await table.prove(`cdk deploy --all makes both stacks, that of ${REGION} first`, async () => {
    expectEnd(await app.deploy({ MTA_STS_DOMAIN: DOMAIN, MTA_STS_ZONE_ID: zoneId }), 0, 'cdk deploy');
    const [outer, inner] = [await stackResources(there, OUTER), await stackResources(here, INNER)];
    if (await findStack(here, OUTER) !== undefined || await findStack(there, INNER) !== undefined) throw new Error('a stack is in the Region of the other');
    const types = outer.map(({ ResourceType: type }) => type).filter((type) => type !== 'AWS::CDK::Metadata').join();
    if (types !== 'AWS::CloudFormation::WaitConditionHandle') throw new Error(`${OUTER} has ${types}`);
    const first = (await stackEvents(here, INNER)).at(-1)?.Timestamp;
    const second = (await stackEvents(there, OUTER)).at(0)?.Timestamp;
    if (first === undefined || second === undefined || first > second) throw new Error(`${OUTER} began ${String(second)}, ${INNER} ended ${String(first)}`);
    made.push(...await findLeftovers(environment, before));
    const elsewhere = made.filter((thing) => thing.startsWith(OTHER_REGION));
    if (elsewhere.join() !== `${OTHER_REGION}: stack ${OUTER}`) throw new Error(`in ${OTHER_REGION} stands ${elsewhere.join(', ')}`);
    return `${REGION}: ${INNER}, ${inner.length} resources\n${OTHER_REGION}: ${OUTER}, ${outer.length}`;
  });
  await table.prove(`in ${REGION} the designed order, and the shipped bundle`, async () => {
    return `${expectDesignedOrder(await stackEvents(here, INNER))}; ${await expectShippedBundle(environment, here, INNER)}`;
  });
  await table.prove('mta-sts verify says pass', async () => {
    const { output, ...ended } = await cli.mtaSts('verify', DOMAIN);
    expectEnd({ output, ...ended }, 0, 'mta-sts verify');
    return output.split('\n').slice(0, 4).join('\n');
  });
  const [outerId, innerId] = [(await findStack(there, OUTER))?.id ?? OUTER, (await findStack(here, INNER))?.id ?? INNER];
  const since = new Date();
  await table.prove('cdk destroy --all ends well, and no look sees a record without its file', async () => {
    return observedDestroy(environment, DOMAIN, () => app.destroy());
  });
  await table.prove('both stacks are gone; the TXT record went before the file, the file before the host', async () => {
    const left = [await findStack(there, OUTER), await findStack(here, INNER)].filter((stack) => stack !== undefined);
    if (left.length > 0) throw new Error(left.map(({ id, status }) => `${id} ${status}`).join('; '));
    const events = [await stackEvents(there, outerId, since), await stackEvents(here, innerId, since)];
    const last = events.map((all) => all.at(-1)?.ResourceStatus);
    if (last.join() !== 'DELETE_COMPLETE,DELETE_COMPLETE') throw new Error(`they ended with ${last.join()}`);
    return expectDestroyOrder(events[1]);
  });
  await table.prove('nothing is left behind in either Region but the log, which is kept by design', async () => {
    return `${await expectNothingButLog(environment, before, INNER)}; gone: ${made.join(', ')}`;
  });
  await deleteZone(emulator.route53, zoneId);
}
