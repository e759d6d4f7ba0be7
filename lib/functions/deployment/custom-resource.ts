// The interface between the handler and one type of custom resource.
import type { OperationContext } from '../../operations/context/operation-context';
import type { DeploymentEvent, Properties } from './event';

/** The attributes of a resource, for `Fn::GetAtt`. */
export type Attributes = Readonly<Record<string, string>>;

/** One Create or Update. */
export interface CustomResource {
  /** The stable id. With another id, CloudFormation deletes the old resource. */
  readonly physicalResourceId: string;
  /** Does the work and returns the attributes. */
  readonly work: (context: OperationContext) => Promise<Attributes>;
  /** Returns whether the deployment continues after a failure. A check must not fail a rollback. */
  readonly ignoresFailure: (rollingBack: boolean) => boolean;
  /** Returns the attributes after an ignored failure. */
  readonly attributesOnIgnoredFailure: (message: string) => Attributes;
  /** Deletes what a failed Create or replacement wrote. CloudFormation would never ask for that. */
  readonly undo?: (context: OperationContext) => Promise<void>;
}

/** One type of custom resource. */
export interface CustomResourceType {
  /**
   * Reads the event.
   *
   * @throws DeploymentFailure `properties-invalid`
   */
  readonly create: (event: DeploymentEvent) => CustomResource;
  /**
   * Returns whether the deployment continues although the properties are not readable. In a rollback, another version may have written
   * them.
   */
  readonly ignoresUnreadableProperties: (rollingBack: boolean) => boolean;
  /** Handles a Delete, of an event that may be malformed. Missing for a type that leaves nothing behind. */
  readonly remove?: (context: OperationContext, event: Properties) => Promise<void>;
}
