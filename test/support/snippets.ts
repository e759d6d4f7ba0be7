// Compiles and runs TypeScript snippets of the documentation and of the command's output.
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import * as cdk from 'aws-cdk-lib';
import * as ts from 'typescript';
import * as cdkMtaSts from '../../lib';
import { ENV, importedZone } from './stack';

const ROOT = join(__dirname, '..', '..');

/** A snippet as a whole module. */
export interface Snippet {
  /** Path of a file that does not exist; imports are resolved from there. */
  readonly file: string;
  readonly source: string;
}

/** Returns the compiler's error messages about the snippets. */
export function compilerErrors(snippets: readonly Snippet[]): string[] {
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
  return [...sources.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
    .map(({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
}

/**
 * Runs a snippet and returns the stacks of the apps that it creates. A snippet with a function `run` is a recipe: the function
 * gets a stack, a hosted zone, a bucket and a certificate.
 *
 * @param zoneName - name of the hosted zone
 */
export function synthesize({ source }: Snippet, zoneName = 'example.com'): cdk.cx_api.CloudFormationStackArtifact[] {
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
    exports.run.call(stack, importedZone(stack, zoneName), bucket, certificate);
  }
  return apps.flatMap((app) => app.synth().stacks);
}
