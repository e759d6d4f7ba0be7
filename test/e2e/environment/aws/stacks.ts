// What CloudFormation tells of a stack: its events in order, its resources.
import { DescribeStackEventsCommand, DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { CloudFormationClient, StackEvent, StackResource } from '@aws-sdk/client-cloudformation';

/** The events since a moment, the oldest first. */
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

/** Its id and status; undefined where there is none. */
export async function findStack(client: CloudFormationClient, stack: string): Promise<{ id: string; status: string } | undefined> {
  try {
    const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const found = stacks.at(0);
    return found === undefined ? undefined : { id: found.StackId ?? '', status: found.StackStatus ?? '' };
  } catch {
    return undefined;
  }
}

/** The ids that the `_mta-sts` record was given, each once, in order. */
export function listPublishedIds(events: readonly StackEvent[]): readonly string[] {
  const texts = events.filter(({ ResourceType: type }) => type === 'AWS::Route53::RecordSet').map(({ ResourceProperties: text = '' }) => text);
  return [...new Set(texts.flatMap((text) => /v=STSv1; id=([A-Za-z0-9]+);/.exec(text)?.[1] ?? []))];
}

/** Where in the order an event of a resource stands. */
export class EventOrder {
  public constructor(private readonly events: readonly StackEvent[]) {}

  /**
   * @param type - of the resource
   * @param status - `CREATE_COMPLETE` for example
   * @throws Error where there was no such event
   */
  public at(type: string, status: string): number {
    const index = this.events.findIndex((event) => event.ResourceType === type && event.ResourceStatus === status);
    if (index === -1) throw new Error(`no event ${status} of ${type}; seen: ${this.text}`);
    return index;
  }

  /** @throws Error where the first event did not come before the second */
  public expectBefore(first: readonly [string, string], second: readonly [string, string]): void {
    if (this.at(...first) >= this.at(...second)) throw new Error(`${first.join(' ')} did not come before ${second.join(' ')}: ${this.text}`);
  }

  public get text(): string {
    return this.events.map(({ LogicalResourceId: id, ResourceStatus: status }) => `${id ?? ''} ${status ?? ''}`).join(', ');
  }
}
