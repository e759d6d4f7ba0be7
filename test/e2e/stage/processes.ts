// The processes of the Lambda functions on the stage.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * What runs this project's function.
 *
 * @param folder - of the stage: only what runs below it is looked at
 */
export function functionProcesses(folder: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/ministack-lambda-`)
        // Not by the name: of a long one CloudFormation leaves little. The framework's own function is told whom to call.
        && functionName(pid) !== '' && environment(pid).every((entry) => !entry.startsWith('USER_ON_EVENT_FUNCTION_ARN='));
    } catch {
      return false;
    }
  });
}

/** The name of the function that a process runs; empty where it runs none. */
export function functionName(pid: number): string {
  const prefix = 'AWS_LAMBDA_FUNCTION_NAME=';
  return environment(pid).find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? '';
}

function environment(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

/**
 * Kills them, as Lambda's host can die.
 *
 * @param folder - of the stage
 * @throws Error where there is none
 */
export function killFunction(folder: string): void {
  const found = functionProcesses(folder);
  if (found.length === 0) throw new Error('no process runs the function');
  for (const pid of found) process.kill(pid, 'SIGKILL');
}
