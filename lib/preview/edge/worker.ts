// The thread that runs a CloudFront function. It is JavaScript as text, so that a single bundled file can start it.

/** Maximum time of a run. CloudFront allows less than a millisecond, but a busy laptop needs more for the same work. */
export const MAX_RUN_MS = 250;

/** Data that the thread gets at its start. */
export interface EdgeWorkerData {
  readonly code: string;
  readonly milliseconds: number;
}

/** Answer of the thread to an event: the result of the handler as JSON text, or a phrase that says why there is none. */
export interface EdgeWorkerAnswer {
  readonly json?: string;
  readonly problem?: string;
}

/**
 * The source of the thread. The code of the template runs in its own `vm` context, which contains nothing but the language. Only
 * JSON text enters the context and only a primitive string leaves it, so the code never holds an object of the host.
 *
 * - `codeGeneration`: `eval`, `Function` and WebAssembly cannot create code.
 * - `microtaskMode`: promises also run within the time limit.
 * - Deleted globals: some call back after the time limit, some block the thread, and some return objects of the host. `import()`
 *   does the latter too, so `createEdgeFunction` refuses code with that word.
 * - `Function.prototype.constructor` of the host is undefined: even an object of the host could not create code.
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
    answer = { problem: errorText(error) };
  }
  parentPort.postMessage(answer);
});

function run(event) {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false }, microtaskMode: 'afterEvaluate' });
  vm.runInContext(prepare, context, options);
  vm.runInContext(workerData.code, context, { ...options, filename: 'function.js' });
  vm.runInContext(\`globalThis.previewResult = { problem: 'the handler did not finish' };
    Promise.resolve(\${JSON.stringify(event)}).then(JSON.parse).then((event) => handler(event))
      .then((result) => JSON.stringify(result === undefined ? null : result)).then(
      (json) => { previewResult = { json }; },
      (error) => { previewResult = { problem: String(error instanceof Error ? error.message : error) }; },
    );\`, context, options);
  const json = vm.runInContext('previewResult.json', context, options);
  if (typeof json === 'string') return { json };
  const problem = vm.runInContext('String(previewResult.problem)', context, options);
  return { problem: typeof problem === 'string' ? problem : 'the handler returned no JSON' };
}

function errorText(error) {
  try {
    return String(error && error.message !== undefined ? error.message : error);
  } catch {
    return 'an error without a message';
  }
}
`;
