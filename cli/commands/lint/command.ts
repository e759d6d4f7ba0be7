// `mta-sts lint`: checks policy files and TXT records by the grammar, without network access.
import type { Command } from 'commander';
import type { Context } from '../../context';
import { readInput } from '../../input/file';
import { lintJson, lintStatus, lintText } from './text';
import type { LintKind, LintResult } from './text';
import { formatOption } from '../../input/options';
import type { TextOrJson } from '../../input/options';
import { worstStatus } from '../../exit-status';
import { Style } from '../../output/terminal';

interface LintOptions {
  readonly format: TextOrJson;
}

const TXT_HELP = 'one TXT record found at the name, its character-strings joined; none for an empty answer';

/** Adds the command to the program. */
export function addLint(program: Command, context: Context): void {
  const lint = program.command('lint').description('check a policy file or a TXT record by the grammar of its RFC');

  lint.command('policy')
    .description('check policy files (RFC 8461 §3.2)')
    .argument('<file...>', 'the file that https://mta-sts.<domain>/.well-known/mta-sts.txt serves; - is standard input')
    .addOption(formatOption())
    .action(async (files: string[], { format }: LintOptions, command: Command) => {
      const { parsePolicy } = await import('../../../lib/protocol/policy/policy');
      const inputs = await readInputs(files, context, command);
      const results = inputs.map(({ input, bytes }) => ({ input, ...parsePolicy(bytes) }));
      printLintResults('MTA-STS policy', results, format, context);
    });

  lint.command('record')
    .description('check the TXT records at _mta-sts.<domain> (RFC 8461 §3.1)')
    .argument('[TXT...]', TXT_HELP)
    .addOption(formatOption())
    .action(async (records: string[], { format }: LintOptions) => {
      const { parseRecord } = await import('../../../lib/protocol/records/sts-record');
      const { verdict, record, findings } = parseRecord(records);
      const values = record && { id: record.id };
      printLintResults('MTA-STS record', [{ input: describeInput(records), verdict, findings, record: values }], format, context);
    });

  lint.command('tls-rpt')
    .description('check the TXT records at _smtp._tls.<domain> (RFC 8460 §3)')
    .argument('[TXT...]', TXT_HELP)
    .addOption(formatOption())
    .action(async (records: string[], { format }: LintOptions) => {
      const { parseTlsRpt } = await import('../../../lib/protocol/records/tls-rpt');
      const { verdict, record, findings } = parseTlsRpt(records);
      const values = record && { rua: record.rua };
      printLintResults('TLSRPT record', [{ input: describeInput(records), verdict, findings, record: values }], format, context);
    });
}

/** Reads all inputs, or none: a partial result would look complete. */
async function readInputs(files: readonly string[], { io }: Context, command: Command): Promise<{ input: string; bytes: Uint8Array }[]> {
  if (files.filter((file) => file === '-').length > 1) command.error('error: standard input (`-`) can be read only once');
  const inputs = [];
  for (const input of files) {
    const content = await readInput(input, io.stdin);
    if ('problem' in content) command.error(`error: ${content.problem}`);
    inputs.push({ input, bytes: content.bytes });
  }
  return inputs;
}

/** Returns the input as the output shows it. All records of a name are one answer, so one input. */
function describeInput(records: readonly string[]): string | readonly string[] {
  const [first] = records;
  return records.length === 1 && first !== undefined ? first : records;
}

function printLintResults(kind: LintKind, results: readonly LintResult[], format: TextOrJson, { io, end }: Context): void {
  if (format === 'json') {
    io.stdout.write(lintJson(results));
  } else {
    const style = new Style(io);
    io.stdout.write(results.map((result) => lintText(kind, result, style)).join('\n'));
  }
  end(worstStatus(results.map(lintStatus)));
}
