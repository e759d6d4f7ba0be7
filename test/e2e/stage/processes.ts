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
        // The framework's own function has the name in another variable.
        && functionName(pid).includes('CdkMtaStsHandlerFunction');
    } catch {
      return false;
    }
  });
}

/** The name of the function that a process runs; empty where it runs none. */
export function functionName(pid: number): string {
  const prefix = 'AWS_LAMBDA_FUNCTION_NAME=';
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? '';
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
