// Prints the verifier's reports as they come, in the format and to the place that were asked for, and turns them into an exit status.
import type { VerificationResult } from '../../lib/verifier/result';
import { Tally } from './reporter';
import type { Reporter, ResultFormat } from './reporter';
import type { Io } from '../io';
import { appendSink, fileSink, streamSink } from './sinks';
import type { Sink } from './sinks';
import { Status } from '../exit-status';
import { Style } from './terminal';

/** How and where to. */
export interface PrintOptions {
  readonly format: ResultFormat;
  /**
   * The file for the document, and `-` for standard output; otherwise that gets headlines and totals then.
   *
   * @default - standard output
   */
  readonly output?: string;
}

/**
 * Prints each report as soon as it is there, and keeps none. The document is closed properly however early `reports` ends, and
 * also when it throws: what was found until then is kept. Nothing is asked of `reports` before the files could be opened.
 *
 * @returns what to end with
 * @throws OutputError when a file cannot be written; whatever `reports` throws
 */
export async function printResults(reports: AsyncIterable<VerificationResult>, settings: PrintOptions, io: Io): Promise<Status> {
  const documents = await openDocuments(settings, io);
  const tally = new Tally();
  try {
    for await (const result of reports) {
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

/** Files first: what standard output says comes after what it says it of. */
async function openDocuments({ format, output }: PrintOptions, io: Io): Promise<ReportDocument[]> {
  const documents: ReportDocument[] = [];
  const add = (one: Reporter, sink: Sink): void => {
    documents.push(new ReportDocument(one, sink));
  };
  try {
    const { GITHUB_STEP_SUMMARY: summary = '' } = io.env;
    if (format === 'github' && summary !== '') add(await jobSummary(), await appendSink(summary));
    if (output === undefined || output === '-') {
      add(await FORMATS[format](new Style(io)), streamSink(io.stdout));
    } else {
      // A file is no terminal.
      add(await FORMATS[format](new Style({ colour: false, unicode: io.unicode, columns: undefined })), await fileSink(output));
      add(await headlines(new Style(io)), streamSink(io.stdout));
    }
  } catch (error) {
    for (const document of documents) await document.abandon(new Tally());
    throw error;
  }
  return documents;
}

/** Each is loaded only when it is asked for: the command starts quickly. */
const FORMATS: Readonly<Record<ResultFormat, (style: Style) => Promise<Reporter>>> = {
  text: async (style) => (await import('./formats/text')).textFormat(style),
  json: async () => (await import('./formats/json')).jsonFormat(),
  ndjson: async () => (await import('./formats/ndjson')).ndjsonFormat(),
  junit: async () => (await import('./formats/junit')).junitFormat(),
  github: async () => (await import('./formats/github')).githubFormat(),
  html: async () => (await import('./formats/html')).htmlFormat(),
};

async function headlines(style: Style): Promise<Reporter> {
  return (await import('./headlines')).headlinesFormat(style);
}

async function jobSummary(): Promise<Reporter> {
  return (await import('./formats/job-summary')).jobSummaryFormat();
}

/** A format on its way to a sink. */
class ReportDocument {
  private state: 'new' | 'begun' | 'over' = 'new';

  public constructor(private readonly format: Reporter, private readonly sink: Sink) {}

  public async add(result: VerificationResult): Promise<void> {
    await this.begin();
    await this.write(this.format.report(result));
  }

  public async end(tally: Tally): Promise<void> {
    await this.begin();
    await this.write(this.format.tail(tally));
    await this.sink.close();
    this.state = 'over';
  }

  /** After a fault: closes what has been begun, and leaves nothing where nothing has. Never rejects. */
  public async abandon(tally: Tally): Promise<void> {
    try {
      if (this.state === 'begun') await this.end(tally);
      if (this.state === 'new') await this.sink.discard();
    } catch {
      await this.sink.discard();
    }
  }

  private async begin(): Promise<void> {
    if (this.state !== 'new') return;
    this.state = 'begun';
    await this.write(this.format.head());
  }

  private async write(text: string): Promise<void> {
    if (text !== '') await this.sink.write(text);
  }
}
