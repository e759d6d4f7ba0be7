// The distribution of a host: TLS 1.2 or later, IPv4 and IPv6, nothing cached, and one path of known hosts.
import { aws_cloudfront as cloudfront, aws_cloudfront_origins as origins } from 'aws-cdk-lib';
import type { aws_certificatemanager as acm, aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { edgeFunctionCode } from './edge-function';
import { edgeFunctionName } from './edge-function-name';
import { allowServing } from './policy-bucket';

export interface PolicyDistributionProps {
  readonly bucket: s3.Bucket;
  readonly certificate: acm.ICertificate;
  readonly accessLogBucket?: s3.IBucket;
  readonly webAclArn?: string;
}

/** @param hosts - which it answers for, `mta-sts.example.com` and so on */
export function policyDistribution(scope: Construct, hosts: string[], props: PolicyDistributionProps): cloudfront.Distribution {
  const edge = new cloudfront.Function(scope, 'Edge', {
    functionName: edgeFunctionName(scope),
    comment: 'cdk-mta-sts: only the policy file of known hosts',
    runtime: cloudfront.FunctionRuntime.JS_2_0,
    code: cloudfront.FunctionCode.fromInline(edgeFunctionCode(hosts)),
  });
  const originAccess = new cloudfront.S3OriginAccessControl(scope, 'OriginAccess');
  const distribution = new cloudfront.Distribution(scope, 'Distribution', {
    comment: `MTA-STS policies, ${hosts[0]}${hosts.length > 1 ? ` and ${hosts.length - 1} more` : ''}`,
    domainNames: hosts,
    certificate: props.certificate,
    minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
    sslSupportMethod: cloudfront.SSLMethod.SNI,
    httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
    enableIpv6: true,
    defaultBehavior: {
      // Not `withOriginAccessControl()`: that lets CloudFront read the whole bucket, ledgers included.
      origin: origins.S3BucketOrigin.withBucketDefaults(props.bucket, { originAccessControlId: originAccess.originAccessControlId }),
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      allowedMethods: cloudfront.AllowedMethods.ALLOW_GET_HEAD,
      cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
      responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
      functionAssociations: [{ function: edge, eventType: cloudfront.FunctionEventType.VIEWER_REQUEST }],
    },
    enableLogging: props.accessLogBucket !== undefined,
    logBucket: props.accessLogBucket,
    webAclId: props.webAclArn,
  });
  allowServing(props.bucket, distribution);
  return distribution;
}
