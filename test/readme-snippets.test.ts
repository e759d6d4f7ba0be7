// Every TypeScript snippet of the README is type-checked against the sources, and run.
import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { codeBlocks } from './support/markdown';
import { faultsOf, synthesize } from './support/snippets';

const ROOT = join(__dirname, '..');

/** What a recipe stands in: the constructor of a stack of us-east-1 that has a zone, a bucket for logs and a certificate. */
function module(snippet: string): string {
  return snippet.startsWith('import ')
    ? `${snippet}\nexport {};`
    : `import { Duration, Tags, Validations, aws_iam as iam, aws_cloudfront as cloudfront, aws_certificatemanager as acm, aws_route53 as route53, aws_s3 as s3, Stack } from 'aws-cdk-lib';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from 'cdk-mta-sts';
export function run(this: Stack, hostedZone: route53.IHostedZone, accessLogBucket: s3.IBucket, certificate: acm.ICertificate): void {
${snippet}
}`;
}

const snippets = codeBlocks(join(ROOT, 'README.md'))
  .filter(({ language }) => language === 'ts')
  .map(({ code, line }) => ({ line, file: join(ROOT, `snippet-of-line-${line}.ts`), source: module(code) }));

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
