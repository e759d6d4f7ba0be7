// Creates cloud assemblies in temporary folders, from constructs or from a template.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { ENV, oneDomain } from './stack';

const folders: string[] = [];

/** Creates an empty folder. `removeFolders` removes it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-test-'));
  folders.push(folder);
  return folder;
}

/** Removes all temporary folders of the test file. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

/** Synthesizes an app and returns its output folder. */
export function synthesize(build: (app: App) => void): string {
  const app = new App({ outdir: temporaryFolder() });
  build(app);
  return app.synth().directory;
}

/** Synthesizes the usual app, a stack with the domain example.com, and returns its output folder. */
export function usualApp(): string {
  return synthesize((app) => {
    oneDomain(new Stack(app, 'Mail', { env: ENV }));
  });
}

/** Writes a cloud assembly with one stack, `Mail`, for templates that no construct creates. Returns its folder. */
export function writeAssembly(template: unknown, files: Readonly<Record<string, unknown>> = {}): string {
  return writeFiles({
    'manifest.json': {
      version: '54.0.0',
      artifacts: {
        Mail: {
          type: 'aws:cloudformation:stack',
          environment: 'aws://unknown-account/unknown-region',
          properties: { templateFile: 'Mail.template.json' },
        },
      },
    },
    'Mail.template.json': template,
    ...files,
  });
}

/** Writes files into a temporary folder and returns the folder. Any content that is not a text becomes JSON. */
export function writeFiles(files: Readonly<Record<string, unknown>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}
