// The output of `cdk diff` before a new policy is deployed, by the real command.
import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { MtaStsPolicy, MxHosts } from '../../lib';
import { ENV, oneDomain } from '../support/stack';

const FOLDER = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-diff-'));

afterAll(() => {
  rmSync(FOLDER, { recursive: true });
});

function assembly(name: string, policy: MtaStsPolicy): string {
  const app = new App({ outdir: join(FOLDER, name) });
  oneDomain(new Stack(app, 'Mail', { env: ENV }), { policy });
  return app.synth().directory;
}

test('`cdk diff` shows a new policy line by line, with the old and the new hash, and no change of the host', () => {
  const [testing, enforce] = [
    MtaStsPolicy.testing({ mx: MxHosts.of('mx1.example.com') }), MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com', 'mx2.example.com') }),
  ];
  const before = join(assembly('before', testing), 'Mail.template.json');
  const command = join(__dirname, '..', '..', 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const { stdout, stderr, status } = spawnSync(process.execPath, [
    command, 'diff', '--app', assembly('after', enforce), '--template', before, '--no-notices', '--no-color',
  ], { cwd: FOLDER, encoding: 'utf8', timeout: 60_000 });
  expect(status).toBe(0);
  const shown = (stdout + stderr).split('\n');
  expect(shown.filter((line) => line.startsWith('[~]') && !line.startsWith('[~] Output')).map((line) => line.split(' ')[2])).toEqual([
    'MtaSts/PolicyHost/Preflight', 'MtaSts/Publication', 'MtaSts/Verification',
  ]);
  const from = shown.findIndex((line) => line.startsWith('[~] Custom::MtaStsPublication'));
  const publication = shown.slice(from, shown.findIndex((line) => line.startsWith('[~] Custom::MtaStsVerification')));
  expect(publication.flatMap((line) => /(\[[-+]\] .*)$/.exec(line)?.[1] ?? [])).toEqual([
    '[-]   "mode: testing",', '[+]   "mode: enforce",',
    '[-]   "max_age: 86400"', '[+]   "mx: mx2.example.com",', '[+]   "max_age: 2592000"',
    `[-] ${testing.hash}`, `[+] ${enforce.hash}`,
  ]);
}, 90_000);

test('an unchanged app has the same template at each synthesis', () => {
  const before = join(assembly('one', MtaStsPolicy.none()), 'Mail.template.json');
  const after = join(assembly('other', MtaStsPolicy.none()), 'Mail.template.json');
  expect(readFileSync(after, 'utf8')).toBe(readFileSync(before, 'utf8'));
});
