// Scope for the outputs of a construct: `cdk deploy --outputs-file` and pipelines read only outputs of stacks that are not nested.
import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { outermostStack } from './us-east-1-stack';

/** Returns the stack that gets the outputs of a construct. */
export function outputStack(scope: Construct): Stack {
  return outermostStack(Stack.of(scope));
}

/**
 * Returns the scope for an output of a construct: the construct itself, or a new construct in the outermost stack if it is in a nested
 * one.
 */
export function outputScope(scope: Construct): Construct {
  const outermost = outputStack(scope);
  if (outermost === Stack.of(scope)) return scope;
  // Use the whole path: ids are unique only among siblings.
  const path = scope.node.scopes.slice(outermost.node.scopes.length).map(({ node }) => node.id).join('/');
  return new Construct(outermost, `MtaStsOutput/${path}`);
}
