// What the emulator does not do as AWS does where somebody is given rights.
import { CreateFunctionCommand, DeleteFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ADMINISTRATOR, ENDPOINT, REGION } from '../../environment/aws/emulator';
import { readAuthorizedCalls } from '../../environment/aws/rights-log';
import { callIam } from '../../environment/aws/signed-calls';
import type { TestEnvironment } from '../../environment/environment';
import type { Difference } from './difference';

/** Of the role, the user and the function that are made here and taken away. */
const NAME = 'difference';

export const IAM_DIFFERENCES: readonly Difference[] = [
  {
    assertion: 'who passes a role to CloudFormation is not asked for iam:PassRole; AWS asks',
    shown: ({ emulator }: TestEnvironment): Promise<string | undefined> => {
      const calls = readAuthorizedCalls(emulator).filter(({ principal, action }) => principal.includes('-deploy-role') && action.startsWith('cloudformation:'));
      const isAsked = readAuthorizedCalls(emulator).some(({ action }) => action === 'iam:PassRole');
      return Promise.resolve(calls.length === 0 || isAsked ? undefined : `of ${calls.length} calls of CloudFormation by the role that deploys, none`);
    },
  },
  {
    assertion: 'a function is made with a role that EC2 alone may assume; Lambda refuses it',
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
    assertion: 'a right counts from the next call on, and a taken one no more; on AWS after some seconds',
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
        const given = await isAllowed();
        await callIam('DeleteUserPolicy', policy);
        const taken = await isAllowed();
        return !before && given && !taken ? 'denied, given and allowed, taken and denied' : undefined;
      } finally {
        await callIam('DeleteAccessKey', { UserName: NAME, AccessKeyId: credentials.accessKeyId });
        await callIam('DeleteUser', { UserName: NAME });
      }
    },
  },
];

/** The end of an archive that holds nothing. */
const EMPTY_ZIP = Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1');

function valueOf(xml: string, element: string): string {
  const value = new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1];
  if (value === undefined) throw new Error(`IAM gave no ${element}: ${xml.slice(0, 300)}`);
  return value;
}
