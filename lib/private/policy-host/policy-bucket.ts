// The bucket of a policy host: policy files, which CloudFront may read, and publication histories, which only the function may read.
import { Aws, RemovalPolicy, Stack, aws_iam as iam, aws_s3 as s3 } from 'aws-cdk-lib';
import type { aws_cloudfront as cloudfront } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { HISTORY_KEYS, POLICY_KEYS, policyObjectKey } from '../../contract/object-keys';

const LOG_PREFIX = 'mta-sts-policy-bucket/';

/**
 * Creates the bucket.
 *
 * @param hosts - policy hosts, for example `mta-sts.example.com`
 * @param writer - principal that writes and deletes objects
 */
export function policyBucket(scope: Construct, hosts: string[], writer: iam.IPrincipal): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'Bucket', {
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const allow = (actions: string[], resources: string[], conditions?: Record<string, unknown>): void => {
    bucket.addToResourcePolicy(new iam.PolicyStatement({ principals: [writer], actions, resources, conditions }));
  };
  allow(['s3:PutObject'], hosts.map((host) => bucket.arnForObjects(policyObjectKey(host))));
  // Allow deletes for every domain, not only for the current ones. When a domain leaves, CloudFormation updates this policy before it
  // deletes the domain's file. A file that is left behind would keep the bucket from being removed.
  allow(['s3:DeleteObject'], [bucket.arnForObjects(POLICY_KEYS)]);
  // One pattern for all domains: a hundred names would not fit the 20 KB of a bucket policy.
  allow(['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], [bucket.arnForObjects(HISTORY_KEYS)]);
  // Without this right, S3 answers "access denied" for a history that does not exist yet.
  allow(['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': HISTORY_KEYS } });
  // These two rights matter only in a bucket with versioning, which compliance rules may require. A deleted object then keeps its versions,
  // and S3 removes no bucket that contains versions.
  allow(['s3:DeleteObjectVersion'], [POLICY_KEYS, HISTORY_KEYS].map((keys) => bucket.arnForObjects(keys)));
  allow(['s3:ListBucketVersions'], [bucket.bucketArn], { StringLike: { 's3:prefix': [POLICY_KEYS, HISTORY_KEYS] } });
  return bucket;
}

/**
 * Allows the distribution to read the policy files, and nothing else: never the publication histories, even if the edge function or the
 * origin changes.
 *
 * One pattern for all hosts: a hundred names, beside those that the function may write, would not fit the 20 KB of a bucket policy.
 */
export function allowServing(bucket: s3.Bucket, distribution: cloudfront.Distribution): void {
  bucket.addToResourcePolicy(new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')],
    actions: ['s3:GetObject'],
    resources: [bucket.arnForObjects(POLICY_KEYS)],
    conditions: {
      StringEquals: { 'AWS:SourceArn': `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/${distribution.distributionId}` },
    },
  }));
}

/**
 * Sends the access log of the bucket to the bucket for CloudFront's access logs, if that is possible. S3 accepts only a bucket of the same
 * Region and account. An imported bucket may not let S3 write, which would fail the deployment.
 */
export function logRequests(bucket: s3.Bucket, logs: s3.IBucket): void {
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof s3.CfnBucket) || logs.node.defaultChild === undefined) return;
  const [own, other] = [Stack.of(bucket), logs.env];
  if (own.region !== other.region || own.account !== other.account) return;
  resource.loggingConfiguration = { destinationBucketName: logs.bucketName, logFilePrefix: LOG_PREFIX };
  const loggingService = new iam.ServicePrincipal('logging.s3.amazonaws.com');
  // Not `serverAccessLogsBucket`: a feature flag decides whether that creates a bucket policy or an access control list.
  logs.addToResourcePolicy(new iam.PolicyStatement({
    principals: [loggingService],
    actions: ['s3:PutObject'],
    resources: [logs.arnForObjects(`${LOG_PREFIX}*`)],
    // Not the ARN of the bucket: then each of the two stacks would need the other.
    conditions: { StringEquals: { 'aws:SourceAccount': own.account } },
  }));
  logs.encryptionKey?.grantEncryptDecrypt(loggingService);
}
