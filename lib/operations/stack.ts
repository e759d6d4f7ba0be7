// Questions to CloudFormation about the stack of the deployment: whether it is rolling back, and which resources it has.
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { StackResource } from '@aws-sdk/client-cloudformation';
import { awsCall, AwsCallFailed } from './context/aws-call';
import { plainName } from './dns-names';
import { errorFields } from './context/log';
import type { RetryOptions } from './context/retry';
import type { OperationContext } from './context/operation-context';
import { withTimeLimit } from './context/deadline';

/**
 * Returns whether the stack is rolling back. Without an answer in time, it returns false: the failed check then fails the deployment.
 *
 * @param milliseconds - the time limit of the question
 */
export async function isRollingBack({ services, log }: Pick<OperationContext, 'services' | 'log'>, stackId: string, milliseconds: number): Promise<boolean> {
  try {
    return (await stackStatus(services, stackId, milliseconds)).includes('ROLLBACK');
  } catch (error) {
    log.warn('could not find out whether the stack is rolling back; assuming that it is not', errorFields(error));
    return false;
  }
}

/** Time limit of a question that the operation works without. */
const OPTIONAL_LIMIT_MS = 5_000;

/** Returns whether the stack is rolling back. Without an answer in time, it returns true. */
export async function mayBeRollingBack({ services, log }: Pick<OperationContext, 'services' | 'log'>, stackId: string): Promise<boolean> {
  try {
    return (await stackStatus(services, stackId, OPTIONAL_LIMIT_MS)).includes('ROLLBACK');
  } catch (error) {
    log.warn('could not find out whether the stack is rolling back; assuming that it is', errorFields(error));
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
 * Returns whether the stack has a resource with this logical id that created a record set of this name.
 *
 * A resource whose creation failed counts too. CloudFormation may have created the record set before it gave up. If it has not, its next
 * attempt fails by itself and overwrites nothing.
 */
export async function ownsRecord(context: OperationContext, stackId: string, logicalId: string, name: string): Promise<boolean> {
  const resources = await stackResources(context, stackId, logicalId);
  return (resources ?? []).some(({ PhysicalResourceId: id, ResourceStatus: status = '' }) => {
    return plainName(id ?? '') === name && /_(COMPLETE|FAILED)$/.test(status) && status !== 'DELETE_COMPLETE';
  });
}

/**
 * Returns the resources with a logical id; undefined where CloudFormation says that the resource or the stack does not exist.
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
    // CloudFormation has no error code of its own for this.
    if (error instanceof AwsCallFailed && error.code === 'ValidationError' && error.detail.includes('does not exist')) return undefined;
    throw error;
  }
}
