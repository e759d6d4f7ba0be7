// Deploys without one right of the function: the deployment fails and names the missing right, or succeeds with a warning.
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, itemsOf, membersOf, textOf } from '../../../../lib/preview/json';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readLiveState } from '../../environment/app/live-state';
import { readFunctionCalls } from '../../environment/aws/rights-log';
import { findStack } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';

/** A right to remove from the role of the function. */
export interface RemovedRight {
  readonly action: string;
  /** Part of the resource in the policy statement. */
  readonly resourcePart: string;
  /** Matches the reason of a deployment that fails, or the stack output of one that succeeds. */
  readonly says: RegExp;
  /** @default failed */
  readonly outcome?: 'deployed';
}

export const REMOVED_RIGHTS: readonly RemovedRight[] = [
  {
    action: 'route53:ListResourceRecordSets',
    resourcePart: ':hostedzone/',
    says: /route53:ListResourceRecordSets failed: AccessDenied: .*The role of the function must be allowed route53:ListResourceRecordSets/,
  },
  { action: 's3:PutObject', resourcePart: 'mta-sts.example.test/.well-known/mta-sts.txt', says: /s3:PutObject failed: AccessDenied: .*The role of the function must be allowed s3:PutObject/ },
  {
    action: 's3:PutObject',
    resourcePart: 'ledger/',
    outcome: 'deployed',
    says: /s3:PutObject failed: AccessDenied: .*The role of the function must be allowed s3:PutObject/,
  },
];

/** Rights that this run has removed so far. Empty in `quick`. */
export const removedSoFar: RemovedRight[] = [];

/**
 * Deploys a policy without a right of the function.
 *
 * @param current - the deployed policy
 * @param wanted - another policy
 */
export async function deployWithoutRight(
  environment: TestEnvironment, right: RemovedRight, current: AppContext, wanted: AppContext,
): Promise<string> {
  const { action, resourcePart, says, outcome } = right;
  const { emulator, paths, cli } = environment;
  await environment.synth(wanted);
  const before = await readLiveState(environment);
  const denied = readFunctionCalls(emulator).length;
  const app = join(paths.folder, `without-${action.replace(':', '-')}-${denied}`);
  cpSync(environment.assembly(wanted), app, { recursive: true });
  removeRight(app, action, resourcePart);
  removedSoFar.push(right);
  const ended = await cli.cdk('deploy', '--app', app, '--require-approval', 'never');
  if (!readFunctionCalls(emulator).slice(denied).some((call) => call.action === action && call.resource.includes(resourcePart) && call.denied !== '')) {
    throw new Error(`no such call was denied; cdk deploy ended with status ${ended.status ?? 'none'}:\n${ended.output}`);
  }
  if (outcome === 'deployed') {
    expectEnd(ended, 0, 'cdk deploy');
    const { output } = await readLiveState(environment);
    if (!says.test(output)) throw new Error(`the output is ${output}`);
    // Restore the policy for the following assertions.
    expectEnd(await cli.cdk('deploy', '--app', environment.assembly(current), '--require-approval', 'never'), 0, 'cdk deploy');
    return `the output: ${output.slice(0, 300)}`;
  }
  expectEnd(ended, 1, 'cdk deploy');
  const reason = ended.output.split('\n').find((line) => says.test(line));
  if (reason === undefined) throw new Error(`the command printed no reason that matches ${String(says)}:\n${ended.output}`);
  const stack = await findStack(emulator.cloudformation, STACK);
  const after = await readLiveState(environment);
  const isSame = after.records.join() === before.records.join()
    && after.files.every((file, index) => file.toString() === before.files.at(index)?.toString());
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE' || !isSame) {
    throw new Error(`the stack is ${stack?.status ?? 'gone'}, published is ${after.records.join(', ')}, before it was ${before.records.join(', ')}`);
  }
  return `${stack.status} after ${ended.seconds.toFixed(1)} s: ${reason.trim().slice(0, 400)}`;
}

/** Removes an action from the policy statements of an assembly, and gives the changed template a new asset hash. */
function removeRight(app: string, action: string, resourcePart: string): void {
  const file = join(app, `${STACK}.template.json`);
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  let count = 0;
  const withoutAction = (statement: unknown): readonly unknown[] => {
    const original = at(statement, 'Action');
    const actions = Array.isArray(original) ? itemsOf(original) : [original];
    if (textOf(at(statement, 'Effect')) !== 'Allow' || !actions.includes(action) || !JSON.stringify(statement).includes(resourcePart)) return [statement];
    count += 1;
    const left = actions.filter((item) => item !== action);
    return left.length === 0 ? [] : [{ ...Object.fromEntries(membersOf(statement)), Action: left }];
  };
  const changed: unknown = JSON.parse(JSON.stringify(parsed), (name, value: unknown) => name === 'Statement' ? itemsOf(value).flatMap(withoutAction) : value);
  if (count !== 1) throw new Error(`${count} statements allow ${action} on ${resourcePart}, expected 1`);
  writeFileSync(file, JSON.stringify(changed));
  const manifest = readFileSync(join(app, `${STACK}.assets.json`), 'utf8');
  const hash = /"([0-9a-f]{64})": \{\s*"displayName": "[^"]*Template"/.exec(manifest)?.at(1);
  if (hash === undefined) throw new Error(`the asset manifest has no template: ${manifest}`);
  const newHash = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  for (const name of [`${STACK}.assets.json`, 'manifest.json']) {
    writeFileSync(join(app, name), readFileSync(join(app, name), 'utf8').replaceAll(hash, newHash));
  }
}
