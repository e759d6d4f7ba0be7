// Mail to the domain from real senders: what `mta-sts verify` says beforehand is what they do.
import type { Mode } from '../../../../lib/protocol/policy';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { put, record } from '../domain';
import type { ExchangerBehaviour } from '../mail-exchanger';
import { Chasquid } from '../senders/chasquid';
import { Postfix } from '../senders/postfix';
import type { Sender } from '../senders/sender';
import type { Stage } from '../stage';

/** How the domain's mail is served. */
interface Mail {
  readonly what: string;
  readonly behaviour: ExchangerBehaviour;
  /** @default mx1.example.test, which the policy covers */
  readonly mx?: string;
}

const MAIL: readonly Mail[] = [
  { what: 'a good mail host', behaviour: 'ok' },
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
  for (const { what, behaviour, mx = 'mx1.example.test' } of MAIL) {
    await put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', `10 ${mx}.`)]);
    for (const exchanger of stage.exchangers) exchanger.behaviour = behaviour;
    const foretold = await foretell(stage);
    for (const sender of senders.all) {
      await table.prove(`${what}: foretold ${foretold}, ${sender.name} does so`, async () => {
        await sender.forget();
        return deliver(stage, senders, sender, foretold);
      });
    }
  }
  await put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', '10 mx1.example.test.')]);
  for (const exchanger of stage.exchangers) exchanger.behaviour = 'ok';
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
