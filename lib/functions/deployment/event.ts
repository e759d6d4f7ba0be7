// Reads the event of a custom resource. No part of it is trusted.
import { deploymentFailure } from '../../operations/failures';
import type { DeploymentFailure } from '../../operations/failures';
import { isObject } from '../../util/objects';
import { safeText } from '../../util/safe-text';

/** Properties of a custom resource, as CloudFormation sends them. */
export type Properties = Readonly<Record<string, unknown>>;

/** A Create or an Update. A Delete is answered before its event is read. */
export interface DeploymentEvent {
  readonly requestType: 'Create' | 'Update';
  readonly resourceType: string;
  readonly stackId: string;
  readonly logicalResourceId: string;
  /** The id of this event. An event that comes twice has the same id both times. */
  readonly requestId: string;
  readonly properties: Properties;
  /** The properties before. Update only. */
  readonly oldProperties?: Properties;
  /** The current id. Update only. */
  readonly physicalResourceId?: string;
}

/**
 * Reads an event.
 *
 * @throws DeploymentFailure `properties-invalid` for the first invalid value
 */
export function readEvent(event: unknown): DeploymentEvent {
  if (!isObject(event)) throw invalidProperty(`the event must be an object, got ${shown(event)}`);
  const { RequestType: requestType } = event;
  if (requestType !== 'Create' && requestType !== 'Update') {
    throw invalidProperty(`\`RequestType\` of the event must be Create, Update or Delete, got ${shown(requestType)}`);
  }
  const { ResourceProperties: properties, OldResourceProperties: oldProperties } = event;
  if (!isObject(properties)) throw invalidProperty(`\`ResourceProperties\` of the event must be an object, got ${shown(properties)}`);
  return {
    requestType,
    resourceType: text(event, 'ResourceType'),
    stackId: text(event, 'StackId'),
    logicalResourceId: text(event, 'LogicalResourceId'),
    requestId: text(event, 'RequestId'),
    properties,
    oldProperties: requestType === 'Update' && isObject(oldProperties) ? oldProperties : undefined,
    physicalResourceId: requestType === 'Update' ? text(event, 'PhysicalResourceId') : undefined,
  };
}

/** Returns whether an event is a Delete, even if the rest of it is malformed. */
export function isDelete(event: unknown): event is Properties {
  return isObject(event) && event.RequestType === 'Delete';
}

/** Returns the event for a log, without its response URL: anyone with that URL could answer in place of the function. */
export function loggable(event: unknown): unknown {
  return isObject(event) && 'ResponseURL' in event ? { ...event, ResponseURL: '...' } : event;
}

/** Returns a value as text for a message. */
export function shown(value: unknown): string {
  return value === undefined ? 'nothing' : safeText(JSON.stringify(value), 80);
}

function text(event: Properties, name: string): string {
  const value = event[name];
  if (typeof value !== 'string' || value === '') throw invalidProperty(`\`${name}\` of the event must be a text, got ${shown(value)}`);
  return value;
}

/** Returns the error of an event or a property that the function cannot read. */
export function invalidProperty(message: string): DeploymentFailure {
  return deploymentFailure('properties-invalid', `${message}. The step did not start. Deploy the template as the app synthesizes it.`);
}
