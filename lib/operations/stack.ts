// What CloudFormation knows of the own stack: whether it is rolling back, and what it has made.
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { StackResource } from '@aws-sdk/client-cloudformation';
import { awsCall, AwsCallFailed } from './context/aws-call';
import { plainName } from './dns-names';
import { errorFields } from './context/log';
import type { RetryOptions } from './context/retry';
import type { OperationContext } from './context/operation-context';
import { withTimeLimit } from './context/deadline';

/**
 * Whether the stack is rolling back. Where that cannot be learned in time it counts as not: a check that failed then fails
 * the deployment, as it would have anyway.
 *
 * @param milliseconds - how long to ask; the reserve that is left after the work's own time
 */
export async function isRollingBack({ services, log }: Pick<OperationContext, 'services' | 'log'>, stackId: string, milliseconds: number): Promise<boolean> {
  try {
    return (await stackStatus(services, stackId, milliseconds)).includes('ROLLBACK');
  } catch (error) {
    log.warn('could not learn whether the stack is rolling back; taken as not', errorFields(error));
    return false;
  }
}

/** For a question that the work can do without. */
const SHORT = 5_000;

/** Returns whether the stack is rolling back, or may be, since that cannot be learned. */
export async function mayBeRollingBack({ services, log }: Pick<OperationContext, 'services' | 'log'>, stackId: string): Promise<boolean> {
  try {
    return (await stackStatus(services, stackId, SHORT)).includes('ROLLBACK');
  } catch (error) {
    log.warn('could not learn whether the stack is rolling back; taken as if it were', errorFields(error));
    return true;
  }
}

async function stackStatus(services: OperationContext['services'], stackId: string, milliseconds: number): Promise<string> {
  const { Stacks: stacks = [] } = await withTimeLimit(milliseconds, async (signal) => {
    return services.cloudformation.send(new DescribeStacksCommand({ StackName: stackId }), { abortSignal: signal });
  }, () => new Error(`cloudformation:DescribeStacks gave no answer within ${milliseconds} ms`));
  return stacks.at(0)?.StackStatus ?? '';
}

/**
 * Whether the stack has a resource of this logical id that made a record set of this name.
 *
 * A resource whose creation failed counts too: CloudFormation may have made the record set before it gave up, and where it
 * has not, its next attempt fails by itself without overwriting anything.
 */
export async function ownsRecord(context: OperationContext, stackId: string, logicalId: string, name: string): Promise<boolean> {
  const resources = await stackResources(context, stackId, logicalId);
  return (resources ?? []).some(({ PhysicalResourceId: id, ResourceStatus: status = '' }) => {
    return plainName(id ?? '') === name && /_(COMPLETE|FAILED)$/.test(status) && status !== 'DELETE_COMPLETE';
  });
}

/**
 * Returns what CloudFormation has of a logical id; undefined where it says that there is no such resource, or no such stack any more.
 *
 * @throws AwsCallFailed
 */
export async function stackResources(
  context: OperationContext, stackId: string, logicalId: string, retry?: RetryOptions,
): Promise<readonly StackResource[] | undefined> {
  try {
    const { StackResources: resources = [] } = await awsCall(context, 'cloudformation:DescribeStackResources', async (options) => {
      const command = new DescribeStackResourcesCommand({ StackName: stackId, LogicalResourceId: logicalId });
      return context.services.cloudformation.send(command, options);
    }, retry);
    return resources;
  } catch (error) {
    // The way in which CloudFormation says it.
    if (error instanceof AwsCallFailed && error.code === 'ValidationError' && error.detail.includes('does not exist')) return undefined;
    throw error;
  }
}
