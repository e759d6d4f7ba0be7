// What the roles of the stack were allowed, against all that they asked for in its whole life.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { readFunctionCalls, isUsed, listTemplateRights, describeCall } from '../../environment/aws/rights-log';
import type { TestEnvironment } from '../../environment/environment';
import { took } from './rights-taken';

const DEPLOYED: AppContext = { mode: 'testing' };

/** What a signature of another time than now is refused with. */
const WRONG_TIME = 'RequestTimeTooSkewed';

/** Rights that no call on the stage shows, and why they are given. */
const UNSEEN: Readonly<Record<string, string>> = {
  'lambda:GetFunction': 'the framework asks while a new function is not active yet',
  's3:DeleteObjectVersion': 'for a bucket with versioning, as in the scene `elsewhere`',
  's3:ListBucketVersions': 'for a bucket with versioning, as in the scene `elsewhere`',
  'logs:CreateLogStream': 'Lambda itself uses it',
  'logs:PutLogEvents': 'Lambda itself uses it',
};

/** After the stack is gone: what it was allowed, against all that it asked for. Needs `preflight`, `deploy`, `change` and `destroy`. */
export async function usedScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator } = environment;
  table.begin('Rights used');
  await table.prove('each right of the roles was used in deployments, changes, rollbacks and the end', () => {
    const calls = readFunctionCalls(emulator);
    const rights = listTemplateRights(template(environment.assembly(DEPLOYED)));
    const lines = rights.map((right) => {
      const reason = Object.hasOwn(UNSEEN, right.action) ? UNSEEN[right.action] : undefined;
      const used = isUsed(right, STACK, calls);
      return { wrong: used === (reason !== undefined), line: `${right.role} ${right.action} ${right.resource}: ${used ? 'used' : reason ?? 'never used'}` };
    });
    const wrong = lines.filter((line) => line.wrong);
    if (lines.length === 0 || wrong.length > 0) throw new Error(wrong.map(({ line }) => line).join('\n') || 'the template gives no rights');
    return lines.map(({ line }) => line).join('\n');
  });
  await table.prove('denied was nothing but what had been taken away', () => {
    const calls = readFunctionCalls(emulator);
    if (calls.length === 0) throw new Error('no call of a function was seen');
    // A clock that was made wrong is no question of rights: the SDK puts it right by the answer, and asks again.
    const denied = calls.filter((call) => call.denied !== '' && call.denied !== WRONG_TIME);
    const wrong = denied.filter((call) => !took.some(({ action, of }) => call.action === action && call.resource.includes(of)));
    if (wrong.length > 0) throw new Error(wrong.map(describeCall).join(', '));
    return `${denied.length} calls of ${calls.length}; taken away was ${took.map(({ action, of }) => `${action} (${of})`).join(', ') || 'nothing'}`;
  });
}

function template(assembly: string): unknown {
  return JSON.parse(readFileSync(join(assembly, `${STACK}.template.json`), 'utf8'));
}
