// The processes of the Lambda functions on the stage.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Not by the name: of a long one CloudFormation leaves little. The framework's own function is told whom to call. */
const HANDS_ON = 'USER_ON_EVENT_FUNCTION_ARN=';

/**
 * What runs this project's function.
 *
 * @param folder - of the stage: only what runs below it is looked at
 */
export function findFunctionProcesses(folder: string): readonly number[] {
  return findLambdaProcesses(folder).filter((pid) => readEnvironment(pid).every((entry) => !entry.startsWith(HANDS_ON)));
}

/** Of any function. */
function findLambdaProcesses(folder: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/ministack-lambda-`) && readFunctionName(pid) !== '';
    } catch {
      return false;
    }
  });
}

/** What runs the framework's functions, which hand events on to this project's. */
function findFrameworkProcesses(folder: string): readonly number[] {
  return findLambdaProcesses(folder).filter((pid) => readEnvironment(pid).some((entry) => entry.startsWith(HANDS_ON)));
}

/** The name of the function that a process runs; empty where it runs none. */
export function readFunctionName(pid: number): string {
  const prefix = 'AWS_LAMBDA_FUNCTION_NAME=';
  return readEnvironment(pid).find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? '';
}

function readEnvironment(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

/**
 * Kills them, as Lambda's host can die.
 *
 * @param folder - of the stage
 * @throws Error where there is none
 */
export function killFunction(folder: string): void {
  killAll(findFunctionProcesses(folder));
}

/**
 * Kills those of the framework: nobody answers CloudFormation then, and Lambda calls the framework again with the same event.
 *
 * @param folder - of the stage
 * @throws Error where there is none
 */
export function killFramework(folder: string): void {
  killAll(findFrameworkProcesses(folder));
}

function killAll(found: readonly number[]): void {
  if (found.length === 0) throw new Error('no process runs the function');
  for (const pid of found) process.kill(pid, 'SIGKILL');
}
