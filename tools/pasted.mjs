// A step of .ci/run: pastes the commands that `mta-sts preview` prints into a shell, with the real dig and curl.
import { deepStrictEqual } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [app] = process.argv.slice(2);
const publications = Object.values(JSON.parse(readFileSync(join(app, 'MtaSts-example-test.template.json'), 'utf8')).Resources)
  .filter(({ Type }) => Type === 'Custom::MtaStsPublication');
const [{ Properties: { PolicyHash: hash, Policy: lines } }] = publications;
const text = lines.map((line) => `${line}\r\n`).join('');

const preview = spawn(process.execPath, [join(root, 'bin/mta-sts.js'), 'preview', '--app', app], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  let printed = '';
  for await (const chunk of preview.stdout) {
    printed += chunk;
    // The commands end with the one for TLS reporting.
    if (/_smtp\._tls\.\S+ TXT\n/.test(printed)) break;
  }
  const commands = printed.split('\n').map((line) => line.trim()).filter((line) => /^(dig|curl) /.test(line));
  // Made for this preview: its time, and the hash that the template has.
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
  console.log(`${commands.length} pasted commands gave what they should`);
} finally {
  preview.kill('SIGTERM');
}
