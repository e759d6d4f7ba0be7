// Mail to the domain from real senders: what `mta-sts verify --smtp` says beforehand is what they do.
import type { Mode } from '../../../../lib/protocol/policy/policy';
import { expectHeld } from '../held-policy';
import { GOOD, ONE_HOST, SEVERAL_HOSTS, UNDER_A_WILDCARD, serveMail } from '../mail';
import type { Mail, Otherwise } from '../mail';
import { Foretold, attempted } from '../message';
import type { Sender } from '../senders/sender';
import type { Senders } from '../senders/senders';
import type { Stage } from '../stage';
import { AGREES } from '../table';

/** One mail host, in every way. */
export async function sendersScene(stage: Stage, senders: Senders, mode: Mode): Promise<void> {
  stage.table.begin(`Mail under ${mode}`);
  await stage.ensure({ mode });
  await sendEach(stage, senders, mode, ONE_HOST);
}

/** Several mail hosts, of which senders take the first that the policy lets them. */
export async function severalScene(stage: Stage, senders: Senders): Promise<void> {
  stage.table.begin('Mail to several hosts under enforce');
  await stage.ensure({ mode: 'enforce', mx: 'mx1.example.test,mx2.example.test' });
  await sendEach(stage, senders, 'enforce', SEVERAL_HOSTS);
}

/** A wildcard, which covers one label. */
export async function wildcardScene(stage: Stage, senders: Senders): Promise<void> {
  stage.table.begin('Mail under a wildcard');
  await stage.ensure({ mode: 'enforce', mx: '*.example.test' });
  await sendEach(stage, senders, 'enforce', UNDER_A_WILDCARD);
}

/** Of two equal hosts: one that is not met in so many messages is not there. */
const MOST_MESSAGES = 20;

async function sendEach(stage: Stage, senders: Senders, mode: Mode, mails: readonly Mail[]): Promise<void> {
  for (const mail of mails) {
    const { what } = mail;
    await serveMail(stage, mail);
    const foretold = await Foretold.now(stage);
    const deviation = ({ name }: Sender): Otherwise | undefined => mode === 'enforce' ? mail.deviations?.[name] : undefined;
    await senders.each((sender) => {
      const otherwise = deviation(sender);
      return `${what}: foretold ${foretold.delivery}, ${sender.name} ${otherwise === undefined ? 'does so' : `does not: ${otherwise.delivery}`}`;
    }, stage, async (sender) => {
      const message = { what: `${mode}: ${what}`, mail, foretold, otherwise: deviation(sender) };
      for (let count = 1; ; count += 1) {
        await sender.forget();
        const { words, met } = await attempted(stage, senders, sender, message);
        // What it does it may do without any policy as well.
        const held = expectHeld(sender, stage.paths, mode);
        if (mail.untilMet === undefined || met.includes(mail.untilMet)) return `${words}\n${held}`;
        if (count === MOST_MESSAGES) throw new Error(`none of ${count} messages came to ${mail.untilMet}:\n${words}`);
      }
    });
  }
  await serveMail(stage, GOOD);
}

/** The whole of it: what one sender does in one case can be chance. */
const MANY_CASES = 20;

/** After all that was sent. */
export async function countScene({ table }: Stage): Promise<void> {
  table.begin('All messages');
  await table.prove(`verify and senders agree in ${MANY_CASES} cases of enforce or more, and in others, each outcome among them`, () => {
    const agreeing = table.cases.filter(({ expected }) => expected === AGREES);
    const all = new Set(agreeing.map(({ sender, what }) => `${sender}: ${what}`));
    const enforced = [...all].filter((one) => one.includes(': enforce'));
    const outcomes = new Set(agreeing.map(({ foretold }) => foretold));
    if (enforced.length < MANY_CASES || outcomes.size < 3) throw new Error(`${enforced.length} cases: ${[...outcomes].join(', ')}`);
    return `${all.size} cases, ${enforced.length} of enforce: ${[...outcomes].join(', ')}; beside them ${table.cases.length - agreeing.length} in which a sender has a reason to do otherwise`;
  });
}
