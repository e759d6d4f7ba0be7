// Runs what stands in examples/: an app against the sources, and a line of a pipeline as its shell would.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import * as cdk from 'aws-cdk-lib';
import * as ts from 'typescript';
import * as cdkMtaSts from '../../lib';

const FOLDER = join(__dirname, '..', '..', 'examples');

// It has no types, and of it no more is needed.
const { safeLoad } = createRequire(__filename)('js-yaml') as { safeLoad: (text: string) => unknown };

/** What a file of YAML holds; its shape is for the caller to know. */
export function yamlExample(name: string): unknown {
  return safeLoad(readFileSync(join(FOLDER, name), 'utf8'));
}

/**
 * Runs an example that is an app.
 *
 * @param context - as `cdk -c` gives it
 * @returns the app that it makes, not synthesized yet
 */
export function exampleApp(name: string, context: Readonly<Record<string, string>> = {}): cdk.App {
  const apps: cdk.App[] = [];
  class RecordedApp extends cdk.App {
    constructor() {
      super({ context });
      apps.push(this);
    }
  }
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(readFileSync(join(FOLDER, name), 'utf8'), { compilerOptions });
  const run = runInThisContext(`(function (exports, require) {${outputText}\n})`, { filename: name }) as (exported: object, load: (name: string) => unknown) => void;
  // Not a copy, which would load every service of AWS.
  const recorded: unknown = Object.create(cdk, { App: { value: RecordedApp } });
  run({}, (module) => module === 'cdk-mta-sts' ? cdkMtaSts : recorded);
  if (apps.length !== 1) throw new Error(`${name} makes ${apps.length} apps`);
  return apps[0];
}

/** What `npx` was called with, and what the line ended with. */
export interface ShellLine {
  readonly argv: readonly string[];
  readonly status: number | null;
}

/**
 * Runs a line by `sh`, with an `npx` that only notes its arguments.
 *
 * @param npxStatus - what that `npx` ends with
 */
export function shellLine(line: string, env: Readonly<Record<string, string>> = {}, npxStatus = 0): ShellLine {
  const folder = mkdtempSync(join(tmpdir(), 'npx-'));
  writeFileSync(join(folder, 'npx'), `#!/bin/sh\nprintf '%s\\0' "$@"\nexit ${npxStatus}\n`);
  chmodSync(join(folder, 'npx'), 0o755);
  const path = `${folder}${delimiter}${process.env.PATH ?? ''}`;
  const { stdout, stderr, status } = spawnSync('sh', ['-euc', line], { cwd: folder, env: { ...env, PATH: path }, encoding: 'utf8' });
  if (stderr !== '') throw new Error(`${line}: ${stderr}`);
  return { argv: stdout.split('\0').slice(0, -1), status };
}
