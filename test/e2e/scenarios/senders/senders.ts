// Mail to the domain from real senders: what `mta-sts verify --smtp` says beforehand is what they do.
import type { Mode } from '../../../../lib/protocol/policy/policy';
import { AGREES } from '../../environment/assertion-table';
import type { TestEnvironment } from '../../environment/environment';
import { expectCached } from '../../environment/mail/cached-policy';
import { GOOD_HOST, ONE_HOST, SEVERAL_HOSTS, UNDER_A_WILDCARD, serveMail } from '../../environment/mail/mail';
import type { Mail, Deviation } from '../../environment/mail/mail';
import { Prediction, sendMessage } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';

/** One mail host, in every way. */
export async function sendersScenario(environment: TestEnvironment, senders: Senders, mode: Mode): Promise<void> {
  environment.table.begin(`Mail under ${mode}`);
  await environment.ensureDeployed({ mode });
  await sendEach(environment, senders, mode, ONE_HOST);
}

/** Several mail hosts, of which senders take the first that the policy lets them. */
export async function severalScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  environment.table.begin('Mail to several hosts under enforce');
  await environment.ensureDeployed({ mode: 'enforce', mx: 'mx1.example.test,mx2.example.test' });
  await sendEach(environment, senders, 'enforce', SEVERAL_HOSTS);
}

/** A wildcard, which covers one label. */
export async function wildcardScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  environment.table.begin('Mail under a wildcard');
  await environment.ensureDeployed({ mode: 'enforce', mx: '*.example.test' });
  await sendEach(environment, senders, 'enforce', UNDER_A_WILDCARD);
}

/** Of two equal hosts: one that is not met in so many messages is not there. */
const MAX_MESSAGES = 20;

async function sendEach(environment: TestEnvironment, senders: Senders, mode: Mode, mails: readonly Mail[]): Promise<void> {
  for (const mail of mails) {
    const { what } = mail;
    await serveMail(environment, mail);
    const predicted = await Prediction.now(environment);
    const deviationOf = ({ name }: Sender): Deviation | undefined => mode === 'enforce' ? mail.deviations?.[name] : undefined;
    await senders.each((sender) => {
      const deviation = deviationOf(sender);
      return `${what}: foretold ${predicted.delivery}, ${sender.name} ${deviation === undefined ? 'does so' : `does not: ${deviation.delivery}`}`;
    }, environment, async (sender) => {
      const message = { what: `${mode}: ${what}`, mail, predicted, deviation: deviationOf(sender) };
      for (let count = 1; ; count += 1) {
        await sender.forget();
        const { evidence, triedHosts } = await sendMessage(environment, senders, sender, message);
        // What it does it may do without any policy as well.
        const cached = expectCached(sender, environment.paths, mode);
        if (mail.untilTried === undefined || triedHosts.includes(mail.untilTried)) return `${evidence}\n${cached}`;
        if (count === MAX_MESSAGES) throw new Error(`none of ${count} messages came to ${mail.untilTried}:\n${evidence}`);
      }
    });
  }
  await serveMail(environment, GOOD_HOST);
}

/** The whole of it: what one sender does in one case can be chance. */
const MANY_CASES = 20;

/** After all that was sent. */
export async function countScenario({ table }: TestEnvironment): Promise<void> {
  table.begin('All messages');
  await table.prove(`verify and senders agree in ${MANY_CASES} cases of enforce or more, and in others, each outcome among them`, () => {
    const agreeing = table.cases.filter(({ expected }) => expected === AGREES);
    const all = new Set(agreeing.map(({ sender, what }) => `${sender}: ${what}`));
    const enforced = [...all].filter((one) => one.includes(': enforce'));
    const outcomes = new Set(agreeing.map(({ predicted }) => predicted));
    if (enforced.length < MANY_CASES || outcomes.size < 3) throw new Error(`${enforced.length} cases: ${[...outcomes].join(', ')}`);
    return `${all.size} cases, ${enforced.length} of enforce: ${[...outcomes].join(', ')}; beside them ${table.cases.length - agreeing.length} in which a sender has a reason to do otherwise`;
  });
}
