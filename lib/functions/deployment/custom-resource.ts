// What each custom resource tells the handler: how to do it, how to take it back, and what may be forgiven.
import type { OperationContext } from '../../operations/context/operation-context';

/** The attributes of a resource, for `Fn::GetAtt`. */
export type Attributes = Readonly<Record<string, string>>;

/** One Create or Update. */
export interface CustomResource {
  /** Stable: another one makes CloudFormation delete the old resource. */
  readonly physicalResourceId: string;
  /** Does it. */
  readonly work: (context: OperationContext) => Promise<Attributes>;
  /** Whether the deployment goes on although it failed: a check must not fail a rollback, work that is undone must. */
  readonly ignoresFailure: (rollingBack: boolean) => boolean;
  /** The attributes all the same, when it is forgiven. */
  readonly attributesOnIgnoredFailure: (message: string) => Attributes;
  /** Takes away what a failed Create or replacement wrote: CloudFormation would never ask for it. */
  readonly undo?: (context: OperationContext) => Promise<void>;
}
