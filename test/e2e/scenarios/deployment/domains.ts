// Many domains on one host: each is proved, one leaves in the two deployments of the README, and the others notice nothing.
import { expectEnd } from '../../environment/app/cdk-cli';
import { IntegApp } from '../../environment/app/integ-app';
import { expectNothingButLog, takeInventory } from '../../environment/aws/inventory';
import { EventOrder, stackEvents, stackResources } from '../../environment/aws/stacks';
import { createZone, deleteZone, record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { observeWhile } from '../../environment/observer/observer';
import type { ObserverOptions } from '../../environment/observer/observer';
import { delivered, expectAnswered, isChange, isPublicationOf } from '../rollback/late';
import { expectNoRecordWithoutFile, observedDestroy } from './destroy';

const ZONE = 'many.test';
const STACK = 'MtaStsIntegManyDomains';
/** As test/integ.many-domains.ts names them; each is its own mail host. */
const STAYING = [`mail0.${ZONE}`, `mail1.${ZONE}`];
const LEAVING = `mail2.${ZONE}`;
/** What a domain has of its own but for the records of its host. */
const PUBLISHED = ['AWS::Route53::RecordSet', 'Custom::MtaStsPublication', 'Custom::MtaStsVerification'];
/** Three watches at once. */
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
    .find((names) => names.includes(`mta-sts.${STAYING[0]}`)) ?? [];

  await table.prove(`cdk deploy brings ${domains.length} domains, one distribution for all`, async () => {
    expectEnd(await app.deploy(variables(3, 3)), 0, 'cdk deploy');
    if (aliases().join() !== domains.map((name) => `mta-sts.${name}`).join()) throw new Error(`a distribution serves ${aliases().join(', ')}`);
    return aliases().join(', ');
  });
  await table.prove('mta-sts verify says pass of each', async () => expectPass(environment, domains));

  let leaving: Date | undefined;
  const from = environment.aws.invocations.length;
  await table.prove(`${LEAVING} leaves, first deployment: its record goes, then its file; what serves it stays, and so do the others`, async () => {
    leaving = new Date();
    const stood = await stackResources(emulator.cloudformation, STACK);
    const options: ObserverOptions = { ca: environment.authority.certificatePem, first: 'file', domain: LEAVING, observationsPerSecond: OBSERVATIONS_PER_SECOND };
    const { observer, ended: { ended, evidence } } = await observeWhile(options, () => othersObserved(environment, () => app.deploy(variables(2, 3))));
    expectEnd(ended, 0, 'cdk deploy');
    if (!ended.output.includes(`lists ${LEAVING} in \`domains\`, but no MtaSts publishes a policy there`)) {
      throw new Error(`the command did not warn of it:\n${ended.output}`);
    }
    expectNoRecordWithoutFile(observer);
    const last = observer.observations.at(-1);
    if (last?.published !== undefined || last?.served !== undefined) throw new Error(`it is still there:\n${observer.summary()}`);
    if (!aliases().includes(`mta-sts.${LEAVING}`)) throw new Error(`the distribution serves ${aliases().join(', ')} alone`);
    const stands = (await stackResources(emulator.cloudformation, STACK)).map(({ LogicalResourceId: id }) => id);
    const gone = stood.filter(({ LogicalResourceId: id }) => !stands.includes(id)).map(({ ResourceType: type = '' }) => type).sort();
    if (gone.join() !== PUBLISHED.join()) throw new Error(`it took away ${gone.join(', ') || 'nothing'}, expected ${PUBLISHED.join(', ')}`);
    const order = new EventOrder((await stackEvents(emulator.cloudformation, STACK, leaving)).filter(({ ResourceStatus: status = '' }) => status.startsWith('DELETE_')));
    order.expectBefore(['AWS::Route53::RecordSet', 'DELETE_COMPLETE'], ['Custom::MtaStsPublication', 'DELETE_IN_PROGRESS']);
    return `gone: ${gone.join(', ')}\n${LEAVING}: ${observer.summary()}\n${evidence}`;
  });
  await table.prove(`${LEAVING} comes back, and the Delete of before comes once more: it succeeds, and file, record and ledger stand`, async () => {
    const deletion = environment.aws.invocations.slice(from).find(({ event }) => isPublicationOf(event, 'Delete', LEAVING));
    if (deletion === undefined) throw new Error('there was no such event');
    expectEnd(await app.deploy(variables(3, 3)), 0, 'cdk deploy');
    const passed = await expectPass(environment, [LEAVING]);
    const calls = environment.aws.calls.length;
    const answer = expectAnswered(await delivered(deletion));
    const changes = environment.aws.calls.slice(calls).filter(isChange);
    if (changes.length > 0) throw new Error(changes.map(({ method, path }) => `${method} ${path}`).join(', '));
    await expectPass(environment, [LEAVING]);
    expectEnd(await app.deploy(variables(2, 3)), 0, 'cdk deploy');
    return `${answer}\n${passed}`;
  });
  await table.prove('the emulator has events of a distribution that an update left alone; AWS has none', async () => {
    const events = await stackEvents(emulator.cloudformation, STACK, leaving);
    const same = events.filter(({ ResourceType: type }) => type === 'AWS::CloudFront::Distribution');
    if (events.length === 0 || same.length === 0) throw new Error(`${events.length} events, none of them of the distribution`);
    return `${events.length} events, of the distribution ${same.map(({ ResourceStatus: status }) => status).join(', ')}`;
  });
  await table.prove(`${LEAVING} leaves, second deployment: it is no name of the distribution any more, and the others notice nothing`, async () => {
    const { ended, evidence } = await othersObserved(environment, () => app.deploy(variables(2, 2)));
    expectEnd(ended, 0, 'cdk deploy');
    if (aliases().join() !== STAYING.map((name) => `mta-sts.${name}`).join()) throw new Error(`a distribution serves ${aliases().join(', ')}`);
    return evidence;
  });
  await table.prove(`mta-sts verify says pass of those that stay, and no policy of ${LEAVING}`, async () => {
    const passed = await expectPass(environment, STAYING);
    const { output, ...ended } = await cli.mtaSts('verify', LEAVING);
    expectEnd({ output, ...ended }, 1, 'mta-sts verify');
    if (!output.includes('record-missing')) throw new Error(`it did not say record-missing:\n${output}`);
    return `${passed}\n${LEAVING}: record-missing, no policy`;
  });
  await table.prove('cdk destroy ends well, and no look sees a record without its file', async () => observedDestroy(environment, STAYING[1], () => app.destroy()));
  await table.prove('nothing is left behind but the log, which is kept by design', async () => expectNothingButLog(environment, before, STACK));
  // Only now: with it goes what the stack may have left in it.
  await deleteZone(emulator.route53, zoneId);
}

/** While something is done: those that stay have the same record and the same file at every look. */
async function othersObserved<T>({ authority }: TestEnvironment, work: () => Promise<T>): Promise<{ readonly ended: T; readonly evidence: string }> {
  const working = work();
  const all = await Promise.all(STAYING.map(async (domain) => {
    return observeWhile({ ca: authority.certificatePem, first: 'record', domain, observationsPerSecond: OBSERVATIONS_PER_SECOND }, () => working);
  }));
  const evidence = all.map(({ observer }, index) => {
    const domain = STAYING[index];
    observer.expectAnswers();
    const id = observer.observations.at(0)?.published;
    const against = observer.findViolations(({ published, names, served }) => published === undefined || published !== id || served !== names);
    if (against.length > 0) throw new Error(`${domain}: ${against.length} looks saw it otherwise:\n${against.slice(0, 5).join('\n')}\n${observer.summary()}`);
    return `${domain}: ${observer.summary()}`;
  });
  return { ended: await working, evidence: evidence.join('\n') };
}

async function expectPass({ cli }: TestEnvironment, domains: readonly string[]): Promise<string> {
  const { output, ...ended } = await cli.mtaSts('verify', ...domains);
  expectEnd({ output, ...ended }, 0, 'mta-sts verify');
  const missing = domains.filter((name) => !output.includes(`✔ ${name}: pass`));
  if (missing.length > 0) throw new Error(`it did not say pass of ${missing.join(', ')}:\n${output}`);
  return output.split('\n').filter((line) => line.endsWith(': pass')).join('\n');
}
