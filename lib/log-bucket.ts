// A bucket for access logs, of which CloudFormation must know the name before it makes the distribution.
import { Stack } from 'aws-cdk-lib';
import type { aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { outermostStack } from './region';

/**
 * @param host - a `PolicyHost`
 * @param place - where its resources are
 * @throws where the bucket is made in the user's stack of another Region: that waits for the us-east-1 stack, which would wait for it
 */
export function checkLogBucket(host: Construct, place: Construct, bucket: s3.IBucket): void {
  const [own, elsewhere] = [host, place].map((construct) => outermostStack(Stack.of(construct)));
  if (own === elsewhere || bucket.node.defaultChild === undefined || outermostStack(Stack.of(bucket)) !== own) return;
  throw new Error(`\`accessLogBucket\` ${bucket.node.path} is made in the stack '${own.stackName}' of ${own.region}, and the distribution in `
    + `'${elsewhere.stackName}', which is deployed before it; make the bucket in a stack of its own with a \`bucketName\`, deploy that first, and `
    + 'import it by `Bucket.fromBucketName()`');
}
