// The synthesizer that a user gave to a stack, for a stack of ours inside it: the account is bootstrapped for its qualifier and roles.
import { StackSynthesizer, Validations, isReusableStackSynthesizer } from 'aws-cdk-lib';
import type { IReusableStackSynthesizer, Stack } from 'aws-cdk-lib';

/**
 * What the stack was given, by itself or by its app, to be given to another stack as well.
 *
 * A stack holds a copy that is bound to it and cannot be bound again. CDK's own synthesizers make that copy from what was given as the
 * prototype, and no API tells of it otherwise.
 *
 * @returns nothing where it cannot be known: the other stack gets that of the app, and `checkSynthesizer()` tells where it matters
 */
export function givenSynthesizer(stack: Stack): IReusableStackSynthesizer | undefined {
  const given: unknown = Object.getPrototypeOf(stack.synthesizer);
  // A class's own prototype has a constructor, and is no synthesizer.
  const isOne = given instanceof StackSynthesizer && !Object.hasOwn(given, 'constructor');
  return isOne && isReusableStackSynthesizer(given) ? given : undefined;
}

/** Warns where the stack inside is not synthesized as its outer one. */
export function checkSynthesizer(inner: Stack, outer: Stack): void {
  const [ours, theirs] = [inner.synthesizer, outer.synthesizer];
  if (ours.constructor === theirs.constructor && ours.bootstrapQualifier === theirs.bootstrapQualifier) return;
  Validations.of(inner).addWarning('cdk-mta-sts:synthesizer',
    `the stack '${inner.stackName}' is synthesized as the app's stacks are (${described(inner)}), not as the stack '${outer.stackName}' is `
    + `(${described(outer)}), whose synthesizer can be used for one stack only; give one that can be used again to the app `
    + '(`defaultStackSynthesizer`), or see to it that the account is bootstrapped for both');
}

function described({ synthesizer }: Stack): string {
  const { bootstrapQualifier } = synthesizer;
  return `${synthesizer.constructor.name}, ${bootstrapQualifier === undefined ? 'no qualifier' : `qualifier ${bootstrapQualifier}`}`;
}
