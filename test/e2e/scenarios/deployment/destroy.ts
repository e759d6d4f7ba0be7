// Destroys the stack: the TXT record is deleted before the file, and nothing remains but the log.
import type { StackEvent } from '@aws-sdk/client-cloudformation';
import { STACK } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import type { CommandResult } from '../../environment/app/cdk-cli';
import { expectNothingButLog } from '../../environment/aws/inventory';
import { EventOrder, stackEvents, findStack } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';
import { observeWhile } from '../../environment/observer/observer';
import type { Observer } from '../../environment/observer/observer';

export async function destroyScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator } = environment;
  table.begin('Destroy');
  const stack = await findStack(emulator.cloudformation, STACK);
  if (stack === undefined) throw new Error(`there is no stack ${STACK}`);
  const since = new Date();
  await table.prove('cdk destroy succeeds, and no observation sees a record without its file', async () => {
    return observedDestroy(environment, 'example.test', () => environment.destroy());
  });
  await table.prove('cdk destroy deletes the TXT record before the file, and the file before the host', async () => {
    return expectDestroyOrder(await stackEvents(emulator.cloudformation, stack.id, since));
  });
  await table.prove('cdk destroy leaves nothing but the log, which remains by design', async () => {
    if (environment.bootstrapInventory === undefined) throw new Error('the inventory before the deployment is unknown: run the scenario bootstrap first');
    return expectNothingButLog(environment, environment.bootstrapInventory, STACK);
  });
}

/** @throws Error if the command fails, or an observation sees a record without its file */
export async function observedDestroy(
  { authority }: TestEnvironment, domain: string, destroy: () => Promise<CommandResult>,
): Promise<string> {
  const { observer, ended } = await observeWhile({ ca: authority.certificatePem, first: 'file', domain }, destroy);
  expectEnd(ended, 0, 'cdk destroy');
  expectNoRecordWithoutFile(observer);
  return observer.summary();
}

/** Requires an observer that reads the file before the record. */
export function expectNoRecordWithoutFile(observer: Observer): void {
  // Without a record, senders fetch no file. The host is deleted in the end, so unreached files are expected then.
  observer.expectAnswers(({ published }) => published === undefined);
  const against = observer.findViolations(
    ({ published, served }) => published !== undefined && served === undefined,
    ({ published }) => published !== undefined,
  );
  if (against.length > 0) throw new Error(`${against.length} observations saw a record without its file:\n${against.slice(0, 5).join('\n')}\n${observer.summary()}`);
}

/** @throws Error if a stack was deleted in another order */
export function expectDestroyOrder(events: readonly StackEvent[]): string {
  const order = new EventOrder(events);
  order.expectBefore(['AWS::Route53::RecordSet', 'DELETE_COMPLETE'], ['Custom::MtaStsPublication', 'DELETE_IN_PROGRESS']);
  for (const type of ['AWS::S3::Bucket', 'AWS::CloudFront::Distribution', 'AWS::Route53::RecordSetGroup']) {
    order.expectBefore(['Custom::MtaStsPublication', 'DELETE_COMPLETE'], [type, 'DELETE_IN_PROGRESS']);
  }
  return 'according to the events of the stack';
}
