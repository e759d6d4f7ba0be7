// Policies that senders hold: while the policy host is dead or the record is gone, and when a new id comes, from `enforce` to `none`.
import { setTimeout as sleep } from 'node:timers/promises';
import { DISTURBANCES, endDisturbance, linesSince } from '../disturbances';
import type { Disturbance } from '../disturbances';
import { expectHeld, untilHeld } from '../held-policy';
import { GOOD, REFUSE_AS_HELD, UNCOVERED, UNTRUSTED, serveMail } from '../mail';
import { Foretold, again, attempted, deliver, learn } from '../message';
import type { Attempt } from '../message';
import type { Senders } from '../senders/senders';
import { expectEnd } from '../stage';
import type { Stage } from '../stage';

export async function cachesScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, edge } = stage;
  table.begin('Policies that senders hold');
  await stage.ensure({ mode: 'enforce' });
  await learn(stage, senders, (name) => `${name} learns enforce`, 'enforce: a good mail host, learnt');
  await serveMail(stage, UNTRUSTED);
  edge.alive = false;
  const dead = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name }) => `the policy host dies, the id stays: ${name} refuses an untrusted certificate by the policy that it holds`, stage, async (sender) => {
    return deliver(stage, senders, sender, {
      what: 'enforce held, the policy host is dead: an untrusted certificate', mail: UNTRUSTED, foretold: dead, otherwise: REFUSE_AS_HELD,
    });
  });
  edge.alive = true;
  for (const disturbance of DISTURBANCES) await disturbed(stage, senders, disturbance);
  edge.alive = false;
  const still = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name }) => `of one that holds none is foretold ${still.delivery}: ${name} that has forgotten does so`, stage, async (sender) => {
    await sender.forget();
    return deliver(stage, senders, sender, { what: 'nothing held, the policy host is dead: an untrusted certificate', mail: UNTRUSTED, foretold: still });
  });
  edge.alive = true;
  await learn(stage, senders, (name) => `the policy host is back: ${name} learns enforce again`, 'enforce: a good mail host, the policy host is back');
  await mended(stage, senders);
  await noneLearnt(stage, senders);
  await serveMail(stage, GOOD);
}

/** They look for news, as each does, and get none. */
async function disturbed(stage: Stage, senders: Senders, { what, fetch, begin }: Disturbance): Promise<void> {
  const { table, edge, paths } = stage;
  const asked = begin(stage);
  try {
    const foretold = await Foretold.now(stage);
    // What verify has asked is noted by then.
    await sleep(500);
    // One after the other, so that it is clear who fetched.
    for (const sender of senders.all) {
      const claim = `${what}: ${sender.name} ${fetch === undefined ? 'has nothing to fetch' : 'tries to fetch'}, and refuses by the policy that it holds`;
      await table.prove(claim, async () => {
        const [before, questions] = [[...edge.lines], asked()];
        await sender.refresh();
        const words = await deliver(stage, senders, sender, {
          what: `enforce held, ${what}: an untrusted certificate`, mail: UNTRUSTED, foretold, otherwise: REFUSE_AS_HELD,
        });
        const fetches = await fetchesSince(stage, before, fetch);
        if (asked() === questions) throw new Error(`${sender.name} did not ask for the record:\n${words}`);
        if (fetch !== undefined && sender.looksAtIds && !words.includes('policy daemon: STS policy fetch')) throw new Error(`it does not say that it tried to fetch:\n${words}`);
        return [words, `asked for the record ${asked() - questions} times`, ...fetches.map((line) => `edge: ${line}`), expectHeld(sender, paths, 'enforce')].join('\n');
      });
    }
  } finally {
    endDisturbance(stage);
  }
}

/**
 * @param fetch - what they look like; none where there must be no request at all
 * @returns the edge's lines
 */
async function fetchesSince({ edge }: Stage, before: readonly string[], fetch: RegExp | undefined): Promise<readonly string[]> {
  // A sender that fetches behind its deliveries may do so after them.
  for (const end = Date.now() + (fetch === undefined ? 1_000 : 15_000); ;) {
    const lines = linesSince(before, edge.lines).filter((line) => (fetch ?? /^GET |^TLS handshake/).test(line));
    if (fetch === undefined && lines.length > 0) throw new Error(`somebody fetched:\n${lines.join('\n')}`);
    if (fetch !== undefined && lines.length > 0) return lines;
    if (Date.now() > end) {
      if (fetch === undefined) return [];
      throw new Error(`nobody tried to fetch, the edge has seen:\n${linesSince(before, edge.lines).join('\n')}`);
    }
    await sleep(50);
  }
}

/** What is refused waits, and arrives once the certificate is mended. */
async function mended(stage: Stage, senders: Senders): Promise<void> {
  await serveMail(stage, UNTRUSTED);
  const bad = (await Foretold.now(stage)).expect('refuse');
  const waiting = new Map<string, Attempt>();
  await senders.each(({ name }) => `an untrusted certificate: ${name} keeps the message`, stage, async (sender) => {
    const attempt = await attempted(stage, senders, sender, { what: 'enforce held: an untrusted certificate', mail: UNTRUSTED, foretold: bad });
    waiting.set(sender.name, attempt);
    return attempt.words;
  });
  await serveMail(stage, GOOD);
  const good = (await Foretold.now(stage)).expect('deliver-verified');
  await senders.each(({ name }) => `the certificate is mended: ${name} delivers the same message`, stage, async (sender) => {
    const first = waiting.get(sender.name);
    if (first === undefined) throw new Error('it was not refused before');
    return again(stage, sender, { what: 'enforce held, refused before: a good mail host', mail: GOOD, foretold: good }, first);
  });
  await Promise.all(senders.all.map((sender) => sender.forgetHosts()));
}

/** The end of a policy that is held, by `none`: a host that `enforce` keeps mail from has it again. */
async function noneLearnt(stage: Stage, senders: Senders): Promise<void> {
  const { table, paths } = stage;
  await table.prove('none is deployed, with a new id', async () => {
    expectEnd(await stage.deploy({ mode: 'none' }), 0, 'cdk deploy');
    return 'status 0';
  });
  await serveMail(stage, UNTRUSTED);
  const foretold = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `${name} sees the new id and takes none: an untrusted certificate no longer matters`
    : `${name} looks at no record while it holds a policy: it refuses an untrusted certificate until its own refresh, and then delivers`, stage, async (sender) => {
    const words: string[] = [];
    if (!sender.looksAtIds) {
      words.push(await deliver(stage, senders, sender, {
        what: 'enforce held, a new id for none: an untrusted certificate', mail: UNTRUSTED, foretold, otherwise: REFUSE_AS_HELD,
      }));
      await sender.refresh();
      await untilHeld(sender, paths, 'none');
    }
    words.push(await deliver(stage, senders, sender, {
      what: `enforce held, none ${sender.looksAtIds ? 'seen' : 'after its refresh'}: an untrusted certificate`, mail: UNTRUSTED, foretold,
    }), expectHeld(sender, paths, 'none'));
    return words.join('\n');
  });
  await serveMail(stage, UNCOVERED);
  const uncovered = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name }) => `${name} that has forgotten learns none, and delivers to a mail host that the policy does not cover`, stage, async (sender) => {
    await sender.forget();
    return [
      await deliver(stage, senders, sender, { what: `none: ${UNCOVERED.what}`, mail: UNCOVERED, foretold: uncovered }), expectHeld(sender, paths, 'none'),
    ].join('\n');
  });
}
