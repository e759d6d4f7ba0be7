// A policy that is held ends with its max_age, where it can be had no more (RFC 8461 §3.2).
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestEnvironment } from '../../environment/environment';
import { GOOD_HOST, REFUSE_AS_CACHED, UNTRUSTED_HOST, serveMail } from '../../environment/mail/mail';
import type { Deviation } from '../../environment/mail/mail';
import { Prediction, deliver, fillCaches } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';
import { announce, endDisturbance } from '../../faults/disturbances';

/** In seconds: long enough that each sender refuses once before, short enough to be waited for. No deployment takes less than a day. */
const MAX_AGE = 15;

const SHORT_LIVED = ['version: STSv1', 'mode: enforce', 'mx: mx1.example.test', `max_age: ${MAX_AGE}`, ''].join('\r\n');

/** RFC 8461 §3.2 has a policy end with its max_age, counted from the last fetch. */
const TAKES_UP: Deviation = { delivery: 'refuse', why: 'takes up what has expired where it finds the known id' };

export async function expiredScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  const { table, edge } = environment;
  table.begin('A held policy that ends with its max_age');
  await environment.ensureDeployed({ mode: 'enforce' });
  edge.fail((_, { uri }) => uri === '/.well-known/mta-sts.txt'
    ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body: Buffer.from(SHORT_LIVED) }
    : undefined);
  await fillCaches(environment, senders, (name) => `${name} learns enforce for ${MAX_AGE} s`, `enforce for ${MAX_AGE} s: a good mail host`);
  edge.alive = false;
  await serveMail(environment, UNTRUSTED_HOST);
  const predicted = (await Prediction.now(environment)).expect('deliver-unverified');
  const untrusted = async (sender: Sender, when: string, deviation?: Deviation): Promise<string> => deliver(environment, senders, sender, {
    what: `enforce for ${MAX_AGE} s, ${when}: an untrusted certificate`, mail: UNTRUSTED_HOST, predicted, deviation,
  });
  await senders.each(({ name }) => `the policy host dies: ${name} refuses an untrusted certificate by the policy that it holds`, environment,
    async (sender) => untrusted(sender, 'held', REFUSE_AS_CACHED));
  await over(Date.now());
  await senders.each(({ name, tracksIds }) => tracksIds
    ? `its max_age is over, its id is announced: ${name} ${TAKES_UP.why}, and goes on to refuse`
    : `its max_age is over, its id is announced: foretold ${predicted.delivery}, ${name} holds none any more and does so`,
  environment, async (sender) => {
    await sender.forgetHosts();
    return untrusted(sender, 'its max_age is over', sender.tracksIds ? TAKES_UP : undefined);
  });
  const looked = Date.now();
  announce(environment, { rcode: 'NXDOMAIN', answers: [] });
  const gone = (await Prediction.now(environment)).expect('deliver-unverified');
  await over(looked);
  await senders.each(({ name }) => `the record is gone, and max_age is over since: foretold ${gone.delivery}, ${name} does so`, environment,
    async (sender) => untrusted(sender, 'its max_age is over since the record is gone'));
  endDisturbance(environment);
  await serveMail(environment, GOOD_HOST);
}

/** Waits until what was fetched, or looked at, by then is too old. */
async function over(since: number): Promise<void> {
  await sleep(Math.max(0, since + (MAX_AGE + 2) * 1000 - Date.now()));
}
