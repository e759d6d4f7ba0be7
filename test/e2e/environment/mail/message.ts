// Sends messages with a real sender, and compares prediction, expectation, the sender's log and the mail hosts.
import { setTimeout as sleep } from 'node:timers/promises';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { AGREES } from '../assertion-table';
import type { TestEnvironment } from '../environment';
import { GOOD_HOST, serveMail } from './mail';
import type { Mail, Deviation } from './mail';
import type { Connection } from './mail-exchanger';
import type { Sender, Sent } from './senders/sender';
import type { Senders } from './senders/senders';

/** A prediction of `mta-sts verify --smtp`. Only `now` creates one, so that each comes from the command. */
export class Prediction {
  /** Runs `mta-sts verify --smtp`. */
  public static async now({ cli }: TestEnvironment): Promise<Prediction> {
    const { output } = await cli.mtaSts('verify', 'example.test', '--smtp', '--format', 'json');
    const [domain] = itemsOf(at(JSON.parse(output), 'domains'));
    const delivery = textOf(at(domain, 'delivery'));
    if (delivery === undefined) throw new Error(`mta-sts verify predicts nothing:\n${output}`);
    return new Prediction(delivery);
  }

  /** @param delivery - `deliver-verified`, `deliver-unverified`, `refuse`, or `unknown` */
  private constructor(public readonly delivery: string) {}

  /** Asserts the prediction, for a scenario that makes no sense with another. */
  public expect(delivery: string): this {
    if (this.delivery !== delivery) throw new Error(`mta-sts verify predicted ${this.delivery}, expected ${delivery}`);
    return this;
  }
}

/** A message, and the expected action of its sender. */
export interface Message {
  /** Name of the case in the table. */
  readonly what: string;
  readonly mail: Mail;
  /** Prediction just before the message. */
  readonly predicted: Prediction;
  /** Expected difference from the prediction. */
  readonly deviation?: Deviation;
}

/** Predictions that a message can be compared with. `unknown` is not one. */
const DELIVERIES: readonly string[] = ['deliver-verified', 'deliver-unverified', 'refuse'];

/** A message that a sender has accepted. */
export interface SentMessage {
  readonly recipient: string;
  readonly id: string;
  readonly evidence: string;
  /** Mail hosts that the sender connected to. */
  readonly triedHosts: readonly string[];
}

/** Sends a message and asserts its outcome, as `sendMessage` does. Returns the evidence. */
export async function deliver(environment: TestEnvironment, senders: Senders, sender: Sender, message: Message): Promise<string> {
  return (await sendMessage(environment, senders, sender, message)).evidence;
}

/** Sends a message, asserts that its outcome is the expected one, and adds it to the table. */
export async function sendMessage(environment: TestEnvironment, senders: Senders, sender: Sender, message: Message): Promise<SentMessage> {
  const recipient = senders.newRecipient();
  const known = new Set(listConnections(environment));
  const sent = await sender.send(recipient);
  const connections = await waitUntilClosed(() => {
    return listConnections(environment).filter((connection) => !known.has(connection) && connection.client === sender.greeting);
  });
  const evidence = compareOutcome(environment, sender, message, recipient, sent, connections);
  return { recipient, id: sent.id, evidence, triedHosts: listHosts(connections) };
}

/** Makes a sender retry a message that it has not delivered yet, and asserts the outcome. */
export async function retryMessage(
  environment: TestEnvironment, sender: Sender, message: Message, { recipient, id }: SentMessage,
): Promise<string> {
  const sent = await sender.retry(recipient, id);
  if (sent.id !== id) throw new Error(`the retried message has the id ${sent.id}, expected ${id}`);
  return compareOutcome(environment, sender, message, recipient, sent, []);
}

/**
 * Asserts that the outcome is the expected one, and adds it to the table.
 *
 * @param connections - connections of the sender since it accepted the message, as the mail hosts saw them
 * @returns the evidence
 */
function compareOutcome(
  environment: TestEnvironment, sender: Sender, message: Message, recipient: string, sent: Sent, connections: readonly Connection[],
): string {
  const { outcome, verified, log } = sent;
  const { what, mail, predicted, deviation } = message;
  const expected = deviation?.delivery ?? predicted.delivery;
  const arrived = environment.exchangers.flatMap(({ delivered }) => delivered).find(({ text }) => text.includes(recipient));
  const evidence = [
    ...log,
    ...connections.filter(({ host }) => host !== arrived?.host).map(describeConnection),
    ...arrived === undefined ? [] : [`${arrived.host} received it over ${arrived.tls ?? 'plain text'}`],
  ].join('\n');
  if ((arrived !== undefined) !== (outcome === 'delivered')) throw new Error(`the sender's log and the mail hosts disagree:\n${evidence}`);
  if (!DELIVERIES.includes(expected)) throw new Error(`mta-sts verify predicted ${expected}; the message was ${outcome}:\n${evidence}`);
  if (deviation?.delivery === predicted.delivery) throw new Error(`${sender.name} is expected to differ from the prediction, but the prediction was ${expected}`);
  if ((outcome === 'refused') !== (expected === 'refuse')) throw new Error(`the message was ${outcome}, expected ${expected}:\n${evidence}`);
  if (expected === 'deliver-verified' && arrived?.tls === undefined) throw new Error(`the message arrived in plain text:\n${evidence}`);
  if (expected === 'deliver-verified' && !verified) throw new Error(`${sender.name} did not verify the certificate:\n${evidence}`);
  if (arrived !== undefined && arrived.host !== (mail.deliveredTo ?? arrived.host)) throw new Error(`${arrived.host} received the message, expected ${mail.deliveredTo}:\n${evidence}`);
  const others = connections.filter((one) => one.hasMail && one.host !== arrived?.host);
  if (others.length > 0) throw new Error(`another host got the message too:\n${others.map(describeConnection).join('\n')}\n${evidence}`);
  const inVain = listHosts(connections).filter((host) => host !== arrived?.host);
  const expectedInVain = mail.triedInVain?.[sender.name];
  if (expectedInVain !== undefined && inVain.join() !== expectedInVain.join()) {
    throw new Error(`the sender tried in vain ${inVain.join(', ') || 'no host'}, expected ${expectedInVain.join(', ') || 'no host'}:\n${evidence}`);
  }
  if (outcome === 'refused') expectRefusal(sender, mail, connections, evidence);
  const did = outcome === 'refused' ? outcome : `delivered, ${arrived?.tls === undefined ? 'plain text' : `${verified ? 'verified' : 'unverified'} ${arrived.tls}`}`;
  environment.table.cases.push({
    sender: sender.name,
    what,
    predicted: predicted.delivery,
    expected: deviation?.why ?? AGREES,
    did,
    host: arrived?.host,
    log: findDecidingLine(log),
  });
  return evidence;
}

/** Returns the last line. For Postfix, puts the line about TLS with the same host before it. */
function findDecidingLine(log: readonly string[]): string {
  const last = log.at(-1) ?? '';
  const relay = /relay=([^,]+)/.exec(last)?.[1];
  const tls = relay === undefined ? undefined : log.find((line) => line.includes(' TLS connection established to ') && line.includes(relay));
  return tls === undefined ? last : `${tls.replace(/ with cipher.*/, '')}; ${last}`;
}

/** Asserts that a sender refused because of the policy and this mail host, not for another reason. */
function expectRefusal({ name, tracksIds }: Sender, { what, refusals }: Mail, connections: readonly Connection[], evidence: string): void {
  const refusal = refusals?.[name];
  if (refusal === undefined) throw new Error(`${name} has no reason to refuse ${what}:\n${evidence}`);
  const { logPattern, stoppedAt } = refusal;
  if (!logPattern.test(evidence)) throw new Error(`the log of ${name} does not match ${String(logPattern)}:\n${evidence}`);
  // In Postfix's log the answer of the policy daemon proves the policy. chasquid names the policy itself.
  if (tracksIds && !evidence.includes('policy daemon: OK secure match=')) throw new Error(`the policy daemon did not ask for verified TLS:\n${evidence}`);
  if ((stoppedAt === 'unreached') !== (connections.length === 0)) throw new Error(`${name} made ${connections.length} connections to mail hosts:\n${evidence}`);
  const wrong = connections.filter(({ startTls, handshake, hasMail }) => {
    return hasMail || (stoppedAt === 'certificate' ? handshake?.startsWith('TLSv1') !== true : startTls);
  });
  if (wrong.length > 0) throw new Error(`${name} did not stop at the ${stoppedAt}:\n${wrong.map(describeConnection).join('\n')}\n${evidence}`);
}

/** Waits until the connections are closed, because a sender writes its log before it closes them. */
async function waitUntilClosed(connections: () => readonly Connection[]): Promise<readonly Connection[]> {
  for (const end = Date.now() + 10_000; Date.now() < end && connections().some(({ isClosed: over }) => !over);) await sleep(20);
  return connections();
}

function listConnections({ exchangers }: TestEnvironment): readonly Connection[] {
  return exchangers.flatMap(({ connections }) => connections);
}

/** Lists the hosts in the order of the first connection. */
function listHosts(connections: readonly Connection[]): readonly string[] {
  return [...new Set(connections.map(({ host }) => host))];
}

function describeConnection({ host, client, startTls, handshake, hasMail }: Connection): string {
  const tls = startTls ? `STARTTLS, ${handshake ?? 'no handshake'}` : 'no STARTTLS';
  return `${host} saw EHLO ${client ?? 'without a name'}, ${tls}, ${hasMail ? 'MAIL' : 'and no MAIL'}`;
}

/** Lets each sender forget everything, and cache the current policy by a message to a good host. */
export async function fillCaches(
  environment: TestEnvironment, senders: Senders, assertion: (name: string) => string, what: string,
): Promise<void> {
  await serveMail(environment, GOOD_HOST);
  const predicted = await Prediction.now(environment);
  await senders.each(({ name }) => assertion(name), environment, async (sender) => {
    await sender.forget();
    const evidence = await deliver(environment, senders, sender, { what, mail: GOOD_HOST, predicted: predicted.expect('deliver-verified') });
    await sender.forgetHosts();
    return evidence;
  });
}
