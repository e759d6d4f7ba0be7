// Gives the tests a temporary folder, and removes it after them: CDK leaves a cloud assembly in it for each App.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setup(): void {
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-test-'));
}

export function teardown(): void {
  rmSync(tmpdir(), { recursive: true, force: true });
}
