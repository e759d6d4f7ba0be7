// Reads the file of `cdk deploy --outputs-file`, and finds the outputs of `MtaSts` in it (lib/private/stack-output.ts).
import { isObject } from '../../lib/util/objects';
import type { Command } from 'commander';
import { hostNameProblem } from '../../lib/protocol/domain-name';
import { hashOfPolicyId, policyHash } from '../../lib/protocol/policy/id';
import { parseTlsRpt } from '../../lib/protocol/records/tls-rpt';
import { joinList, safeText } from '../../lib/util/safe-text';
import type { Deployment } from '../../lib/verifier/result';
import type { Io } from '../io';
import { readRequiredInput } from './file';

/** The values of the manual records of a domain. A value that the output lacks, or that is malformed, is missing. */
interface DeployedRecords {
  /** The host that serves the policy. */
  readonly target?: string;
  /** The text of the record at `_smtp._tls`. */
  readonly tlsRpt?: string;
  /** The CNAME that validates the certificate, if it is a manual record. */
  readonly validation?: { readonly name: string; readonly value: string };
}

/** The policy that a stack publishes for a domain, according to its outputs. */
interface DeployedPolicy extends Deployment, DeployedRecords {
  readonly domain: string;
  readonly id: string;
  /** The file, exactly as it should be served. Missing if it was too long for an output: then the id holds its hash. */
  readonly policy?: string;
}

/** The policies in the order of the file, each domain once; or one line that says why there are none. */
export type Outputs = { readonly policies: readonly DeployedPolicy[] } | { readonly problem: string };

/** Twenty full stacks, of 200 outputs of 4,096 bytes each. */
export const MAX_OUTPUTS_BYTES = 16 * 1024 * 1024;

/** Maximum number of stack names in a message. */
const MAX_STACK_NAMES = 5;

class OutputsError extends Error {}

/**
 * Reads the outputs file that was named in a flag. Ends the command as wrong usage if it holds no policy.
 *
 * @param path - as typed; `-` is standard input
 */
export async function readDeployedPolicies(path: string, io: Io, command: Command): Promise<readonly DeployedPolicy[]> {
  const outputs = parseOutputs(await readRequiredInput(path, io, command, MAX_OUTPUTS_BYTES + 1));
  return 'problem' in outputs ? command.error(`error: ${safeText(path, 200)}: ${outputs.problem}`) : outputs.policies;
}

/**
 * Parses an outputs file. Never throws: the problem is a phrase to put after the name of the file.
 *
 * @param bytes - the whole file; of a longer file, one byte more than `MAX_OUTPUTS_BYTES` is enough
 */
export function parseOutputs(bytes: Uint8Array): Outputs {
  try {
    return { policies: findPolicies(parseStacks(bytes)) };
  } catch (error) {
    if (error instanceof OutputsError) return { problem: error.message };
    throw error;
  }
}

type Members = readonly (readonly [name: string, value: unknown])[];

function parseStacks(bytes: Uint8Array): Members {
  if (bytes.length > MAX_OUTPUTS_BYTES) throw new OutputsError(`has ${bytes.length} bytes; outputs of more than ${MAX_OUTPUTS_BYTES} are not read`);
  const stacks = parseJson(Buffer.from(bytes).toString('utf8').replace(/^\ufeff/, ''));
  if (stacks === undefined) throw new OutputsError(`is not JSON; ${WAY_OUT}`);
  if (!isObject(stacks)) throw new OutputsError(`is JSON, but not an object of stacks and their outputs; ${WAY_OUT}`);
  const members = Object.entries(stacks);
  const malformed = members.find(([, outputs]) => !isObject(outputs));
  if (malformed !== undefined) throw new OutputsError(`holds no outputs for the stack ${safeName(malformed[0])}, but ${describeKind(malformed[1])}; ${WAY_OUT}`);
  return members;
}

const WAY_OUT = 'give the file that `npx cdk deploy --outputs-file cdk-outputs.json` writes';

function findPolicies(stacks: Members): DeployedPolicy[] {
  const found = new Map<string, { readonly policy: DeployedPolicy; readonly place: string }>();
  for (const [stack, outputs] of stacks) {
    for (const [name, value] of isObject(outputs) ? Object.entries(outputs) : []) {
      const place = `${safeName(stack)}.${safeName(name)}`;
      const policy = parseOutput(value, place);
      if (policy === undefined) continue;
      const before = found.get(policy.domain);
      if (before !== undefined && before.policy.id !== policy.id) {
        throw new OutputsError(`gives ${policy.domain} two ids, ${before.policy.id} in ${before.place} and ${policy.id} in ${place}; `
          + 'only one of them can be live, so take the outputs of the other stack away');
      }
      // If two outputs have the same policy, keep the one with its text.
      if (before?.policy.policy === undefined) found.set(policy.domain, { policy, place });
    }
  }
  if (found.size === 0) throw new OutputsError(`holds no output of a MtaSts construct, ${describeStacks(stacks)}; ${NOTHING_FOUND}`);
  return [...found.values()].map(({ policy }) => policy);
}

const NOTHING_FOUND = 'deploy the stack that holds it with a version of cdk-mta-sts that writes one';

function describeStacks(stacks: Members): string {
  if (stacks.length === 0) return 'since it has no stack at all';
  return `only of ${joinList(stacks.map(([name]) => safeName(name)), MAX_STACK_NAMES)}`;
}

/** Returns the policy of one output, or undefined if the output is not one of ours. */
function parseOutput(value: unknown, place: string): DeployedPolicy | undefined {
  // All our outputs begin like this. Do not parse other outputs.
  if (typeof value !== 'string' || !value.startsWith('{"mtaSts":')) return undefined;
  const output = parseJson(value);
  const content = isObject(output) ? output.mtaSts : undefined;
  if (!isObject(content)) throw new OutputsError(`has an output ${place} that begins as one of a MtaSts construct and is none; ${EDITED}`);
  const { domain, id, policy } = content;
  if (typeof domain !== 'string' || hostNameProblem(domain) !== undefined) {
    throw new OutputsError(`has an output ${place} without the name of a domain; ${EDITED}`);
  }
  if (typeof id !== 'string' || !/^[A-Za-z0-9]{1,32}$/.test(id)) {
    throw new OutputsError(`has an output ${place} without an id for ${domain}, 1 to 32 letters and digits (RFC 8461 §3.1); ${EDITED}`);
  }
  const deployment = (['earliestRemoval', 'warnings'] as const).reduce<Deployment>((all, name) => {
    const { [name]: text } = content;
    if (text === undefined) return all;
    if (typeof text !== 'string') throw new OutputsError(`has an output ${place} whose ${name} for ${domain} is ${describeKind(text)}, not a text; ${EDITED}`);
    return { ...all, [name]: text };
  }, {});
  const records = parseRecords(content);
  if (policy === undefined) return { domain, id, ...deployment, ...records };
  if (typeof policy !== 'string') throw new OutputsError(`has an output ${place} whose policy for ${domain} is ${describeKind(policy)}, not a text; ${EDITED}`);
  const hash = policyHash(policy);
  if (hashOfPolicyId(id) !== hash) {
    throw new OutputsError(`has an output ${place} whose policy for ${domain} has the hash ${hash}, but whose id is ${id}; ${EDITED}`);
  }
  return { domain, id, policy, ...deployment, ...records };
}

function parseRecords({ target, tlsRpt, validation }: Readonly<Record<string, unknown>>): DeployedRecords {
  const { name, value } = isObject(validation) ? validation : {};
  return {
    target: isHost(target) ? target : undefined,
    tlsRpt: typeof tlsRpt === 'string' && parseTlsRpt([tlsRpt]).verdict === 'valid' ? tlsRpt : undefined,
    validation: isHost(name) && isHost(value) ? { name, value } : undefined,
  };
}

/** Labels of validation records begin with an underscore. */
function isHost(name: unknown): name is string {
  return typeof name === 'string' && name.includes('.') && hostNameProblem(name.replace(/(^|\.)_/g, '$1')) === undefined;
}

const EDITED = 'it was changed after the deployment, so deploy again';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeKind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

function safeName(name: string): string {
  return safeText(name, 80);
}
