// The real services of a Lambda function: AWS clients with the role of the function, DNS and HTTPS.
import { ACMClient } from '@aws-sdk/client-acm';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { Route53Client } from '@aws-sdk/client-route-53';
import { S3Client } from '@aws-sdk/client-s3';
import type { Services } from '../../operations/context/services';
import { createResolver } from '../../verifier/dns/resolver';
import { createFetchPolicy } from '../../verifier/https/policy-fetch';

/**
 * Limits of every AWS call. A lost packet must not fail a deployment, and a hanging connection must not block it.
 *
 * Without `throwOnRequestTimeout`, the SDK only warns at `requestTimeout`.
 */
const CLIENT_LIMITS = {
  maxAttempts: 5,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
};

/** Creates the services of a Lambda function, with its role, Region and resolver. */
export function defaultServices(): Services {
  return {
    acm: new ACMClient(CLIENT_LIMITS),
    route53: new Route53Client(CLIENT_LIMITS),
    s3: new S3Client(CLIENT_LIMITS),
    cloudformation: new CloudFormationClient(CLIENT_LIMITS),
    resolver: createResolver(),
    fetchPolicy: createFetchPolicy(),
    clock: {
      now: () => Date.now(),
      sleep: (milliseconds) => new Promise((resolve) => {
        setTimeout(resolve, milliseconds);
      }),
    },
    // Not `console`: Lambda's JSON log format would encode the line a second time.
    log: (line) => process.stdout.write(`${line}\n`),
  };
}
