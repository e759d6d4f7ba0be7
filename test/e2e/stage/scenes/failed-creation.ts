// A first deployment that CloudFront's API does not let through: nothing is announced, and nothing stays.
import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESOLVER } from '../addresses';
import { createZone, deleteZone, record } from '../domain';
import { REGION, hasDistributionFailed, setEmulatorFaults } from '../emulator';
import { CLOUDFRONT_SAYS } from '../faults/of-aws';
import { inventory, leftBehind } from '../inventory';
import { stackOf } from '../stacks';
import { contextOf, expectEnd } from '../stage';
import type { Stage } from '../stage';
import type { FaultRow } from './fault-table';

const DOMAIN = 'fresh.test';
const STACK = 'MtaSts-fresh-test';

/** As if it were among the faults, which meet a domain that has a policy. */
export const CREATION = { what: 'CloudFront\'s API throttles the creation of the distribution', slow: true } as const;

export async function failedCreation(stage: Stage): Promise<FaultRow & { readonly evidence: string }> {
  const { cli, emulator: { route53, cloudformation }, paths: { folder } } = stage;
  const zoneId = await createZone(route53, DOMAIN, [record(DOMAIN, 'MX', '10 mail.other.test.')]);
  // Until its name servers know it.
  await sleep(2_000);
  const before = await inventory(stage);
  const watch = new RecordWatch();
  setEmulatorFaults(folder, { distribution: CLOUDFRONT_SAYS.throttled });
  const context = contextOf({ domain: DOMAIN, hostedZoneId: zoneId, mode: 'testing', mx: 'mail.other.test' });
  const assembly = `${folder}/cdk.out.fresh`;
  const ended = await cli.cdk('deploy', ...context, '-o', assembly, '--require-approval', 'never').finally(() => watch.stop());
  const hasFailed = hasDistributionFailed(folder);
  setEmulatorFaults(folder, {});
  expectEnd(ended, 1, 'cdk deploy');
  if (!hasFailed || !ended.output.includes('Rate exceeded')) throw new Error(`it did not fail at the distribution:\n${ended.output}`);
  const stack = await stackOf(cloudformation, STACK);
  if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
  // CloudFormation keeps a stack that never came to be, empty, until somebody deletes it.
  const left = (await leftBehind(stage, before)).filter((thing) => thing !== `${REGION}: stack ${STACK}`);
  const lost = [
    ...watch.seen.size > 0 ? [`records were seen: ${[...watch.seen].join(', ')}`] : [],
    ...left.length > 0 ? [`left behind: ${left.join(', ')}`] : [],
  ];
  expectEnd(await cli.cdk('destroy', '--app', assembly, '--all', '--force'), 0, 'cdk destroy');
  await deleteZone(route53, zoneId);
  if (lost.length > 0) throw new Error(lost.join('\n'));
  return {
    what: CREATION.what, outcome: 'rolled back', lost, seconds: ended.seconds, looks: watch.looks, unanswered: watch.unanswered, early: 0,
    evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s; ${watch.looks} looks saw no record; nothing is left`,
  };
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
