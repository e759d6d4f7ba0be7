// Prints verification results while they arrive, in the chosen format and to the chosen place, and returns the exit status.
import type { VerificationResult } from '../../lib/verifier/result';
import { Status } from '../exit-status';
import type { Io } from '../io';
import { loadReporter } from './formats';
import type { PrintOptions } from './options';
import { Tally } from './reporter';
import type { Reporter } from './reporter';
import { appendSink, fileSink, streamSink } from './sinks';
import type { Sink } from './sinks';
import { Style } from './terminal';

/**
 * Prints each result as soon as it is available, and keeps none. Closes the document properly however early `results` ends, and also
 * if it throws: the results until then are kept. Opens the files before it asks for the first result.
 *
 * @returns the exit status of the command
 * @throws OutputError if a file cannot be written; and every error of `results`
 */
export async function printResults(results: AsyncIterable<VerificationResult>, options: PrintOptions, io: Io): Promise<Status> {
  const documents = await openDocuments(options, io);
  const tally = new Tally();
  try {
    for await (const result of results) {
      tally.add(result);
      for (const document of documents) await document.add(result);
    }
    for (const document of documents) await document.end(tally);
  } catch (error) {
    for (const document of documents) await document.abandon(tally);
    throw error;
  }
  return statusOf(tally);
}

function statusOf({ verdicts }: Tally): Status {
  if (verdicts.fail > 0) return Status.ERROR_FOUND;
  return verdicts.unknown > 0 ? Status.UNDECIDED : Status.GOOD;
}

/** Opens the files first: the headlines on standard output refer to them. */
async function openDocuments({ format, output }: PrintOptions, io: Io): Promise<ResultDocument[]> {
  const documents: ResultDocument[] = [];
  const add = (reporter: Reporter, sink: Sink): void => {
    documents.push(new ResultDocument(reporter, sink));
  };
  try {
    const { GITHUB_STEP_SUMMARY: summary = '' } = io.env;
    if (format === 'github' && summary !== '') add(await loadJobSummary(), await appendSink(summary));
    if (output === undefined || output === '-') {
      add(await loadReporter(format, new Style(io)), streamSink(io.stdout));
    } else {
      // A file is not a terminal.
      add(await loadReporter(format, new Style({ colour: false, unicode: io.unicode, columns: undefined })), await fileSink(output));
      add(await loadHeadlines(new Style(io)), streamSink(io.stdout));
    }
  } catch (error) {
    for (const document of documents) await document.abandon(new Tally());
    throw error;
  }
  return documents;
}

async function loadHeadlines(style: Style): Promise<Reporter> {
  return (await import('./headlines')).headlinesFormat(style);
}

async function loadJobSummary(): Promise<Reporter> {
  return (await import('./formats/job-summary')).jobSummaryFormat();
}

/** One document: a reporter that writes to a sink. */
class ResultDocument {
  private state: 'new' | 'open' | 'closed' = 'new';

  public constructor(private readonly reporter: Reporter, private readonly sink: Sink) {}

  public async add(result: VerificationResult): Promise<void> {
    await this.open();
    await this.write(this.reporter.body(result));
  }

  public async end(tally: Tally): Promise<void> {
    await this.open();
    await this.write(this.reporter.tail(tally));
    await this.sink.close();
    this.state = 'closed';
  }

  /** Closes an open document after an error, and discards one that is not open yet. Never rejects. */
  public async abandon(tally: Tally): Promise<void> {
    try {
      if (this.state === 'open') await this.end(tally);
      if (this.state === 'new') await this.sink.discard();
    } catch {
      await this.sink.discard();
    }
  }

  private async open(): Promise<void> {
    if (this.state !== 'new') return;
    this.state = 'open';
    await this.write(this.reporter.head());
  }

  private async write(text: string): Promise<void> {
    if (text !== '') await this.sink.write(text);
  }
}
