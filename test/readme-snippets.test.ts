// Every TypeScript snippet of the README is type-checked against the sources, and run.
import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import * as cdk from 'aws-cdk-lib';
import * as ts from 'typescript';
import * as cdkMtaSts from '../lib';
import { codeBlocks } from './support/markdown';
import { ENV, importedZone } from './support/stack';

const ROOT = join(__dirname, '..');

/** What a recipe stands in: the constructor of a stack of us-east-1 that has a zone, a bucket for logs and a certificate. */
function module(snippet: string): string {
  return snippet.startsWith('import ')
    ? `${snippet}\nexport {};`
    : `import { Duration, Tags, Validations, aws_cloudfront as cloudfront, aws_certificatemanager as acm, aws_route53 as route53, aws_s3 as s3, Stack } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from 'cdk-mta-sts';
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
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.dev.json'), (file) => ts.sys.readFile(file)) as { config: { extends: string } };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const compilerOptions: ts.CompilerOptions = {
    ...options, noUnusedLocals: false, noUnusedParameters: false, paths: { 'cdk-mta-sts': [join(ROOT, 'lib/index.ts')] },
  };
  const host = ts.createCompilerHost(compilerOptions);
  const sources = new Map(snippets.map(({ file, source }) => [file, source]));
  const read = host.getSourceFile.bind(host);
  host.fileExists = (file) => sources.has(file) || ts.sys.fileExists(file);
  host.getSourceFile = (file, version) => {
    const source = sources.get(file);
    return source === undefined ? read(file, version) : ts.createSourceFile(file, source, version);
  };
  const program = ts.createProgram([...sources.keys()], compilerOptions, host);
  const faults = [...sources.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
    .map(({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  expect(faults).toEqual([]);
}, 60_000);

describe('each can be synthesized', () => {
  test.each(snippets)('line $line', ({ source }) => {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    const apps: cdk.App[] = [];
    class RecordedApp extends cdk.App {
      constructor() {
        super();
        apps.push(this);
      }
    }
    const exports: { run?: (this: cdk.Stack, ...scope: unknown[]) => void } = {};
    const load = (name: string): unknown => name === 'cdk-mta-sts' ? cdkMtaSts : { ...cdk, App: RecordedApp };
    const run = runInThisContext(`(function (exports, require) {${outputText}\n})`) as (exported: object, loader: typeof load) => void;
    run(exports, load);
    if (exports.run !== undefined) {
      const stack = new cdk.Stack(new RecordedApp(), 'Test', { env: ENV });
      const bucket = new cdk.aws_s3.Bucket(stack, 'Logs', { objectOwnership: cdk.aws_s3.ObjectOwnership.OBJECT_WRITER });
      const certificate = cdk.aws_certificatemanager.Certificate.fromCertificateArn(stack, 'Given', 'arn:aws:acm:us-east-1:123456789012:certificate/1');
      exports.run.call(stack, importedZone(stack), bucket, certificate);
    }
    expect(apps.flatMap((app) => app.synth().stacks)).toHaveLength(1);
  });
});
