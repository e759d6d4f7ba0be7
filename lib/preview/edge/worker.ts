// The thread that runs a CloudFront Function: JavaScript as text, so that one bundled file can start it.

/** How long one run may take. CloudFront allows under a millisecond; a busy laptop needs more for the same. */
export const RUN_MILLISECONDS = 250;

/** What the thread is told at its start. */
export interface EdgeWorkerData {
  readonly code: string;
  readonly milliseconds: number;
}

/** What it answers to an event: the handler's result as JSON text, or why there is none. */
export interface EdgeWorkerAnswer {
  readonly json?: string;
  readonly fault?: string;
}

/**
 * Why it is safe: the code sees a `vm` context of its own with nothing in it but the language. Only JSON text goes in and only a
 * primitive string is taken out, so no object of this side is ever in its hands.
 *
 * - `codeGeneration`: neither `eval` nor `Function` nor WebAssembly make code.
 * - `microtaskMode`: promises run inside the time limit too.
 * - Deleted globals: those that call back later, outside of the limit, that block the thread, or whose host parts answer with
 *   objects of this side. (`import()` does as well; code with that word is never run, see edge.ts.)
 * - `Function.prototype.constructor` of this side is gone: even an object of it, should one ever get through, makes no code.
 */
export const EDGE_WORKER = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const vm = require('node:vm');

for (const kind of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  Object.defineProperty(Object.getPrototypeOf(kind), 'constructor', { value: undefined });
}
process.on('unhandledRejection', () => {});

const options = { timeout: workerData.milliseconds };
const prepare = 'for (const name of ["WebAssembly", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry"]) delete globalThis[name];';

parentPort.on('message', (event) => {
  let answer;
  try {
    answer = run(event);
  } catch (error) {
    answer = { fault: textOf(error) };
  }
  parentPort.postMessage(answer);
});

function run(event) {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false }, microtaskMode: 'afterEvaluate' });
  vm.runInContext(prepare, context, options);
  vm.runInContext(workerData.code, context, { ...options, filename: 'function.js' });
  vm.runInContext(\`globalThis.previewResult = { fault: 'the handler did not finish' };
    Promise.resolve(\${JSON.stringify(event)}).then(JSON.parse).then((event) => handler(event))
      .then((result) => JSON.stringify(result === undefined ? null : result)).then(
      (json) => { previewResult = { json }; },
      (error) => { previewResult = { fault: String(error instanceof Error ? error.message : error) }; },
    );\`, context, options);
  const json = vm.runInContext('previewResult.json', context, options);
  if (typeof json === 'string') return { json };
  const fault = vm.runInContext('String(previewResult.fault)', context, options);
  return { fault: typeof fault === 'string' ? fault : 'the handler gave no JSON' };
}

function textOf(error) {
  try {
    return String(error && error.message !== undefined ? error.message : error);
  } catch {
    return 'an error without words';
  }
}
`;
