// All that the function reaches outside itself, so that tests can hand it another world.
import { ACMClient } from '@aws-sdk/client-acm';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { Route53Client } from '@aws-sdk/client-route-53';
import { S3Client } from '@aws-sdk/client-s3';
import { createFetchPolicy } from '../../verifier/https/policy-fetch';
import type { FetchPolicy } from '../../verifier/https/policy-fetch';
import { createResolver } from '../../verifier/dns/resolver';
import type { Resolver } from '../../verifier/dns/resolver';

/** The time, and how to let it pass. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** What the function works with. */
export interface Services {
  readonly acm: ACMClient;
  readonly route53: Route53Client;
  readonly s3: S3Client;
  readonly cloudformation: CloudFormationClient;
  readonly resolver: Resolver;
  readonly fetchPolicy: FetchPolicy;
  readonly clock: Clock;
  /** Takes one line, a JSON object without a line end. */
  readonly log: (line: string) => void;
  /**
   * Where the zone's own name servers listen.
   *
   * @default 53
   */
  readonly nameServerPort?: number;
  /**
   * Whether DNS may lead to addresses that are not public: on loopback, for tests.
   *
   * @default false
   */
  readonly allowPrivate?: boolean;
}

/**
 * Limits of every AWS call: a lost packet must not cost a deployment, and a hanging connection must not hold it.
 *
 * Without `throwOnRequestTimeout` the SDK only warns when `requestTimeout` is over.
 */
const LIMITS = {
  maxAttempts: 5,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
};

/** The real one: the Lambda's own role, Region and resolver. */
export function defaultServices(): Services {
  return {
    acm: new ACMClient(LIMITS),
    route53: new Route53Client(LIMITS),
    s3: new S3Client(LIMITS),
    cloudformation: new CloudFormationClient(LIMITS),
    resolver: createResolver(),
    fetchPolicy: createFetchPolicy(),
    clock: {
      now: () => Date.now(),
      sleep: (milliseconds) => new Promise((resolve) => {
        setTimeout(resolve, milliseconds);
      }),
    },
    // Past `console`, which Lambda's JSON log format would wrap and encode a second time.
    log: (line) => process.stdout.write(`${line}\n`),
  };
}
