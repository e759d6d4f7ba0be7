// Limits of a policy host that AWS would report only in the middle of a deployment, checked at synthesis.
import { CfnOutput, CfnResource, Stack, Validations, aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { domainOfPolicyHost } from '../../protocol/policy/url';
import { joinList } from '../../util/safe-text';
import { overriddenProperty } from '../escape-hatch';
import { outermostStack } from '../us-east-1-stack';

/** Names of a certificate: the quota before any request, and the most that AWS grants (AWS Certificate Manager User Guide, "Quotas"). */
const DEFAULT_CERTIFICATE_NAMES = 10;
const MAX_CERTIFICATE_NAMES = 100;

/** Maximum number of outputs of a stack (AWS CloudFormation User Guide, "Understand CloudFormation quotas"). */
const MAX_STACK_OUTPUTS = 200;

/**
 * Checks the number of domains. A distribution accepts 100 names, as many as a certificate, and they fit the 10 KB of its edge function.
 *
 * @param host - a `PolicyHost`
 * @param names - policy hosts, for example `mta-sts.example.com`
 * @param isCertificateCreated - whether the stack creates the certificate; the quota does not matter for a certificate that exists
 * @throws Error for more names than AWS ever grants
 */
export function checkNumberOfNames(host: Construct, names: string[], isCertificateCreated: boolean): void {
  if (names.length > MAX_CERTIFICATE_NAMES) {
    throw new Error(`${host.node.path}: a PolicyHost serves at most ${MAX_CERTIFICATE_NAMES} domains (the names of one certificate and of one distribution), `
      + `got ${names.length}. Split \`domains\`: ${joinList(names.slice(MAX_CERTIFICATE_NAMES).map(domainOfPolicyHost), 3)} need another PolicyHost`);
  }
  if (isCertificateCreated && names.length > DEFAULT_CERTIFICATE_NAMES) {
    Validations.of(host).addWarning('cdk-mta-sts:certificateNames',
      `the certificate of ${host.node.path} has ${names.length} names, and the default quota of an account is ${DEFAULT_CERTIFICATE_NAMES}. Without a higher quota `
      + `the deployment fails. Request the quota "Domain names per ACM certificate" in us-east-1 (at most ${MAX_CERTIFICATE_NAMES}), or `
      + `split \`domains\` between PolicyHosts of ${DEFAULT_CERTIFICATE_NAMES}`);
  }
}

/**
 * Checks the number of outputs: one for each domain, and a second one for external DNS. Called when all constructs exist.
 *
 * @param host - a `PolicyHost`
 * @param stack - stack with the outputs
 */
export function checkNumberOfOutputs(host: Construct, stack: Stack): void {
  const count = stack.node.findAll().filter((construct) => construct instanceof CfnOutput && Stack.of(construct) === stack).length;
  if (count > MAX_STACK_OUTPUTS) {
    Validations.of(host).addError('cdk-mta-sts:outputs',
      `the stack '${stack.stackName}' has ${count} outputs, and CloudFormation allows ${MAX_STACK_OUTPUTS}. Each domain of ${host.node.path} has one output, or two `
      + 'with external DNS. Split `domains` between PolicyHosts of several stacks');
  }
}

/**
 * Checks that the bucket for access logs exists before the distribution.
 *
 * @param host - a `PolicyHost`
 * @param scope - construct that contains its resources
 * @throws Error if the user's stack of another Region makes the bucket: each of the two stacks would wait for the other
 */
export function checkLogBucketStack(host: Construct, scope: Construct, bucket: s3.IBucket): void {
  const [own, other] = [outermostStack(Stack.of(host)), outermostStack(Stack.of(scope))];
  if (own === other || bucket.node.defaultChild === undefined || outermostStack(Stack.of(bucket)) !== own) return;
  throw new Error(`\`accessLogBucket\` ${bucket.node.path} is made in the stack '${own.stackName}' of ${own.region}, and the distribution in `
    + `'${other.stackName}', which is deployed first. Make the bucket in another stack with a \`bucketName\`, deploy that stack first, and `
    + 'import the bucket by `Bucket.fromBucketName()`');
}

/**
 * Checks that CloudFront can write logs to the bucket. It adds a grant to the access control list of the bucket, which S3 refuses by
 * default (CloudFront User Guide, "Configure standard logging (legacy)").
 *
 * @param host - a `PolicyHost`
 * @throws Error if the app makes a bucket without access control lists; a later change of the bucket fails the synthesis
 */
export function checkLogBucketAcls(host: Construct, bucket: s3.IBucket): void {
  const problem = aclProblem(bucket);
  if (problem !== undefined) throw new Error(problem);
  host.node.addValidation({ validate: () => [aclProblem(bucket)].filter((later) => later !== undefined) });
}

function aclProblem({ node }: s3.IBucket): string | undefined {
  const made = node.defaultChild;
  if (!CfnResource.isCfnResource(made) || made.cfnResourceType !== 'AWS::S3::Bucket') return undefined;
  const ownership = JSON.stringify(overriddenProperty(made, 'OwnershipControls') ?? Stack.of(made).resolve(Reflect.get(made, 'ownershipControls')) ?? null);
  // Accept values that are known only at deployment.
  if (/"(?:ObjectWriter|BucketOwnerPreferred|Ref|Fn::[^"]*)"/.test(ownership)) return undefined;
  const isGiven = ownership.includes(s3.ObjectOwnership.BUCKET_OWNER_ENFORCED);
  return `\`accessLogBucket\` ${node.path} has no access control lists, because its \`objectOwnership\` is `
    + `${isGiven ? 'BUCKET_OWNER_ENFORCED' : 'missing, which means BUCKET_OWNER_ENFORCED'}. CloudFront needs them to write logs. Write `
    + '`objectOwnership: ObjectOwnership.OBJECT_WRITER` or `ObjectOwnership.BUCKET_OWNER_PREFERRED`';
}
