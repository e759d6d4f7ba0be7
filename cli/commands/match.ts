// `mta-sts match`: says whether an mx pattern covers a host, and why.
import type { Command } from 'commander';
import { domainProblem, withoutDots } from '../../lib/protocol/domain-name';
import { mxGrammarProblem, mxMatches } from '../../lib/protocol/mx/pattern';
import { safeText } from '../../lib/util/safe-text';
import type { Context } from '../context';
import { Status } from '../exit-status';
import { Style } from '../output/terminal';

/** Adds the command to the program. */
export function addMatch(program: Command, { io, end }: Context): void {
  program.command('match')
    .description('tell whether an mx pattern covers an MX host, and why (RFC 8461 §4.1)')
    .argument('<pattern>', 'as in the policy file, such as *.example.com')
    .argument('<host>', 'as in the MX record, such as mx1.example.com')
    // A name may begin with a hyphen. The output then says that the name is not valid.
    .allowUnknownOption()
    .action((pattern: string, host: string) => {
      const covered = mxMatches(pattern, host);
      const style = new Style(io);
      const mark = covered ? 'good' : 'error';
      const reason = covered ? coveredBecause(pattern, host) : notCoveredBecause(pattern, host);
      io.stdout.write(`${style.mark(mark)} ${style.strong(mark, covered ? 'yes' : 'no')}: ${style.plain(reason)}\n`);
      end(covered ? Status.GOOD : Status.ERROR_FOUND);
    });
}

function coveredBecause(pattern: string, host: string): string {
  const shown = safeText(host);
  if (!pattern.startsWith('*.')) return `the policy names ${shown} itself (RFC 8461 §4.1)`;
  return `\`*.\` stands for exactly one label, here \`${safeText(host.slice(0, host.indexOf('.')))}\` (RFC 8461 §4.1)`;
}

function notCoveredBecause(pattern: string, host: string): string {
  const patternProblem = mxGrammarProblem(pattern);
  if (patternProblem !== undefined) return `the pattern \`${safeText(pattern)}\` ${patternProblem} (RFC 8461 §3.2)`;
  if (host === '.') return '`.` is a null MX: the domain takes no mail (RFC 7505 §3)';
  const problem = hostProblem(host);
  if (problem !== undefined) return `the host \`${safeText(host)}\` ${problem} (RFC 5321 §4.1.2)`;
  const name = withoutDots(host).toLowerCase();
  return `${pattern.startsWith('*.') ? wildcardReason(pattern.toLowerCase(), name) : 'the names differ'} (RFC 8461 §4.1)`;
}

/** Allows one dot at the end, as in DNS. More dots are a typing error. */
function hostProblem(host: string): string | undefined {
  const name = withoutDots(host);
  const dots = host.length - name.length;
  if (name === '' && dots > 0) return 'names no host; it has only dots';
  return domainProblem(name) ?? (dots > 1 ? `ends with ${dots} dots; write one or none, \`${name}.\` or \`${name}\`` : undefined);
}

/** Explains three mistakes, each of which some sender accepts. */
function wildcardReason(pattern: string, name: string): string {
  const suffix = pattern.slice(1);
  if (name === suffix.slice(1)) return `\`*.\` stands for exactly one label, and ${name} has none in its place; name it itself`;
  if (!name.endsWith(suffix)) return `${name} is not below ${suffix.slice(1)}`;
  const deeper = name.slice(name.indexOf('.') + 1);
  const labels = name.slice(0, -suffix.length).split('.').length;
  return `\`*.\` stands for exactly one label, and ${name} has ${labels} in its place; write \`*.${deeper}\` or name it itself`;
}
