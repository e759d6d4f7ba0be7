// Runs the files of examples/: an app against the sources, and a line of a pipeline in a shell.
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

// The package has no types, and only this function is needed.
const { safeLoad } = createRequire(__filename)('js-yaml') as { safeLoad: (text: string) => unknown };

/** Returns the content of a YAML file. The caller knows its shape. */
export function yamlExample(name: string): unknown {
  return safeLoad(readFileSync(join(FOLDER, name), 'utf8'));
}

/**
 * Runs an example that is an app.
 *
 * @param context - context values, as from `cdk -c`
 * @returns the app of the example, before its synthesis
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
  // A copy would load the modules of all AWS services.
  const recorded: unknown = Object.create(cdk, { App: { value: RecordedApp } });
  run({}, (module) => module === 'cdk-mta-sts' ? cdkMtaSts : recorded);
  const [app, ...others] = apps;
  if (app === undefined || others.length > 0) throw new Error(`${name} makes ${apps.length} apps`);
  return app;
}

/** The arguments of `npx`, and the exit status of the line. */
export interface ShellLine {
  readonly argv: readonly string[];
  readonly status: number | null;
}

/**
 * Runs a line by `sh`, with an `npx` that only records its arguments.
 *
 * @param npxStatus - exit status of that `npx`
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
