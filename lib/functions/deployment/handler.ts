// Answers the events of the three custom resources. Every event gets an answer in time, whatever fails.
import { PREFLIGHT_TYPE, PUBLICATION_TYPE, VERIFICATION_TYPE } from '../../contract/custom-resources';
import { Activity } from '../../operations/context/activity';
import { withTimeLimit } from '../../operations/context/deadline';
import { errorFields } from '../../operations/context/log';
import type { Log } from '../../operations/context/log';
import type { OperationContext } from '../../operations/context/operation-context';
import type { Services } from '../../operations/context/services';
import { deploymentFailure, endSentence, toDeploymentFailure } from '../../operations/failures';
import { isRollingBack } from '../../operations/stack';
import { createLog } from '../runtime/log';
import { EventNotCurrent } from './current-event';
import type { Attributes, CustomResource, CustomResourceType } from './custom-resource';
import { invalidProperty, isDelete, loggable, readEvent } from './event';
import type { DeploymentEvent, Properties } from './event';
import { failureReason } from './failure-message';
import { preflightResource } from './preflight';
import { PUBLICATION } from './publication';
import { verificationResource } from './verification';

/** The part of Lambda's context that the function uses. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** The answer to the provider framework, which forwards it to CloudFormation. */
export interface HandlerAnswer {
  readonly PhysicalResourceId?: string;
  readonly Data?: Attributes;
}

/** Rejects with an error of one line, which becomes the failure reason. */
export type Handler = (event: unknown, context: LambdaContext) => Promise<HandlerAnswer>;

/** A failed check must not fail a rollback. */
const onlyInRollback = (rollingBack: boolean): boolean => rollingBack;

const RESOURCE_TYPES: ReadonlyMap<string, CustomResourceType> = new Map<string, CustomResourceType>([
  [PREFLIGHT_TYPE, { create: preflightResource, ignoresUnreadableProperties: onlyInRollback }],
  [PUBLICATION_TYPE, PUBLICATION],
  [VERIFICATION_TYPE, { create: verificationResource, ignoresUnreadableProperties: onlyInRollback }],
]);

/** Time kept for cleanup, for asking CloudFormation whether the stack is rolling back, and for the response. */
const RESERVE_MS = 30_000;

/** A Delete that does not succeed in this time does not succeed later either. */
const DELETE_LIMIT_MS = 60_000;

/**
 * Creates the function behind the three custom resources.
 *
 * It always answers in time, and a Delete always succeeds. A check that fails while the stack is rolling back is logged and ignored,
 * because a failed rollback leaves an unusable stack.
 */
export function createHandler(services: Services): Handler {
  return async (event, context) => {
    const log = createLog(services, { requestId: context.awsRequestId });
    log.info('event received', { event: loggable(event) });
    const run = new EventRun(services, log, context.getRemainingTimeInMillis());
    const answer = isDelete(event) ? await run.remove(event) : await run.deploy(event);
    log.info('done', { answer });
    return answer;
  };
}

class EventRun {
  private readonly activity = new Activity();
  private readonly reserveMs: number;

  constructor(private readonly services: Services, private readonly log: Log, private readonly remainingMs: number) {
    this.reserveMs = Math.min(RESERVE_MS, remainingMs / 4);
  }

  /** Handles a Create or an Update. */
  public async deploy(raw: unknown): Promise<HandlerAnswer> {
    let event: DeploymentEvent | undefined;
    let resource: CustomResource | undefined;
    try {
      event = readEvent(raw);
      resource = createResource(event);
      const { physicalResourceId, work } = resource;
      return { PhysicalResourceId: physicalResourceId, Data: await this.limited(this.remainingMs - this.reserveMs, work) };
    } catch (error) {
      return await this.handleFailure(error, event, resource);
    }
  }

  /** Handles a Delete. Never rejects: a failed Delete leaves a stack that cannot be deleted, and only a small file is at stake. */
  public async remove(event: Properties): Promise<HandlerAnswer> {
    const { ResourceType: type } = event;
    const remove = typeof type === 'string' ? RESOURCE_TYPES.get(type)?.remove : undefined;
    try {
      if (remove !== undefined) {
        await this.limited(Math.min(DELETE_LIMIT_MS, this.remainingMs - this.reserveMs), async (context) => remove(context, event));
      }
    } catch (error) {
      this.log.warn('the Delete was cut short; it counts as done', errorFields(error));
    }
    return typeof event.PhysicalResourceId === 'string' ? { PhysicalResourceId: event.PhysicalResourceId } : {};
  }

  private async handleFailure(
    error: unknown, event: DeploymentEvent | undefined, resource: CustomResource | undefined,
  ): Promise<HandlerAnswer> {
    const failure = toDeploymentFailure(error);
    const { message } = failure;
    this.log.error('failed', errorFields(error));
    const logGroup = process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? 'of this function';
    if (error instanceof EventNotCurrent) throw failureReason(failure, logGroup);
    const limitMs = this.reserveMs / 3;
    const rollingBack = event !== undefined && await isRollingBack({ services: this.services, log: this.log }, event.stackId, limitMs);
    if (event !== undefined && ignoresFailure(event, resource, rollingBack)) {
      this.log.error('the failure is ignored, and the deployment continues', { rollingBack, reason: message });
      return {
        PhysicalResourceId: resource?.physicalResourceId ?? event.physicalResourceId,
        Data: resource?.attributesOnIgnoredFailure(message),
      };
    }
    // Not for an ignored failure: a rollback needs the restored file, and CloudFormation itself asks for the Delete later.
    await this.undo(resource, limitMs);
    throw failureReason(failure, logGroup);
  }

  private async undo(resource: CustomResource | undefined, limitMs: number): Promise<void> {
    try {
      await this.limited(limitMs, async (context) => resource?.undo?.(context));
    } catch (error) {
      this.log.warn('could not delete the written file', errorFields(error));
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

/** @throws DeploymentFailure `properties-invalid` for an unreadable property or an unknown resource type */
function createResource(event: DeploymentEvent): CustomResource {
  const type = RESOURCE_TYPES.get(event.resourceType);
  if (type !== undefined) return type.create(event);
  throw invalidProperty(`\`ResourceType\` of the event must be one of ${[...RESOURCE_TYPES.keys()].join(', ')}, got ${JSON.stringify(event.resourceType)}`);
}

function ignoresFailure(event: DeploymentEvent, resource: CustomResource | undefined, rollingBack: boolean): boolean {
  if (resource !== undefined) return resource.ignoresFailure(rollingBack);
  return RESOURCE_TYPES.get(event.resourceType)?.ignoresUnreadableProperties(rollingBack) === true;
}
