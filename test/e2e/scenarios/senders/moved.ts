// The MX record changes before the policy does: senders keep the refused mail, and deliver it after the policy has changed too.
import { expectEnd } from '../../environment/app/cdk-cli';
import type { TestEnvironment, EnvironmentPaths } from '../../environment/environment';
import { readCachedPolicy } from '../../environment/mail/cached-policy';
import { GOOD_HOST, REFUSE_AS_CACHED, UNCOVERED_HOST, serveMail } from '../../environment/mail/mail';
import { Prediction, retryMessage, sendMessage, deliver, fillCaches } from '../../environment/mail/message';
import type { SentMessage } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import { until } from '../../environment/until';

const NEW_HOST = 'mail.other.test';

export async function movedScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, cli } = environment;
  table.begin('An MX record that changes before the policy');
  await environment.ensureDeployed({ mode: 'enforce' });
  await fillCaches(environment, senders, (name) => `${name} fetches a policy for mx1.example.test`, 'enforce: a good mail host, before it changes');
  await serveMail(environment, UNCOVERED_HOST);
  const refused = (await Prediction.now(environment)).expect('refuse');
  const waiting = new Map<string, SentMessage>();
  await senders.each(({ name }) => `while the policy does not cover the new MX host ${NEW_HOST}, ${name} keeps the message, as predicted: ${refused.delivery}`, environment, async (sender) => {
    const attempt = await sendMessage(environment, senders, sender, { what: 'enforce cached, the mail host has changed', mail: UNCOVERED_HOST, predicted: refused });
    waiting.set(sender.name, attempt);
    return attempt.evidence;
  });
  await table.prove('mta-sts verify names the host that is not covered, and a policy for both hosts is deployed', async () => {
    const { status, output } = await cli.mtaSts('verify', 'example.test');
    const finding = output.split('\n').find((line) => line.includes('mx-not-covered') && line.includes(NEW_HOST));
    if (status !== 1 || finding === undefined) throw new Error(`mta-sts verify ended with status ${status ?? 'none'}:\n${output}`);
    expectEnd(await environment.deploy({ mode: 'enforce', mx: `mx1.example.test,${NEW_HOST}` }), 0, 'cdk deploy');
    return finding.trim();
  });
  const covered = (await Prediction.now(environment)).expect('deliver-verified');
  const mail = { ...GOOD_HOST, hosts: UNCOVERED_HOST.hosts };
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `${name} sees the new id, and delivers the same message, as predicted: ${covered.delivery}`
    : `${name} does not check the record while it has a cached policy: it refuses until its own refresh, and then delivers the same message`,
  environment, async (sender) => {
    const evidence: string[] = [];
    if (!sender.tracksIds) {
      evidence.push(await deliver(environment, senders, sender, {
        what: 'enforce cached, the policy has changed after the mail host', mail: UNCOVERED_HOST, predicted: covered, deviation: REFUSE_AS_CACHED,
      }));
      await sender.refresh();
      evidence.push(await waitUntilCovered(sender, environment.paths));
    }
    const attempt = waiting.get(sender.name);
    if (attempt === undefined) throw new Error('the message was not refused before');
    evidence.push(await retryMessage(environment, sender, { what: 'enforce, refused before: the policy covers the new mail host', mail, predicted: covered }, attempt));
    return evidence.join('\n');
  });
  await serveMail(environment, GOOD_HOST);
}

/** Waits up to 30 seconds until the cached policy of the sender covers the new host. */
async function waitUntilCovered(sender: Sender, paths: EnvironmentPaths): Promise<string> {
  return until(30_000, () => {
    const { evidence } = readCachedPolicy(sender, paths);
    if (!evidence.includes(NEW_HOST)) throw new Error(`${sender.name} has no cached policy for ${NEW_HOST}:\n${evidence}`);
    return evidence;
  });
}
