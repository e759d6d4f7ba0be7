// Mail to the domain from real senders: what `mta-sts verify --smtp` says beforehand is what they do.
import type { Mode } from '../../../../lib/protocol/policy';
import { GOOD, ONE_HOST, SEVERAL_HOSTS, serveMail } from '../mail';
import type { Mail, Otherwise } from '../mail';
import { Foretold, deliver } from '../message';
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
      await sender.forget();
      return deliver(stage, senders, sender, { what: `${mode}: ${what}`, mail, foretold, otherwise: deviation(sender) });
    });
  }
  await serveMail(stage, GOOD);
}

/** The whole of it: what one sender does in one case can be chance. */
const MANY_CASES = 20;

/** After all that was sent. */
export async function countScene({ table }: Stage): Promise<void> {
  table.begin('All messages');
  await table.prove(`verify and senders agree in ${MANY_CASES} cases or more, each outcome among them`, () => {
    const agreeing = table.cases.filter(({ expected }) => expected === AGREES);
    const { size } = new Set(agreeing.map(({ sender, what }) => `${sender}: ${what}`));
    const outcomes = new Set(agreeing.map(({ foretold }) => foretold));
    if (size < MANY_CASES || outcomes.size < 3) throw new Error(`${size} cases: ${[...outcomes].join(', ')}`);
    return `${size} cases: ${[...outcomes].join(', ')}; beside them ${table.cases.length - agreeing.length} in which a sender has a reason to do otherwise`;
  });
}
