// Custom::MtaStsPublication: publishes the policy of an event. A late or repeated event changes nothing.
import type { PublicationAttributes } from '../../contract/custom-resources';
import { parseS3Url, s3Url } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import type { OperationContext } from '../../operations/context/operation-context';
import type { PlannedPublication, PreviousPublication } from '../../operations/history/recorder';
import { deletePolicy } from '../../operations/publish/policy-object';
import { Publication } from '../../operations/publish/publish';
import type { PolicyHostDns, PublishInput, PublishResult } from '../../operations/publish/publish';
import { mayBeRollingBack } from '../../operations/stack';
import { isObject } from '../../util/objects';
import { EventNotCurrent, eventStatus, isDeleteCurrent, requireCurrent, ownerState } from './current-event';
import type { Attributes, CustomResource, CustomResourceType } from './custom-resource';
import type { DeploymentEvent, Properties } from './event';
import { attribute, outputText } from './failure-message';
import { domainProperty, givenIdProperty, optionalZoneIdProperty, policyProperty, textProperty } from './properties';
import type { PlannedPolicy } from './properties';

/** The type of custom resource. */
export const PUBLICATION: CustomResourceType = {
  create: publicationResource,
  ignoresUnreadableProperties: () => false,
  remove: removePublication,
};

function publicationResource(event: DeploymentEvent): CustomResource {
  const input = publishInput(event);
  const publication = new Publication(input);
  const { url: physicalResourceId } = publication;
  const isNew = event.requestType === 'Create' || event.physicalResourceId !== physicalResourceId;
  const attributes = (): Attributes => ({ ...publicationAttributes(publication.result, input) });

  const work = async (context: OperationContext): Promise<Attributes> => {
    await requireCurrent(context, event);
    try {
      await publication.run(context);
    } catch (error) {
      if (error instanceof EventNotCurrent && publication.hasWritten) await leaveToOtherEvent(context, event, publication);
      throw error;
    }
    const published = attributes();
    context.log.info('published', published);
    return published;
  };

  const undo = async (context: OperationContext): Promise<void> => {
    if (!publication.hasStarted || !isNew) return;
    if (await mayDelete(context, event, publication)) await publication.deleteFile(context);
    else context.log.warn('the policy file stays, because another event may have published it too', { ...input.object });
  };

  return {
    physicalResourceId, work, undo,
    ignoresFailure: (rollingBack) => rollingBack && publication.hasWritten,
    attributesOnIgnoredFailure: attributes,
  };
}

/** Reads the event. */
function publishInput(event: DeploymentEvent): PublishInput {
  const { properties, requestId, requestType } = event;
  const domain = domainProperty(properties);
  const dns = policyHostDns(properties);
  const planned = policyProperty(properties);
  return {
    domain,
    dns,
    bytes: planned.bytes,
    policy: plannedPublication(properties, planned),
    certificateArn: properties.Certificate === undefined ? undefined : textProperty(properties, 'Certificate'),
    object: { bucket: textProperty(properties, 'BucketName'), key: textProperty(properties, 'ObjectKey') },
    requestId,
    previous: requestType === 'Create' ? undefined : previousPublication(event),
    mayBeRollingBack: async (context) => mayBeRollingBack(context, event.stackId),
    requireCurrent: async (context) => requireCurrent(context, event),
  };
}

/** The zone's own name servers know the policy host. With external DNS, any resolver knows the distribution. */
function policyHostDns(properties: Properties): PolicyHostDns {
  const zoneId = optionalZoneIdProperty(properties);
  return zoneId === undefined ? { distribution: textProperty(properties, 'Distribution') } : { zoneId };
}

function plannedPublication(properties: Properties, planned: PlannedPolicy): PlannedPublication {
  return { ...planned.policy, hash: planned.hash, givenId: givenIdProperty(properties, planned) };
}

function previousPublication({ physicalResourceId, oldProperties }: DeploymentEvent): PreviousPublication {
  return { object: parseS3Url(physicalResourceId), policy: oldProperties && previousPolicy(oldProperties) };
}

/** Another version may have stored the policy in another format. The publication history is what counts. */
function previousPolicy(oldProperties: Properties): PlannedPublication | undefined {
  try {
    return plannedPublication(oldProperties, policyProperty(oldProperties));
  } catch {
    return undefined;
  }
}

/** Restores the file that CloudFormation has, after CloudFormation continued without this event. */
async function leaveToOtherEvent(context: OperationContext, event: DeploymentEvent, publication: Publication): Promise<void> {
  if (await ownerState(context, event, publication.url) === 'gone') await publication.deleteFile(context);
  else await publication.restorePublished(context);
}

/** Returns whether the file of this event may be deleted: no other event needs it. */
async function mayDelete(context: OperationContext, event: DeploymentEvent, publication: Publication): Promise<boolean> {
  if (await ownerState(context, event, publication.url) === 'gone') return true;
  const [writer, { current }] = await Promise.all([publication.lastWriter(context), eventStatus(context, event)]);
  // CloudFormation waits for one event of a resource at a time. So another event that has put the same file was late.
  return current === 'yes' ? writer !== 'another run' : current === 'unknown' && writer === 'this run';
}

/** Deletes the policy file, unless CloudFormation has a resource with the same file: then the Delete is late. */
async function removePublication(context: OperationContext, event: Properties): Promise<void> {
  const object = publishedObject(event);
  if (object === undefined) return;
  const { StackId: stackId, LogicalResourceId: logicalResourceId } = event;
  const isKnown = typeof stackId === 'string' && typeof logicalResourceId === 'string';
  if (!isKnown || await isDeleteCurrent(context, { stackId, logicalResourceId }, s3Url(object))) await deletePolicy(context, object);
  else context.log.warn('event-not-current: the policy file stays, because a resource of the stack still publishes it', { ...object });
}

/** Returns the file of a Delete. After a Create without an answer, CloudFormation knows no physical id, but it has the properties. */
function publishedObject(event: Properties): S3Location | undefined {
  const named = parseS3Url(event.PhysicalResourceId);
  if (named !== undefined) return named;
  const { BucketName: bucket, ObjectKey: key } = isObject(event.ResourceProperties) ? event.ResourceProperties : {};
  return typeof bucket === 'string' && bucket !== '' && typeof key === 'string' && key !== '' ? { bucket, key } : undefined;
}

const VALIDATION_UNKNOWN = 'not known: look at the certificate in AWS Certificate Manager';

function publicationAttributes(result: PublishResult, { dns, certificateArn }: PublishInput): PublicationAttributes {
  const { policyUrl, policyId = '', earliestRemoval, mxConflicts, validation } = result;
  const datedText = (text: string): string => outputText('zoneId' in dns ? text : withManualDelay(text));
  return {
    PolicyUrl: policyUrl,
    PolicyId: policyId,
    EarliestRemoval: datedText(earliestRemoval),
    Warnings: datedText(mxConflicts),
    ...certificateArn !== undefined && {
      ValidationName: attribute(validation?.name ?? VALIDATION_UNKNOWN),
      ValidationValue: attribute(validation?.value ?? VALIDATION_UNKNOWN),
    },
  };
}

/** The dates of the history assume that the record changes right after the file. A manual record changes later. */
function withManualDelay(text: string): string {
  return /\d{4}-\d\d-\d\dT/.test(text) ? `${text}; add the time by which the _mta-sts record was changed later than the deployment` : text;
}
