// What the edge function is called: names of CloudFront Functions belong to the whole account, and CDK makes them of construct ids alone.
import { Names } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** CloudFront API Reference, CreateFunction: 1 to 64 of `[a-zA-Z0-9-_]`. */
const LONGEST = 64;

/**
 * The name of the stack, that of the outermost where stacks are nested, the path below it, and a hash of both: stacks of one id
 * and of several names, `mail-dev` and `mail-prod`, can stand in one account.
 *
 * @param host - what holds the resources of a `PolicyHost`
 */
export function edgeFunctionName(host: Construct): string {
  return Names.uniqueResourceName(host, { maxLength: LONGEST, separator: '-', allowedSpecialCharacters: '-_' });
}
