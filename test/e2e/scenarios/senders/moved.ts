// The mail host changes before the policy does: refused mail waits, and arrives when the policy has come after.
import { expectEnd } from '../../environment/app/cdk-cli';
import type { TestEnvironment, EnvironmentPaths } from '../../environment/environment';
import { readCachedPolicy } from '../../environment/mail/cached-policy';
import { GOOD_HOST, REFUSE_AS_CACHED, UNCOVERED_HOST, serveMail } from '../../environment/mail/mail';
import { Prediction, retryMessage, sendMessage, deliver, fillCaches } from '../../environment/mail/message';
import type { SentMessage } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import { until } from '../../environment/until';

const AFTER = 'mail.other.test';

export async function movedScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, cli } = environment;
  table.begin('A mail host that changes before the policy');
  await environment.ensureDeployed({ mode: 'enforce' });
  await fillCaches(environment, senders, (name) => `${name} learns a policy for mx1.example.test`, 'enforce: a good mail host, before it changes');
  await serveMail(environment, UNCOVERED_HOST);
  const refused = (await Prediction.now(environment)).expect('refuse');
  const waiting = new Map<string, SentMessage>();
  await senders.each(({ name }) => `the MX is ${AFTER}, the policy stays: foretold ${refused.delivery}, ${name} does so, and keeps the message`, environment, async (sender) => {
    const attempt = await sendMessage(environment, senders, sender, { what: 'enforce held, the mail host has changed', mail: UNCOVERED_HOST, predicted: refused });
    waiting.set(sender.name, attempt);
    return attempt.evidence;
  });
  await table.prove('mta-sts verify says which host is not covered, and a policy for both is deployed', async () => {
    const { status, output } = await cli.mtaSts('verify', 'example.test');
    const said = output.split('\n').find((line) => line.includes('mx-not-covered') && line.includes(AFTER));
    if (status !== 1 || said === undefined) throw new Error(`mta-sts verify ended with status ${status ?? 'none'}:\n${output}`);
    expectEnd(await environment.deploy({ mode: 'enforce', mx: `mx1.example.test,${AFTER}` }), 0, 'cdk deploy');
    return said.trim();
  });
  const mended = (await Prediction.now(environment)).expect('deliver-verified');
  const mail = { ...GOOD_HOST, hosts: UNCOVERED_HOST.hosts };
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `foretold ${mended.delivery}: ${name} sees the new id, and delivers the same message`
    : `foretold ${mended.delivery}: ${name} looks at no record while it holds a policy, refuses until its own refresh, and then delivers the same message`,
  environment, async (sender) => {
    const words: string[] = [];
    if (!sender.tracksIds) {
      words.push(await deliver(environment, senders, sender, {
        what: 'enforce held, the policy has changed after the mail host', mail: UNCOVERED_HOST, predicted: mended, deviation: REFUSE_AS_CACHED,
      }));
      await sender.refresh();
      words.push(await untilItCovers(sender, environment.paths));
    }
    const attempt = waiting.get(sender.name);
    if (attempt === undefined) throw new Error('it was not refused before');
    words.push(await retryMessage(environment, sender, { what: 'enforce, refused before: the policy covers the new mail host', mail, predicted: mended }, attempt));
    return words.join('\n');
  });
  await serveMail(environment, GOOD_HOST);
}

/** @throws Error where it still holds the policy from before after half a minute */
async function untilItCovers(sender: Sender, paths: EnvironmentPaths): Promise<string> {
  return until(30_000, () => {
    const { evidence: words } = readCachedPolicy(sender, paths);
    if (!words.includes(AFTER)) throw new Error(`${sender.name} holds no policy for ${AFTER}:\n${words}`);
    return words;
  });
}
