// Custom::MtaStsPublication: writes the policy file and proves it live, before anybody is told of it (RFC 8461 §8.1).
import { policyHostName, policyUrl } from '../protocol/policy-url';
import { announcedId } from './announced-id';
import type { DeploymentEvent, Properties } from './event';
import type { Published } from './ledger';
import { LedgerKeeper } from './ledger-keeper';
import { MailWarnings } from './mail-warnings';
import { atDistribution, atNameServers } from './policy-addresses';
import type { AskAddresses } from './policy-addresses';
import { deletePolicy, objectUrl, putPolicy } from './policy-object';
import { domainProperty, optionalZoneIdProperty, policyProperty, textProperty } from './properties';
import { proveLive } from './prove-live';
import { outputText } from './reason';
import type { Run } from './run';
import type { Attributes, Task } from './task';
import { NO_RECORD, validationRecord } from './validation-record';

export function publicationTask(event: DeploymentEvent): Task {
  const { properties, requestType, physicalResourceId: before, oldProperties } = event;
  const domain = domainProperty(properties);
  const policyHost = policyHostName(domain);
  const zoneId = optionalZoneIdProperty(properties);
  const askAddresses = whoKnows(properties, zoneId, policyHost);
  const { bytes, id, policy } = policyProperty(properties);
  const announced = textProperty(properties, 'PolicyId');
  // Only where it is validated by hand.
  const certificate = properties.Certificate === undefined ? undefined : textProperty(properties, 'Certificate');
  const object = { bucket: textProperty(properties, 'BucketName'), key: textProperty(properties, 'ObjectKey') };
  if (announced !== id) {
    throw new RangeError(`\`PolicyId\` must be the hash of \`Policy\`, ${id}, got ${announced}: the text was changed on its way here, `
      + 'so deploy the template as it was synthesized');
  }

  const physicalResourceId = objectUrl(object);
  const isNew = requestType === 'Create' || before !== physicalResourceId;
  const ledger = new LedgerKeeper({
    object,
    before,
    policy: { ...policy, id },
    policyBefore: publishedBefore(oldProperties),
    announced: async (run) => announcedId(run, domain, zoneId),
  });
  const mail = new MailWarnings(domain, ledger);
  let begun = false;
  let written = false;
  let validation = certificate === undefined ? {} : NO_RECORD;
  const dated = (text: string): string => outputText(zoneId === undefined ? countedFromNow(text) : text);
  const attributes = (): Attributes => ({
    PolicyUrl: policyUrl(policyHost),
    EarliestRemoval: dated(ledger.earliestRemoval()),
    Warnings: dated(mail.summary),
    ...validation,
  });

  const work = async (run: Run): Promise<Attributes> => {
    begun = true;
    await Promise.all([ledger.begin(run), mail.look(run)]);
    mail.raise(run);
    await putPolicy(run, object, bytes);
    written = true;
    run.log.info('wrote the policy file', { ...object, id, bytes: bytes.length });
    await proveLive(run, { policyHost, bytes }, await askAddresses(run));
    await ledger.finish(run);
    mail.raise(run);
    if (certificate !== undefined) validation = await validationRecord(run, certificate, policyHost);
    const known = attributes();
    run.log.info('published', known);
    return known;
  };

  return {
    physicalResourceId,
    work,
    forgives: (rollingBack) => rollingBack && written,
    forgiven: attributes,
    // Also when the write itself failed: it may have arrived all the same.
    undo: async (run) => begun && isNew ? deletePolicy(run, object) : undefined,
  };
}

/** Where the host is: the zone's own name servers know it, or, where DNS is elsewhere, whoever knows the distribution. */
function whoKnows(properties: Properties, zoneId: string | undefined, policyHost: string): (run: Run) => Promise<AskAddresses> {
  if (zoneId !== undefined) return async (run) => atNameServers(run, zoneId, policyHost);
  const distribution = textProperty(properties, 'Distribution');
  return async (run) => Promise.resolve(atDistribution(run, distribution));
}

/** The ledger counts on a record that changes right after the file; who makes it by hand does so when they do. */
function countedFromNow(text: string): string {
  return /\d{4}-\d\d-\d\dT/.test(text) ? `${text}; add the time by which the _mta-sts record was changed later than the deployment` : text;
}

/** Another version may have written the properties in another way; the ledger is what counts. */
function publishedBefore(oldProperties: Properties | undefined): Published | undefined {
  try {
    const { id, policy } = policyProperty(oldProperties ?? {});
    return { ...policy, id };
  } catch {
    return undefined;
  }
}
