// A message of a real sender: what is foretold of it, what is expected, and what became of it by the sender and the mail hosts.
import { setTimeout as sleep } from 'node:timers/promises';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { AGREES } from '../assertion-table';
import type { TestEnvironment } from '../environment';
import { GOOD_HOST, serveMail } from './mail';
import type { Mail, Deviation } from './mail';
import type { Connection } from './mail-exchanger';
import type { Sender, Sent } from './senders/sender';
import type { Senders } from './senders/senders';

/** What `mta-sts verify --smtp` said; there is no other way to one than to ask it. */
export class Prediction {
  public static async now({ cli }: TestEnvironment): Promise<Prediction> {
    const { output } = await cli.mtaSts('verify', 'example.test', '--smtp', '--format', 'json');
    const [domain] = itemsOf(at(JSON.parse(output), 'domains'));
    const delivery = textOf(at(domain, 'delivery'));
    if (delivery === undefined) throw new Error(`mta-sts verify does not say:\n${output}`);
    return new Prediction(delivery);
  }

  /** @param delivery - `deliver-verified`, `deliver-unverified`, `refuse`, or `unknown` */
  private constructor(public readonly delivery: string) {}

  /** Where a scene has a meaning only with this. */
  public expect(delivery: string): this {
    if (this.delivery !== delivery) throw new Error(`mta-sts verify foretold ${this.delivery}, expected ${delivery}`);
    return this;
  }
}

/** A message, and what its sender is expected to do. */
export interface Message {
  /** For the table of all. */
  readonly what: string;
  readonly mail: Mail;
  /** Asked just before. */
  readonly predicted: Prediction;
  /** Where this sender does not do what is foretold. */
  readonly deviation?: Deviation;
}

/** What can be expected; `unknown` cannot. */
const DELIVERIES: readonly string[] = ['deliver-verified', 'deliver-unverified', 'refuse'];

/** A message that a sender has. */
export interface SentMessage {
  readonly recipient: string;
  readonly id: string;
  /** The evidence. */
  readonly evidence: string;
  /** The hosts that it came to. */
  readonly triedHosts: readonly string[];
}

/** Sends, compares what comes of it with what is expected, and notes it where that holds. */
export async function deliver(environment: TestEnvironment, senders: Senders, sender: Sender, message: Message): Promise<string> {
  return (await sendMessage(environment, senders, sender, message)).evidence;
}

export async function sendMessage(environment: TestEnvironment, senders: Senders, sender: Sender, message: Message): Promise<SentMessage> {
  const recipient = senders.newRecipient();
  const known = new Set(listConnections(environment));
  const sent = await sender.send(recipient);
  const connections = await waitUntilClosed(() => listConnections(environment).filter((one) => !known.has(one) && one.client === sender.greeting));
  const words = compareOutcome(environment, sender, message, recipient, sent, connections);
  return { recipient, id: sent.id, evidence: words, triedHosts: listHosts(connections) };
}

/** Has a message tried again that was delivered by then to nobody. */
export async function retryMessage(environment: TestEnvironment, sender: Sender, message: Message, { recipient, id }: SentMessage): Promise<string> {
  const sent = await sender.retry(recipient, id);
  if (sent.id !== id) throw new Error(`the message was ${id}, and is ${sent.id}`);
  return compareOutcome(environment, sender, message, recipient, sent, []);
}

/** @param connections - those of the sender since it had the message, as the mail hosts saw them */
function compareOutcome(
  environment: TestEnvironment, sender: Sender, message: Message, recipient: string, { outcome, verified, log }: Sent, connections: readonly Connection[],
): string {
  const { what, mail, predicted, deviation } = message;
  const expected = deviation?.delivery ?? predicted.delivery;
  const arrived = environment.exchangers.flatMap(({ delivered }) => delivered).find(({ text }) => text.includes(recipient));
  const words = [
    ...log,
    ...connections.filter(({ host }) => host !== arrived?.host).map(describeConnection),
    ...arrived === undefined ? [] : [`${arrived.host} has it, over ${arrived.tls ?? 'plain text'}`],
  ].join('\n');
  if ((arrived !== undefined) !== (outcome === 'delivered')) throw new Error(`the log and the mail host do not agree:\n${words}`);
  if (!DELIVERIES.includes(expected)) throw new Error(`mta-sts verify foretold ${expected}; it was ${outcome}:\n${words}`);
  if (deviation?.delivery === predicted.delivery) throw new Error(`${sender.name} should do otherwise than foretold, which was ${expected}`);
  if ((outcome === 'refused') !== (expected === 'refuse')) throw new Error(`it was ${outcome}, expected ${expected}:\n${words}`);
  if (expected === 'deliver-verified' && arrived?.tls === undefined) throw new Error(`it came in plain text:\n${words}`);
  if (expected === 'deliver-verified' && !verified) throw new Error(`${sender.name} has not verified the certificate:\n${words}`);
  if (arrived !== undefined && arrived.host !== (mail.deliveredTo ?? arrived.host)) throw new Error(`${arrived.host} has it, expected ${mail.deliveredTo}:\n${words}`);
  const strayed = connections.filter((one) => one.hasMail && one.host !== arrived?.host);
  if (strayed.length > 0) throw new Error(`another host heard of the message too:\n${strayed.map(describeConnection).join('\n')}\n${words}`);
  const inVain = listHosts(connections).filter((host) => host !== arrived?.host);
  const meets = mail.triedInVain?.[sender.name];
  if (meets !== undefined && inVain.join() !== meets.join()) {
    throw new Error(`it came in vain to ${inVain.join(', ') || 'none'}, expected ${meets.join(', ') || 'none'}:\n${words}`);
  }
  if (outcome === 'refused') expectRefusal(sender, mail, connections, words);
  const did = outcome === 'refused' ? outcome : `delivered, ${arrived?.tls === undefined ? 'plain text' : `${verified ? 'verified' : 'unverified'} ${arrived.tls}`}`;
  environment.table.cases.push({
    sender: sender.name,
    what,
    predicted: predicted.delivery,
    expected: deviation?.why ?? AGREES,
    did,
    host: arrived?.host,
    log: decidingLine(log),
  });
  return words;
}

/** The last line, and of Postfix before it what it says of TLS with the host of that line. */
function decidingLine(log: readonly string[]): string {
  const last = log.at(-1) ?? '';
  const relay = /relay=([^,]+)/.exec(last)?.[1];
  const tls = relay === undefined ? undefined : log.find((line) => line.includes(' TLS connection established to ') && line.includes(relay));
  return tls === undefined ? last : `${tls.replace(/ with cipher.*/, '')}; ${last}`;
}

/** A sender may defer for many a reason: it must be the one of this mail host, and by the policy. */
function expectRefusal({ name, tracksIds }: Sender, { what, refusals }: Mail, connections: readonly Connection[], words: string): void {
  const refusal = refusals?.[name];
  if (refusal === undefined) throw new Error(`${name} has no reason to refuse ${what}:\n${words}`);
  const { logPattern: says, stoppedAt: place } = refusal;
  if (!says.test(words)) throw new Error(`${name} refused for another reason than ${String(says)}:\n${words}`);
  // Of Postfix the policy is what its daemon answers; chasquid names it itself.
  if (tracksIds && !words.includes('policy daemon: OK secure match=')) throw new Error(`the policy daemon did not ask for verified TLS:\n${words}`);
  if ((place === 'unreached') !== (connections.length === 0)) throw new Error(`${name} made ${connections.length} connections to mail hosts:\n${words}`);
  const against = connections.filter(({ startTls, handshake, hasMail: mail }) => {
    return mail || (place === 'certificate' ? handshake?.startsWith('TLSv1') !== true : startTls);
  });
  if (against.length > 0) throw new Error(`${name} did not decline at the ${place}:\n${against.map(describeConnection).join('\n')}\n${words}`);
}

/** A sender writes its log before the mail host has seen the end of it. */
async function waitUntilClosed(connections: () => readonly Connection[]): Promise<readonly Connection[]> {
  for (const end = Date.now() + 10_000; Date.now() < end && connections().some(({ isClosed: over }) => !over);) await sleep(20);
  return connections();
}

function listConnections({ exchangers }: TestEnvironment): readonly Connection[] {
  return exchangers.flatMap(({ connections }) => connections);
}

/** In the order of the visits. */
function listHosts(connections: readonly Connection[]): readonly string[] {
  return [...new Set(connections.map(({ host }) => host))];
}

function describeConnection({ host, client, startTls, handshake, hasMail: mail }: Connection): string {
  const tls = startTls ? `STARTTLS, ${handshake ?? 'no handshake'}` : 'no STARTTLS';
  return `${host} saw EHLO ${client ?? 'from nobody'}, ${tls}, ${mail ? 'MAIL' : 'and no MAIL'}`;
}

/** Each sender, which then has forgotten all else, learns the policy of the domain from its mail to a good host. */
export async function fillCaches(environment: TestEnvironment, senders: Senders, assertion: (name: string) => string, what: string): Promise<void> {
  await serveMail(environment, GOOD_HOST);
  const predicted = await Prediction.now(environment);
  await senders.each(({ name }) => assertion(name), environment, async (sender) => {
    await sender.forget();
    const words = await deliver(environment, senders, sender, { what, mail: GOOD_HOST, predicted: predicted.expect('deliver-verified') });
    await sender.forgetHosts();
    return words;
  });
}
