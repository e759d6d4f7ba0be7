// Asks whether CloudFormation still waits for an event. A late or repeated event must change nothing.
import { DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import type { StackEvent } from '@aws-sdk/client-cloudformation';
import { awsCall } from '../../operations/context/aws-call';
import { withStepLimit } from '../../operations/context/deadline';
import { isObject } from '../../util/objects';
import type { DeploymentEvent, Properties } from './event';
import { errorFields } from '../../operations/context/log';
import { retryUntil } from '../../operations/context/retry';
import type { OperationContext } from '../../operations/context/operation-context';
import { DeploymentFailure } from '../../operations/failures';
import { stackResources } from '../../operations/stack';

/** CloudFormation's view of its own resource may be some seconds old. */
const CATCH_UP_RETRY = { totalMs: 15_000, firstPauseMs: 1_000, maxPauseMs: 5_000 };

/** Limits of one call, and of all calls of one question. Without an answer, the work continues. */
const CALL_RETRY = { totalMs: 10_000, firstPauseMs: 1_000, maxPauseMs: 4_000 };
const QUESTION_LIMIT_MS = 20_000;

/** Maximum number of pages of 100 events. The wanted event is among the newest. */
const MAX_EVENT_PAGES = 5;

/** The resource of an event. */
export type EventOwner = Pick<DeploymentEvent, 'stackId' | 'logicalResourceId'>;

/** Whether CloudFormation waits for an event, and the reason where it does not. */
export type EventStatus = { readonly current: 'yes' | 'unknown' } | { readonly current: 'no'; readonly why: string };

/** Whether CloudFormation has a resource with the object. */
export type OwnerState = 'there' | 'gone' | 'unknown';

/** The resource of an event, as CloudFormation has it. */
interface StackResourceState {
  readonly status: string;
  readonly physicalId?: string;
}

/** Thrown for an event that is no longer current. Such an event changes nothing. */
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
 * Resolves where CloudFormation waits for this event, or does not answer.
 *
 * @throws EventNotCurrent
 */
export async function requireCurrent(context: OperationContext, event: DeploymentEvent): Promise<void> {
  const status = await retryUntil(context, CATCH_UP_RETRY, async () => eventStatus(context, event), ({ current }) => current === 'no');
  if (status.current === 'no') throw new EventNotCurrent(status.why);
}

/**
 * Asks CloudFormation once whether the resource is being created with these properties or updated to them.
 *
 * A cancelled update and its rollback are both updates of one resource. Only their properties differ.
 */
export async function eventStatus(context: OperationContext, event: DeploymentEvent): Promise<EventStatus> {
  try {
    return await withStepLimit(context, QUESTION_LIMIT_MS, `asking CloudFormation about ${event.logicalResourceId}`, async (part) => readEventStatus(part, event));
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not find out whether the event is current; assuming that it is', errorFields(error));
    return { current: 'unknown' };
  }
}

async function readEventStatus(context: OperationContext, event: DeploymentEvent): Promise<EventStatus> {
  const resource = await readResource(context, event);
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
 * Returns whether a Delete may delete the object with this physical id. It may not while CloudFormation has, or creates, a resource with
 * the same object. Without an answer, it may: a file that is left behind would keep the bucket, and so the stack.
 */
export async function isDeleteCurrent(context: OperationContext, owner: EventOwner, physicalId: string): Promise<boolean> {
  return await retryUntil(context, CATCH_UP_RETRY, async () => ownerState(context, owner, physicalId), (found) => found === 'there') !== 'there';
}

/** Asks CloudFormation once whether it has, or creates, a resource with the object of this physical id. */
export async function ownerState(context: OperationContext, owner: EventOwner, physicalId: string): Promise<OwnerState> {
  try {
    const question = `asking CloudFormation about ${owner.logicalResourceId}`;
    const resource = await withStepLimit(context, QUESTION_LIMIT_MS, question, async (part) => readResource(part, owner));
    if (resource === undefined || resource.status === 'CREATE_FAILED' || resource.status.startsWith('DELETE_')) return 'gone';
    // A resource in creation has no physical id yet. A resource in replacement still has its old one.
    return resource.status.endsWith('_IN_PROGRESS') || resource.physicalId === physicalId ? 'there' : 'gone';
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not find out whether the policy file is needed', errorFields(error));
    return 'unknown';
  }
}

async function readResource(
  context: OperationContext, { stackId, logicalResourceId }: EventOwner,
): Promise<StackResourceState | undefined> {
  const resources = await stackResources(context, stackId, logicalResourceId, CALL_RETRY);
  if (resources === undefined) return undefined;
  const found = resources.at(0);
  // CloudFormation reports a missing resource as an error, so this answer means nothing.
  if (found?.ResourceStatus === undefined) throw new Error(`cloudformation:DescribeStackResources gave no status of ${logicalResourceId}`);
  return { status: found.ResourceStatus, physicalId: found.PhysicalResourceId };
}

/** Reads the properties that the resource is being changed to; undefined where CloudFormation does not return them. */
async function propertiesInProgress(
  context: OperationContext, { stackId, logicalResourceId }: EventOwner, status: RegExp,
): Promise<Properties | undefined> {
  let token: string | undefined;
  for (let page = 0; page < MAX_EVENT_PAGES; page += 1) {
    const { StackEvents: events = [], NextToken: next } = await awsCall(context, 'cloudformation:DescribeStackEvents', async (options) => {
      return context.services.cloudformation.send(new DescribeStackEventsCommand({ StackName: stackId, NextToken: token }), options);
    }, CALL_RETRY);
    // The newest event comes first.
    const newest = events.find(({ LogicalResourceId: id }) => id === logicalResourceId);
    if (newest !== undefined) return status.test(newest.ResourceStatus ?? '') ? publicationProperties(newest) : undefined;
    if (next === undefined) return undefined;
    token = next;
  }
  return undefined;
}

function publicationProperties({ ResourceProperties: text = '' }: StackEvent): Properties | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && value.Policy !== undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns whether both publish the same file at the same location. */
function isSamePublication(one: Properties, other: Properties): boolean {
  const key = ({ Policy: policy, BucketName: bucket, ObjectKey: object }: Properties): string => JSON.stringify([policy, bucket, object]);
  return key(one) === key(other);
}
