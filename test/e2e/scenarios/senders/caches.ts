// Cached policies of senders: while the policy host is down, while the record is gone, and when a new id replaces `enforce` with `none`.
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
  table.begin('Cached policies of senders');
  await environment.ensureDeployed({ mode: 'enforce' });
  await fillCaches(environment, senders, (name) => `${name} fetches the enforce policy`, 'enforce: a good mail host, policy fetched');
  await serveMail(environment, UNTRUSTED_HOST);
  edge.alive = false;
  const predictedWhileDown = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name }) => `while the policy host is down and the id is unchanged, ${name} refuses an untrusted certificate because of its cached policy`, environment, async (sender) => {
    return deliver(environment, senders, sender, {
      what: 'enforce cached, the policy host is down: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: predictedWhileDown, deviation: REFUSE_AS_CACHED,
    });
  });
  edge.alive = true;
  for (const disturbance of DISTURBANCES) await proveUndisturbed(environment, senders, disturbance);
  edge.alive = false;
  const predictedWithoutPolicy = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name }) => `while the policy host is down, ${name} without a cached policy delivers as predicted: ${predictedWithoutPolicy.delivery}`, environment, async (sender) => {
    await sender.forget();
    return deliver(environment, senders, sender, { what: 'nothing cached, the policy host is down: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: predictedWithoutPolicy });
  });
  edge.alive = true;
  await fillCaches(environment, senders, (name) => `when the policy host is back, ${name} fetches the enforce policy again`, 'enforce: a good mail host, the policy host is back');
  await proveRetry(environment, senders);
  await proveNone(environment, senders);
  await serveMail(environment, GOOD_HOST);
}

/** Proves that senders keep the cached policy when they check for a new policy during a disturbance. */
async function proveUndisturbed(environment: TestEnvironment, senders: Senders, { what, fetch, begin }: Disturbance): Promise<void> {
  const { table, edge, paths } = environment;
  const countQueries = begin(environment);
  try {
    const predicted = await Prediction.now(environment);
    // Wait until the queries of `mta-sts verify` are counted.
    await sleep(500);
    // One sender after the other, so that each fetch has a known client.
    for (const sender of senders.all) {
      const assertion = `when ${what}, ${sender.name} ${fetch === undefined ? 'fetches nothing' : 'tries to fetch'}, and refuses because of its cached policy`;
      await table.prove(assertion, async () => {
        const [linesBefore, queriesBefore] = [[...edge.lines], countQueries()];
        await sender.refresh();
        const words = await deliver(environment, senders, sender, {
          what: `enforce cached, ${what}: an untrusted certificate`, mail: UNTRUSTED_HOST, predicted, deviation: REFUSE_AS_CACHED,
        });
        const fetches = await waitForFetches(environment, linesBefore, fetch);
        if (countQueries() === queriesBefore) throw new Error(`${sender.name} did not ask for the record:\n${words}`);
        if (fetch !== undefined && sender.tracksIds && !words.includes('policy daemon: STS policy fetch')) throw new Error(`the log of ${sender.name} does not show an attempted fetch:\n${words}`);
        return [words, `asked for the record ${countQueries() - queriesBefore} times`, ...fetches.map((line) => `edge: ${line}`), expectCached(sender, paths, 'enforce')].join('\n');
      });
    }
  } finally {
    endDisturbance(environment);
  }
}

/**
 * Waits for the fetches of a sender.
 *
 * @param fetch - matches the log lines of the edge for these fetches. Undefined if there must be no request at all
 * @returns these log lines
 */
async function waitForFetches({ edge }: TestEnvironment, before: readonly string[], fetch: RegExp | undefined): Promise<readonly string[]> {
  // Some senders fetch in the background, after the delivery.
  for (const end = Date.now() + (fetch === undefined ? 1_000 : 15_000); ;) {
    const lines = linesSince(before, edge.lines).filter((line) => (fetch ?? /^GET |^TLS handshake/).test(line));
    if (fetch === undefined && lines.length > 0) throw new Error(`the edge received requests:\n${lines.join('\n')}`);
    if (fetch !== undefined && lines.length > 0) return lines;
    if (Date.now() > end) {
      if (fetch === undefined) return [];
      throw new Error(`no sender tried to fetch. The edge logged:\n${linesSince(before, edge.lines).join('\n')}`);
    }
    await sleep(50);
  }
}

/** Proves that senders keep refused messages, and deliver them once the certificate is fixed. */
async function proveRetry(environment: TestEnvironment, senders: Senders): Promise<void> {
  await serveMail(environment, UNTRUSTED_HOST);
  const bad = (await Prediction.now(environment)).expect('refuse');
  const waiting = new Map<string, SentMessage>();
  await senders.each(({ name }) => `${name} keeps the message when the certificate is untrusted`, environment, async (sender) => {
    const attempt = await sendMessage(environment, senders, sender, { what: 'enforce cached: an untrusted certificate', mail: UNTRUSTED_HOST, predicted: bad });
    waiting.set(sender.name, attempt);
    return attempt.evidence;
  });
  await serveMail(environment, GOOD_HOST);
  const good = (await Prediction.now(environment)).expect('deliver-verified');
  await senders.each(({ name }) => `${name} delivers the same message when the certificate is fixed`, environment, async (sender) => {
    const first = waiting.get(sender.name);
    if (first === undefined) throw new Error('the message was not refused before');
    return retryMessage(environment, sender, { what: 'enforce cached, refused before: a good mail host', mail: GOOD_HOST, predicted: good }, first);
  });
  await Promise.all(senders.all.map((sender) => sender.forgetHosts()));
}

/** Proves that `none` replaces a cached `enforce` policy: senders then deliver to a host that they refused before. */
async function proveNone(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, paths } = environment;
  await table.prove('cdk deploy publishes mode none with a new id', async () => {
    expectEnd(await environment.deploy({ mode: 'none' }), 0, 'cdk deploy');
    return 'status 0';
  });
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `${name} sees the new id, fetches mode none, and delivers despite an untrusted certificate`
    : `${name} does not check the record while it has a cached policy: it refuses an untrusted certificate until its own refresh, and then delivers`, environment, async (sender) => {
    const words: string[] = [];
    if (!sender.tracksIds) {
      words.push(await deliver(environment, senders, sender, {
        what: 'enforce cached, a new id for none: an untrusted certificate', mail: UNTRUSTED_HOST, predicted, deviation: REFUSE_AS_CACHED,
      }));
      await sender.refresh();
      await waitUntilCached(sender, paths, 'none');
    }
    words.push(await deliver(environment, senders, sender, {
      what: `enforce cached, none ${sender.tracksIds ? 'fetched' : 'after its refresh'}: an untrusted certificate`, mail: UNTRUSTED_HOST, predicted,
    }), expectCached(sender, paths, 'none'));
    return words.join('\n');
  });
  await serveMail(environment, UNCOVERED_HOST);
  const uncovered = (await Prediction.now(environment)).expect('deliver-unverified');
  await senders.each(({ name }) => `${name} without a cached policy fetches mode none, and delivers to a mail host that the policy does not cover`, environment, async (sender) => {
    await sender.forget();
    return [
      await deliver(environment, senders, sender, { what: `none: ${UNCOVERED_HOST.what}`, mail: UNCOVERED_HOST, predicted: uncovered }), expectCached(sender, paths, 'none'),
    ].join('\n');
  });
}
