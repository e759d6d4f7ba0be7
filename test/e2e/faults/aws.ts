// Faults of AWS: S3, Route 53, the ResponseURL of CloudFormation and the API of CloudFront throttle, fail or do not answer.
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

/** Messages of CloudFormation after its own retries have failed. */
export const CLOUDFRONT_ERROR = {
  throttled: 'Rate exceeded (Service: CloudFront, Status Code: 429) (HandlerErrorCode: Throttling)',
  failed: 'Internal failure (Service: CloudFront, Status Code: 500) (HandlerErrorCode: ServiceInternalError)',
} as const;

export const AWS_FAULTS: readonly Fault[] = [
  { what: 'S3 throttles three writes', begin: calls(isWrite, 3, { status: 503, code: 'SlowDown' }) },
  { what: 'S3 fails three times with 500', slow: true, begin: calls(isWrite, 3, { status: 500, code: 'InternalError' }) },
  { what: 'S3 throttles two reads of the publication history', begin: calls(isRead, 2, { status: 503, code: 'SlowDown' }) },
  { what: 'S3 does not answer a write', slow: true, begin: calls(isWrite, 1, 'hang') },
  { what: 'S3 does not answer a read of the publication history', slow: true, begin: calls(isRead, 1, 'hang') },
  { what: 'Route 53 throttles four calls', early: true, slow: true, begin: calls(isRoute53, 4, { status: 400, code: 'Throttling' }) },
  { what: 'Route 53 fails three times with 503', early: true, begin: calls(isRoute53, 3, { status: 503, code: 'ServiceUnavailable' }) },
  { what: 'Route 53 does not answer a call', early: true, slow: true, begin: calls(isRoute53, 1, 'hang') },
  { what: 'the ResponseURL fails three times', early: true, begin: calls(isResponse, 3, { status: 503, code: 'ServiceUnavailable' }) },
  failingDistributionUpdate('the API of CloudFront throttles the update of the distribution', CLOUDFRONT_ERROR.throttled),
  failingDistributionUpdate('the API of CloudFront answers 500 to the update of the distribution', CLOUDFRONT_ERROR.failed),
];

/** @param message - reason that CloudFormation gives */
function failingDistributionUpdate(what: string, message: string): Fault {
  return {
    what,
    outcome: 'rolled back',
    published: 'never',
    slow: true,
    // The policies of the soak do not change the distribution.
    soak: false,
    deploy: deployChangedDistribution,
    says: message.startsWith('Rate') ? /Rate exceeded/ : /Internal failure/,
    begin: (environment: TestEnvironment): End => {
      const { folder } = environment.paths;
      setEmulatorFaults(folder, { distribution: message });
      return () => {
        const hasFailed = hasDistributionFailed(folder);
        reset(environment);
        if (!hasFailed) throw new Error('the distribution was not updated');
      };
    },
  };
}

/** Deploys a changed distribution, as a new version of the construct might. */
async function deployChangedDistribution(environment: TestEnvironment, context: AppContext): Promise<CommandResult> {
  const { paths: { root, folder }, cli } = environment;
  const script = join(folder, 'changed-distribution.cjs');
  writeFileSync(script, `'use strict';
const { createApp } = require(${JSON.stringify(join(root, 'bin', 'app.js'))});
const app = createApp(process.env);
const distribution = app.node.findAll().find(({ cfnResourceType: type }) => type === 'AWS::CloudFront::Distribution');
distribution.addPropertyOverride('DistributionConfig.Comment', 'another version');
app.synth();
`);
  return cli.cdk('deploy', '--app', `${process.execPath} ${script}`, ...contextArguments(environment.zoneId, context), '-o', join(folder, 'cdk.out.changed'),
    '--require-approval', 'never');
}

/** Lets the next `times` matching calls of the function fail. */
function calls(isAffected: (call: AwsCall) => boolean, times: number, fault: AwsFault): Fault['begin'] {
  return (environment) => {
    let left = times;
    environment.aws.fail((call) => {
      if (!isAffected(call) || left === 0) return undefined;
      left -= 1;
      return fault;
    });
    return () => {
      reset(environment);
      if (left > 0) throw new Error(`only ${times - left} of ${times} calls failed`);
    };
  };
}
