// Synthesizes bin/app.ts for many deployments in one process. Of the first synthesis of a process nearly all is the start of the rules that
// aws-cdk-lib validates templates with, some ten seconds of a core; what is synthesized is the same.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from '../last-lines';

/**
 * Serves until the process ends.
 *
 * @param root - the repository
 * @param folder - for files
 * @returns what the CDK command takes as `--app`
 */
export async function startSynthesizer(root: string, folder: string): Promise<string> {
  const socket = join(folder, 'synthesizer.sock');
  const server = join(folder, 'synthesizer.cjs');
  writeFileSync(server, `'use strict';
const { createServer } = require('node:net');
const { synthesize } = require(${JSON.stringify(join(root, 'bin', 'app.js'))});
createServer({ allowHalfOpen: true }, (socket) => {
  let text = '';
  socket.on('data', (chunk) => { text += chunk; }).on('end', () => {
    // Context and output folder are in the environment that the CDK command gives to an app.
    Object.assign(process.env, JSON.parse(text));
    let complaint = '';
    const status = synthesize(process.env, (words) => { complaint += words; });
    socket.end(JSON.stringify({ status, complaint }));
  });
}).listen(${JSON.stringify(socket)});
`);
  const app = join(folder, 'synthesizer-app.cjs');
  writeFileSync(app, `'use strict';
let text = '';
require('node:net').connect(${JSON.stringify(socket)}).on('data', (chunk) => { text += chunk; }).on('end', () => {
  const { status, complaint } = JSON.parse(text);
  process.stderr.write(complaint);
  process.exitCode = status;
}).end(JSON.stringify(process.env));
`);
  const logFile = join(folder, 'synthesizer.log');
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [server], { cwd: root, stdio: ['ignore', log, log], env: { PATH: process.env.PATH } });
  closeSync(log);
  for (const end = Date.now() + 60_000; !existsSync(socket);) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the synthesizer has ended, ${lastLines(logFile)}`);
    if (Date.now() > end) throw new Error(`the synthesizer does not start, ${lastLines(logFile)}`);
    await sleep(50);
  }
  return `${process.execPath} ${app}`;
}
