// Is an event still what CloudFormation waits for? One that comes late or twice must change nothing.
import { DeploymentFailure } from '../../operations/failures';
import { DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import type { StackEvent } from '@aws-sdk/client-cloudformation';
import { awsCall } from '../../operations/context/aws-call';
import { withStepLimit } from '../../operations/context/deadline';
import { isObject } from './event';
import type { DeploymentEvent, Properties } from './event';
import { errorFields } from '../../operations/context/log';
import { retryUntil } from '../../operations/context/retry';
import type { OperationContext } from '../../operations/context/operation-context';
import { stackResources } from '../../operations/stack';

/** What CloudFormation says of its own resource may be some seconds old. */
const CATCHING_UP = { totalMs: 15_000, firstPauseMs: 1_000, maxPauseMs: 5_000 };

/** How long one call is tried, and, below, all calls of one question: the work goes on without an answer. */
const PATIENCE = { totalMs: 10_000, firstPauseMs: 1_000, maxPauseMs: 4_000 };
const LIMIT_MS = 20_000;

/** Pages of 100 events. The one that is looked for is among the newest. */
const MAX_EVENT_PAGES = 5;

/** The resource that an event is about. */
export type EventOwner = Pick<DeploymentEvent, 'stackId' | 'logicalResourceId'>;

/** What CloudFormation says of an event: a reason where it no longer waits for it. */
export type EventStatus = { readonly current: 'yes' | 'unknown' } | { readonly current: 'no'; readonly why: string };

/** The resource of an event, as CloudFormation has it. */
interface ResourceState {
  readonly status: string;
  readonly physicalId?: string;
}

/** Thrown at an event that changes nothing because it is no longer current. */
export class EventNotCurrent extends DeploymentFailure {
  constructor(why: string) {
    super([{
      code: 'event-not-current',
      message: `CloudFormation no longer waits for this event: ${why}. Nothing was changed. If a deployment failed for this reason, deploy again.`,
    }]);
    this.name = 'EventNotCurrent';
  }
}

/**
 * Passes where CloudFormation waits for this very event, or does not tell.
 *
 * @throws EventNotCurrent
 */
export async function requireCurrent(context: OperationContext, event: DeploymentEvent): Promise<void> {
  const standing = await retryUntil(context, CATCHING_UP, async () => eventStatus(context, event), ({ current }) => current === 'no');
  if (standing.current === 'no') throw new EventNotCurrent(standing.why);
}

/**
 * Asks CloudFormation once: is the resource being created or updated, and to these properties?
 *
 * An update that was given up and the rollback after it are both updates of one resource. Only their properties tell them apart.
 */
export async function eventStatus(context: OperationContext, event: DeploymentEvent): Promise<EventStatus> {
  try {
    return await withStepLimit(context, LIMIT_MS, `asking CloudFormation about ${event.logicalResourceId}`, async (part) => ask(part, event));
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not learn whether the event is current; taken as current', errorFields(error));
    return { current: 'unknown' };
  }
}

async function ask(context: OperationContext, event: DeploymentEvent): Promise<EventStatus> {
  const resource = await resourceOf(context, event);
  const expected = event.requestType === 'Create' ? /^CREATE_IN_PROGRESS$/ : /^UPDATE_(?:ROLLBACK_)?IN_PROGRESS$/;
  const { logicalResourceId: id, requestType } = event;
  if (resource === undefined) return { current: 'no', why: `the stack has no resource ${id}` };
  if (!expected.test(resource.status)) return { current: 'no', why: `${id} is ${resource.status}, and the event is of type ${requestType}` };
  const wanted = await propertiesInProgress(context, event, expected);
  if (wanted === undefined) return { current: 'unknown' };
  if (isSamePublication(wanted, event.properties)) return { current: 'yes' };
  return { current: 'no', why: `${id} is changed to other properties than those of the event` };
}

/**
 * Returns whether a Delete may take the object of this physical id away. It may not where CloudFormation has a resource that is made, or
 * being made, of the same object. What cannot be learned does not stop it: a file that is left behind keeps the bucket, and so the stack.
 */
export async function isDeleteCurrent(context: OperationContext, owner: EventOwner, physicalId: string): Promise<boolean> {
  return await retryUntil(context, CATCHING_UP, async () => ownerOf(context, owner, physicalId), (found) => found === 'there') !== 'there';
}

/** Asks CloudFormation once whether it has a resource, made or being made, of the object of this physical id: then the object is needed. */
export async function ownerOf(context: OperationContext, owner: EventOwner, physicalId: string): Promise<'there' | 'gone' | 'unknown'> {
  try {
    const what = `asking CloudFormation about ${owner.logicalResourceId}`;
    const resource = await withStepLimit(context, LIMIT_MS, what, async (part) => resourceOf(part, owner));
    if (resource === undefined || resource.status === 'CREATE_FAILED' || resource.status.startsWith('DELETE_')) return 'gone';
    // One that is being made has no physical id yet; one that is being replaced still has its old one.
    return resource.status.endsWith('_IN_PROGRESS') || resource.physicalId === physicalId ? 'there' : 'gone';
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not learn whether the policy file is needed', errorFields(error));
    return 'unknown';
  }
}

async function resourceOf(context: OperationContext, { stackId, logicalResourceId }: EventOwner): Promise<ResourceState | undefined> {
  const resources = await stackResources(context, stackId, logicalResourceId, PATIENCE);
  if (resources === undefined) return undefined;
  const found = resources.at(0);
  // Not how CloudFormation says that there is none, so it says nothing.
  if (found?.ResourceStatus === undefined) throw new Error(`cloudformation:DescribeStackResources gave no status of ${logicalResourceId}`);
  return { status: found.ResourceStatus, physicalId: found.PhysicalResourceId };
}

/** The properties to which the resource is being changed; undefined where CloudFormation does not tell them. */
async function propertiesInProgress(context: OperationContext, { stackId, logicalResourceId }: EventOwner, status: RegExp): Promise<Properties | undefined> {
  let token: string | undefined;
  for (let page = 0; page < MAX_EVENT_PAGES; page += 1) {
    const { StackEvents: events = [], NextToken: next } = await awsCall(context, 'cloudformation:DescribeStackEvents', async (options) => {
      return context.services.cloudformation.send(new DescribeStackEventsCommand({ StackName: stackId, NextToken: token }), options);
    }, PATIENCE);
    // The newest come first.
    const newest = events.find(({ LogicalResourceId: id }) => id === logicalResourceId);
    if (newest !== undefined) return status.test(newest.ResourceStatus ?? '') ? propertiesOf(newest) : undefined;
    if (next === undefined) return undefined;
    token = next;
  }
  return undefined;
}

function propertiesOf({ ResourceProperties: text = '' }: StackEvent): Properties | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && value.Policy !== undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether both put the same file in the same place. */
function isSamePublication(one: Properties, other: Properties): boolean {
  const key = ({ Policy: policy, BucketName: bucket, ObjectKey: object }: Properties): string => JSON.stringify([policy, bucket, object]);
  return key(one) === key(other);
}
