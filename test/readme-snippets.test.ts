// Every TypeScript snippet of the README is type-checked against the sources, and run.
import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { codeBlocks } from './support/markdown';
import { faultsOf, synthesize } from './support/snippets';

const ROOT = join(__dirname, '..');

/** What a recipe stands in: the constructor of a stack of us-east-1 that has a zone, a bucket for logs and a certificate. */
function module(snippet: string): string {
  return snippet.startsWith('import ')
    ? `${snippet}\nexport {};`
    : `import {
  Aspects, Duration, RemovalPolicies, RemovalPolicy, Stack, Tags, Validations, aws_certificatemanager as acm, aws_cloudfront as cloudfront, aws_iam as iam,
  aws_kms as kms, aws_logs as logs, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from 'cdk-mta-sts';
export function run(this: Stack, hostedZone: route53.IHostedZone, accessLogBucket: s3.IBucket, certificate: acm.ICertificate): void {
${snippet}
}`;
}

const snippets = codeBlocks(join(ROOT, 'README.md'))
  .filter(({ language }) => language === 'ts')
  .map(({ code, line, heading }) => ({ line, heading, file: join(ROOT, `snippet-of-line-${line}.ts`), source: module(code) }));

test('there are snippets', () => {
  expect(snippets.length).toBeGreaterThan(8);
});

test('all are right by the compiler', () => {
  expect(faultsOf(snippets)).toEqual([]);
}, 60_000);

describe('each can be synthesized', () => {
  test.each(snippets)('line $line', (snippet) => {
    // Beside the stack's own there may be the one of us-east-1 inside.
    const stacks = synthesize(snippet).filter(({ stackName }) => !stackName.endsWith('-mta-sts'));
    expect(stacks).toHaveLength(1);
  });
});

describe('what is adjusted stands in the template', () => {
  const distribution = (config: object): [string, object] => ['AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike(config) }];
  const tag = { Tags: Match.arrayWith([{ Key: 'team', Value: 'mail' }]) };

  const key = (one: object): object => ({ KeyPolicy: Match.objectLike({ Statement: Match.arrayWith([Match.objectLike(one)]) }) });

  /** Below which heading, by what, and a resource that it makes or changes. */
  const adjusted: [string, string, [string, object]][] = [
    ['A shared host, access logs, a web ACL, your own certificate', 'a bucket for access logs',
      distribution({ Logging: Match.objectLike({ Bucket: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Logs'), Match.anyValue()] } }) })],
    ['A shared host, access logs, a web ACL, your own certificate', 'a certificate',
      distribution({ ViewerCertificate: Match.objectLike({ AcmCertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1' }) })],
    ['A shared host, access logs, a web ACL, your own certificate', 'a web ACL',
      distribution({ WebACLId: Match.stringLikeRegexp('^arn:aws:wafv2:us-east-1:') })],
    ['Changing what is inside', 'a mixin', ['Custom::S3AutoDeleteObjects', {}]],
    ['Changing what is inside', 'node.defaultChild', distribution({ PriceClass: 'PriceClass_100' })],
    ['Changing what is inside', 'tags', ['AWS::S3::Bucket', tag]],
    ['Changing what is inside', 'a permissions boundary', ['AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() }]],
    ['Changing what is inside', 'an aspect', ['AWS::Logs::LogGroup', { RetentionInDays: 365 }]],
    ['Versions of the bucket\'s objects', 'the bucket', ['AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } }]],
    ['A KMS key of your own', 'the bucket',
      ['AWS::S3::Bucket', { BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: {
        SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': [Match.stringLikeRegexp('^PolicyKey'), 'Arn'] },
      } }] } }]],
    ['A KMS key of your own', 'the function',
      ['AWS::KMS::Key', key({ Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Principal: { AWS: Match.anyValue() } })]],
    ['A KMS key of your own', 'CloudFront', ['AWS::KMS::Key', key({
      Action: 'kms:Decrypt',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:cloudfront::123456789012:distribution/*' } },
    })]],
  ];

  test('Changing what is inside: a removal policy', () => {
    const [snippet] = snippets.filter(({ heading }) => heading === 'Changing what is inside');
    const [{ template }] = synthesize(snippet);
    Template.fromJSON(template as object).allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
  });

  test.each(adjusted)('%s: %s', (title, _, [type, properties]) => {
    const shown = snippets.filter(({ heading }) => heading === title).flatMap((snippet) => synthesize(snippet));
    expect(shown).toHaveLength(1);
    Template.fromJSON(shown[0].template as object).hasResourceProperties(type, properties);
  });
});
