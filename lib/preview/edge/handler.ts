// Runs a template's CloudFront Function on an event: in a thread and a `vm` context of its own, with no access to anything.
import { Worker } from 'node:worker_threads';
import { safeText } from '../../util/safe-text';
import { EDGE_WORKER, RUN_MILLISECONDS } from './worker';
import type { EdgeWorkerAnswer, EdgeWorkerData } from './worker';
import { messageOf } from '../errors';
import { at, textOf } from '../json';

/** What the function made of an event, or why it failed. */
export type EdgeResult = { readonly result: unknown } | { readonly fault: string };

/** One function of the template. */
export interface EdgeFunction {
  /** Never rejects. Runs come one after the other, each in a fresh context. */
  run(event: unknown): Promise<EdgeResult>;
  close(): Promise<void>;
}

/** A thread that does not answer is ended this long after its own limit: it hangs where `vm` cannot interrupt it. */
const GRACE_MILLISECONDS = 2_000;

/** A result is a request or a response; CloudFront takes 40 KB at most. */
const MAX_RESULT = 128 * 1024;

/**
 * Makes a function ready to run.
 *
 * @param code - `FunctionCode` of the template
 * @param milliseconds - what one run may take
 */
export function createEdgeFunction(code: string, milliseconds = RUN_MILLISECONDS): EdgeFunction {
  // The promise of `import()` belongs to the host, and through it the host could be reached. Nothing but this word makes one:
  // keywords cannot be written with escapes, and no code is made from strings. CloudFront's own modules are not here either.
  if (/\bimport\b/.test(code)) {
    return {
      run: () => Promise.resolve({ fault: 'the word `import` stands in its code; a preview has no modules to give it' }),
      close: () => Promise.resolve(),
    };
  }
  return new ThreadedFunction({ code, milliseconds });
}

class ThreadedFunction implements EdgeFunction {
  private worker: Worker | undefined;
  /** Settled once the thread runs: its start may be slow on a busy machine, and is no fault of the code. */
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
    if (this.closed || this.worker === undefined) return { fault: 'the preview is closing' };
    const answer = await answerOf(this.worker, event, this.data.milliseconds + GRACE_MILLISECONDS);
    const json = textOf(at(answer, 'json'));
    if (json === undefined) return { fault: safeText(textOf(at(answer, 'fault')) ?? 'it gave no answer', 200) };
    if (json.length > MAX_RESULT) return { fault: `its result has ${json.length} characters; CloudFront takes 40 KB at most` };
    try {
      return { result: JSON.parse(json) };
    } catch {
      // The code may have put its own function in the place of JSON.stringify.
      return { fault: 'its result is not JSON' };
    }
  }
}

/** One question to the thread; whatever ends it is the answer. */
function answerOf(worker: Worker, event: string, milliseconds: number): Promise<EdgeWorkerAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: EdgeWorkerAnswer): void => {
      clearTimeout(timer);
      worker.off('message', settle).off('error', failed).off('exit', ended);
      resolve(answer);
    };
    const failed = (error: unknown): void => {
      settle({ fault: messageOf(error) });
    };
    const ended = (): void => {
      settle({ fault: 'it was ended' });
    };
    const timer = setTimeout(() => {
      void worker.terminate();
    }, milliseconds);
    worker.on('message', settle).on('error', failed).on('exit', ended);
    worker.postMessage(event);
  });
}

function ignore(): void {
  // What broke is the answer to the run that broke it.
}
