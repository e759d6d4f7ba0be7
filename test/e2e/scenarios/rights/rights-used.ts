// Compares the rights of the stack's roles with all calls that the functions made while the stack existed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { readFunctionCalls, isUsed, listTemplateRights, describeCall } from '../../environment/aws/rights-log';
import type { TestEnvironment } from '../../environment/environment';
import { removedSoFar } from './rights-taken';

const DEPLOYED: AppContext = { mode: 'testing' };

/** Error code for a signature with a wrong time. */
const WRONG_TIME = 'RequestTimeTooSkewed';

/** Rights that no call in the test environment uses, each with its reason. */
const UNUSED_RIGHTS: Readonly<Record<string, string>> = {
  'lambda:GetFunction': 'the framework calls it until a new function is active',
  's3:DeleteObjectVersion': 'for a bucket with versioning, as in the scenario `external-dns`',
  's3:ListBucketVersions': 'for a bucket with versioning, as in the scenario `external-dns`',
  'logs:CreateLogStream': 'Lambda itself uses it',
  'logs:PutLogEvents': 'Lambda itself uses it',
};

/** Runs after the stack was destroyed. Needs the scenarios `preflight`, `deploy`, `change` and `destroy`. */
export async function usedScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator } = environment;
  table.begin('Rights used');
  await table.prove('every right of the roles was used by a deployment, a change, a rollback or the removal', () => {
    const calls = readFunctionCalls(emulator);
    const rights = listTemplateRights(readTemplate(environment.assembly(DEPLOYED)));
    const lines = rights.map((right) => {
      const reason = Object.hasOwn(UNUSED_RIGHTS, right.action) ? UNUSED_RIGHTS[right.action] : undefined;
      const used = isUsed(right, STACK, calls);
      return { isWrong: used === (reason !== undefined), line: `${right.role} ${right.action} ${right.resource}: ${used ? 'used' : reason ?? 'never used'}` };
    });
    const wrong = lines.filter(({ isWrong }) => isWrong);
    if (lines.length === 0 || wrong.length > 0) throw new Error(wrong.map(({ line }) => line).join('\n') || 'the template gives no rights');
    return lines.map(({ line }) => line).join('\n');
  });
  await table.prove('no call was denied except those for removed rights', () => {
    const calls = readFunctionCalls(emulator);
    if (calls.length === 0) throw new Error('no call of a function was seen');
    // A clock fault is no missing right: the SDK corrects its clock by the answer, and tries again.
    const denied = calls.filter((call) => call.denied !== '' && call.denied !== WRONG_TIME);
    const wrong = denied.filter((call) => !removedSoFar.some(({ action, resourcePart }) => {
      return call.action === action && call.resource.includes(resourcePart);
    }));
    if (wrong.length > 0) throw new Error(wrong.map(describeCall).join(', '));
    return `${denied.length} of ${calls.length} calls were denied; removed rights: ${removedSoFar.map(({ action, resourcePart }) => `${action} (${resourcePart})`).join(', ') || 'none'}`;
  });
}

function readTemplate(assembly: string): unknown {
  return JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
}
