// Custom::MtaStsPublication: writes the policy file and proves it live, before anybody is told of it (RFC 8461 §8.1).
import { renderPolicy } from '../../protocol/policy/policy';
import type { Policy } from '../../protocol/policy/policy';
import { policyHash } from '../../protocol/policy/id';
import { policyHostName, policyUrl } from '../../protocol/policy/url';
import { announcedId } from './announced-id';
import { EventNotCurrent, ownerOf, requireCurrent, eventStatus } from '../../functions/deployment/current-event';
import type { DeploymentEvent, Properties } from '../../functions/deployment/event';
import { HistoryRecorder } from '../history/recorder';
import type { PlannedPublication } from '../history/recorder';
import { MxConflictCheck } from '../history/mx-conflicts';
import { atDistribution, atNameServers } from './policy-addresses';
import type { AskAddresses } from './policy-addresses';
import { deletePolicy, putPolicy } from './policy-object';
import { s3Url } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import { domainProperty, givenIdProperty, optionalZoneIdProperty, policyProperty, textProperty } from '../../functions/deployment/properties';
import type { PlannedPolicy } from '../../functions/deployment/properties';
import { proveLive } from './prove-live';
import { outputText } from '../../functions/deployment/failure-message';
import type { OperationContext } from '../context/operation-context';
import { mayBeRollingBack } from '../stack';
import type { Attributes, CustomResource } from '../../functions/deployment/custom-resource';
import { NO_RECORD, validationRecord } from './validation-record';

export function publicationTask(event: DeploymentEvent): CustomResource {
  const { properties, requestType, requestId: request, physicalResourceId: before, oldProperties } = event;
  const domain = domainProperty(properties);
  const policyHost = policyHostName(domain);
  const zoneId = optionalZoneIdProperty(properties);
  const askAddresses = whoKnows(properties, zoneId, policyHost);
  const planned = policyProperty(properties);
  const { bytes } = planned;
  const policy = plannedPublication(properties, planned);
  // Only where it is validated by hand.
  const certificate = properties.Certificate === undefined ? undefined : textProperty(properties, 'Certificate');
  const object = { bucket: textProperty(properties, 'BucketName'), key: textProperty(properties, 'ObjectKey') };

  const physicalResourceId = s3Url(object);
  const isNew = requestType === 'Create' || before !== physicalResourceId;
  const recorder = new HistoryRecorder({
    object,
    policy,
    requestId: request,
    before,
    previousPolicy: publishedBefore(oldProperties),
    readPublishedId: async (context) => announcedId(context, domain, zoneId),
    mayBeRollingBack: async (context) => mayBeRollingBack(context, event.stackId),
    requireCurrent: async (context) => requireCurrent(context, event),
  });
  const mail = new MxConflictCheck(domain, recorder);
  let begun = false;
  let written = false;
  let validation = certificate === undefined ? {} : NO_RECORD;
  const dated = (text: string): string => outputText(zoneId === undefined ? countedFromNow(text) : text);
  const attributes = (): Attributes => ({
    PolicyUrl: policyUrl(policyHost),
    PolicyId: recorder.id ?? '',
    EarliestRemoval: dated(recorder.earliestRemoval()),
    Warnings: dated(mail.summary),
    ...validation,
  });
  const put = async (context: OperationContext): Promise<void> => {
    await putPolicy(context, object, bytes);
    written = true;
    context.log.info('wrote the policy file', { ...object, id: recorder.id, bytes: bytes.length });
  };

  const work = async (context: OperationContext): Promise<Attributes> => {
    await requireCurrent(context, event);
    try {
      return await publish(context);
    } catch (error) {
      if (error instanceof EventNotCurrent && written) await leave(context);
      throw error;
    }
  };

  const publish = async (context: OperationContext): Promise<Attributes> => {
    begun = true;
    await Promise.all([recorder.start(context), mail.readMx(context)]);
    mail.warn(context);
    await put(context);
    await proveLive(context, { policyHost, bytes }, await askAddresses(context), async () => {
      // An event that was given up may have put its own file in between.
      await requireCurrent(context, event);
      await put(context);
    });
    await recorder.confirmLive(context);
    // CloudFormation would never ask to take away what is put after it had its answer.
    await requireCurrent(context, event);
    mail.warn(context);
    if (certificate !== undefined) validation = await validationRecord(context, certificate, policyHost);
    const known = attributes();
    context.log.info('published', known);
    return known;
  };

  /** Restores the file that CloudFormation holds, where it has gone on while this event was under way. */
  const leave = async (context: OperationContext): Promise<void> => {
    if (await ownerOf(context, event, physicalResourceId) === 'gone') await deletePolicy(context, object);
    else await putBack(context, { object, hash: policy.hash, recorder });
  };

  /** Whether the file that this event put can be taken away: no other event needs it. */
  const isNobodyElses = async (context: OperationContext): Promise<boolean> => {
    if (await ownerOf(context, event, physicalResourceId) === 'gone') return true;
    const [writer, { current }] = await Promise.all([recorder.lastWriter(context), eventStatus(context, event)]);
    // CloudFormation waits for one event of a resource at a time, so another one that has put the same file was late.
    return current === 'yes' ? writer !== 'another run' : current === 'unknown' && writer === 'this run';
  };

  // Also when the write itself failed: it may have arrived all the same.
  const undo = async (context: OperationContext): Promise<void> => {
    if (!begun || !isNew) return;
    if (await isNobodyElses(context)) await deletePolicy(context, object);
    else context.log.warn('the policy file stays, since another event may have published it too', { ...object });
  };

  return { physicalResourceId, work, ignoresFailure: (rollingBack) => rollingBack && written, attributesOnIgnoredFailure: attributes, undo };
}

/** Puts back what another event published, where this one was overtaken between noting its file and putting it. */
async function putBack(context: OperationContext, { object, hash, recorder }: { object: S3Location; hash: string; recorder: HistoryRecorder }): Promise<void> {
  const last = await recorder.readLast(context);
  if (last !== undefined && last !== 'unread' && last.hash !== hash) {
    const bytes = rendered(last);
    if (bytes === undefined || policyHash(bytes) !== last.hash) {
      context.log.error('the policy file may be that of this event, which is no longer current. The published one could not be put back. Deploy again', { ...object });
      return;
    }
    await putPolicy(context, object, bytes);
    context.log.warn('put back the policy file that another event published', { ...object, id: last.id });
  }
}

/** Returns the file of an entry; undefined where no release of this package would write such a policy. */
function rendered(policy: Policy): Uint8Array | undefined {
  try {
    return Buffer.from(renderPolicy(policy));
  } catch {
    return undefined;
  }
}

function plannedPublication(properties: Properties, planned: PlannedPolicy): PlannedPublication {
  return { ...planned.policy, hash: planned.hash, givenId: givenIdProperty(properties, planned) };
}

/** Where the host is: the zone's own name servers know it. Where DNS is elsewhere, any resolver knows the distribution. */
function whoKnows(properties: Properties, zoneId: string | undefined, policyHost: string): (context: OperationContext) => Promise<AskAddresses> {
  if (zoneId !== undefined) return async (context) => atNameServers(context, zoneId, policyHost);
  const distribution = textProperty(properties, 'Distribution');
  return async (context) => Promise.resolve(atDistribution(context, distribution));
}

/** The ledger counts on a record that changes right after the file. One that is made by hand changes later. */
function countedFromNow(text: string): string {
  return /\d{4}-\d\d-\d\dT/.test(text) ? `${text}; add the time by which the _mta-sts record was changed later than the deployment` : text;
}

/** Another version may have written the properties in another way; the ledger is what counts. */
function publishedBefore(oldProperties: Properties | undefined): PlannedPublication | undefined {
  try {
    return oldProperties === undefined ? undefined : plannedPublication(oldProperties, policyProperty(oldProperties));
  } catch {
    return undefined;
  }
}
