// Many domains on one host: each is published, one leaves in two deployments, and senders to the other domains notice nothing.
import { expectEnd } from '../../environment/app/cdk-cli';
import { IntegApp } from '../../environment/app/integ-app';
import { expectNothingButLog, takeInventory } from '../../environment/aws/inventory';
import { EventOrder, stackEvents, stackResources } from '../../environment/aws/stacks';
import { createZone, deleteZone, record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { observeWhile } from '../../environment/observer/observer';
import type { ObserverOptions } from '../../environment/observer/observer';
import { sendEvent, expectAnswered, isChange, isPublicationOf } from '../rollback/late';
import { expectNoRecordWithoutFile, observedDestroy } from './destroy';

const ZONE = 'many.test';
const STACK = 'MtaStsIntegManyDomains';
/** Domains of test/integ.many-domains.ts. Each is its own mail host. */
const LAST_STAYING = `mail1.${ZONE}`;
const STAYING = [`mail0.${ZONE}`, LAST_STAYING];
const LEAVING = `mail2.${ZONE}`;
/** Resource types that each domain has for itself, without the address records of its host. */
const PUBLISHED = ['AWS::Route53::RecordSet', 'Custom::MtaStsPublication', 'Custom::MtaStsVerification'];
/** Less than usual, because three observers run at the same time. */
const OBSERVATIONS_PER_SECOND = 20;

export async function domainsScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator, edge, cli } = environment;
  table.begin('Many domains on one host');
  const domains = [...STAYING, LEAVING];
  const zoneId = await createZone(emulator.route53, ZONE, domains.map((name) => record(name, 'MX', `10 ${name}.`)));
  const before = await takeInventory(environment);
  const app = new IntegApp(environment, 'many-domains');
  const variables = (published: number, listed: number): Readonly<Record<string, string>> => ({
    MTA_STS_DOMAIN: ZONE, MTA_STS_ZONE_ID: zoneId, MTA_STS_PUBLISHED: String(published), MTA_STS_LISTED: String(listed),
  });
  const aliases = (): readonly string[] => edge.distributions().map((distribution) => distribution.aliases)
    .find((names) => names.includes(`mta-sts.${LAST_STAYING}`)) ?? [];

  await table.prove(`cdk deploy publishes ${domains.length} domains with one distribution`, async () => {
    expectEnd(await app.deploy(variables(3, 3)), 0, 'cdk deploy');
    if (aliases().join() !== domains.map((name) => `mta-sts.${name}`).join()) throw new Error(`a distribution serves ${aliases().join(', ')}`);
    return aliases().join(', ');
  });
  await table.prove('mta-sts verify passes for each of many domains', async () => expectPass(environment, domains));

  let leaving: Date | undefined;
  const from = environment.aws.invocations.length;
  await table.prove(`the first deployment to remove ${LEAVING} deletes its record, then its file, and changes neither its host nor the other domains`, async () => {
    leaving = new Date();
    const resourcesBefore = await stackResources(emulator.cloudformation, STACK);
    const options: ObserverOptions = { ca: environment.authority.certificatePem, first: 'file', domain: LEAVING, observationsPerSecond: OBSERVATIONS_PER_SECOND };
    const { observer, ended: { ended, evidence } } = await observeWhile(options, () => {
      return observeOtherDomains(environment, () => app.deploy(variables(2, 3)));
    });
    expectEnd(ended, 0, 'cdk deploy');
    if (!ended.output.includes(`lists ${LEAVING} in \`domains\`, but no MtaSts publishes a policy there`)) {
      throw new Error(`the command did not warn of the listed domain without a policy:\n${ended.output}`);
    }
    expectNoRecordWithoutFile(observer);
    const last = observer.observations.at(-1);
    if (last?.published !== undefined || last?.served !== undefined) throw new Error(`record or file still exist:\n${observer.summary()}`);
    if (!aliases().includes(`mta-sts.${LEAVING}`)) throw new Error(`the distribution serves only ${aliases().join(', ')}`);
    const remaining = (await stackResources(emulator.cloudformation, STACK)).map(({ LogicalResourceId: id }) => id);
    const deleted = resourcesBefore.filter(({ LogicalResourceId: id }) => !remaining.includes(id)).map(({ ResourceType: type = '' }) => type).sort();
    if (deleted.join() !== PUBLISHED.join()) throw new Error(`the deployment deleted ${deleted.join(', ') || 'nothing'}, expected ${PUBLISHED.join(', ')}`);
    const order = new EventOrder((await stackEvents(emulator.cloudformation, STACK, leaving)).filter(({ ResourceStatus: status = '' }) => status.startsWith('DELETE_')));
    order.expectBefore(['AWS::Route53::RecordSet', 'DELETE_COMPLETE'], ['Custom::MtaStsPublication', 'DELETE_IN_PROGRESS']);
    return `deleted: ${deleted.join(', ')}\n${LEAVING}: ${observer.summary()}\n${evidence}`;
  });
  await table.prove(`after ${LEAVING} was published again, a repeated Delete event of its removal succeeds and deletes neither file, record nor history`, async () => {
    const deletion = environment.aws.invocations.slice(from).find(({ event }) => isPublicationOf(event, 'Delete', LEAVING));
    if (deletion === undefined) throw new Error('the removal had no Delete event');
    expectEnd(await app.deploy(variables(3, 3)), 0, 'cdk deploy');
    const passed = await expectPass(environment, [LEAVING]);
    const calls = environment.aws.calls.length;
    const answer = expectAnswered(await sendEvent(deletion));
    const changes = environment.aws.calls.slice(calls).filter(isChange);
    if (changes.length > 0) throw new Error(changes.map(({ method, path }) => `${method} ${path}`).join(', '));
    await expectPass(environment, [LEAVING]);
    expectEnd(await app.deploy(variables(2, 3)), 0, 'cdk deploy');
    return `${answer}\n${passed}`;
  });
  await table.prove('the emulator has events of a distribution that an update did not change; AWS has none', async () => {
    const events = await stackEvents(emulator.cloudformation, STACK, leaving);
    const same = events.filter(({ ResourceType: type }) => type === 'AWS::CloudFront::Distribution');
    if (events.length === 0 || same.length === 0) throw new Error(`none of ${events.length} events belongs to the distribution`);
    return `${events.length} events, those of the distribution: ${same.map(({ ResourceStatus: status }) => status).join(', ')}`;
  });
  await table.prove(`the second deployment to remove ${LEAVING} removes its alias from the distribution, and does not change the other domains`, async () => {
    const { ended, evidence } = await observeOtherDomains(environment, () => app.deploy(variables(2, 2)));
    expectEnd(ended, 0, 'cdk deploy');
    if (aliases().join() !== STAYING.map((name) => `mta-sts.${name}`).join()) throw new Error(`a distribution serves ${aliases().join(', ')}`);
    return evidence;
  });
  await table.prove(`mta-sts verify passes for the remaining domains, and finds no policy of ${LEAVING}`, async () => {
    const passed = await expectPass(environment, STAYING);
    const { output, ...ended } = await cli.mtaSts('verify', LEAVING);
    expectEnd({ output, ...ended }, 1, 'mta-sts verify');
    if (!output.includes('record-missing')) throw new Error(`the command did not report record-missing:\n${output}`);
    return `${passed}\n${LEAVING}: record-missing, no policy`;
  });
  await table.prove('cdk destroy of many domains succeeds, and no observation sees a record without its file', async () => observedDestroy(environment, LAST_STAYING, () => app.destroy()));
  await table.prove('cdk destroy of many domains leaves nothing but the log, which remains by design', async () => expectNothingButLog(environment, before, STACK));
  // Delete the zone last: records that the stack left would be deleted with it.
  await deleteZone(emulator.route53, zoneId);
}

/** Observes the remaining domains during some work. Every observation must see the same record and its file. */
async function observeOtherDomains<T>(
  { authority }: TestEnvironment, work: () => Promise<T>,
): Promise<{ readonly ended: T; readonly evidence: string }> {
  const working = work();
  const observed = await Promise.all(STAYING.map(async (domain) => {
    return observeWhile({ ca: authority.certificatePem, first: 'record', domain, observationsPerSecond: OBSERVATIONS_PER_SECOND }, () => working);
  }));
  const evidence = observed.map(({ observer }, index) => {
    const domain = STAYING.at(index) ?? '';
    observer.expectAnswers();
    const id = observer.observations.at(0)?.published;
    const against = observer.findViolations(({ published, names, served }) => {
      return published === undefined || published !== id || served !== names;
    });
    if (against.length > 0) throw new Error(`${domain}: ${against.length} observations saw something else:\n${against.slice(0, 5).join('\n')}\n${observer.summary()}`);
    return `${domain}: ${observer.summary()}`;
  });
  return { ended: await working, evidence: evidence.join('\n') };
}

async function expectPass({ cli }: TestEnvironment, domains: readonly string[]): Promise<string> {
  const { output, ...ended } = await cli.mtaSts('verify', ...domains);
  expectEnd({ output, ...ended }, 0, 'mta-sts verify');
  const missing = domains.filter((name) => !output.includes(`✔ ${name}: pass`));
  if (missing.length > 0) throw new Error(`the command did not report pass for ${missing.join(', ')}:\n${output}`);
  return output.split('\n').filter((line) => line.endsWith(': pass')).join('\n');
}
