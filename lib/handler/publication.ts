// Custom::MtaStsPublication: writes the policy file and proves it live, before anybody is told of it (RFC 8461 §8.1).
import { policyHostName, policyUrl } from '../protocol/policy-url';
import { nameServersOf } from './authorities';
import type { DeploymentEvent, Properties } from './event';
import { readHostedZone } from './hosted-zone';
import type { Published } from './ledger';
import { LedgerKeeper } from './ledger-keeper';
import { look, lookByIPv6 } from './live-file';
import type { Expected, Look } from './live-file';
import { MailWarnings } from './mail-warnings';
import { deletePolicy, objectUrl, putPolicy } from './policy-object';
import { domainProperty, hostedZoneIdProperty, policyProperty, textProperty } from './properties';
import { outputText } from './reason';
import { repeat } from './retry';
import type { Run } from './run';
import type { Attributes, Task } from './task';

/** Far longer than Route 53 and CloudFront take; after it nothing mends itself any more. */
const UNTIL_LIVE = { milliseconds: 600_000, firstPause: 1_000, longestPause: 15_000 };

export function publicationTask(event: DeploymentEvent): Task {
  const { properties, requestType, physicalResourceId: before, oldProperties } = event;
  const domain = domainProperty(properties);
  const zoneId = hostedZoneIdProperty(properties);
  const { bytes, id, policy } = policyProperty(properties);
  const announced = textProperty(properties, 'PolicyId');
  const object = { bucket: textProperty(properties, 'BucketName'), key: textProperty(properties, 'ObjectKey') };
  if (announced !== id) {
    throw new RangeError(`\`PolicyId\` must be the hash of \`PolicyText\`, ${id}, got ${announced}: the text was changed on its way here, `
      + 'so deploy the template as it was synthesized');
  }

  const policyHost = policyHostName(domain);
  const physicalResourceId = objectUrl(object);
  const isNew = requestType === 'Create' || before !== physicalResourceId;
  const ledger = new LedgerKeeper({ object, before, policy: { ...policy, id }, policyBefore: publishedBefore(oldProperties) });
  const mail = new MailWarnings(domain, ledger);
  let begun = false;
  let written = false;
  const attributes = (): Attributes => ({
    PolicyUrl: policyUrl(policyHost),
    EarliestRemoval: outputText(ledger.earliestRemoval()),
    Warnings: outputText(mail.summary),
  });

  const work = async (run: Run): Promise<Attributes> => {
    begun = true;
    await Promise.all([ledger.begin(run), mail.look(run)]);
    mail.raise(run);
    await putPolicy(run, object, bytes);
    written = true;
    run.log.info('wrote the policy file', { ...object, id, bytes: bytes.length });
    await proveLive(run, zoneId, { policyHost, bytes });
    await ledger.finish(run);
    mail.raise(run);
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

/** Another version may have written the properties in another way; the ledger is what counts. */
function publishedBefore(oldProperties: Properties | undefined): Published | undefined {
  try {
    const { id, policy } = policyProperty(oldProperties ?? {});
    return { ...policy, id };
  } catch {
    return undefined;
  }
}

/**
 * Polls until the file is live.
 *
 * Addresses come from the zone's own name servers: a resolver could hold, from before the record was made, that there is none.
 */
async function proveLive(run: Run, zoneId: string, expected: Expected): Promise<void> {
  const zone = await readHostedZone(run, zoneId);
  let nameServers = await nameServersOf(run, zone);
  const started = run.world.clock.now();
  const last = await repeat(run, UNTIL_LIVE, async (number) => {
    if (number > 1 && nameServers.some(({ addresses }) => addresses.length === 0)) nameServers = await nameServersOf(run, zone);
    const seen = await look(run, expected, nameServers);
    note(run, seen, number);
    return seen;
  }, ({ live }) => !live);
  if (!last.live) {
    const seconds = Math.round((run.world.clock.now() - started) / 1000);
    throw new Error(`the policy file of https://${expected.policyHost} is not live after ${seconds} s; last seen: ${last.missing.join('; ')}; `
      + 'senders must get exactly the intended file from every address before it is announced (RFC 8461 §3.3, §8.1)');
  }
  const byIPv6 = await lookByIPv6(run, expected, nameServers);
  run.log.info('IPv6 decides nothing here: a Lambda function has none, so what it sees there is unknown', { seen: byIPv6 });
}

function note(run: Run, seen: Look, attempt: number): void {
  if (seen.live) {
    run.log.info('the policy file is live', { attempt, addresses: seen.addresses });
  } else {
    run.watch.saw(seen.missing.join('; '));
    run.log.info('the policy file is not live yet', { attempt, missing: seen.missing, addresses: seen.addresses });
  }
}
