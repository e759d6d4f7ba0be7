// Collects the domains to verify, typed, from a file, or from the outputs of a deployment, and the expectation of each.
import type { Command } from 'commander';
import type { Expectation } from '../../../lib/verifier/checks/policy/expectation';
import { hashOfPolicyId } from '../../../lib/protocol/policy/id';
import { safeText } from '../../../lib/util/safe-text';
import type { Deployment } from '../../../lib/verifier/result';
import { domainHint } from '../../input/arguments';
import { DomainListError, openDomainList } from '../../input/domain-list';
import type { ListedDomain } from '../../input/domain-list';
import { readRequiredInput } from '../../input/file';
import type { Io } from '../../io';
import { readDeployedPolicies } from '../../input/deployment-outputs';

/** A domain and the expectation of it. */
export interface Target extends Expectation {
  readonly domain: string;
  /** Values of its outputs that are only shown. */
  readonly deployment?: Deployment;
}

/** The flags that select the targets. */
export interface TargetFlags {
  readonly file?: string;
  readonly outputs?: string;
  readonly expectId?: string;
  readonly expectMode?: 'enforce' | 'testing' | 'none';
  readonly expectPolicy?: string;
}

/** All domains to verify. */
export interface Targets {
  readonly all: Iterable<Target> | AsyncIterable<Target>;
  /** Their number, if known before they are read. */
  readonly count?: number;
}

/** The surroundings of the collection. */
interface TargetContext {
  readonly io: Io;
  readonly command: Command;
  /** Called for each line of the file without a valid domain. The other domains are still verified. */
  readonly onProblem: (text: string) => void;
  /** Called for each name that is probably not meant as a mail domain. The name is still verified. */
  readonly onHint: (text: string) => void;
}

/** Collects the targets. Ends the command as wrong usage for any problem with the flags, before the first verification. */
export async function collectTargets(
  domains: readonly string[], flags: TargetFlags, { io, command, onProblem, onHint }: TargetContext,
): Promise<Targets> {
  const { file, outputs, expectPolicy } = flags;
  if ([file, outputs, expectPolicy].filter((path) => path === '-').length > 1) command.error('error: standard input (`-`) can be read only once');
  if (outputs !== undefined) {
    const clash = domains.length > 0 ? 'a domain' : (['file', 'expectId', 'expectMode', 'expectPolicy'] as const).find((name) => flags[name] !== undefined);
    if (clash !== undefined) command.error(`error: \`--outputs\` already names the domains and what to expect of them; leave out ${OPTION_NAMES.get(clash) ?? clash}`);
    return readOutputTargets(outputs, io, command);
  }
  if (domains.length === 0 && file === undefined) command.error('error: no domain to verify; give domains, `--file` or `--outputs`');
  const expectation = await readExpectation(flags, io, command);
  const checkName = (domain: string): void => {
    const hint = domainHint(domain);
    if (hint !== undefined) onHint(hint);
  };
  domains.forEach(checkName);
  const typed = domains.map((domain) => ({ domain, ...expectation }));
  if (file === undefined) return { all: typed, count: typed.length };
  try {
    const list = await openDomainList(file, io.stdin);
    const all = chainTargets(typed, withHints(list, checkName), expectation, (line, problem) => {
      onProblem(`${file === '-' ? 'standard input' : safeText(file, 200)}, line ${line}: ${problem}`);
    });
    return { all };
  } catch (error) {
    if (error instanceof DomainListError) return command.error(`error: ${error.message}`);
    throw error;
  }
}

const OPTION_NAMES: ReadonlyMap<string, string> = new Map([
  ['file', '`--file`'], ['expectId', '`--expect-id`'], ['expectMode', '`--expect-mode`'], ['expectPolicy', '`--expect-policy`'],
]);

async function* withHints(list: AsyncIterable<ListedDomain>, checkName: (domain: string) => void): AsyncGenerator<ListedDomain> {
  for await (const listed of list) {
    if ('domain' in listed) checkName(listed.domain);
    yield listed;
  }
}

async function* chainTargets(
  typed: readonly Target[], list: AsyncIterable<ListedDomain>, expectation: Expectation, onProblem: (line: number, problem: string) => void,
): AsyncGenerator<Target> {
  yield* typed;
  for await (const listed of list) {
    if ('domain' in listed) yield { domain: listed.domain, ...expectation };
    else onProblem(listed.line, listed.problem);
  }
}

async function readExpectation({ expectId, expectMode, expectPolicy }: TargetFlags, io: Io, command: Command): Promise<Expectation> {
  const policy = expectPolicy === undefined ? undefined : await readRequiredInput(expectPolicy, io, command);
  return { expectId, expectMode, expectPolicy: policy };
}

async function readOutputTargets(path: string, io: Io, command: Command): Promise<Targets> {
  const policies = await readDeployedPolicies(path, io, command);
  const all = policies.map(({ domain, id, policy, earliestRemoval, warnings }) => ({
    domain,
    expectId: id,
    ...policy === undefined ? { expectHash: hashOfPolicyId(id) } : { expectPolicy: policy },
    deployment: (earliestRemoval ?? warnings) === undefined ? undefined : { earliestRemoval, warnings },
  }));
  return { all, count: all.length };
}
