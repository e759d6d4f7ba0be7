// `mta-sts explain`: explains the codes of findings, failed deployments, TLS reports and bounces: meaning, impact, fix and source.
import type { Command } from 'commander';
import { editDistance } from '../../../lib/util/edit-distance';
import { safeText } from '../../../lib/util/safe-text';
import type { Context } from '../../context';
import type { Explained } from './text';
import { formatOption } from '../../input/options';
import type { TextOrJson } from '../../input/options';
import { Status } from '../../exit-status';

/** Adds the command to the program. */
export function addExplain(program: Command, { io, end }: Context): void {
  program.command('explain')
    .description('explain the codes of findings, of failed deployments, of TLS reports and of bounces: meaning, impact, fix, source, and senders that differ')
    .argument('[code...]', 'such as mx-not-covered, zone-not-delegated, tlsa-invalid or 5.7.5; none for a list of all')
    .addOption(formatOption())
    .action(async (codes: readonly string[], { format }: { readonly format: TextOrJson }, command: Command) => {
      const { AREAS, CODES } = await import('../../catalog');
      const { DEPLOYMENT_CODES } = await import('./deployment-codes');
      const { RESULT_TYPES, STATUS_CODES, findStatusCode } = await import('./report-codes');
      const { explainJson, explainText, listText } = await import('./text');
      const find = (code: string): Explained => {
        const entry = CODES.get(code) ?? [...DEPLOYMENT_CODES, ...RESULT_TYPES].find((one) => one.code === code);
        if (entry !== undefined) return { entry };
        const status = findStatusCode(code);
        if (status?.known !== undefined) return { entry: status.known, typed: status.typed };
        const names = [...CODES.keys(), ...[...DEPLOYMENT_CODES, ...RESULT_TYPES].map((one) => one.code)];
        return command.error(status === undefined ? unknownCode(code, names) : unknownStatus(status.typed));
      };
      const explained = [...new Set(joinBounceLine(codes))].map(find);
      const reportCodes = [...RESULT_TYPES, ...STATUS_CODES];
      if (format === 'json') {
        const all = [...CODES.values(), ...DEPLOYMENT_CODES, ...reportCodes];
        io.stdout.write(explainJson(codes.length === 0 ? all.map((entry) => ({ entry })) : explained));
      } else {
        io.stdout.write(codes.length === 0 ? listText(AREAS, DEPLOYMENT_CODES, reportCodes, io) : explainText(explained, io));
      }
      end(Status.GOOD);
    });
}

/** Joins a line of a bounce that was typed without quotation marks: `550 5.7.5 Remote certificate failed`. */
function joinBounceLine(codes: readonly string[]): readonly string[] {
  return codes.length > 1 && /^[245]\d\d$/.test(codes[0] ?? '') ? [codes.join(' ')] : codes;
}

function unknownStatus(typed: string): string {
  return `error: the enhanced status code \`${typed}\` has nothing to do with MTA-STS, DANE or TLS; `
    + 'all codes are listed at https://www.iana.org/assignments/smtp-enhanced-status-codes';
}

function unknownCode(typed: string, codes: readonly string[]): string {
  if (/^[245]\d\d$/.test(typed)) return `error: \`${typed}\` says only whether a message was accepted; give the three numbers that follow it, such as \`5.7.5\``;
  const suggestions = nearestWords(typed, codes);
  const hint = suggestions.length === 0 ? 'without a code this command lists them all' : `did you mean ${suggestions.map((code) => `\`${code}\``).join(', ')}?`;
  return `error: \`${safeText(typed, 80)}\` is not the code of a finding; ${hint}`;
}

/** Maximum number of typing errors. A word with more is another word. */
const MAX_EDITS = 3;

/** Longer than any code. The edit distance takes time in proportion to the product of both lengths. */
const MAX_TYPED_LENGTH = 80;

/**
 * Returns the words that a person probably meant: words with few typing errors, or words that contain the typed text.
 *
 * @param max - maximum number of words
 */
export function nearestWords(typed: string, words: readonly string[], max = 3): readonly string[] {
  const text = typed.toLowerCase().replace(/[_\s]+/g, '-').slice(0, MAX_TYPED_LENGTH);
  if (text === '') return [];
  return words
    .map((word) => ({ word, distance: typingDistance(text, word) }))
    .filter(({ distance }) => distance <= MAX_EDITS)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, max)
    .map(({ word }) => word);
}

/** Returns the edit distance. Whole parts of a word, between hyphens, count as two edits. */
function typingDistance(text: string, word: string): number {
  const asPart = text.length > 2 && `-${word}-`.includes(`-${text}-`) ? 2 : Infinity;
  return Math.min(asPart, editDistance(text, word));
}
