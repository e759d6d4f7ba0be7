// Mail to the domain from real senders: they do what `mta-sts verify --smtp` predicts.
import type { Mode } from '../../../../lib/protocol/policy/policy';
import { AGREES } from '../../environment/assertion-table';
import type { TestEnvironment } from '../../environment/environment';
import { expectCached } from '../../environment/mail/cached-policy';
import { GOOD_HOST, ONE_HOST, SEVERAL_HOSTS, UNDER_A_WILDCARD, serveMail } from '../../environment/mail/mail';
import type { Mail, Deviation } from '../../environment/mail/mail';
import { Prediction, sendMessage } from '../../environment/mail/message';
import type { Sender } from '../../environment/mail/senders/sender';
import type { Senders } from '../../environment/mail/senders/senders';

/** Sends mail to one mail host with every behaviour. */
export async function sendersScenario(environment: TestEnvironment, senders: Senders, mode: Mode): Promise<void> {
  environment.table.begin(`Mail under ${mode}`);
  await environment.ensureDeployed({ mode });
  await sendEach(environment, senders, mode, ONE_HOST);
}

/** Sends mail to several mail hosts. Senders use the first host that the policy permits. */
export async function severalScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  environment.table.begin('Mail to several hosts under enforce');
  await environment.ensureDeployed({ mode: 'enforce', mx: 'mx1.example.test,mx2.example.test' });
  await sendEach(environment, senders, 'enforce', SEVERAL_HOSTS);
}

/** Sends mail under a policy with a wildcard, which covers one label. */
export async function wildcardScenario(environment: TestEnvironment, senders: Senders): Promise<void> {
  environment.table.begin('Mail under a wildcard');
  await environment.ensureDeployed({ mode: 'enforce', mx: '*.example.test' });
  await sendEach(environment, senders, 'enforce', UNDER_A_WILDCARD);
}

/** Maximum number of messages until a sender must have tried each of two hosts with equal preference. */
const MAX_MESSAGES = 20;

async function sendEach(environment: TestEnvironment, senders: Senders, mode: Mode, mails: readonly Mail[]): Promise<void> {
  for (const mail of mails) {
    const { what } = mail;
    await serveMail(environment, mail);
    const predicted = await Prediction.now(environment);
    const deviationOf = ({ name }: Sender): Deviation | undefined => mode === 'enforce' ? mail.deviations?.[name] : undefined;
    await senders.each((sender) => {
      const deviation = deviationOf(sender);
      const outcome = deviation === undefined ? `does as predicted: ${predicted.delivery}` : `does not do as predicted: ${deviation.delivery}, not ${predicted.delivery}`;
      return `with mail to ${what}, ${sender.name} ${outcome}`;
    }, environment, async (sender) => {
      const message = { what: `${mode}: ${what}`, mail, predicted, deviation: deviationOf(sender) };
      for (let count = 1; ; count += 1) {
        await sender.forget();
        const { evidence, triedHosts } = await sendMessage(environment, senders, sender, message);
        // A sender without a policy might behave the same.
        const cached = expectCached(sender, environment.paths, mode);
        if (mail.untilTried === undefined || triedHosts.includes(mail.untilTried)) return `${evidence}\n${cached}`;
        if (count === MAX_MESSAGES) throw new Error(`none of ${count} messages reached ${mail.untilTried}:\n${evidence}`);
      }
    });
  }
  await serveMail(environment, GOOD_HOST);
}

/** Minimum number of cases under `enforce`. A single case may agree by chance. */
const MIN_ENFORCE_CASES = 20;

/** Counts the cases in which prediction and sender agree. Runs after all other scenarios with senders. */
export async function countScenario({ table }: TestEnvironment): Promise<void> {
  table.begin('All messages');
  await table.prove(`mta-sts verify and the senders agree in ${MIN_ENFORCE_CASES} or more cases of enforce, and in each outcome`, () => {
    const agreeing = table.cases.filter(({ expected }) => expected === AGREES);
    const caseNames = new Set(agreeing.map(({ sender, what }) => `${sender}: ${what}`));
    const enforced = [...caseNames].filter((name) => name.includes(': enforce'));
    const outcomes = new Set(agreeing.map(({ predicted }) => predicted));
    if (enforced.length < MIN_ENFORCE_CASES || outcomes.size < 3) throw new Error(`${enforced.length} cases: ${[...outcomes].join(', ')}`);
    return `${caseNames.size} cases, ${enforced.length} of enforce: ${[...outcomes].join(', ')}; in ${table.cases.length - agreeing.length} other cases a sender deviates for a known reason`;
  });
}
