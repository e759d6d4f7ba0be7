// Reads stacks from CloudFormation: their events in order, and their resources.
import { DescribeStackEventsCommand, DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { CloudFormationClient, StackEvent, StackResource } from '@aws-sdk/client-cloudformation';

/** Returns the events since a time, the oldest first. */
export async function stackEvents(client: CloudFormationClient, stack: string, since = new Date(0)): Promise<readonly StackEvent[]> {
  const events: StackEvent[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(new DescribeStackEventsCommand({ StackName: stack, NextToken: token }));
    events.push(...page.StackEvents ?? []);
    token = page.NextToken;
  } while (token !== undefined);
  return events.reverse().filter(({ Timestamp: time }) => time === undefined || time >= since);
}

export async function stackResources(client: CloudFormationClient, stack: string): Promise<readonly StackResource[]> {
  const { StackResources: resources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: stack }));
  return resources;
}

/** Returns id and status of a stack, or undefined if it does not exist. */
export async function findStack(client: CloudFormationClient, stack: string): Promise<{ id: string; status: string } | undefined> {
  try {
    const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const found = stacks.at(0);
    return found === undefined ? undefined : { id: found.StackId ?? '', status: found.StackStatus ?? '' };
  } catch {
    return undefined;
  }
}

/** Lists the ids in the events of the `_mta-sts` record, each once, in order. */
export function listPublishedIds(events: readonly StackEvent[]): readonly string[] {
  const texts = events.filter(({ ResourceType: type }) => type === 'AWS::Route53::RecordSet').map(({ ResourceProperties: text = '' }) => text);
  return [...new Set(texts.flatMap((text) => /v=STSv1; id=([A-Za-z0-9]+);/.exec(text)?.[1] ?? []))];
}

/** The order of the events of a stack. */
export class EventOrder {
  public constructor(private readonly events: readonly StackEvent[]) {}

  /**
   * Returns the position of the first such event.
   *
   * @param type - resource type
   * @param status - for example `CREATE_COMPLETE`
   * @throws Error if there was no such event
   */
  public at(type: string, status: string): number {
    const index = this.events.findIndex((event) => event.ResourceType === type && event.ResourceStatus === status);
    if (index === -1) throw new Error(`no event ${status} of ${type}; seen: ${this.text}`);
    return index;
  }

  /** Asserts that the first event came before the second. */
  public expectBefore(first: readonly [string, string], second: readonly [string, string]): void {
    if (this.at(...first) >= this.at(...second)) throw new Error(`${first.join(' ')} did not come before ${second.join(' ')}: ${this.text}`);
  }

  public get text(): string {
    return this.events.map(({ LogicalResourceId: id, ResourceStatus: status }) => `${id ?? ''} ${status ?? ''}`).join(', ');
  }
}
