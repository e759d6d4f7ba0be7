// What is to be verified: domains typed, listed in a file, or told by the outputs of a deployment; and what is expected of each.
import type { Command } from 'commander';
import type { Expectation } from '../../../lib/verifier/checks/policy/expectation';
import { hashOfPolicyId } from '../../../lib/protocol/policy/id';
import { safeText } from '../../../lib/util/safe-text';
import type { Deployment } from '../../../lib/verifier/result';
import { domainHint } from '../../input/arguments';
import { DomainListError, openDomainList } from '../../input/domain-list';
import type { ListedDomain } from '../../input/domain-list';
import { requiredInput } from '../../input/file';
import type { Io } from '../../io';
import { deployedPolicies } from '../../input/outputs-file';

/** A domain, and what is expected of it. */
export interface Target extends Expectation {
  readonly domain: string;
  /** What its outputs tell beside what is expected. */
  readonly deployment?: Deployment;
}

/** What was typed. */
export interface TargetFlags {
  readonly file?: string;
  readonly outputs?: string;
  readonly expectId?: string;
  readonly expectMode?: 'enforce' | 'testing' | 'none';
  readonly expectPolicy?: string;
}

/** All of them. */
export interface Targets {
  readonly all: Iterable<Target> | AsyncIterable<Target>;
  /** How many, where that is known before they are read. */
  readonly count?: number;
}

/** Where files are read, and what is wrong with them is said. */
export interface TargetContext {
  readonly io: Io;
  readonly command: Command;
  /** Hears of each line of the file that is no domain; the others are verified all the same. */
  readonly complain: (text: string) => void;
  /** Hears of each name that is hardly meant as a mail domain; it is verified all the same. */
  readonly hint: (text: string) => void;
}

/** Puts together what was typed; whatever is wrong with it is a usage error, before anything is verified. */
export async function targetsOf(
  domains: readonly string[], flags: TargetFlags, { io, command, complain, hint }: TargetContext,
): Promise<Targets> {
  const { file, outputs, expectPolicy } = flags;
  if ([file, outputs, expectPolicy].filter((path) => path === '-').length > 1) command.error('error: standard input (`-`) can be read only once');
  if (outputs !== undefined) {
    const clash = domains.length > 0 ? 'a domain' : (['file', 'expectId', 'expectMode', 'expectPolicy'] as const).find((name) => flags[name] !== undefined);
    if (clash !== undefined) command.error(`error: \`--outputs\` tells the domains and what to expect of them; leave out ${OPTIONS.get(clash) ?? clash}`);
    return ofOutputs(outputs, io, command);
  }
  if (domains.length === 0 && file === undefined) command.error('error: no domain to verify; give domains, `--file` or `--outputs`');
  const expectation = await expectationOf(flags, io, command);
  const doubt = (domain: string): void => {
    const text = domainHint(domain);
    if (text !== undefined) hint(text);
  };
  domains.forEach(doubt);
  const typed = domains.map((domain) => ({ domain, ...expectation }));
  if (file === undefined) return { all: typed, count: typed.length };
  try {
    const list = await openDomainList(file, io.stdin);
    return { all: chain(typed, doubted(list, doubt), expectation, (line, fault) => {
      complain(`${file === '-' ? 'standard input' : safeText(file, 200)}, line ${line}: ${fault}`);
    }) };
  } catch (error) {
    if (error instanceof DomainListError) return command.error(`error: ${error.message}`);
    throw error;
  }
}

const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['file', '`--file`'], ['expectId', '`--expect-id`'], ['expectMode', '`--expect-mode`'], ['expectPolicy', '`--expect-policy`'],
]);

async function* doubted(list: AsyncIterable<ListedDomain>, doubt: (domain: string) => void): AsyncGenerator<ListedDomain> {
  for await (const listed of list) {
    if ('domain' in listed) doubt(listed.domain);
    yield listed;
  }
}

async function* chain(
  typed: readonly Target[], list: AsyncIterable<ListedDomain>, expectation: Expectation, complain: (line: number, fault: string) => void,
): AsyncGenerator<Target> {
  yield* typed;
  for await (const listed of list) {
    if ('domain' in listed) yield { domain: listed.domain, ...expectation };
    else complain(listed.line, listed.fault);
  }
}

async function expectationOf({ expectId, expectMode, expectPolicy }: TargetFlags, io: Io, command: Command): Promise<Expectation> {
  const policy = expectPolicy === undefined ? {} : { expectPolicy: await requiredInput(expectPolicy, io, command) };
  return { ...expectId === undefined ? {} : { expectId }, ...expectMode === undefined ? {} : { expectMode }, ...policy };
}

async function ofOutputs(path: string, io: Io, command: Command): Promise<Targets> {
  const policies = await deployedPolicies(path, io, command);
  const all = policies.map(({ domain, id, policy, earliestRemoval, warnings }) => ({
    domain,
    expectId: id,
    ...policy === undefined ? { expectHash: hashOfPolicyId(id) } : { expectPolicy: policy },
    ...(earliestRemoval ?? warnings) === undefined ? {} : { deployment: { earliestRemoval, warnings } },
  }));
  return { all, count: all.length };
}
