// Synthesizes bin/app.ts for many deployments in one process. The first synthesis of a process takes about ten seconds, nearly all of them
// to load the rules by which aws-cdk-lib validates templates. The templates are the same.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from '../last-lines';

/**
 * Starts a server that synthesizes until the process ends.
 *
 * @param root - folder of the repository
 * @param folder - folder for its socket, scripts and log
 * @returns the value of `--app` for the CDK command
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
    // The CDK command passes context and output folder in environment variables.
    Object.assign(process.env, JSON.parse(text));
    let errors = '';
    const status = synthesize(process.env, (text) => { errors += text; });
    socket.end(JSON.stringify({ status, errors }));
  });
}).listen(${JSON.stringify(socket)});
`);
  const app = join(folder, 'synthesizer-app.cjs');
  writeFileSync(app, `'use strict';
let text = '';
require('node:net').connect(${JSON.stringify(socket)}).on('data', (chunk) => { text += chunk; }).on('end', () => {
  const { status, errors } = JSON.parse(text);
  process.stderr.write(errors);
  process.exitCode = status;
}).end(JSON.stringify(process.env));
`);
  const logFile = join(folder, 'synthesizer.log');
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [server], { cwd: root, stdio: ['ignore', log, log], env: { PATH: process.env.PATH } });
  closeSync(log);
  for (const end = Date.now() + 60_000; !existsSync(socket);) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the synthesizer has ended, ${lastLines(logFile)}`);
    if (Date.now() > end) throw new Error(`the synthesizer did not start within 60 s, ${lastLines(logFile)}`);
    await sleep(50);
  }
  return `${process.execPath} ${app}`;
}
