// Failures of operations: each has a stable code of the catalogue, and a message that names the problem, the consequence and the fix.
import type { DeploymentFailureCode } from '../contract/deployment-failures';
import { errorMessage } from '../util/errors';
import { AwsCallFailed } from './context/aws-call';

/** One reason why an operation failed. */
export interface Problem {
  readonly code: DeploymentFailureCode;
  /** The problem with its value, its consequence and its fix: sentences, the first one in lower case. */
  readonly message: string;
  /** Codes of the findings that the message names. */
  readonly findings?: readonly string[];
}

/** The error of an operation that must fail the deployment. Its message begins with a code, and several problems are numbered. */
export class DeploymentFailure extends Error {
  constructor(public readonly problems: readonly Problem[]) {
    super(problems.length === 1 ? problems.map(problemText).join('') : `${problems.length} failures: ${problems.map(numberedText).join(' ')}`);
    this.name = 'DeploymentFailure';
  }

  /** Every code that the message names, each once. */
  public get codes(): readonly string[] {
    return [...new Set(this.problems.flatMap(({ code, findings = [] }) => [code, ...findings]))];
  }
}

/** Returns the error of one problem. */
export function deploymentFailure(code: DeploymentFailureCode, message: string): DeploymentFailure {
  return new DeploymentFailure([{ code, message }]);
}

/** Returns any error as a failure with a code. */
export function toDeploymentFailure(error: unknown): DeploymentFailure {
  if (error instanceof DeploymentFailure) return error;
  const message = endSentence(errorMessage(error));
  if (!(error instanceof AwsCallFailed)) return deploymentFailure('unexpected-error', `${message} Read the log, and deploy again.`);
  if (error.isDenied) return deploymentFailure('aws-access-denied', message);
  return deploymentFailure('aws-call-failed', `${message} Fix the cause, and deploy again.`);
}

/** Ends a text of another source in one full stop. */
export function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function problemText({ code, message }: Problem): string {
  return `${code}: ${message}`;
}

function numberedText(problem: Problem, index: number): string {
  return `(${index + 1}) ${problemText(problem)}`;
}
