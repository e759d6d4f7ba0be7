// Reads the value that an escape hatch of CDK, `addPropertyOverride()`, gives to a property of a resource.
import type { CfnResource } from 'aws-cdk-lib';

/**
 * Returns the value that replaces a property. Returns undefined if there is none, or if CDK stores it elsewhere: no API returns it.
 *
 * @param property - name in CloudFormation, for example `OwnershipControls`
 */
export function overriddenProperty(made: CfnResource, property: string): unknown {
  return ['Properties', property].reduce<unknown>((value, name) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }, Reflect.get(made, 'rawOverrides'));
}
