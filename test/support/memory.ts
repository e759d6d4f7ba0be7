// Run in a process of its own: how many bytes more are held after many reports than after a few, while a document is being written.
import type { ResultFormat } from '../../cli/output/reporter';
import type { Io } from '../../cli/io';
import { printResults } from '../../cli/output/print-results';
import type { VerificationResult } from '../../lib/verifier/result';
import { verificationResult } from './report';
import { finding } from './html-document';

const FEW = 2000;
const MANY = 10_000;

async function* reports(): AsyncGenerator<VerificationResult> {
  let few = 0;
  for (let at = 1; at <= MANY; at += 1) {
    yield await Promise.resolve(verificationResult({ domain: `domain${at}.example`, verdict: 'fail', findings: [finding({ message: `message ${at} `.repeat(20) })] }));
    if (at === FEW) few = held();
  }
  console.log(held() - few);
}

function held(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const io: Io = {
  stdout: { write: () => true }, stderr: { write: () => true }, stdin: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: '' }) }) },
  colour: false, unicode: true, columns: undefined, terminal: undefined, env: {}, now: Date.now,
  interrupted: () => new Promise(() => undefined),
};
void printResults(reports(), { format: process.argv[2] as ResultFormat }, io);
