// A policy that is held ends with its max_age, where it can be had no more (RFC 8461 §3.2).
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, endDisturbance } from '../disturbances';
import { GOOD, REFUSE_AS_HELD, UNTRUSTED, serveMail } from '../mail';
import type { Otherwise } from '../mail';
import { Foretold, deliver, learn } from '../message';
import type { Sender } from '../senders/sender';
import type { Senders } from '../senders/senders';
import type { Stage } from '../stage';

/** In seconds: long enough that each sender refuses once before, short enough to be waited for. No deployment takes less than a day. */
const MAX_AGE = 15;

const SHORT_LIVED = ['version: STSv1', 'mode: enforce', 'mx: mx1.example.test', `max_age: ${MAX_AGE}`, ''].join('\r\n');

/** RFC 8461 §3.2 has a policy end with its max_age, counted from the last fetch. */
const TAKES_UP: Otherwise = { delivery: 'refuse', why: 'takes up what has expired where it finds the known id' };

export async function expiredScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, edge } = stage;
  table.begin('A held policy that ends with its max_age');
  await stage.ensure({ mode: 'enforce' });
  edge.fail((_, { uri }) => uri === '/.well-known/mta-sts.txt'
    ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body: Buffer.from(SHORT_LIVED) }
    : undefined);
  await learn(stage, senders, (name) => `${name} learns enforce for ${MAX_AGE} s`, `enforce for ${MAX_AGE} s: a good mail host`);
  edge.alive = false;
  await serveMail(stage, UNTRUSTED);
  const foretold = (await Foretold.now(stage)).expect('deliver-unverified');
  const untrusted = async (sender: Sender, when: string, otherwise?: Otherwise): Promise<string> => deliver(stage, senders, sender, {
    what: `enforce for ${MAX_AGE} s, ${when}: an untrusted certificate`, mail: UNTRUSTED, foretold, otherwise,
  });
  await senders.each(({ name }) => `the policy host dies: ${name} refuses an untrusted certificate by the policy that it holds`, stage,
    async (sender) => untrusted(sender, 'held', REFUSE_AS_HELD));
  await over(Date.now());
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `its max_age is over, its id is announced: ${name} ${TAKES_UP.why}, and goes on to refuse`
    : `its max_age is over, its id is announced: foretold ${foretold.delivery}, ${name} holds none any more and does so`,
  stage, async (sender) => {
    await sender.forgetHosts();
    return untrusted(sender, 'its max_age is over', sender.looksAtIds ? TAKES_UP : undefined);
  });
  const looked = Date.now();
  announce(stage, { rcode: 'NXDOMAIN', answers: [] });
  const gone = (await Foretold.now(stage)).expect('deliver-unverified');
  await over(looked);
  await senders.each(({ name }) => `the record is gone, and max_age is over since: foretold ${gone.delivery}, ${name} does so`, stage,
    async (sender) => untrusted(sender, 'its max_age is over since the record is gone'));
  endDisturbance(stage);
  await serveMail(stage, GOOD);
}

/** Waits until what was fetched, or looked at, by then is too old. */
async function over(since: number): Promise<void> {
  await sleep(Math.max(0, since + (MAX_AGE + 2) * 1000 - Date.now()));
}
