// What a deployment does without a right that the function has: it fails and names it, or does without.
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

/** A right that is taken away. */
export interface RemovedRight {
  readonly action: string;
  /** A part of the resource that the statement names. */
  readonly of: string;
  /** What the command says of a deployment that fails, or the output of one that does without. */
  readonly says: RegExp;
  /** @default fails */
  readonly outcome?: 'does without';
}

export const REMOVED_RIGHTS: readonly RemovedRight[] = [
  {
    action: 'route53:ListResourceRecordSets',
    of: ':hostedzone/',
    says: /route53:ListResourceRecordSets failed: AccessDenied: .*The role of the function must be allowed route53:ListResourceRecordSets/,
  },
  { action: 's3:PutObject', of: 'mta-sts.example.test/.well-known/mta-sts.txt', says: /s3:PutObject failed: AccessDenied: .*The role of the function must be allowed s3:PutObject/ },
  {
    action: 's3:PutObject',
    of: 'ledger/',
    outcome: 'does without',
    says: /s3:PutObject failed: AccessDenied: .*The role of the function must be allowed s3:PutObject/,
  },
];

/** What this run has really taken away; in `quick` nothing. */
export const took: RemovedRight[] = [];

/**
 * @param stands - the policy that is deployed
 * @param wanted - another one
 */
export async function without(environment: TestEnvironment, right: RemovedRight, stands: AppContext, wanted: AppContext): Promise<string> {
  const { action, of, says, outcome } = right;
  const { emulator, paths, cli } = environment;
  await environment.synth(wanted);
  const before = await readLiveState(environment);
  const denied = readFunctionCalls(emulator).length;
  const app = join(paths.folder, `without-${action.replace(':', '-')}-${denied}`);
  cpSync(environment.assembly(wanted), app, { recursive: true });
  take(app, action, of);
  took.push(right);
  const ended = await cli.cdk('deploy', '--app', app, '--require-approval', 'never');
  if (!readFunctionCalls(emulator).slice(denied).some((call) => call.action === action && call.resource.includes(of) && call.denied !== '')) {
    throw new Error(`no such call was denied; cdk deploy ended with status ${ended.status ?? 'none'}:\n${ended.output}`);
  }
  if (outcome === 'does without') {
    expectEnd(ended, 0, 'cdk deploy');
    const { output } = await readLiveState(environment);
    if (!says.test(output)) throw new Error(`the output says ${output}`);
    // As it was, for what follows.
    expectEnd(await cli.cdk('deploy', '--app', environment.assembly(stands), '--require-approval', 'never'), 0, 'cdk deploy');
    return `the output: ${output.slice(0, 300)}`;
  }
  expectEnd(ended, 1, 'cdk deploy');
  const reason = ended.output.split('\n').find((line) => says.test(line));
  if (reason === undefined) throw new Error(`the command did not say ${String(says)}:\n${ended.output}`);
  const stack = await findStack(emulator.cloudformation, STACK);
  const after = await readLiveState(environment);
  const isSame = after.records.join() === before.records.join() && after.files.every((file, index) => file.equals(before.files[index]));
  if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE' || !isSame) {
    throw new Error(`the stack is ${stack?.status ?? 'gone'}, announced is ${after.records.join(', ')}, was ${before.records.join(', ')}`);
  }
  return `${stack.status} after ${ended.seconds.toFixed(1)} s: ${reason.trim().slice(0, 400)}`;
}

/** Takes an action out of the statements of an assembly, and gives its template another name in the bucket of assets. */
function take(app: string, action: string, of: string): void {
  const file = join(app, `${STACK}.template.json`);
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  let count = 0;
  const rest = (statement: unknown): readonly unknown[] => {
    const given = at(statement, 'Action');
    const actions = Array.isArray(given) ? itemsOf(given) : [given];
    if (textOf(at(statement, 'Effect')) !== 'Allow' || !actions.includes(action) || !JSON.stringify(statement).includes(of)) return [statement];
    count += 1;
    const left = actions.filter((item) => item !== action);
    return left.length === 0 ? [] : [{ ...Object.fromEntries(membersOf(statement)), Action: left }];
  };
  const changed: unknown = JSON.parse(JSON.stringify(parsed), (name, value: unknown) => name === 'Statement' ? itemsOf(value).flatMap(rest) : value);
  if (count !== 1) throw new Error(`${count} statements allow ${action} on ${of}`);
  writeFileSync(file, JSON.stringify(changed));
  const manifest = readFileSync(join(app, `${STACK}.assets.json`), 'utf8');
  const hash = /"([0-9a-f]{64})": \{\s*"displayName": "[^"]*Template"/.exec(manifest)?.at(1);
  if (hash === undefined) throw new Error(`the manifest of assets has no template: ${manifest}`);
  const other = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  for (const name of [`${STACK}.assets.json`, 'manifest.json']) {
    writeFileSync(join(app, name), readFileSync(join(app, name), 'utf8').replaceAll(hash, other));
  }
}
