// Cloud assemblies for the tests: real ones, synthesized from the constructs, in folders that are removed again.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { ENV, oneDomain } from './stack';

const folders: string[] = [];

/** An empty folder; removed by `removeFolders`. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-test-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

/** Synthesizes an app and gives its output folder. */
export function synthesize(build: (app: App) => void): string {
  const app = new App({ outdir: temporaryFolder() });
  build(app);
  return app.synth().directory;
}

/** The usual app: example.com with everything. */
export function usualApp(): string {
  return synthesize((app) => {
    oneDomain(new Stack(app, 'Mail', { env: ENV }));
  });
}

/** A cloud assembly of one stack, written by hand: for what no construct would make. */
export function handWritten(template: unknown, files: Readonly<Record<string, unknown>> = {}): string {
  return written({
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

/** A folder of files; what is no text is written as JSON. */
export function written(files: Readonly<Record<string, unknown>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}
