// The bucket of a host: policy files, which CloudFront may read, and ledgers of what was published, which nobody is served.
import { Aws, RemovalPolicy, Stack, aws_iam as iam, aws_s3 as s3 } from 'aws-cdk-lib';
import type { aws_cloudfront as cloudfront } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { policyObjectKey } from './edge-function';
import { POLICY_PATH } from '../protocol/policy/url';

const POLICY_FILES = `*${POLICY_PATH}`;
const LEDGERS = 'ledger/*';
const LOG_PREFIX = 'mta-sts-policy-bucket/';

/**
 * @param hosts - whose policies it holds, `mta-sts.example.com` and so on
 * @param writer - who writes and takes away
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
  // Of every domain, not of these alone: CloudFormation changes this policy first and asks for the file of a domain that has
  // left to be deleted afterwards. A file left behind would keep the bucket from being removed.
  allow(['s3:DeleteObject'], [bucket.arnForObjects(POLICY_FILES)]);
  // Of every domain here too: named each by each, a hundred would not fit the 20 KB of the policy.
  allow(['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], [bucket.arnForObjects(LEDGERS)]);
  // Without it S3 denies a ledger that is not there yet, as if it were there.
  allow(['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': LEDGERS } });
  // Not used until somebody turns versioning on, as rules of compliance ask. Then a deleted object keeps its versions, and S3 removes no
  // bucket that holds any.
  allow(['s3:DeleteObjectVersion'], [POLICY_FILES, LEDGERS].map((keys) => bucket.arnForObjects(keys)));
  allow(['s3:ListBucketVersions'], [bucket.bucketArn], { StringLike: { 's3:prefix': [POLICY_FILES, LEDGERS] } });
  return bucket;
}

/**
 * Lets the distribution read the policy files, and only those: never the ledgers, whatever the edge function or a changed origin asks for.
 *
 * One pattern for all hosts: a hundred of them by name, beside those that the function may write, would not fit the 20 KB of the policy.
 */
export function allowServing(bucket: s3.Bucket, distribution: cloudfront.Distribution): void {
  bucket.addToResourcePolicy(new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')],
    actions: ['s3:GetObject'],
    resources: [bucket.arnForObjects(POLICY_FILES)],
    conditions: {
      StringEquals: { 'AWS:SourceArn': `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/${distribution.distributionId}` },
    },
  }));
}

/**
 * Sends the bucket's own access log to the bucket for CloudFront's, where that can be. S3 takes only a bucket of the same Region and
 * account, and an imported one may not let S3 write, which would fail the deployment.
 */
export function logRequests(bucket: s3.Bucket, logs: s3.IBucket): void {
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof s3.CfnBucket) || logs.node.defaultChild === undefined) return;
  const [here, there] = [Stack.of(bucket), logs.env];
  if (here.region !== there.region || here.account !== there.account) return;
  resource.loggingConfiguration = { destinationBucketName: logs.bucketName, logFilePrefix: LOG_PREFIX };
  const s3Itself = new iam.ServicePrincipal('logging.s3.amazonaws.com');
  // Not by the bucket's `serverAccessLogsBucket`: whether that makes a policy or an access control list depends on a feature flag.
  logs.addToResourcePolicy(new iam.PolicyStatement({
    principals: [s3Itself],
    actions: ['s3:PutObject'],
    resources: [logs.arnForObjects(`${LOG_PREFIX}*`)],
    // Not the bucket's ARN: the stacks of the two would need each other.
    conditions: { StringEquals: { 'aws:SourceAccount': here.account } },
  }));
  logs.encryptionKey?.grantEncryptDecrypt(s3Itself);
}
