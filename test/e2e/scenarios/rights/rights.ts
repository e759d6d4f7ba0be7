// Proves that the rights of the Lambda functions suffice and allow nothing else. The emulator enforces them.
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readFunctionCalls, isByRole, describeCall } from '../../environment/aws/rights-log';
import type { AuthorizedCall } from '../../environment/aws/rights-log';
import type { TestEnvironment } from '../../environment/environment';
import { expectForbiddenCallsDenied, expectOtherPrincipalsDenied } from './rights-beyond';
import { REMOVED_RIGHTS, deployWithoutRight } from './rights-taken';

const FUNCTION_ROLE = 'CdkMtaStsHandlerRole';
const FRAMEWORK_ROLE = 'CdkMtaStsHandlerProviderRole';

const CURRENT: AppContext = { mode: 'testing' };
const WANTED: AppContext = { mode: 'enforce' };

/** Whether this part of an action selects a right that can be removed. */
export function hasRight(only: string): boolean {
  return REMOVED_RIGHTS.some(({ action }) => action.includes(only));
}

/** @param only - part of the action to remove, or `quick` for none, because the function waits a minute for late rights */
export async function rightsScenario(environment: TestEnvironment, only = ''): Promise<void> {
  const { table } = environment;
  table.begin('Rights');
  await environment.ensureDeployed(CURRENT);
  await table.prove('every call of a function so far used its own role, and none was denied', () => {
    const calls = readFunctionCalls(environment.emulator);
    const foreign = calls.filter((call) => roleIn(call) === undefined || call.denied !== '');
    if (calls.length === 0 || foreign.length > 0) throw new Error(`of ${calls.length} calls: ${foreign.map(describeCall).join(', ') || 'none seen'}`);
    return [FUNCTION_ROLE, FRAMEWORK_ROLE].map((role) => {
      const actions = calls.filter((call) => roleIn(call) === role).map(({ action }) => action);
      return `${role}: ${actions.length} calls, ${[...new Set(actions)].sort().join(', ')}`;
    }).join('\n');
  });
  await table.prove('the credentials of the function do not permit writing, reading or listing other objects, or changing records', () => expectForbiddenCallsDenied(environment));
  await table.prove('the bucket permits only reads by CloudFront beside the function, over https and with a valid signature', () => expectOtherPrincipalsDenied(environment));
  const removed = REMOVED_RIGHTS.filter(({ action }) => only !== 'quick' && action.includes(only));
  for (const right of removed) {
    const outcome = right.outcome === 'deployed' ? 'the deployment succeeds and warns about it' : 'the deployment fails with the reason and is rolled back';
    await table.prove(`without ${right.action} (${right.resourcePart}), ${outcome}`, () => deployWithoutRight(environment, right, CURRENT, WANTED));
  }
  if (removed.length === 0) return;
  await table.prove('the same deployment succeeds with all rights', async () => {
    const { status, seconds, output } = await environment.deploy(WANTED);
    expectEnd({ status, seconds, output }, 0, 'cdk deploy');
    return `after ${seconds.toFixed(1)} s`;
  });
}

function roleIn(call: AuthorizedCall): string | undefined {
  return [FUNCTION_ROLE, FRAMEWORK_ROLE].find((role) => isByRole(call, STACK, role));
}
