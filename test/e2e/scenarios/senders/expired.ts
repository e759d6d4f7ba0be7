// A sender drops a cached policy at the end of its max_age if the policy cannot be fetched again (RFC 8461 §3.2).
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestEnvironment } from '../../environment/environment';
import { GOOD_HOST, REFUSE_AS_CACHED, UNTRUSTED_HOST, serveMail } from '../../environment/mail/mail';
import type { Deviation } from '../../environment/mail/mail';
import { Prediction, deliver, fillCaches } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import { answerRecordQueries, endDisturbance } from '../../faults/disturbances';

/** Long enough for each sender to refuse one message before, and short enough to wait. The construct accepts one day or more. */
const MAX_AGE_SECONDS = 15;

const SHORT_LIVED = ['version: STSv1', 'mode: enforce', 'mx: mx1.example.test', `max_age: ${MAX_AGE_SECONDS}`, ''].join('\r\n');

/** RFC 8461 §3.2: a policy expires at the end of its max_age, counted from the last fetch. */
const REUSES_EXPIRED: Deviation = { delivery: 'refuse', why: 'reuses an expired policy if the record still has its id' };

export async function expiredScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, edge } = environment;
  table.begin('A cached policy at the end of its max_age');
  await environment.ensureDeployed({ mode: 'enforce' });
  edge.fail((_, { uri }) => uri === '/.well-known/mta-sts.txt'
    ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body: Buffer.from(SHORT_LIVED) }
    : undefined);
  await fillCaches(environment, senders, (name) => `${name} fetches an enforce policy with a max_age of ${MAX_AGE_SECONDS} s`, `enforce for ${MAX_AGE_SECONDS} s: a good mail host`);
  edge.alive = false;
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('deliver-unverified');
  const untrusted = async (sender: Sender, when: string, deviation?: Deviation): Promise<string> => deliver(environment, senders, sender, {
    what: `enforce for ${MAX_AGE_SECONDS} s, ${when}: an untrusted certificate`, mail: UNTRUSTED_HOST, predicted, deviation,
  });
  await senders.each(({ name }) => `while the policy host is down, ${name} refuses an untrusted certificate because of its cached policy`, environment,
    async (sender) => untrusted(sender, 'cached', REFUSE_AS_CACHED));
  await waitForExpiry(Date.now());
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `${name} ${REUSES_EXPIRED.why}: it still refuses after the end of max_age`
    : `${name} has no cached policy after the end of max_age, and delivers as predicted: ${predicted.delivery}`,
  environment, async (sender) => {
    await sender.forgetHosts();
    return untrusted(sender, 'after its max_age', sender.tracksIds ? REUSES_EXPIRED : undefined);
  });
  const lastChecked = Date.now();
  answerRecordQueries(environment, { rcode: 'NXDOMAIN', answers: [] });
  const gone = (await Prediction.now(environment)).expect('deliver-unverified');
  await waitForExpiry(lastChecked);
  await senders.each(({ name }) => `${name} has no cached policy when the record has been gone for max_age, and delivers as predicted: ${gone.delivery}`, environment,
    async (sender) => untrusted(sender, 'the record has been gone for its max_age'));
  endDisturbance(environment);
  await serveMail(environment, GOOD_HOST);
}

/** Waits until a policy that was fetched or checked by this time has expired. */
async function waitForExpiry(since: number): Promise<void> {
  await sleep(Math.max(0, since + (MAX_AGE_SECONDS + 2) * 1000 - Date.now()));
}
