// `mta-sts explain`: what a finding's code means, what it does, how to mend it and who says so.
import type { Command } from 'commander';
import { printable } from '../../lib/protocol/text';
import type { Context } from './context';
import { nearest } from './nearest';
import { formatOption } from './options';
import type { Format } from './options';
import { Status } from './status';

/** Adds the command to the program. */
export function addExplain(program: Command, { io, end }: Context): void {
  program.command('explain')
    .description('explain the codes of findings: meaning, harm, fix, RFC section, and the senders that disagree')
    .argument('[code...]', 'such as mx-not-covered; none for a list of all')
    .addOption(formatOption())
    .action(async (codes: readonly string[], { format }: { readonly format: Format }, command: Command) => {
      const { AREAS, CODES } = await import('./catalogue');
      const entries = [...new Set(codes)].map((code) => CODES.get(code) ?? refuse(code, [...CODES.keys()], command));
      const { explainJson, explainText, listText } = await import('./explain-text');
      if (format === 'json') {
        io.stdout.write(explainJson(codes.length === 0 ? [...CODES.values()] : entries));
      } else {
        io.stdout.write(codes.length === 0 ? listText(AREAS, io) : explainText(entries, io));
      }
      end(Status.GOOD);
    });
}

function refuse(typed: string, codes: readonly string[], command: Command): never {
  const near = nearest(typed, codes);
  const hint = near.length === 0 ? 'without a code this command lists them all' : `did you mean ${near.map((code) => `\`${code}\``).join(', ')}?`;
  return command.error(`error: \`${printable(typed, 80)}\` is not the code of a finding; ${hint}`);
}
