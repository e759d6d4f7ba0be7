// A stack of another Region with its us-east-1 stack: deploys both, and destroys both.
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
/** Stack names of test/integ.other-region.ts. */
const OUTER = 'MtaStsIntegOtherRegion';
const INNER = `${OUTER}-${OTHER_REGION}-mta-sts`;

export async function regionScenario(environment: TestEnvironment): Promise<void> {
  const { table, cli, emulator } = environment;
  table.begin('A stack in another Region');
  const otherRegion = emulator.inRegion(OTHER_REGION).cloudformation;
  const mainRegion = emulator.cloudformation;
  const app = new IntegApp(environment, 'other-region');
  const zoneId = await createZone(emulator.route53, DOMAIN, [record(DOMAIN, 'MX', `10 mx.${DOMAIN}.`)]);
  const before: string[] = [];
  const created: string[] = [];
  await table.prove(`cdk bootstrap prepares ${OTHER_REGION}`, async () => {
    expectEnd(await cli.cdk('bootstrap', `aws://${ACCOUNT}/${OTHER_REGION}`, '--app', ''), 0, 'cdk bootstrap');
    before.push(...await takeInventory(environment));
    return `stack CDKToolkit of ${OTHER_REGION}, ${(await stackResources(otherRegion, 'CDKToolkit')).length} resources`;
  });
  await table.prove(`cdk deploy --all creates both stacks, the one in ${REGION} first`, async () => {
    expectEnd(await app.deploy({ MTA_STS_DOMAIN: DOMAIN, MTA_STS_ZONE_ID: zoneId }), 0, 'cdk deploy');
    const [outer, inner] = [await stackResources(otherRegion, OUTER), await stackResources(mainRegion, INNER)];
    if (await findStack(mainRegion, OUTER) !== undefined || await findStack(otherRegion, INNER) !== undefined) throw new Error('a stack is in the wrong Region');
    const types = outer.map(({ ResourceType: type }) => type).filter((type) => type !== 'AWS::CDK::Metadata').join();
    if (types !== 'AWS::CloudFormation::WaitConditionHandle') throw new Error(`${OUTER} has ${types}`);
    const first = (await stackEvents(mainRegion, INNER)).at(-1)?.Timestamp;
    const second = (await stackEvents(otherRegion, OUTER)).at(0)?.Timestamp;
    if (first === undefined || second === undefined || first > second) throw new Error(`${OUTER} began ${String(second)}, ${INNER} ended ${String(first)}`);
    created.push(...await findLeftovers(environment, before));
    const inOtherRegion = created.filter((thing) => thing.startsWith(OTHER_REGION));
    if (inOtherRegion.join() !== `${OTHER_REGION}: stack ${OUTER}`) throw new Error(`${OTHER_REGION} has ${inOtherRegion.join(', ')}`);
    return `${REGION}: ${INNER}, ${inner.length} resources\n${OTHER_REGION}: ${OUTER}, ${outer.length}`;
  });
  await table.prove(`cdk deploy --all creates the stack in ${REGION} in the designed order, with the shipped bundle`, async () => {
    return `${expectDesignedOrder(await stackEvents(mainRegion, INNER))}; ${await expectShippedBundle(environment, mainRegion, INNER)}`;
  });
  await table.prove('mta-sts verify passes for a stack in another Region', async () => {
    const { output, ...ended } = await cli.mtaSts('verify', DOMAIN);
    expectEnd({ output, ...ended }, 0, 'mta-sts verify');
    return output.split('\n').slice(0, 4).join('\n');
  });
  const [outerId, innerId] = [(await findStack(otherRegion, OUTER))?.id ?? OUTER, (await findStack(mainRegion, INNER))?.id ?? INNER];
  const since = new Date();
  await table.prove('cdk destroy --all succeeds, and no observation sees a record without its file', async () => {
    return observedDestroy(environment, DOMAIN, () => app.destroy());
  });
  await table.prove('cdk destroy --all deletes both stacks, the TXT record before the file, and the file before the host', async () => {
    const left = [await findStack(otherRegion, OUTER), await findStack(mainRegion, INNER)].filter((stack) => stack !== undefined);
    if (left.length > 0) throw new Error(left.map(({ id, status }) => `${id} ${status}`).join('; '));
    const [outerEvents, innerEvents] = [await stackEvents(otherRegion, outerId, since), await stackEvents(mainRegion, innerId, since)];
    const last = [outerEvents, innerEvents].map((events) => events.at(-1)?.ResourceStatus);
    if (last.join() !== 'DELETE_COMPLETE,DELETE_COMPLETE') throw new Error(`the stacks ended with ${last.join()}`);
    return expectDestroyOrder(innerEvents);
  });
  await table.prove('cdk destroy --all leaves nothing but the log in either Region, which remains by design', async () => {
    return `${await expectNothingButLog(environment, before, INNER)}; deleted: ${created.join(', ')}`;
  });
  await deleteZone(emulator.route53, zoneId);
}
