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
import { MailWarnings } from '../history/refusals';
import { atDistribution, atNameServers } from './policy-addresses';
import type { AskAddresses } from './policy-addresses';
import { deletePolicy, objectUrl, putPolicy } from './policy-object';
import type { PolicyObject } from './policy-object';
import { domainProperty, givenIdProperty, optionalZoneIdProperty, policyProperty, textProperty } from '../../functions/deployment/properties';
import type { PlannedPolicy } from '../../functions/deployment/properties';
import { proveLive } from './prove-live';
import { outputText } from '../../functions/deployment/failure-message';
import type { Invocation } from '../context/invocation';
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

  const physicalResourceId = objectUrl(object);
  const isNew = requestType === 'Create' || before !== physicalResourceId;
  const recorder = new HistoryRecorder({
    object,
    policy,
    request,
    before,
    policyBefore: publishedBefore(oldProperties),
    announced: async (invocation) => announcedId(invocation, domain, zoneId),
    rollingBack: async (invocation) => mayBeRollingBack(invocation, event.stackId),
    requireCurrent: async (invocation) => requireCurrent(invocation, event),
  });
  const mail = new MailWarnings(domain, recorder);
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
  const put = async (invocation: Invocation): Promise<void> => {
    await putPolicy(invocation, object, bytes);
    written = true;
    invocation.log.info('wrote the policy file', { ...object, id: recorder.id, bytes: bytes.length });
  };

  const work = async (invocation: Invocation): Promise<Attributes> => {
    await requireCurrent(invocation, event);
    try {
      return await publish(invocation);
    } catch (error) {
      if (error instanceof EventNotCurrent && written) await leave(invocation);
      throw error;
    }
  };

  const publish = async (invocation: Invocation): Promise<Attributes> => {
    begun = true;
    await Promise.all([recorder.begin(invocation), mail.look(invocation)]);
    mail.raise(invocation);
    await put(invocation);
    await proveLive(invocation, { policyHost, bytes }, await askAddresses(invocation), async () => {
      // An event that was given up may have put its own file in between.
      await requireCurrent(invocation, event);
      await put(invocation);
    });
    await recorder.finish(invocation);
    // CloudFormation would never ask to take away what is put after it had its answer.
    await requireCurrent(invocation, event);
    mail.raise(invocation);
    if (certificate !== undefined) validation = await validationRecord(invocation, certificate, policyHost);
    const known = attributes();
    invocation.log.info('published', known);
    return known;
  };

  /** Restores the file that CloudFormation holds, where it has gone on while this event was under way. */
  const leave = async (invocation: Invocation): Promise<void> => {
    if (await ownerOf(invocation, event, physicalResourceId) === 'gone') await deletePolicy(invocation, object);
    else await putBack(invocation, { object, hash: policy.hash, recorder });
  };

  /** Whether the file that this event put can be taken away: no other event needs it. */
  const isNobodyElses = async (invocation: Invocation): Promise<boolean> => {
    if (await ownerOf(invocation, event, physicalResourceId) === 'gone') return true;
    const [writer, { current }] = await Promise.all([recorder.writer(invocation), eventStatus(invocation, event)]);
    // CloudFormation waits for one event of a resource at a time, so another one that has put the same file was late.
    return current === 'yes' ? writer !== 'another run' : current === 'unknown' && writer === 'this run';
  };

  // Also when the write itself failed: it may have arrived all the same.
  const undo = async (invocation: Invocation): Promise<void> => {
    if (!begun || !isNew) return;
    if (await isNobodyElses(invocation)) await deletePolicy(invocation, object);
    else invocation.log.warn('the policy file stays, since another event may have published it too', { ...object });
  };

  return { physicalResourceId, work, ignoresFailure: (rollingBack) => rollingBack && written, attributesOnIgnoredFailure: attributes, undo };
}

/** Puts back what another event published, where this one was overtaken between noting its file and putting it. */
async function putBack(invocation: Invocation, { object, hash, recorder }: { object: PolicyObject; hash: string; recorder: HistoryRecorder }): Promise<void> {
  const last = await recorder.last(invocation);
  if (last !== undefined && last !== 'unread' && last.hash !== hash) {
    const bytes = rendered(last);
    if (bytes === undefined || policyHash(bytes) !== last.hash) {
      invocation.log.error('the policy file may be that of this event, which is no longer current. The published one could not be put back. Deploy again', { ...object });
      return;
    }
    await putPolicy(invocation, object, bytes);
    invocation.log.warn('put back the policy file that another event published', { ...object, id: last.id });
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
function whoKnows(properties: Properties, zoneId: string | undefined, policyHost: string): (invocation: Invocation) => Promise<AskAddresses> {
  if (zoneId !== undefined) return async (invocation) => atNameServers(invocation, zoneId, policyHost);
  const distribution = textProperty(properties, 'Distribution');
  return async (invocation) => Promise.resolve(atDistribution(invocation, distribution));
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
