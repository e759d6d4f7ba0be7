// Reads what `cdk deploy --outputs-file` wrote, and finds in it what `MtaSts` has published (lib/stack-output.ts).
import { hostNameProblem } from '../../lib/protocol/domain-name';
import { hashOfPolicyId, policyHash } from '../../lib/protocol/policy/id';
import { joinList, safeText } from '../../lib/util/safe-text';
import { parseTlsRpt } from '../../lib/protocol/records/tls-rpt';
import type { Deployment } from '../../lib/verifier/result';

/** What is needed to make the records of a domain by hand; what is not said, or is no such thing, is missing. */
export interface DeployedRecords {
  /** The host that serves the policy. */
  readonly target?: string;
  /** The text of the record at `_smtp._tls`. */
  readonly tlsRpt?: string;
  /** The CNAME that validates the certificate, where that is made by hand. */
  readonly validation?: { readonly name: string; readonly value: string };
}

/** What a stack says that it publishes for a domain. */
export interface DeployedPolicy extends Deployment, DeployedRecords {
  readonly domain: string;
  readonly id: string;
  /** The file, exactly as it should be served; missing where it was too long for an output, whose id then tells its hash. */
  readonly policy?: string;
}

/** The policies in the order of the file, each domain once; or one line that says why there are none. */
export type Outputs = { readonly policies: readonly DeployedPolicy[] } | { readonly fault: string };

/** In bytes: twenty full stacks, of 200 outputs of 4,096 bytes each. */
export const MAX_OUTPUTS = 16 * 1024 * 1024;

/** Names of stacks in a message. */
const MOST_NAMES = 5;

class OutputsFault extends Error {}

/**
 * Reads an outputs file. Never throws: the fault is a phrase to put after the name of the file.
 *
 * @param bytes - the whole file; of a longer one a byte more than `MAX_OUTPUTS` is enough
 */
export function readOutputs(bytes: Uint8Array): Outputs {
  try {
    return { policies: policiesOf(stacksOf(bytes)) };
  } catch (error) {
    if (error instanceof OutputsFault) return { fault: error.message };
    throw error;
  }
}

type Members = readonly (readonly [name: string, value: unknown])[];

function stacksOf(bytes: Uint8Array): Members {
  if (bytes.length > MAX_OUTPUTS) throw new OutputsFault(`has ${bytes.length} bytes; outputs of more than ${MAX_OUTPUTS} are not read`);
  const stacks = parsed(Buffer.from(bytes).toString('utf8').replace(/^\ufeff/, ''));
  if (stacks === undefined) throw new OutputsFault(`is not JSON; ${WAY_OUT}`);
  if (!isObject(stacks)) throw new OutputsFault(`is JSON, but not an object of stacks and their outputs; ${WAY_OUT}`);
  const members = Object.entries(stacks);
  const strange = members.find(([, outputs]) => !isObject(outputs));
  if (strange !== undefined) throw new OutputsFault(`holds no outputs for the stack ${shown(strange[0])}, but ${kindOf(strange[1])}; ${WAY_OUT}`);
  return members;
}

const WAY_OUT = 'give the file that `npx cdk deploy --outputs-file cdk-outputs.json` writes';

function policiesOf(stacks: Members): DeployedPolicy[] {
  const found = new Map<string, { readonly policy: DeployedPolicy; readonly place: string }>();
  for (const [stack, outputs] of stacks) {
    for (const [name, value] of isObject(outputs) ? Object.entries(outputs) : []) {
      const place = `${shown(stack)}.${shown(name)}`;
      const policy = policyOf(value, place);
      if (policy === undefined) continue;
      const before = found.get(policy.domain);
      if (before !== undefined && before.policy.id !== policy.id) {
        throw new OutputsFault(`gives ${policy.domain} two ids, ${before.policy.id} in ${before.place} and ${policy.id} in ${place}; `
          + 'only one of them can be live, so take the outputs of the other stack away');
      }
      // The same policy twice: the one that has its text.
      if (before?.policy.policy === undefined) found.set(policy.domain, { policy, place });
    }
  }
  if (found.size === 0) throw new OutputsFault(`holds no output of a MtaSts construct, ${searched(stacks)}; ${NOTHING_FOUND}`);
  return [...found.values()].map(({ policy }) => policy);
}

const NOTHING_FOUND = 'deploy the stack that holds it with a version of cdk-mta-sts that writes one';

function searched(stacks: Members): string {
  if (stacks.length === 0) return 'since it has no stack at all';
  return `only of ${joinList(stacks.map(([name]) => shown(name)), MOST_NAMES)}`;
}

/** What one output says, or undefined where it is not of ours. */
function policyOf(value: unknown, place: string): DeployedPolicy | undefined {
  // Cheap, and true of all that we write: other outputs need not be read.
  if (typeof value !== 'string' || !value.startsWith('{"mtaSts":')) return undefined;
  const output = parsed(value);
  const claim = isObject(output) ? output.mtaSts : undefined;
  if (!isObject(claim)) throw new OutputsFault(`has an output ${place} that begins as one of a MtaSts construct and is none; ${EDITED}`);
  const { domain, id, policy } = claim;
  if (typeof domain !== 'string' || hostNameProblem(domain) !== undefined) {
    throw new OutputsFault(`has an output ${place} without the name of a domain; ${EDITED}`);
  }
  if (typeof id !== 'string' || !/^[A-Za-z0-9]{1,32}$/.test(id)) {
    throw new OutputsFault(`has an output ${place} without an id for ${domain}, 1 to 32 letters and digits (RFC 8461 §3.1); ${EDITED}`);
  }
  const told = (['earliestRemoval', 'warnings'] as const).reduce<Deployment>((all, name) => {
    const { [name]: text } = claim;
    if (text === undefined) return all;
    if (typeof text !== 'string') throw new OutputsFault(`has an output ${place} whose ${name} for ${domain} is ${kindOf(text)}, not a text; ${EDITED}`);
    return { ...all, [name]: text };
  }, {});
  const records = recordsOf(claim);
  if (policy === undefined) return { domain, id, ...told, ...records };
  if (typeof policy !== 'string') throw new OutputsFault(`has an output ${place} whose policy for ${domain} is ${kindOf(policy)}, not a text; ${EDITED}`);
  const hash = policyHash(policy);
  if (hashOfPolicyId(id) !== hash) {
    throw new OutputsFault(`has an output ${place} whose policy for ${domain} has the hash ${hash}, but whose id is ${id}; ${EDITED}`);
  }
  return { domain, id, policy, ...told, ...records };
}

function recordsOf({ target, tlsRpt, validation }: Readonly<Record<string, unknown>>): DeployedRecords {
  const { name, value } = isObject(validation) ? validation : {};
  return {
    ...isHost(target) && { target },
    ...typeof tlsRpt === 'string' && parseTlsRpt([tlsRpt]).verdict === 'valid' && { tlsRpt },
    ...isHost(name) && isHost(value) && { validation: { name, value } },
  };
}

/** Names that validate begin with an underscore. */
function isHost(name: unknown): name is string {
  return typeof name === 'string' && name.includes('.') && hostNameProblem(name.replace(/(^|\.)_/g, '$1')) === undefined;
}

const EDITED = 'it was changed after the deployment, so deploy again';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

function shown(name: string): string {
  return safeText(name, 80);
}
