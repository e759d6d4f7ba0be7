// A bucket for access logs, of which CloudFormation must know the name before it makes the distribution.
import { CfnResource, Stack, aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { overriddenProperty } from './escape-hatch';
import { outermostStack } from './us-east-1-stack';

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

/**
 * CloudFront User Guide, "Configure standard logging (legacy)": it adds a grant to the bucket's access control list, and cannot where
 * the bucket's owner owns every object, as S3 has it by default.
 *
 * @param host - a `PolicyHost`
 * @throws where the bucket is made in the app and takes no access control lists; what changes it later fails the synthesis
 */
export function checkLogAcls(host: Construct, bucket: s3.IBucket): void {
  const fault = aclFault(bucket);
  if (fault !== undefined) throw new Error(fault);
  host.node.addValidation({ validate: () => [aclFault(bucket)].filter((late) => late !== undefined) });
}

function aclFault({ node }: s3.IBucket): string | undefined {
  const made = node.defaultChild;
  if (!CfnResource.isCfnResource(made) || made.cfnResourceType !== 'AWS::S3::Bucket') return undefined;
  const ownership = JSON.stringify(overriddenProperty(made, 'OwnershipControls') ?? Stack.of(made).resolve(Reflect.get(made, 'ownershipControls')) ?? null);
  // What is known only at deployment is taken on trust.
  if (/"(?:ObjectWriter|BucketOwnerPreferred|Ref|Fn::[^"]*)"/.test(ownership)) return undefined;
  const isGiven = ownership.includes(s3.ObjectOwnership.BUCKET_OWNER_ENFORCED);
  return `\`accessLogBucket\` ${node.path} takes no access control lists, by which CloudFront lets itself write logs: its \`objectOwnership\` is `
    + `${isGiven ? 'BUCKET_OWNER_ENFORCED' : 'not given, which S3 takes for BUCKET_OWNER_ENFORCED'}; write \`objectOwnership: ObjectOwnership.OBJECT_WRITER\` or `
    + '`ObjectOwnership.BUCKET_OWNER_PREFERRED`';
}
