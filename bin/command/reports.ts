// Prints the verifier's reports, and turns them into an exit status.
import type { Report } from '../../lib/verifier/report';
import type { Io } from './io';
import { verifyJson } from './json';
import type { Format } from './options';
import { Status, worst } from './status';
import { Style } from './style';
import { summaryText, verifyText } from './verify-text';

/**
 * Text appears as soon as all that stands before it has; JSON is one document, so it comes at the end.
 *
 * @returns what to end with
 */
export async function printReports(reports: AsyncIterable<Report>, format: Format, io: Io): Promise<Status> {
  const style = new Style(io);
  const printed: Report[] = [];
  for await (const report of reports) {
    if (format === 'text') io.stdout.write(`${printed.length === 0 ? '' : '\n'}${verifyText(report, style)}`);
    printed.push(report);
  }
  if (format === 'json') {
    io.stdout.write(verifyJson(printed));
  } else if (printed.length > 1) {
    io.stdout.write(`\n${summaryText(printed, style)}`);
  }
  return worst(printed.map(statusOf));
}

function statusOf({ verdict }: Report): Status {
  switch (verdict) {
    case 'pass': return Status.GOOD;
    case 'fail': return Status.ERROR_FOUND;
    case 'unknown': return Status.UNDECIDED;
  }
}
