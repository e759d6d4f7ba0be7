// Mail to the domain from real senders: what `mta-sts verify` says beforehand is what they do.
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
const GOOD: Mail = { what: 'a good mail host', behaviour: 'ok' };

const MAIL: readonly Mail[] = [
  GOOD,
  { what: 'an untrusted certificate', behaviour: 'untrusted' },
  { what: 'a certificate for another name', behaviour: 'wrong-name' },
  { what: 'an expired certificate', behaviour: 'expired' },
  { what: 'no STARTTLS', behaviour: 'no-starttls' },
  { what: 'a mail host that the policy does not cover', behaviour: 'ok', mx: 'mail.other.test' },
];

export class Senders {
  public static async start(stage: Stage): Promise<Senders> {
    return new Senders([await Postfix.start(stage), await Chasquid.start(stage)]);
  }

  private messages = 0;

  private constructor(public readonly all: readonly Sender[]) {}

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
    for (const sender of senders.all) {
      await table.prove(`${what}: foretold ${foretold}, ${sender.name} does so`, async () => {
        await sender.forget();
        return deliver(stage, senders, sender, foretold);
      });
    }
  }
  await serveMail(stage, GOOD);
}

/**
 * Policies that senders hold: while the policy host is dead, and when a new id comes., from `enforce` to `testing`.
 */
export async function cachesScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, edge } = stage;
  table.begin('Policies that senders hold');
  await stage.ensure({ mode: 'enforce' });
  await serveMail(stage, GOOD);
  for (const sender of senders.all) {
    await table.prove(`${sender.name} learns enforce`, async () => {
      return learn(stage, senders, sender);
    });
  }
  await serveMail(stage, MAIL[1]);
  edge.alive = false;
  for (const sender of senders.all) {
    await table.prove(`the policy host dies: ${sender.name} refuses an untrusted certificate by the policy that it holds`, async () => {
      return deliver(stage, senders, sender, 'refuse');
    });
  }
  const foretold = await foretell(stage);
  for (const sender of senders.all) {
    await table.prove(`of one that holds none is foretold ${foretold}: ${sender.name} that has forgotten does so`, async () => {
      await sender.forget();
      return deliver(stage, senders, sender, foretold);
    });
  }
  edge.alive = true;
  await serveMail(stage, GOOD);
  for (const sender of senders.all) {
    await table.prove(`the policy host is back: ${sender.name} learns enforce again`, async () => {
      return learn(stage, senders, sender);
    });
  }
  await table.prove('testing is deployed, with a new id', async () => {
    expectEnd(await stage.deploy({ mode: 'testing' }), 0, 'cdk deploy');
    return 'status 0';
  });
  await serveMail(stage, MAIL[1]);
  for (const sender of senders.all) {
    await table.prove(sender.looksAtIds
      ? `${sender.name} sees the new id and takes the new policy: an untrusted certificate no longer matters`
      : `${sender.name} looks at no record while it holds a policy: it refuses an untrusted certificate until it forgets`, async () => {
      const before = await deliver(stage, senders, sender, sender.looksAtIds ? 'deliver-unverified' : 'refuse');
      if (sender.looksAtIds) return before;
      await sender.forget();
      return `${before}\n${await deliver(stage, senders, sender, 'deliver-unverified')}`;
    });
  }
  await serveMail(stage, GOOD);
}

/** From a good mail host. */
async function learn(stage: Stage, senders: Senders, sender: Sender): Promise<string> {
  await sender.forget();
  const words = await deliver(stage, senders, sender, await foretell(stage));
  await sender.forgetHosts();
  return words;
}

async function serveMail(stage: Stage, { behaviour, mx = 'mx1.example.test' }: Mail): Promise<void> {
  await put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', `10 ${mx}.`)]);
  for (const exchanger of stage.exchangers) exchanger.behaviour = behaviour;
}

/** Sends, and compares. */
export async function deliver(stage: Stage, senders: Senders, sender: Sender, foretold: string): Promise<string> {
  const recipient = senders.newRecipient();
  const { outcome, log } = await sender.send(recipient);
  const arrived = stage.exchangers.flatMap(({ delivered }) => delivered).find(({ text }) => text.includes(recipient));
  const words = [...log, ...arrived === undefined ? [] : [`${arrived.host} has it, over ${arrived.tls ?? 'plain text'}`]].join('\n');
  if ((arrived !== undefined) !== (outcome === 'delivered')) throw new Error(`the log and the mail host do not agree:\n${words}`);
  if ((outcome === 'refused') !== (foretold === 'refuse')) throw new Error(`it was ${outcome}:\n${words}`);
  if (foretold === 'deliver-verified' && arrived?.tls === undefined) throw new Error(`it came in plain text:\n${words}`);
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
