// From an event to an answer, whatever breaks: the outermost layer of the function.
import { EventNotCurrent, isDeleteCurrent } from './current-event';
import { invalidProperty, isDelete, isObject, loggable, readEvent } from './event';
import type { DeploymentEvent, Properties } from './event';
import { createLog, errorFields } from '../../operations/context/log';
import type { Log } from '../../operations/context/log';
import { deletePolicy } from '../../operations/publish/policy-object';
import { parseS3Url, s3Url } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import { publicationTask } from '../../operations/publish/publish';
import { failureReason } from './failure-message';
import { deploymentFailure, endSentence, toDeploymentFailure } from '../../operations/failures';
import { preflightResource } from './preflight';
import { verificationResource } from './verification';
import type { OperationContext } from '../../operations/context/operation-context';
import { isRollingBack } from '../../operations/stack';
import type { Attributes, CustomResource } from './custom-resource';
import { Activity } from '../../operations/context/activity';
import { withTimeLimit } from '../../operations/context/deadline';
import type { Services } from '../../operations/context/services';

/** What Lambda tells of an invocation. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** What the provider framework makes CloudFormation's answer of. */
export interface HandlerAnswer {
  readonly PhysicalResourceId?: string;
  readonly Data?: Attributes;
}

/** Rejects with an error of one line, which becomes the failure reason. */
export type Handler = (event: unknown, context: LambdaContext) => Promise<HandlerAnswer>;

const TASKS: ReadonlyMap<string, (event: DeploymentEvent) => CustomResource> = new Map([
  ['Custom::MtaStsPreflight', preflightResource],
  ['Custom::MtaStsPublication', publicationTask],
  ['Custom::MtaStsVerification', verificationResource],
]);

/** Kept back from the function's time for cleaning up, for the question whether the stack rolls back, and for the answer. */
const RESERVE = 30_000;

/** A delete is quick or hopeless. */
const DELETE_LIMIT = 60_000;

/**
 * The function behind the three custom resources.
 *
 * It always answers in time, a Delete always succeeds, and a check that fails while the stack is rolling back is logged and
 * forgiven: a rollback that fails leaves a stack that nobody can use.
 */
export function createHandler(services: Services): Handler {
  return async (event, context) => {
    const log = createLog(services, { requestId: context.awsRequestId });
    log.info('event received', { event: loggable(event) });
    const invocation = new EventRun(services, log, context.getRemainingTimeInMillis());
    const answer = isDelete(event) ? await invocation.withdraw(event) : await invocation.deploy(event);
    log.info('done', { answer });
    return answer;
  };
}

class EventRun {
  private readonly activity = new Activity();
  private readonly reserve: number;

  constructor(private readonly services: Services, private readonly log: Log, private readonly remaining: number) {
    this.reserve = Math.min(RESERVE, remaining / 4);
  }

  /** Create and Update. */
  public async deploy(raw: unknown): Promise<HandlerAnswer> {
    let event: DeploymentEvent | undefined;
    let resource: CustomResource | undefined;
    try {
      event = readEvent(raw);
      resource = taskOf(event);
      const { physicalResourceId, work } = resource;
      return { PhysicalResourceId: physicalResourceId, Data: await this.limited(this.remaining - this.reserve, work) };
    } catch (error) {
      return await this.failed(error, event, resource);
    }
  }

  /** Never rejects: a delete that fails leaves a stack that cannot be deleted, and all that is at stake is one small file. */
  public async withdraw(event: Properties): Promise<HandlerAnswer> {
    try {
      const object = event.ResourceType === 'Custom::MtaStsPublication' ? publishedObject(event) : undefined;
      if (object !== undefined) {
        await this.limited(Math.min(DELETE_LIMIT, this.remaining - this.reserve), async (context) => this.take(context, event, object));
      }
    } catch (error) {
      this.log.warn('the delete was cut short; it counts as done', errorFields(error));
    }
    return typeof event.PhysicalResourceId === 'string' ? { PhysicalResourceId: event.PhysicalResourceId } : {};
  }

  /** Takes the policy file away, unless CloudFormation has a resource of the same file: then the event is late. */
  private async take(context: OperationContext, event: Properties, object: S3Location): Promise<void> {
    const { StackId: stackId, LogicalResourceId: logicalResourceId } = event;
    const isKnown = typeof stackId === 'string' && typeof logicalResourceId === 'string';
    if (!isKnown || await isDeleteCurrent(context, { stackId, logicalResourceId }, s3Url(object))) await deletePolicy(context, object);
    else this.log.warn('event-not-current: the policy file stays, since a resource of the stack still publishes it', { ...object });
  }

  private async failed(error: unknown, event: DeploymentEvent | undefined, resource: CustomResource | undefined): Promise<HandlerAnswer> {
    const failure = toDeploymentFailure(error);
    const { message } = failure;
    this.log.error('failed', errorFields(error));
    const logGroup = process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? 'of this function';
    if (error instanceof EventNotCurrent) throw failureReason(failure, logGroup);
    const limit = this.reserve / 3;
    const rollingBack = event !== undefined && await isRollingBack({ services: this.services, log: this.log }, event.stackId, limit);
    if (event !== undefined && forgives(event, resource, rollingBack)) {
      this.log.error('forgiven, and the deployment goes on', { rollingBack, reason: message });
      return { PhysicalResourceId: resource?.physicalResourceId ?? event.physicalResourceId, Data: resource?.attributesOnIgnoredFailure(message) };
    }
    // Not before: what a rollback puts back must stay, and where it is forgiven CloudFormation itself will ask for the delete.
    await this.undo(resource, limit);
    throw failureReason(failure, logGroup);
  }

  private async undo(resource: CustomResource | undefined, limit: number): Promise<void> {
    try {
      await this.limited(limit, async (context) => resource?.undo?.(context));
    } catch (error) {
      this.log.warn('could not take back what was written', errorFields(error));
    }
  }

  private async limited<T>(milliseconds: number, work: (context: OperationContext) => Promise<T>): Promise<T> {
    const { services, log, activity } = this;
    const deadline = services.clock.now() + milliseconds;
    return withTimeLimit(milliseconds, async (signal) => work({ services, log, activity, deadline, signal }), () => {
      return deploymentFailure('timed-out', `the function gave up after ${Math.round(milliseconds / 1000)} s, ${endSentence(activity.describe())} Fix the cause, and deploy again.`);
    });
  }
}

/** @throws DeploymentFailure for a property that cannot be, or a resource type that is none of ours */
function taskOf(event: DeploymentEvent): CustomResource {
  const create = TASKS.get(event.resourceType);
  if (create === undefined) {
    throw invalidProperty(`\`ResourceType\` of the event must be one of ${[...TASKS.keys()].join(', ')}, got ${JSON.stringify(event.resourceType)}`);
  }
  return create(event);
}

/** A check whose properties cannot be read has failed like any other: in a rollback another version may have written them. */
function forgives(event: DeploymentEvent, resource: CustomResource | undefined, rollingBack: boolean): boolean {
  if (resource !== undefined) return resource.ignoresFailure(rollingBack);
  return rollingBack && (event.resourceType === 'Custom::MtaStsPreflight' || event.resourceType === 'Custom::MtaStsVerification');
}

/** The physical id says it; CloudFormation knows none where a Create never answered, and then the properties do. */
function publishedObject(event: Properties): { bucket: string; key: string } | undefined {
  const named = parseS3Url(event.PhysicalResourceId);
  if (named !== undefined) return named;
  const { BucketName: bucket, ObjectKey: key } = isObject(event.ResourceProperties) ? event.ResourceProperties : {};
  return typeof bucket === 'string' && bucket !== '' && typeof key === 'string' && key !== '' ? { bucket, key } : undefined;
}
