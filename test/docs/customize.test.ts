// The recipes of docs/guide/customize.md change the template as their headings say.
import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { pageSnippets } from '../support/page-snippets';
import { synthesize } from '../support/snippets';

const PAGE = 'docs/guide/customize.md';

/** Resource properties that a template must have: type and properties. */
type Expected = [string, object];

/** Returns the templates of the snippets below a heading of the page. */
function templatesBelow(heading: string): Template[] {
  const snippets = existsSync(join(__dirname, '..', '..', PAGE)) ? pageSnippets(PAGE).filter(({ headings }) => headings.includes(heading)) : [];
  return snippets.flatMap((snippet) => synthesize(snippet)).map(({ template }) => Template.fromJSON(template as object));
}

/** Asserts that one of the templates has the resource. */
function expectResource(templates: readonly Template[], [type, properties]: Expected): void {
  const errors = templates.map((template) => {
    try {
      template.hasResourceProperties(type, properties);
      return undefined;
    } catch (error) {
      return error;
    }
  });
  expect(errors.length).toBeGreaterThan(0);
  if (!errors.includes(undefined)) throw errors[0];
}

const distribution = (config: object): Expected => ['AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike(config) }];
const keyStatement = (statement: object): Expected => [
  'AWS::KMS::Key', { KeyPolicy: Match.objectLike({ Statement: Match.arrayWith([Match.objectLike(statement)]) }) },
];

const LOGS = 'Use your own bucket for access logs';
const CERTIFICATE = 'Use your own certificate';
const WEB_ACL = 'Attach a web ACL';
const INNER = 'Change inner resources';
const VERSIONS = 'Keep versions of the policy bucket';
const KMS = 'Encrypt the bucket with your own KMS key';

/** The assertion, the heading of the recipe, and the resource that the recipe creates or changes. */
const RECIPES: [string, string, Expected][] = [
  ['sends the access logs of the distribution to the given bucket', LOGS,
    distribution({ Logging: Match.objectLike({ Bucket: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Logs'), Match.anyValue()] } }) })],
  ['gives the certificate to the distribution', CERTIFICATE,
    distribution({ ViewerCertificate: Match.objectLike({ AcmCertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1' }) })],
  ['gives the web ACL to the distribution', WEB_ACL, distribution({ WebACLId: Match.stringLikeRegexp('^arn:aws:wafv2:us-east-1:') })],
  ['applies a mixin to the bucket', INNER, ['Custom::S3AutoDeleteObjects', {}]],
  ['overrides a property of the distribution', INNER, distribution({ PriceClass: 'PriceClass_100' })],
  ['tags the bucket', INNER, ['AWS::S3::Bucket', { Tags: Match.arrayWith([{ Key: 'team', Value: 'mail' }]) }]],
  ['sets a permissions boundary', INNER, ['AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() }]],
  ['changes the log groups by an aspect', INNER, ['AWS::Logs::LogGroup', { RetentionInDays: 365 }]],
  ['switches versioning on', VERSIONS, ['AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } }]],
  ['encrypts the bucket with the key', KMS, ['AWS::S3::Bucket', { BucketEncryption: { ServerSideEncryptionConfiguration: [{
    ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': [Match.stringLikeRegexp('^PolicyKey'), 'Arn'] } },
  }] } }]],
  ['lets the function use the key', KMS, keyStatement({ Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Principal: { AWS: Match.anyValue() } })],
  ['lets CloudFront decrypt with the key', KMS, keyStatement({
    Action: 'kms:Decrypt',
    Principal: { Service: 'cloudfront.amazonaws.com' },
    Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:cloudfront::123456789012:distribution/*' } },
  })],
];

describe(PAGE, () => {
  test.each(RECIPES)('a recipe for customization %s: %s', (_, heading, expected) => {
    expectResource(templatesBelow(heading), expected);
  });

  test('the recipe for customization "Change inner resources" deletes the log groups with the stack', () => {
    const templates = templatesBelow(INNER);
    expect(templates.some((template) => Object.values(template.findResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' })).length > 0)).toBe(true);
    for (const template of templates) template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
  });
});
