// Policies that senders hold: while the policy host is dead or the record is gone, and when a new id comes, from `enforce` to `none`.
import { setTimeout as sleep } from 'node:timers/promises';
import { expectEnd } from '../../environment/app/cdk-cli';
import type { TestEnvironment } from '../../environment/environment';
import { expectCached, waitUntilCached } from '../../environment/mail/cached-policy';
import { GOOD_HOST, REFUSE_AS_CACHED, UNCOVERED_HOST, UNTRUSTED_HOST, serveMail } from '../../environment/mail/mail';
import { Prediction, retryMessage, sendMessage, deliver, fillCaches } from '../../environment/mail/message';
import type { SentMessage } from '../../environment/mail/message';
import type { Senders } from '../../environment/mail/senders/senders';
import { DISTURBANCES, endDisturbance, linesSince } from '../../faults/disturbances';
import type { Disturbance } from '../../faults/disturbances';

export async function cachesScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, edge } = environment;
  table.begin('Policies that senders hold');
  await environment.ensureDeployed({ mode: 'enforce' });
  await fillCaches(environment, senders, (name) => `${name} learns enforce`, 'enforce: a good mail host, learnt');
  await serveMail(environment, UNTRUSTED_HOST);
  edge.alive = false;
  const dead = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name }) => `the policy host dies, the id stays: ${name} refuses an untrusted certificate by the policy that it holds`, environment, async (sender) => {
    return deliver(environment, senders, sender, {
      what: 'enforce held, the policy host is dead: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: dead, deviation: REFUSE_AS_CACHED,
    });
  });
  edge.alive = true;
  for (const disturbance of DISTURBANCES) await disturbed(environment, senders, disturbance);
  edge.alive = false;
  const still = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name }) => `of one that holds none is foretold ${still.delivery}: ${name} that has forgotten does so`, environment, async (sender) => {
    await sender.forget();
    return deliver(environment, senders, sender, { what: 'nothing held, the policy host is dead: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: still });
  });
  edge.alive = true;
  await fillCaches(environment, senders, (name) => `the policy host is back: ${name} learns enforce again`, 'enforce: a good mail host, the policy host is back');
  await mended(environment, senders);
  await noneLearnt(environment, senders);
  await serveMail(environment, GOOD_HOST);
}

/** They look for news, as each does, and get none. */
async function disturbed(environment: TestEnvironment, senders: Senders, { what, fetch, begin }: Disturbance): Promise<void> {
  const { table, edge, paths } = environment;
  const authorizedCalls = begin(environment);
  try {
    const predicted = await Prediction.now(environment);
    // What verify has asked is noted by then.
    await sleep(500);
    // One after the other, so that it is clear who fetched.
    for (const sender of senders.all) {
      const assertion = `${what}: ${sender.name} ${fetch === undefined ? 'has nothing to fetch' : 'tries to fetch'}, and refuses by the policy that it holds`;
      await table.prove(assertion, async () => {
        const [before, questions] = [[...edge.lines], authorizedCalls()];
        await sender.refresh();
        const words = await deliver(environment, senders, sender, {
          what: `enforce held, ${what}: an untrusted certificate`, mail: UNTRUSTED_HOST, predicted, deviation: REFUSE_AS_CACHED,
        });
        const fetches = await fetchesAfter(environment, before, fetch);
        if (authorizedCalls() === questions) throw new Error(`${sender.name} did not ask for the record:\n${words}`);
        if (fetch !== undefined && sender.tracksIds && !words.includes('policy daemon: STS policy fetch')) throw new Error(`it does not say that it tried to fetch:\n${words}`);
        return [words, `asked for the record ${authorizedCalls() - questions} times`, ...fetches.map((line) => `edge: ${line}`), expectCached(sender, paths, 'enforce')].join('\n');
      });
    }
  } finally {
    endDisturbance(environment);
  }
}

/**
 * @param fetch - what they look like; none where there must be no request at all
 * @returns the edge's lines
 */
async function fetchesAfter({ edge }: TestEnvironment, before: readonly string[], fetch: RegExp | undefined): Promise<readonly string[]> {
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
async function mended(environment: TestEnvironment, senders: Senders): Promise<void> {
  await serveMail(environment, UNTRUSTED_HOST);
  const bad = (await Prediction.now(environment)).expect('refuse');
  const waiting = new Map<string, SentMessage>();
  await senders.each(({ name }) => `an untrusted certificate: ${name} keeps the message`, environment, async (sender) => {
    const attempt = await sendMessage(environment, senders, sender, { what: 'enforce held: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: bad });
    waiting.set(sender.name, attempt);
    return attempt.evidence;
  });
  await serveMail(environment, GOOD_HOST);
  const good = (await Prediction.now(environment)).expect('deliver-verified');
  await senders.each(({ name }) => `the certificate is mended: ${name} delivers the same message`, environment, async (sender) => {
    const first = waiting.get(sender.name);
    if (first === undefined) throw new Error('it was not refused before');
    return retryMessage(environment, sender, { what: 'enforce held, refused before: a good mail host', mail: GOOD_HOST, predicted: good }, first);
  });
  await Promise.all(senders.all.map((sender) => sender.forgetHosts()));
}

/** The end of a policy that is held, by `none`: a host that `enforce` keeps mail from has it again. */
async function noneLearnt(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, paths } = environment;
  await table.prove('none is deployed, with a new id', async () => {
    expectEnd(await environment.deploy({ mode: 'none' }), 0, 'cdk deploy');
    return 'status 0';
  });
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `${name} sees the new id and takes none: an untrusted certificate no longer matters`
    : `${name} looks at no record while it holds a policy: it refuses an untrusted certificate until its own refresh, and then delivers`, environment, async (sender) => {
    const words: string[] = [];
    if (!sender.tracksIds) {
      words.push(await deliver(environment, senders, sender, {
        what: 'enforce held, a new id for none: an untrusted certificate', mail: UNTRUSTED_HOST, predicted, deviation: REFUSE_AS_CACHED,
      }));
      await sender.refresh();
      await waitUntilCached(sender, paths, 'none');
    }
    words.push(await deliver(environment, senders, sender, {
      what: `enforce held, none ${sender.tracksIds ? 'seen' : 'after its refresh'}: an untrusted certificate`, mail: UNTRUSTED_HOST, predicted,
    }), expectCached(sender, paths, 'none'));
    return words.join('\n');
  });
  await serveMail(environment, UNCOVERED_HOST);
  const uncovered = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name }) => `${name} that has forgotten learns none, and delivers to a mail host that the policy does not cover`, environment, async (sender) => {
    await sender.forget();
    return [
      await deliver(environment, senders, sender, { what: `none: ${UNCOVERED_HOST.what}`, mail: UNCOVERED_HOST, predicted: uncovered }), expectCached(sender, paths, 'none'),
    ].join('\n');
  });
}
