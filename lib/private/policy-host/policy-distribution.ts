// The distribution of a policy host: TLS 1.2 or later, IPv4 and IPv6, no caching. It serves one path, of known hosts only.
import { Names, aws_cloudfront as cloudfront, aws_cloudfront_origins as origins } from 'aws-cdk-lib';
import type { aws_certificatemanager as acm, aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { POLICY_PATH } from '../../protocol/policy/url';
import { allowServing } from './policy-bucket';

/** Properties of `policyDistribution()`. */
export interface PolicyDistributionProps {
  readonly bucket: s3.Bucket;
  readonly certificate: acm.ICertificate;
  readonly accessLogBucket?: s3.IBucket;
  readonly webAclArn?: string;
}

/**
 * Creates the distribution.
 *
 * @param hosts - policy hosts that it serves, for example `mta-sts.example.com`
 */
export function policyDistribution(scope: Construct, hosts: string[], props: PolicyDistributionProps): cloudfront.Distribution {
  const edge = new cloudfront.Function(scope, 'Edge', {
    functionName: edgeFunctionName(scope),
    comment: 'cdk-mta-sts: only the policy file of known hosts',
    runtime: cloudfront.FunctionRuntime.JS_2_0,
    code: cloudfront.FunctionCode.fromInline(edgeFunctionCode(hosts)),
  });
  const originAccess = new cloudfront.S3OriginAccessControl(scope, 'OriginAccess');
  const [first = ''] = hosts;
  const distribution = new cloudfront.Distribution(scope, 'Distribution', {
    comment: `MTA-STS policies, ${first}${hosts.length > 1 ? ` and ${hosts.length - 1} more` : ''}`,
    domainNames: hosts,
    certificate: props.certificate,
    minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
    sslSupportMethod: cloudfront.SSLMethod.SNI,
    httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
    enableIpv6: true,
    defaultBehavior: {
      // Not `withOriginAccessControl()`: that lets CloudFront read the whole bucket, publication histories included.
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

/**
 * Returns the code of the edge function, for the runtime cloudfront-js-2.0.
 *
 * Without this function, S3 would answer 403 for a missing object, and senders could request every path of the bucket.
 *
 * @param hosts - policy hosts that the distribution serves
 */
export function edgeFunctionCode(hosts: string[]): string {
  return `const hosts = ${JSON.stringify([...hosts].sort())};

function handler(event) {
  const request = event.request;
  const host = request.headers.host ? request.headers.host.value.split(':')[0].toLowerCase() : '';
  const known = hosts.includes(host) && request.uri === '${POLICY_PATH}' && (request.method === 'GET' || request.method === 'HEAD');
  if (!known) {
    return {
      statusCode: 404,
      statusDescription: 'Not Found',
      headers: {
        'content-type': { value: 'text/plain; charset=utf-8' },
        'cache-control': { value: 'no-store' },
      },
    };
  }
  request.uri = '/' + host + request.uri;
  return request;
}
`;
}

/** Maximum length of the name of a CloudFront function, of `[a-zA-Z0-9-_]` (CloudFront API Reference, CreateFunction). */
const MAX_FUNCTION_NAME_LENGTH = 64;

/**
 * Returns the name of the edge function: the name of the outermost stack, the path below it, and a hash of both. Names of CloudFront
 * functions are unique in an account, and CDK builds its default name from construct ids alone. Stacks with the same ids and different
 * names, `mail-dev` and `mail-prod`, could then not be in one account.
 *
 * @param host - construct that contains the resources of a `PolicyHost`
 */
export function edgeFunctionName(host: Construct): string {
  return Names.uniqueResourceName(host, { maxLength: MAX_FUNCTION_NAME_LENGTH, separator: '-', allowedSpecialCharacters: '-_' });
}
