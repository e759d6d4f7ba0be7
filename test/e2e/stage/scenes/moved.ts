// The mail host changes before the policy does: refused mail waits, and arrives when the policy has come after.
import { policyHeld } from '../held-policy';
import { GOOD, REFUSE_AS_HELD, UNCOVERED, serveMail } from '../mail';
import { Foretold, again, attempted, deliver, learn } from '../message';
import type { Attempt } from '../message';
import type { Sender } from '../senders/sender';
import type { Senders } from '../senders/senders';
import { expectEnd } from '../stage';
import type { Stage, StagePaths } from '../stage';
import { until } from '../until';

const AFTER = 'mail.other.test';

export async function movedScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, cli } = stage;
  table.begin('A mail host that changes before the policy');
  await stage.ensure({ mode: 'enforce' });
  await learn(stage, senders, (name) => `${name} learns a policy for mx1.example.test`, 'enforce: a good mail host, before it changes');
  await serveMail(stage, UNCOVERED);
  const refused = (await Foretold.now(stage)).expect('refuse');
  const waiting = new Map<string, Attempt>();
  await senders.each(({ name }) => `the MX is ${AFTER}, the policy stays: foretold ${refused.delivery}, ${name} does so, and keeps the message`, stage, async (sender) => {
    const attempt = await attempted(stage, senders, sender, { what: 'enforce held, the mail host has changed', mail: UNCOVERED, foretold: refused });
    waiting.set(sender.name, attempt);
    return attempt.words;
  });
  await table.prove('mta-sts verify says which host is not covered, and a policy for both is deployed', async () => {
    const { status, output } = await cli.mtaSts('verify', 'example.test');
    const said = output.split('\n').find((line) => line.includes('mx-not-covered') && line.includes(AFTER));
    if (status !== 1 || said === undefined) throw new Error(`mta-sts verify ended with status ${status ?? 'none'}:\n${output}`);
    expectEnd(await stage.deploy({ mode: 'enforce', mx: `mx1.example.test,${AFTER}` }), 0, 'cdk deploy');
    return said.trim();
  });
  const mended = (await Foretold.now(stage)).expect('deliver-verified');
  const mail = { ...GOOD, hosts: UNCOVERED.hosts };
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `foretold ${mended.delivery}: ${name} sees the new id, and delivers the same message`
    : `foretold ${mended.delivery}: ${name} looks at no record while it holds a policy, refuses until its own refresh, and then delivers the same message`,
  stage, async (sender) => {
    const words: string[] = [];
    if (!sender.looksAtIds) {
      words.push(await deliver(stage, senders, sender, {
        what: 'enforce held, the policy has changed after the mail host', mail: UNCOVERED, foretold: mended, otherwise: REFUSE_AS_HELD,
      }));
      await sender.refresh();
      words.push(await untilItCovers(sender, stage.paths));
    }
    const attempt = waiting.get(sender.name);
    if (attempt === undefined) throw new Error('it was not refused before');
    words.push(await again(stage, sender, { what: 'enforce, refused before: the policy covers the new mail host', mail, foretold: mended }, attempt));
    return words.join('\n');
  });
  await serveMail(stage, GOOD);
}

/** @throws Error where it still holds the policy from before after half a minute */
async function untilItCovers(sender: Sender, paths: StagePaths): Promise<string> {
  return until(30_000, () => {
    const { words } = policyHeld(sender, paths);
    if (!words.includes(AFTER)) throw new Error(`${sender.name} holds no policy for ${AFTER}:\n${words}`);
    return words;
  });
}
