// S3, Route 53, CloudFormation's ResponseURL and CloudFront's API throttle, fail or are silent.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contextArguments } from '../environment/app/app';
import type { AppContext } from '../environment/app/app';
import type { CommandResult } from '../environment/app/cdk-cli';
import type { AwsCall, AwsFault } from '../environment/aws/aws-proxy';
import { hasDistributionFailed, setEmulatorFaults } from '../environment/aws/emulator';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { isResponse } from './fault';
import type { End, Fault } from './fault';

const isWrite = ({ service, method }: AwsCall): boolean => service === 's3' && method === 'PUT';
const isRead = ({ service, method }: AwsCall): boolean => service === 's3' && method === 'GET';
const isRoute53 = ({ service }: AwsCall): boolean => service === 'route53';

/** In CloudFormation's words, after its own attempts. */
export const CLOUDFRONT_ERROR = {
  throttled: 'Rate exceeded (Service: CloudFront, Status Code: 429) (HandlerErrorCode: Throttling)',
  failed: 'Internal failure (Service: CloudFront, Status Code: 500) (HandlerErrorCode: ServiceInternalError)',
} as const;

export const AWS_FAULTS: readonly Fault[] = [
  { what: 'S3 throttles three writes', begin: calls(isWrite, 3, { status: 503, code: 'SlowDown' }) },
  { what: 'S3 fails three times with 500', slow: true, begin: calls(isWrite, 3, { status: 500, code: 'InternalError' }) },
  { what: 'S3 throttles the reading of the ledger twice', begin: calls(isRead, 2, { status: 503, code: 'SlowDown' }) },
  { what: 'S3 does not answer a write', slow: true, begin: calls(isWrite, 1, 'hang') },
  { what: 'S3 does not answer the reading of the ledger', slow: true, begin: calls(isRead, 1, 'hang') },
  { what: 'Route 53 throttles four calls', early: true, slow: true, begin: calls(isRoute53, 4, { status: 400, code: 'Throttling' }) },
  { what: 'Route 53 fails three times with 503', early: true, begin: calls(isRoute53, 3, { status: 503, code: 'ServiceUnavailable' }) },
  { what: 'Route 53 does not answer a call', early: true, slow: true, begin: calls(isRoute53, 1, 'hang') },
  { what: 'the ResponseURL fails three times', early: true, begin: calls(isResponse, 3, { status: 503, code: 'ServiceUnavailable' }) },
  updateOfTheDistribution('CloudFront\'s API throttles the update of the distribution', CLOUDFRONT_ERROR.throttled),
  updateOfTheDistribution('CloudFront\'s API fails with 500 at the update of the distribution', CLOUDFRONT_ERROR.failed),
];

/** @param words - CloudFormation's */
function updateOfTheDistribution(what: string, words: string): Fault {
  return {
    what,
    outcome: 'rolled back',
    published: 'never',
    slow: true,
    // Nothing that the soak changes changes the distribution.
    soak: false,
    deploy: withAnotherDistribution,
    says: words.startsWith('Rate') ? /Rate exceeded/ : /Internal failure/,
    begin: (environment: TestEnvironment): End => {
      const { folder } = environment.paths;
      setEmulatorFaults(folder, { distribution: words });
      return () => {
        const hasFailed = hasDistributionFailed(folder);
        reset(environment);
        if (!hasFailed) throw new Error('the distribution was not updated');
      };
    },
  };
}

/** As another version of the construct would: with a distribution that is not as before. */
async function withAnotherDistribution(environment: TestEnvironment, context: AppContext): Promise<CommandResult> {
  const { paths: { root, folder }, cli } = environment;
  const script = join(folder, 'another-distribution.cjs');
  writeFileSync(script, `'use strict';
const { createApp } = require(${JSON.stringify(join(root, 'bin', 'app.js'))});
const app = createApp(process.env);
const distribution = app.node.findAll().find(({ cfnResourceType: type }) => type === 'AWS::CloudFront::Distribution');
distribution.addPropertyOverride('DistributionConfig.Comment', 'of another version');
app.synth();
`);
  return cli.cdk('deploy', '--app', `${process.execPath} ${script}`, ...contextArguments(environment.zoneId, context), '-o', join(folder, 'cdk.out.another'),
    '--require-approval', 'never');
}

/** AWS fails for the function so many times in a row. */
function calls(which: (call: AwsCall) => boolean, times: number, fault: AwsFault): Fault['begin'] {
  return (environment) => {
    let left = times;
    environment.aws.fail((call) => {
      if (!which(call) || left === 0) return undefined;
      left -= 1;
      return fault;
    });
    return () => {
      reset(environment);
      if (left > 0) throw new Error(`only ${times - left} of ${times} calls were made to fail`);
    };
  };
}
