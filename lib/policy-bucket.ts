// The bucket of a host: policy files, which CloudFront may read, and ledgers of what was published, which nobody is served.
import { RemovalPolicy, aws_iam as iam, aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { policyObjectKey } from './edge-function';
import { POLICY_PATH } from './protocol/policy-url';

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
  allow(['s3:DeleteObject'], [bucket.arnForObjects(`*${POLICY_PATH}`)]);
  // Of every domain here too: named each by each, a hundred would not fit the 20 KB of the policy.
  allow(['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], [bucket.arnForObjects('ledger/*')]);
  // Without it S3 denies a ledger that is not there yet, as if it were there.
  allow(['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': 'ledger/*' } });
  return bucket;
}
