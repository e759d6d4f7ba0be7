// Mail to the domain from real senders: what `mta-sts verify --smtp` says beforehand is what they do.
import type { Mode } from '../../../../lib/protocol/policy';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { put, record } from '../domain';
import type { ExchangerBehaviour } from '../mail-exchanger';
import { Chasquid } from '../senders/chasquid';
import { Postfix } from '../senders/postfix';
import type { Sender } from '../senders/sender';
import { expectEnd } from '../stage';
import type { Stage } from '../stage';

/** How the domain's mail is served. */
interface Mail {
  readonly what: string;
  readonly behaviour: ExchangerBehaviour;
  /** @default mx1.example.test, which the policy covers */
  readonly mx?: string;
}

/** For what follows on it. */
export const GOOD: Mail = { what: 'a good mail host', behaviour: 'ok' };

export const UNTRUSTED: Mail = { what: 'an untrusted certificate', behaviour: 'untrusted' };

export const UNCOVERED: Mail = { what: 'a mail host that the policy does not cover', behaviour: 'ok', mx: 'mail.other.test' };

const MAIL: readonly Mail[] = [
  GOOD,
  UNTRUSTED,
  { what: 'a certificate for another name', behaviour: 'wrong-name' },
  { what: 'an expired certificate', behaviour: 'expired' },
  { what: 'no STARTTLS', behaviour: 'no-starttls' },
  UNCOVERED,
];

export class Senders {
  public static async start(stage: Stage): Promise<Senders> {
    return new Senders([await Postfix.start(stage), await Chasquid.start(stage)]);
  }

  private messages = 0;

  private constructor(public readonly all: readonly Sender[]) {}

  /** Proves a claim of each sender, of all at the same time. */
  public async each(claim: (sender: Sender) => string, { table }: Stage, proof: (sender: Sender) => Promise<string>): Promise<void> {
    await Promise.all(this.all.map(async (sender) => table.prove(claim(sender), () => proof(sender))));
  }

  /** An address that no other message goes to. */
  public newRecipient(): string {
    this.messages += 1;
    return `case-${this.messages}@example.test`;
  }
}

/** @param mode - of the policy that is deployed */
export async function sendersScene(stage: Stage, senders: Senders, mode: Mode): Promise<void> {
  const { table } = stage;
  table.begin(`Mail under ${mode}`);
  await stage.ensure({ mode });
  for (const mail of MAIL) {
    const { what } = mail;
    await serveMail(stage, mail);
    const foretold = await foretell(stage);
    await senders.each(({ name }) => `${what}: foretold ${foretold}, ${name} does so`, stage, async (sender) => {
      await sender.forget();
      return deliver(stage, senders, sender, foretold, `${mode}: ${what}`);
    });
  }
  await serveMail(stage, GOOD);
}

/**
 * Policies that senders hold: while the policy host is dead, and when a new id comes, from `enforce` to `testing`.
 */
export async function cachesScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, edge } = stage;
  table.begin('Policies that senders hold');
  await stage.ensure({ mode: 'enforce' });
  await learn(stage, senders, (name) => `${name} learns enforce`, 'enforce: a good mail host, learnt');
  await serveMail(stage, UNTRUSTED);
  // Said while the policy host is alive: it counts for all who hold the policy by now.
  const held = await foretell(stage);
  edge.alive = false;
  await senders.each(({ name }) => `the policy host dies: ${name} refuses an untrusted certificate by the policy that it holds`, stage, async (sender) => {
    return deliver(stage, senders, sender, expectForetold(held, 'refuse'), 'enforce held, the policy host is dead: an untrusted certificate');
  });
  const unheld = await foretell(stage);
  await senders.each(({ name }) => `of one that holds none is foretold ${unheld}: ${name} that has forgotten does so`, stage, async (sender) => {
    await sender.forget();
    return deliver(stage, senders, sender, expectForetold(unheld, 'deliver-unverified'), 'nothing held, the policy host is dead: an untrusted certificate');
  });
  edge.alive = true;
  await learn(stage, senders, (name) => `the policy host is back: ${name} learns enforce again`, 'enforce: a good mail host, the policy host is back');
  await table.prove('testing is deployed, with a new id', async () => {
    expectEnd(await stage.deploy({ mode: 'testing' }), 0, 'cdk deploy');
    return 'status 0';
  });
  await serveMail(stage, UNTRUSTED);
  const renewed = await foretell(stage);
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `${name} sees the new id and takes the new policy: an untrusted certificate no longer matters`
    : `${name} looks at no record while it holds a policy: it refuses an untrusted certificate until it forgets`, stage, async (sender) => {
    const words: string[] = [];
    if (!sender.looksAtIds) {
      words.push(await deliver(stage, senders, sender, held, 'enforce held, a new id for testing: an untrusted certificate'));
      await sender.forget();
    }
    words.push(await deliver(stage, senders, sender, expectForetold(renewed, 'deliver-unverified'), `a new id for testing, ${sender.looksAtIds ? 'seen' : 'after it forgot'}: an untrusted certificate`));
    return words.join('\n');
  });
  await serveMail(stage, GOOD);
}

/** The whole of it: what one sender does in one case can be chance. */
const MANY_CASES = 20;

/** After all that was sent. */
export async function countScene({ table }: Stage): Promise<void> {
  table.begin('All messages');
  await table.prove(`verify and senders agree in ${MANY_CASES} cases or more, each outcome among them`, () => {
    const { cases } = table;
    const outcomes = new Set(cases.map(({ foretold }) => foretold));
    if (cases.length < MANY_CASES || outcomes.size < 3) throw new Error(`${cases.length} cases: ${[...outcomes].join(', ')}`);
    return `${cases.length} cases: ${[...outcomes].join(', ')}`;
  });
}

/** From a good mail host. */
async function learn(stage: Stage, senders: Senders, claim: (name: string) => string, what: string): Promise<void> {
  await serveMail(stage, GOOD);
  const foretold = await foretell(stage);
  await senders.each(({ name }) => claim(name), stage, async (sender) => {
    await sender.forget();
    const words = await deliver(stage, senders, sender, expectForetold(foretold, 'deliver-verified'), what);
    await sender.forgetHosts();
    return words;
  });
}

export async function serveMail(stage: Stage, { behaviour, mx = 'mx1.example.test' }: Mail): Promise<void> {
  await put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', `10 ${mx}.`)]);
  for (const exchanger of stage.exchangers) exchanger.behaviour = behaviour;
}

/**
 * Sends, and compares.
 *
 * @param what - the case, for the table of all
 */
export async function deliver(stage: Stage, senders: Senders, sender: Sender, foretold: string, what = stage.table.scene): Promise<string> {
  const recipient = senders.newRecipient();
  const { outcome, verified, log } = await sender.send(recipient);
  const arrived = stage.exchangers.flatMap(({ delivered }) => delivered).find(({ text }) => text.includes(recipient));
  const words = [...log, ...arrived === undefined ? [] : [`${arrived.host} has it, over ${arrived.tls ?? 'plain text'}`]].join('\n');
  const did = outcome === 'refused' ? outcome : `delivered, ${arrived?.tls === undefined ? 'plain text' : `${verified ? 'verified' : 'unverified'} ${arrived.tls}`}`;
  stage.table.cases.push({ sender: sender.name, what, foretold, did, log: log.at(-1) ?? '' });
  if ((arrived !== undefined) !== (outcome === 'delivered')) throw new Error(`the log and the mail host do not agree:\n${words}`);
  if ((outcome === 'refused') !== (foretold === 'refuse')) throw new Error(`it was ${outcome}:\n${words}`);
  if (foretold === 'deliver-verified' && arrived?.tls === undefined) throw new Error(`it came in plain text:\n${words}`);
  if (foretold === 'deliver-verified' && !verified) throw new Error(`${sender.name} has not verified the certificate:\n${words}`);
  return words;
}

/** What `mta-sts verify` says that a sender does now. */
export async function foretell({ cli }: Stage): Promise<string> {
  const { output } = await cli.mtaSts('verify', 'example.test', '--smtp', '--format', 'json');
  const [domain] = itemsOf(at(JSON.parse(output), 'domains'));
  const delivery = textOf(at(domain, 'delivery'));
  if (delivery === undefined || delivery === 'unknown') throw new Error(`mta-sts verify does not know:\n${output}`);
  return delivery;
}

/** Where a scene has a meaning only with this. */
function expectForetold(foretold: string, expected: string): string {
  if (foretold !== expected) throw new Error(`mta-sts verify foretold ${foretold}, expected ${expected}`);
  return foretold;
}
