// docs/reference/security.md lists every right that the constructs give, with its reason. The table must agree with the templates.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cdk from 'aws-cdk-lib';
import * as cdkMtaSts from '../../lib';
import { RIGHTS, keyOf, rightsOf, rightsTable, templatesWithRights } from '../support/rights';

const PAGE = readFileSync(join(__dirname, '..', '..', 'docs', 'reference', 'security.md'), 'utf8');

function inTemplate(Statement: readonly object[], type = 'AWS::S3::BucketPolicy'): unknown {
  return { Resources: { Bucket: { Type: 'AWS::S3::Bucket' }, Policy: { Type: type, Properties: { PolicyDocument: { Statement } } } } };
}

describe('rights', () => {
  const given = rightsOf(templatesWithRights(cdk, cdkMtaSts)).map(keyOf);

  test('each right that the templates give has a reason in test/support/rights.ts', () => {
    expect(given.filter((right) => !RIGHTS.map(keyOf).includes(right))).toEqual([]);
  });

  test('each right that has a reason is in a template', () => {
    expect(RIGHTS.map(keyOf).filter((right) => !given.includes(right))).toEqual([]);
  });

  test('each right is listed once', () => {
    expect(new Set(RIGHTS.map(keyOf)).size).toBe(RIGHTS.length);
  });

  test('the table of docs/reference/security.md is up to date; `npm run docs` writes it', () => {
    expect(PAGE).toContain(`<!-- rights -->\n${rightsTable()}<!-- /rights -->\n`);
  });
});

describe('rights without an explanation', () => {
  const read = { Effect: 'Allow', Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } };

  test('a right on a wider resource is noticed', () => {
    const [right] = rightsOf([inTemplate([{ ...read, Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/*']] } }])]);
    expect(right?.resource).toBe('`*` in the bucket');
    expect(RIGHTS.map(keyOf)).not.toContain(right && keyOf(right));
  });

  test.each([
    ['an unknown principal', inTemplate([{ ...read, Principal: { Service: 'ec2.amazonaws.com' }, Resource: '*' }]), /the principal .*ec2.* is not known/],
    ['an unknown role', inTemplate([{ ...read, Principal: { AWS: { 'Fn::GetAtt': ['Other12345678', 'Arn'] } }, Resource: '*' }]), /the role Other12345678 is not known/],
    ['an unknown element of a statement', inTemplate([{ ...read, NotResource: 'x' }]), /NotResource, which this reader does not know/],
    ['an unknown operator of a condition', inTemplate([{ ...read, Resource: '*', Condition: { IpAddress: { a: 'b' } } }]), /IpAddress is not known/],
    ['an unknown resource', inTemplate([{ ...read, Resource: { Ref: 'Queue' } }]), /the resource .*Queue.* is not known/],
    ['an unknown type of policy', inTemplate([], 'AWS::SQS::QueuePolicy'), /AWS::SQS::QueuePolicy, which may give rights/],
    ['a Lambda permission', inTemplate([], 'AWS::Lambda::Permission'), /AWS::Lambda::Permission, which may give rights/],
    ['managed policies', { Resources: { A: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['x'] } } } }, /has managed policies/],
  ])('reading the rights of a template fails for %s', (_, template, says) => {
    expect(() => rightsOf([template])).toThrow(says);
  });
});
