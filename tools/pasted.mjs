// Runs the commands that `mta-sts preview` prints in a shell, with the real dig and curl. A step of .ci/run.
import { deepStrictEqual } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [app = 'cdk.out'] = process.argv.slice(2);
/** @type {{ Resources: Record<string, { Type: string, Properties: { PolicyHash: string, Policy: string[] } }> }} */
const { Resources } = JSON.parse(readFileSync(join(app, 'MtaSts-example-test.template.json'), 'utf8'));
const publication = Object.values(Resources).find(({ Type }) => Type === 'Custom::MtaStsPublication');
if (publication === undefined) throw new Error(`the template in ${app} publishes no policy`);
const { PolicyHash: hash, Policy: lines } = publication.Properties;
const text = lines.map((line) => `${line}\r\n`).join('');

const preview = spawn(process.execPath, [join(root, 'bin/mta-sts.js'), 'preview', '--app', app], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  let printed = '';
  for await (const chunk of preview.stdout) {
    printed += chunk;
    // The command for TLS reporting is the last one.
    if (/_smtp\._tls\.\S+ TXT\n/.test(printed)) break;
  }
  const commands = printed.split('\n').map((line) => line.trim()).filter((line) => /^(dig|curl) /.test(line));
  // The id of the preview: its time, and the hash in the template.
  const [, id] = new RegExp(`^example\\.test  id (\\d{8}T\\d{6}${hash})  `, 'm').exec(printed) ?? [];
  const outputs = commands.map((command) => {
    console.log(`$ ${command}`);
    return execFileSync('sh', ['-c', command], { encoding: 'utf8', timeout: 20_000 });
  });
  deepStrictEqual(outputs, [
    `"v=STSv1; id=${id};"\n`,
    '127.0.0.1\n',
    text,
    '10 mx1.example.test.\n',
    '"v=TLSRPTv1; rua=mailto:tls-reports@example.test"\n',
  ]);
  console.log(`${commands.length} pasted commands gave the expected output`);
} finally {
  preview.kill('SIGTERM');
}
