// A first deployment that CloudFront's API does not let through: nothing is announced, and nothing stays.
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, DeleteHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESOLVER } from '../addresses';
import { put, record } from '../domain';
import { hasDistributionFailed, setEmulatorFaults } from '../emulator';
import { THROTTLED } from '../faults/of-aws';
import { countOf, functionNames, roleNames } from '../raw';
import { stackOf } from '../stacks';
import { expectEnd } from '../stage';
import type { Stage } from '../stage';
import type { FaultRow } from './fault-table';

const DOMAIN = 'fresh.test';
const STACK = 'MtaSts-fresh-test';
const MX = record(DOMAIN, 'MX', '10 mail.other.test.');

export async function failedCreation(stage: Stage, what: string): Promise<FaultRow & { readonly evidence: string }> {
  const { cli, emulator: { route53, cloudformation }, paths: { folder } } = stage;
  const { HostedZone: zone } = await route53.send(new CreateHostedZoneCommand({ Name: DOMAIN, CallerReference: DOMAIN }));
  const zoneId = zone?.Id?.replace('/hostedzone/', '') ?? '';
  await put(route53, zoneId, [MX]);
  // Until its name servers know it.
  await sleep(2_000);
  const before = await inventory(stage, zoneId);
  const watch = new RecordWatch();
  setEmulatorFaults(folder, { distribution: THROTTLED });
  const context = [`domain=${DOMAIN}`, `hostedZoneId=${zoneId}`, 'mode=testing', 'mx=mail.other.test'].flatMap((item) => ['-c', item]);
  const assembly = `${folder}/cdk.out.fresh`;
  const ended = await cli.cdk('deploy', ...context, '-o', assembly, '--require-approval', 'never').finally(() => watch.stop());
  const hasFailed = hasDistributionFailed(folder);
  setEmulatorFaults(folder, {});
  expectEnd(ended, 1, 'cdk deploy');
  if (!hasFailed || !ended.output.includes('Rate exceeded')) throw new Error(`it did not fail at the distribution:\n${ended.output}`);
  const stack = await stackOf(cloudformation, STACK);
  if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
  const after = await inventory(stage, zoneId);
  const left = after.filter((item) => !before.includes(item));
  const lost = [
    ...watch.seen.size > 0 ? [`records were seen: ${[...watch.seen].join(', ')}`] : [],
    ...left.length > 0 ? [`left behind: ${left.join(', ')}`] : [],
  ];
  expectEnd(await cli.cdk('destroy', '--app', assembly, '--all', '--force'), 0, 'cdk destroy');
  await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes: [{ Action: 'DELETE', ResourceRecordSet: MX }] } }));
  await route53.send(new DeleteHostedZoneCommand({ Id: zoneId }));
  if (lost.length > 0) throw new Error(lost.join('\n'));
  return {
    what, outcome: 'rolled back', lost, seconds: ended.seconds, looks: watch.looks, unanswered: watch.unanswered, early: 0,
    evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s; ${watch.looks} looks saw no record; nothing is left`,
  };
}

/** All that a deployment makes, in the whole account. */
async function inventory({ emulator: { s3, route53 } }: Stage, zoneId: string): Promise<readonly string[]> {
  const { Buckets: buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const { ResourceRecordSets: sets = [] } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  return [
    ...await Promise.all(['distribution', 'function', 'origin-access-control'].map(async (kind) => `${await countOf(kind)} times ${kind}`)),
    ...buckets.map(({ Name: name = '' }) => `bucket ${name}`),
    ...sets.map(({ Name: name = '', Type: type = '' }) => `record ${name} ${type}`),
    ...(await functionNames()).map((name) => `function ${name}`),
    ...(await roleNames()).map((name) => `role ${name}`),
  ];
}

/** Asks for the record again and again. */
class RecordWatch {
  public readonly seen = new Set<string>();
  public looks = 0;
  public unanswered = 0;
  private stopped = false;
  private readonly running: Promise<void>;

  public constructor() {
    this.running = this.look();
  }

  public async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async look(): Promise<void> {
    const resolver = new Resolver({ timeout: 5_000, tries: 1 });
    resolver.setServers([RESOLVER]);
    while (!this.stopped) {
      try {
        for (const strings of await resolver.resolveTxt(`_mta-sts.${DOMAIN}`)) this.seen.add(strings.join(''));
        this.looks += 1;
      } catch (error) {
        const isAnswer = error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
        if (isAnswer) this.looks += 1;
        else this.unanswered += 1;
      }
      await sleep(20);
    }
  }
}
