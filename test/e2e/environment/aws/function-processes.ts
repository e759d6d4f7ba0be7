// Finds and kills the processes of Lambda functions.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Environment variable of the framework's function. The name of a function does not identify it, because CloudFormation shortens names. */
const FRAMEWORK_VARIABLE = 'USER_ON_EVENT_FUNCTION_ARN=';

/**
 * Finds the processes of this project's function.
 *
 * @param folder - folder of the run; processes that run elsewhere are ignored
 */
export function findFunctionProcesses(folder: string): readonly number[] {
  return findLambdaProcesses(folder).filter((pid) => readEnvironment(pid).every((entry) => !entry.startsWith(FRAMEWORK_VARIABLE)));
}

/** Finds the processes of all functions. */
function findLambdaProcesses(folder: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/ministack-lambda-`) && readFunctionName(pid) !== '';
    } catch {
      return false;
    }
  });
}

/** Finds the processes of the framework's functions, which pass events on to this project's function. */
function findFrameworkProcesses(folder: string): readonly number[] {
  return findLambdaProcesses(folder).filter((pid) => readEnvironment(pid).some((entry) => entry.startsWith(FRAMEWORK_VARIABLE)));
}

/** Returns the name of the function that a process runs, or an empty string. */
export function readFunctionName(pid: number): string {
  const prefix = 'AWS_LAMBDA_FUNCTION_NAME=';
  return readEnvironment(pid).find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? '';
}

function readEnvironment(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

/**
 * Kills this project's function, as if its host in Lambda had failed.
 *
 * @param folder - folder of the run
 * @throws Error if no process runs it
 */
export function killFunction(folder: string): void {
  killAll(findFunctionProcesses(folder));
}

/**
 * Kills the framework's functions. CloudFormation then gets no answer, and Lambda calls the framework again with the same event.
 *
 * @param folder - folder of the run
 * @throws Error if no process runs them
 */
export function killFramework(folder: string): void {
  killAll(findFrameworkProcesses(folder));
}

function killAll(pids: readonly number[]): void {
  if (pids.length === 0) throw new Error('no process runs the function');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}
