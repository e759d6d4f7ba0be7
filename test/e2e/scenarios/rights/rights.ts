// The rights of the Lambda functions: that they suffice, and that they end there. The emulator enforces them.
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readFunctionCalls, isByRole, describeCall } from '../../environment/aws/rights-log';
import type { AuthorizedCall } from '../../environment/aws/rights-log';
import type { TestEnvironment } from '../../environment/environment';
import { attempts, foreignPrincipals } from './rights-beyond';
import { REMOVED_RIGHTS, without } from './rights-taken';

const FUNCTION_ROLE = 'CdkMtaStsHandlerRole';
const FRAMEWORK_ROLE = 'CdkMtaStsHandlerProviderRole';

const CURRENT: AppContext = { mode: 'testing' };
const WANTED: AppContext = { mode: 'enforce' };

/** Whether this part of an action selects any right that can be taken away. */
export function hasRight(only: string): boolean {
  return REMOVED_RIGHTS.some(({ action }) => action.includes(only));
}

/** @param only - a part of the action to take away, or `quick` for none: the function waits a minute for rights that come late */
export async function rightsScenario(environment: TestEnvironment, only = ''): Promise<void> {
  const { table } = environment;
  table.begin('Rights');
  await environment.ensureDeployed(CURRENT);
  await table.prove('each call of a function so far was its own role\'s, and none was denied', () => {
    const calls = readFunctionCalls(environment.emulator);
    const foreign = calls.filter((call) => roleIn(call) === undefined || call.denied !== '');
    if (calls.length === 0 || foreign.length > 0) throw new Error(`of ${calls.length} calls: ${foreign.map(describeCall).join(', ') || 'none seen'}`);
    return [FUNCTION_ROLE, FRAMEWORK_ROLE].map((role) => {
      const actions = calls.filter((call) => roleIn(call) === role).map(({ action }) => action);
      return `${role}: ${actions.length} calls, ${[...new Set(actions)].sort().join(', ')}`;
    }).join('\n');
  });
  await table.prove('with its credentials nobody can write other objects or records, or read or list what is not its own', () => attempts(environment));
  await table.prove('the bucket is open to nobody else but CloudFront\'s reads, over https, with a true signature', () => foreignPrincipals(environment));
  const taken = REMOVED_RIGHTS.filter(({ action }) => only !== 'quick' && action.includes(only));
  for (const right of taken) {
    const outcome = right.outcome ?? 'the deployment fails, says so and is taken back';
    await table.prove(`without ${right.action} (${right.of}): ${outcome}`, () => without(environment, right, CURRENT, WANTED));
  }
  if (taken.length === 0) return;
  await table.prove('with all rights back the same deployment goes through', async () => {
    const { status, seconds, output } = await environment.deploy(WANTED);
    expectEnd({ status, seconds, output }, 0, 'cdk deploy');
    return `after ${seconds.toFixed(1)} s`;
  });
}

function roleIn(call: AuthorizedCall): string | undefined {
  return [FUNCTION_ROLE, FRAMEWORK_ROLE].find((role) => isByRole(call, STACK, role));
}
