// Where the output of a construct is: in a stack that `cdk deploy --outputs-file` and pipelines read, which is never a nested one.
import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { outermostStack } from './us-east-1-stack';

/** The stack whose outputs tell what is published. */
export function outputStack(scope: Construct): Stack {
  return outermostStack(Stack.of(scope));
}

/**
 * The scope for an output.
 *
 * @param scope - what the output is of
 * @returns the same, or, where that is in a nested stack, a scope for it alone in the outermost one
 */
export function outputScope(scope: Construct): Construct {
  const stack = Stack.of(scope);
  const outermost = outputStack(scope);
  if (outermost === stack) return scope;
  // The whole path, since ids are unique among siblings only.
  const path = scope.node.scopes.slice(outermost.node.scopes.length).map(({ node }) => node.id).join('/');
  return new Construct(outermost, `MtaStsOutput/${path}`);
}
