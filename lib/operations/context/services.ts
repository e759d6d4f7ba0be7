// The services that an operation uses outside of itself. Tests replace them.
import type { ACMClient } from '@aws-sdk/client-acm';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { Route53Client } from '@aws-sdk/client-route-53';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Resolver } from '../../verifier/dns/resolver';
import type { FetchPolicy } from '../../verifier/https/policy-fetch';

/** The time, and a way to wait. */
export interface Clock {
  /** Returns milliseconds since the epoch. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** AWS clients, DNS, HTTPS, the clock and the receiver of log lines. */
export interface Services {
  readonly acm: ACMClient;
  readonly route53: Route53Client;
  readonly s3: S3Client;
  readonly cloudformation: CloudFormationClient;
  readonly resolver: Resolver;
  readonly fetchPolicy: FetchPolicy;
  readonly clock: Clock;
  /** Receives one line: a JSON object without a line end. */
  readonly log: (line: string) => void;
  /**
   * The port of the zone's own name servers.
   *
   * @default 53
   */
  readonly nameServerPort?: number;
  /**
   * Whether DNS may return addresses that are not public. Tests use loopback addresses.
   *
   * @default false
   */
  readonly allowPrivate?: boolean;
}
