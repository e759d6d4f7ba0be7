// Reads what an escape hatch of CDK, `addPropertyOverride()`, put in place of a property of a resource.
import type { CfnResource } from 'aws-cdk-lib';

/**
 * Returns the value that replaces a property; undefined where none does. No API tells: where CDK keeps it otherwise, it is undefined too.
 *
 * @param property - as CloudFormation calls it, `OwnershipControls`
 */
export function overriddenProperty(made: CfnResource, property: string): unknown {
  return ['Properties', property].reduce<unknown>((value, name) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }, Reflect.get(made, 'rawOverrides'));
}
