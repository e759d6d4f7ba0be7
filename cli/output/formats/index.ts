// The formats that `--format` takes for verification results.
import type { Reporter } from '../reporter';
import type { Style } from '../terminal';

interface Format {
  readonly name: string;
  /** Loads the reporter. Only the chosen format is loaded, so that the command starts quickly. */
  readonly load: (style: Style) => Promise<Reporter>;
}

/** The only registration of a format, in the order of the help. */
const FORMATS = [
  { name: 'text', load: async (style) => (await import('./text')).textFormat(style) },
  { name: 'json', load: async () => (await import('./json')).jsonFormat() },
  { name: 'ndjson', load: async () => (await import('./ndjson')).ndjsonFormat() },
  { name: 'junit', load: async () => (await import('./junit')).junitFormat() },
  { name: 'github', load: async () => (await import('./github')).githubFormat() },
  { name: 'html', load: async () => (await import('./html')).htmlFormat() },
] as const satisfies readonly Format[];

export type ResultFormat = (typeof FORMATS)[number]['name'];

export const RESULT_FORMATS: readonly ResultFormat[] = FORMATS.map(({ name }) => name);

/** Loads the reporter that writes a format. */
export async function loadReporter(format: ResultFormat, style: Style): Promise<Reporter> {
  const found: Format | undefined = FORMATS.find(({ name }) => name === format);
  if (found === undefined) throw new RangeError(`there is no format ${format}`);
  return found.load(style);
}
