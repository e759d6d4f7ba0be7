// SECURITY.md tells every right that the constructs give, and why; the table is held against the template.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cdk from 'aws-cdk-lib';
import * as cdkMtaSts from '../../lib';
import { RIGHTS, keyOf, rightsOf, rightsTable, templatesWithRights } from '../support/rights';

const SECURITY = readFileSync(join(__dirname, '..', '..', 'SECURITY.md'), 'utf8');

function inTemplate(Statement: readonly object[], type = 'AWS::S3::BucketPolicy'): unknown {
  return { Resources: { Bucket: { Type: 'AWS::S3::Bucket' }, Policy: { Type: type, Properties: { PolicyDocument: { Statement } } } } };
}

describe('the rights', () => {
  const given = rightsOf(templatesWithRights(cdk, cdkMtaSts)).map(keyOf);

  test('each one that the template gives has a reason in test/support/rights.ts', () => {
    expect(given.filter((right) => !RIGHTS.map(keyOf).includes(right))).toEqual([]);
  });

  test('each one that has a reason is in the template', () => {
    expect(RIGHTS.map(keyOf).filter((right) => !given.includes(right))).toEqual([]);
  });

  test('each one is told once', () => {
    expect(new Set(RIGHTS.map(keyOf)).size).toBe(RIGHTS.length);
  });

  test('the table of SECURITY.md is up to date; `npm run docs` writes it', () => {
    expect(SECURITY).toContain(`<!-- rights -->\n${rightsTable()}<!-- /rights -->\n`);
  });
});

describe('what nobody explains is seen', () => {
  const read = { Effect: 'Allow', Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } };

  test('a wider resource', () => {
    const [right] = rightsOf([inTemplate([{ ...read, Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/*']] } }])]);
    expect(right.resource).toBe('`*` in the bucket');
    expect(RIGHTS.map(keyOf)).not.toContain(keyOf(right));
  });

  test.each([
    ['another principal', inTemplate([{ ...read, Principal: { Service: 'ec2.amazonaws.com' }, Resource: '*' }]), /who is .*ec2/],
    ['another role', inTemplate([{ ...read, Principal: { AWS: { 'Fn::GetAtt': ['Other12345678', 'Arn'] } }, Resource: '*' }]), /the role Other12345678 is not known/],
    ['another element of a statement', inTemplate([{ ...read, NotResource: 'x' }]), /NotResource, which is not read/],
    ['another operator of a condition', inTemplate([{ ...read, Resource: '*', Condition: { IpAddress: { a: 'b' } } }]), /IpAddress is not read/],
    ['another resource', inTemplate([{ ...read, Resource: { Ref: 'Queue' } }]), /what is .*Queue/],
    ['another kind of policy', inTemplate([], 'AWS::SQS::QueuePolicy'), /AWS::SQS::QueuePolicy, which may give rights/],
    ['a permission', inTemplate([], 'AWS::Lambda::Permission'), /AWS::Lambda::Permission, which may give rights/],
    ['managed policies', { Resources: { A: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['x'] } } } }, /has managed policies/],
  ])('%s', (_, template, says) => {
    expect(() => rightsOf([template])).toThrow(says);
  });
});
