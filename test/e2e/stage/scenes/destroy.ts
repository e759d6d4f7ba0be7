// The end: the TXT record goes before the file, and nothing stays behind.
import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { Ended } from '../cli';
import { expectNothingButLog } from '../inventory';
import { Order, eventsOf, stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { Stage } from '../stage';
import { watched } from '../watch';
import type { Watch } from '../watch';

export async function destroyScene(stage: Stage): Promise<void> {
  const { table, emulator } = stage;
  table.begin('Destroy');
  const stack = await stackOf(emulator.cloudformation, STACK);
  if (stack === undefined) throw new Error(`there is no stack ${STACK}`);
  const since = new Date();
  await table.prove('cdk destroy ends well, and no look sees a record without its file', async () => {
    return watchedDestroy(stage, 'example.test', () => stage.destroy());
  });
  await table.prove('the TXT record goes before the file, the file before the host', async () => {
    return expectDestroyOrder(await eventsOf(emulator.cloudformation, stack.id, since));
  });
  await table.prove('nothing is left behind but the log, which is kept by design', async () => {
    if (stage.bootstrapped === undefined) throw new Error('what stood before is unknown: play bootstrap');
    return expectNothingButLog(stage, stage.bootstrapped, STACK);
  });
}

/** @throws Error where it ends otherwise than well, or a look sees a record without its file */
export async function watchedDestroy({ authority }: Stage, domain: string, destroy: () => Promise<Ended>): Promise<string> {
  const { activity, ended } = await watched({ ca: authority.certificatePem, first: 'file', domain }, destroy);
  expectEnd(ended, 0, 'cdk destroy');
  expectNoRecordWithoutFile(activity);
  return activity.summary();
}

/** Of a watch that looked at the file first. */
export function expectNoRecordWithoutFile(activity: Watch): void {
  // Without a record nobody asks for a file, and in the end the host goes too.
  activity.expectSight(({ announced }) => announced === undefined);
  const against = activity.against(
    ({ announced, served }) => announced !== undefined && served === undefined,
    ({ announced }) => announced !== undefined,
  );
  if (against.length > 0) throw new Error(`${against.length} looks saw it otherwise:\n${against.slice(0, 5).join('\n')}\n${activity.summary()}`);
}

/** @throws Error where a stack was deleted in another order */
export function expectDestroyOrder(events: readonly StackEvent[]): string {
  const order = new Order(events);
  order.before(['AWS::Route53::RecordSet', 'DELETE_COMPLETE'], ['Custom::MtaStsPublication', 'DELETE_IN_PROGRESS']);
  for (const type of ['AWS::S3::Bucket', 'AWS::CloudFront::Distribution', 'AWS::Route53::RecordSetGroup']) {
    order.before(['Custom::MtaStsPublication', 'DELETE_COMPLETE'], [type, 'DELETE_IN_PROGRESS']);
  }
  return 'by the events of the stack';
}
