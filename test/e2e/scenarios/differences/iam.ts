// Differences between the emulator and AWS in IAM.
import { CreateFunctionCommand, DeleteFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ADMINISTRATOR, ENDPOINT, REGION } from '../../environment/aws/emulator';
import { readAuthorizedCalls } from '../../environment/aws/rights-log';
import { callIam } from '../../environment/aws/signed-calls';
import type { TestEnvironment } from '../../environment/environment';
import type { Difference } from './difference';

/** Name of the role, the user and the function that exist during a proof. */
const NAME = 'difference';

export const IAM_DIFFERENCES: readonly Difference[] = [
  {
    assertion: 'the emulator does not require iam:PassRole to pass a role to CloudFormation; AWS requires it',
    shown: ({ emulator }: TestEnvironment): Promise<string | undefined> => {
      const calls = readAuthorizedCalls(emulator).filter(({ principal, action }) => principal.includes('-deploy-role') && action.startsWith('cloudformation:'));
      const isRequired = readAuthorizedCalls(emulator).some(({ action }) => action === 'iam:PassRole');
      return Promise.resolve(calls.length === 0 || isRequired ? undefined : `none of ${calls.length} calls of CloudFormation by the deploy role`);
    },
  },
  {
    assertion: 'the emulator creates a function with a role that only EC2 may assume; Lambda refuses it',
    shown: async (): Promise<string | undefined> => {
      const lambda = new LambdaClient({ endpoint: ENDPOINT, region: REGION, credentials: ADMINISTRATOR });
      const Statement = [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }];
      const role = await callIam('CreateRole', { RoleName: NAME, AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) });
      try {
        const { State: state } = await lambda.send(new CreateFunctionCommand({
          FunctionName: NAME, Role: valueOf(role, 'Arn'), Runtime: 'nodejs24.x', Handler: 'index.handler', Code: { ZipFile: EMPTY_ZIP },
        }));
        await lambda.send(new DeleteFunctionCommand({ FunctionName: NAME }));
        return state;
      } catch (error) {
        if (error instanceof Error && error.name === 'InvalidParameterValueException' && error.message.includes('assume')) return undefined;
        throw error;
      } finally {
        await callIam('DeleteRole', { RoleName: NAME });
      }
    },
  },
  {
    assertion: 'the emulator applies a granted or removed right to the next call; AWS takes some seconds',
    shown: async (): Promise<string | undefined> => {
      await callIam('CreateUser', { UserName: NAME });
      const key = await callIam('CreateAccessKey', { UserName: NAME });
      const credentials = { accessKeyId: valueOf(key, 'AccessKeyId'), secretAccessKey: valueOf(key, 'SecretAccessKey') };
      const s3 = new S3Client({ endpoint: ENDPOINT, region: REGION, credentials, forcePathStyle: true });
      const policy = { UserName: NAME, PolicyName: NAME };
      const Statement = [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }];
      const isAllowed = async (): Promise<boolean> => s3.send(new ListBucketsCommand({})).then(() => true, (error: unknown) => {
        if (error instanceof Error && error.name === 'AccessDenied') return false;
        throw error;
      });
      try {
        const before = await isAllowed();
        await callIam('PutUserPolicy', { ...policy, PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) });
        const afterGrant = await isAllowed();
        await callIam('DeleteUserPolicy', policy);
        const afterRemoval = await isAllowed();
        return !before && afterGrant && !afterRemoval ? 'denied before the grant, allowed after it, denied after the removal' : undefined;
      } finally {
        await callIam('DeleteAccessKey', { UserName: NAME, AccessKeyId: credentials.accessKeyId });
        await callIam('DeleteUser', { UserName: NAME });
      }
    },
  },
];

/** A ZIP archive without entries. */
const EMPTY_ZIP = Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1');

function valueOf(xml: string, element: string): string {
  const value = new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1];
  if (value === undefined) throw new Error(`IAM gave no ${element}: ${xml.slice(0, 300)}`);
  return value;
}
