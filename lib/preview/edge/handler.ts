// Runs the CloudFront function of a template in its own thread and `vm` context, without access to anything.
import { Worker } from 'node:worker_threads';
import { errorMessage } from '../../util/errors';
import { safeText } from '../../util/safe-text';
import { at, textOf } from '../json';
import { EDGE_WORKER, MAX_RUN_MS } from './worker';
import type { EdgeWorkerAnswer, EdgeWorkerData } from './worker';

/** The result of the function, or a phrase that says why it failed. */
export type EdgeResult = { readonly result: unknown } | { readonly problem: string };

/** A function of the template. */
export interface EdgeFunction {
  /** Runs the function on an event. Never rejects. Runs happen one after the other, each in a new context. */
  run(event: unknown): Promise<EdgeResult>;
  close(): Promise<void>;
}

/** Time from the limit of a run to the end of a thread that does not answer. Such a thread hangs where `vm` cannot interrupt it. */
const GRACE_MS = 2_000;

/** Maximum length of a result in characters. A result is a request or a response, and CloudFront accepts at most 40 KB. */
const MAX_RESULT_LENGTH = 128 * 1024;

/**
 * Creates a function that is ready to run.
 *
 * @param code - `FunctionCode` of the template
 * @param milliseconds - maximum time of a run
 */
export function createEdgeFunction(code: string, milliseconds = MAX_RUN_MS): EdgeFunction {
  // The promise of `import()` is an object of the host, through which code could reach the host. To refuse this word is enough:
  // JavaScript allows no escapes in keywords, and the context creates no code from strings. The modules of CloudFront are missing
  // here anyway.
  if (/\bimport\b/.test(code)) {
    return {
      run: () => Promise.resolve({ problem: 'its code contains the word `import`, but a preview has no modules' }),
      close: () => Promise.resolve(),
    };
  }
  return new ThreadedFunction({ code, milliseconds });
}

class ThreadedFunction implements EdgeFunction {
  private worker: Worker | undefined;
  /** Settles when the thread runs. Its start does not count as run time, because it is slow on a busy machine. */
  private started: Promise<void> = Promise.resolve();
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  public constructor(private readonly data: EdgeWorkerData) {
    this.worker = this.start();
  }

  public run(event: unknown): Promise<EdgeResult> {
    const next = this.last.then(() => this.ask(JSON.stringify(event)));
    this.last = next;
    return next;
  }

  public async close(): Promise<void> {
    this.closed = true;
    await this.worker?.terminate();
    await this.last;
  }

  private start(): Worker {
    const worker = new Worker(EDGE_WORKER, {
      eval: true,
      workerData: this.data,
      env: {},
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, codeRangeSizeMb: 16, stackSizeMb: 2 },
    });
    worker.on('error', ignore);
    this.started = new Promise((resolve) => {
      worker.once('online', resolve).once('exit', () => {
        if (this.worker === worker) this.worker = undefined;
        resolve();
      });
    });
    return worker;
  }

  private async ask(event: string): Promise<EdgeResult> {
    if (!this.closed) this.worker ??= this.start();
    await this.started;
    if (this.closed || this.worker === undefined) return { problem: 'the preview is closing' };
    const answer = await askWorker(this.worker, event, this.data.milliseconds + GRACE_MS);
    const json = textOf(at(answer, 'json'));
    if (json === undefined) return { problem: safeText(textOf(at(answer, 'problem')) ?? 'it gave no answer', 200) };
    if (json.length > MAX_RESULT_LENGTH) return { problem: `its result has ${json.length} characters, but CloudFront accepts at most 40 KB` };
    try {
      return { result: JSON.parse(json) };
    } catch {
      // The code can replace JSON.stringify with its own function.
      return { problem: 'its result is not JSON' };
    }
  }
}

/** Sends an event to the thread. An error or the end of the thread also counts as its answer. */
function askWorker(worker: Worker, event: string, milliseconds: number): Promise<EdgeWorkerAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: EdgeWorkerAnswer): void => {
      clearTimeout(timer);
      worker.off('message', settle).off('error', failed).off('exit', ended);
      resolve(answer);
    };
    const failed = (error: unknown): void => {
      settle({ problem: errorMessage(error) });
    };
    const ended = (): void => {
      settle({ problem: 'it was stopped' });
    };
    const timer = setTimeout(() => {
      void worker.terminate();
    }, milliseconds);
    worker.on('message', settle).on('error', failed).on('exit', ended);
    worker.postMessage(event);
  });
}

function ignore(): void {
  // The run that caused the error reports it.
}
