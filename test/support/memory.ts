// Runs in a process of its own. Prints how much more memory is in use after many results than after a few, while a document is written.
import { RESULT_FORMATS } from '../../cli/output/formats';
import type { ResultFormat } from '../../cli/output/formats';
import type { Io } from '../../cli/io';
import { printResults } from '../../cli/output/print-results';
import type { VerificationResult } from '../../lib/verifier/result';
import { verificationResult } from './report';
import { finding } from './html-document';

const FEW = 2000;
const MANY = 10_000;

async function* results(): AsyncGenerator<VerificationResult> {
  let few = 0;
  for (let at = 1; at <= MANY; at += 1) {
    yield await Promise.resolve(verificationResult({ domain: `domain${at}.example`, verdict: 'fail', findings: [finding({ message: `message ${at} `.repeat(20) })] }));
    if (at === FEW) few = usedBytes();
  }
  console.log(usedBytes() - few);
}

function usedBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const io: Io = {
  stdout: { write: () => true }, stderr: { write: () => true }, stdin: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: '' }) }) },
  colour: false, unicode: true, columns: undefined, terminal: undefined, env: {}, now: Date.now,
  interrupted: () => new Promise(() => undefined),
};

function formatArgument(): ResultFormat {
  const format = RESULT_FORMATS.find((name) => name === process.argv.at(2));
  if (format === undefined) throw new Error('the argument must be a format');
  return format;
}

void printResults(results(), { format: formatArgument() }, io);
