// `mta-sts explain`: what the code of a finding, of a TLS report or of a bounce means, what it does, how to mend it and who says so.
import type { Command } from 'commander';
import { safeText } from '../../../lib/util/safe-text';
import type { Context } from '../../context';
import type { Explained } from './text';
import { nearest } from './nearest';
import { formatOption } from '../../input/options';
import type { TextOrJson } from '../../input/options';
import { Status } from '../../exit-status';

/** Adds the command to the program. */
export function addExplain(program: Command, { io, end }: Context): void {
  program.command('explain')
    .description('explain the codes of findings, of failed deployments, of TLS reports and of bounces: meaning, impact, fix, RFC section, and the senders that disagree')
    .argument('[code...]', 'such as mx-not-covered, zone-not-delegated, tlsa-invalid or 5.7.5; none for a list of all')
    .addOption(formatOption())
    .action(async (codes: readonly string[], { format }: { readonly format: TextOrJson }, command: Command) => {
      const { AREAS, CODES } = await import('../../catalog');
      const { DEPLOYMENT_CODES } = await import('./deployment-codes');
      const { RESULT_TYPES, STATUS_CODES, statusIn } = await import('./report-codes');
      const { explainJson, explainText, listText } = await import('./text');
      const find = (code: string): Explained => {
        const entry = CODES.get(code) ?? [...DEPLOYMENT_CODES, ...RESULT_TYPES].find((one) => one.code === code);
        if (entry !== undefined) return { entry };
        const status = statusIn(code);
        if (status?.known !== undefined) return { entry: status.known, typed: status.typed };
        const names = [...CODES.keys(), ...[...DEPLOYMENT_CODES, ...RESULT_TYPES].map((one) => one.code)];
        return command.error(status === undefined ? unknownCode(code, names) : unknownStatus(status.typed));
      };
      const explained = [...new Set(asTyped(codes))].map(find);
      const others = [...RESULT_TYPES, ...STATUS_CODES];
      if (format === 'json') {
        const all = [...CODES.values(), ...DEPLOYMENT_CODES, ...others];
        io.stdout.write(explainJson(codes.length === 0 ? all.map((entry) => ({ entry })) : explained));
      } else {
        io.stdout.write(codes.length === 0 ? listText(AREAS, DEPLOYMENT_CODES, others, io) : explainText(explained, io));
      }
      end(Status.GOOD);
    });
}

/** A line of a bounce that came without quotation marks is one thing: `550 5.7.5 Remote certificate failed`. */
function asTyped(codes: readonly string[]): readonly string[] {
  return codes.length > 1 && /^[245]\d\d$/.test(codes[0]) ? [codes.join(' ')] : codes;
}

function unknownStatus(typed: string): string {
  return `error: the enhanced status code \`${typed}\` has nothing to do with MTA-STS, DANE or TLS; `
    + 'all codes are listed at https://www.iana.org/assignments/smtp-enhanced-status-codes';
}

function unknownCode(typed: string, codes: readonly string[]): string {
  if (/^[245]\d\d$/.test(typed)) return `error: \`${typed}\` says only whether a message was taken; give the three numbers that follow it, such as \`5.7.5\``;
  const near = nearest(typed, codes);
  const hint = near.length === 0 ? 'without a code this command lists them all' : `did you mean ${near.map((code) => `\`${code}\``).join(', ')}?`;
  return `error: \`${safeText(typed, 80)}\` is not the code of a finding; ${hint}`;
}
