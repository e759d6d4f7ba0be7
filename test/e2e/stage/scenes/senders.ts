// Mail to the domain from real senders: what `mta-sts verify --smtp` says beforehand is what they do.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mode } from '../../../../lib/protocol/policy';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { DISTURBANCES, endDisturbance, linesSince } from '../disturbances';
import type { Disturbance } from '../disturbances';
import { put, record } from '../domain';
import { expectHeld, untilHeld } from '../held-policy';
import type { Connection, ExchangerBehaviour } from '../mail-exchanger';
import { Chasquid } from '../senders/chasquid';
import { Postfix } from '../senders/postfix';
import type { Sender, Sent } from '../senders/sender';
import { expectEnd } from '../stage';
import type { Stage } from '../stage';
import { AGREES } from '../table';

/** How a sender that goes by the policy declines a mail host, by its own log and by what the mail host saw of it. */
interface Refusal {
  readonly says: RegExp;
  /** Where it turns back; `unreached`: it does not come to the host at all. */
  readonly at: 'certificate' | 'greeting' | 'unreached';
}

/** How the domain's mail is served. */
interface Mail {
  readonly what: string;
  readonly behaviour: ExchangerBehaviour;
  /** @default mx1.example.test, which the policy covers */
  readonly mx?: string;
  /** By the senders' names; none where nobody has a reason to refuse. */
  readonly refusals?: Readonly<Record<string, Refusal>>;
  /** Who does otherwise under `enforce` than RFC 8461 has it, by the senders' names. */
  readonly deviations?: Readonly<Record<string, Otherwise>>;
}

/** What a sender does in place of what is foretold. */
interface Otherwise {
  readonly delivery: 'deliver-verified' | 'deliver-unverified' | 'refuse';
  readonly why: string;
}

/** For what follows on it. */
export const GOOD: Mail = { what: 'a good mail host', behaviour: 'ok' };

/** chasquid tells no certificate that it does not take from another. */
const BAD_CERTIFICATE: Refusal = { says: /invalid security level \(TLS_INSECURE\) for STS policy/, at: 'certificate' };

export const UNTRUSTED: Mail = {
  what: 'an untrusted certificate',
  behaviour: 'untrusted',
  refusals: { Postfix: { says: /certificate verification failed for .*untrusted issuer/, at: 'certificate' }, chasquid: BAD_CERTIFICATE },
};

export const UNCOVERED: Mail = {
  what: 'a mail host that the policy does not cover',
  behaviour: 'ok',
  mx: 'mail.other.test',
  refusals: {
    // It looks for the policy's names in the certificate.
    Postfix: { says: /certificate verification failed for mail\.other\.test.*hostname mismatch/, at: 'certificate' },
    // It skips the host, so there is no last failure of any.
    chasquid: { says: /all MXs returned transient failures \(last: <nil>\)/, at: 'unreached' },
  },
};

const MAIL: readonly Mail[] = [
  GOOD,
  UNTRUSTED,
  {
    what: 'a certificate for another name',
    behaviour: 'wrong-name',
    refusals: { Postfix: { says: /certificate verification failed for .*hostname mismatch/, at: 'certificate' }, chasquid: BAD_CERTIFICATE },
  },
  {
    what: 'an expired certificate',
    behaviour: 'expired',
    refusals: { Postfix: { says: /certificate verification failed for .*certificate has expired/, at: 'certificate' }, chasquid: BAD_CERTIFICATE },
  },
  {
    what: 'no STARTTLS',
    behaviour: 'no-starttls',
    refusals: {
      Postfix: { says: /TLS is required, but was not offered by host/, at: 'greeting' },
      chasquid: { says: /invalid security level \(PLAIN\) for STS policy/, at: 'greeting' },
    },
  },
  UNCOVERED,
  {
    what: 'a mail host that is not covered, its certificate for a covered one too',
    behaviour: 'two-names',
    mx: 'mail.other.test',
    refusals: { ...UNCOVERED.refusals },
    deviations: { Postfix: { delivery: 'deliver-verified', why: 'compares the policy with the certificate, not with the MX' } },
  },
];

/** What `mta-sts verify --smtp` said; there is no other way to one than to ask it. */
export class Foretold {
  public static async now({ cli }: Stage): Promise<Foretold> {
    const { output } = await cli.mtaSts('verify', 'example.test', '--smtp', '--format', 'json');
    const [domain] = itemsOf(at(JSON.parse(output), 'domains'));
    const delivery = textOf(at(domain, 'delivery'));
    if (delivery === undefined) throw new Error(`mta-sts verify does not say:\n${output}`);
    return new Foretold(delivery);
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
interface Message {
  /** For the table of all. */
  readonly what: string;
  readonly mail: Mail;
  /** Asked just before. */
  readonly foretold: Foretold;
  /** Where this sender does not do what is foretold. */
  readonly otherwise?: Otherwise;
}

/** `mta-sts verify` knows the world, not what a sender holds. */
const OLDER_POLICY = 'holds an older policy';

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

/** Whoever holds a policy does otherwise than `mta-sts verify` says of the world. */
const REFUSE_AS_HELD: Otherwise = { delivery: 'refuse', why: OLDER_POLICY };

/**
 * Policies that senders hold: while the policy host is dead or the record is gone, and when a new id comes, from `enforce` to `none`.
 */
export async function cachesScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, edge } = stage;
  table.begin('Policies that senders hold');
  await stage.ensure({ mode: 'enforce' });
  await learn(stage, senders, (name) => `${name} learns enforce`, 'enforce: a good mail host, learnt');
  await serveMail(stage, UNTRUSTED);
  edge.alive = false;
  const dead = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name }) => `the policy host dies, the id stays: ${name} refuses an untrusted certificate by the policy that it holds`, stage, async (sender) => {
    return deliver(stage, senders, sender, {
      what: 'enforce held, the policy host is dead: an untrusted certificate', mail: UNTRUSTED, foretold: dead, otherwise: REFUSE_AS_HELD,
    });
  });
  edge.alive = true;
  for (const disturbance of DISTURBANCES) await disturbed(stage, senders, disturbance);
  edge.alive = false;
  const still = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name }) => `of one that holds none is foretold ${still.delivery}: ${name} that has forgotten does so`, stage, async (sender) => {
    await sender.forget();
    return deliver(stage, senders, sender, { what: 'nothing held, the policy host is dead: an untrusted certificate', mail: UNTRUSTED, foretold: still });
  });
  edge.alive = true;
  await learn(stage, senders, (name) => `the policy host is back: ${name} learns enforce again`, 'enforce: a good mail host, the policy host is back');
  await mended(stage, senders);
  await noneLearnt(stage, senders);
  await serveMail(stage, GOOD);
}

/** They look for news, as each does, and get none. */
async function disturbed(stage: Stage, senders: Senders, { what, fetch, begin }: Disturbance): Promise<void> {
  const { table, edge, paths } = stage;
  const asked = begin(stage);
  try {
    const foretold = await Foretold.now(stage);
    // What verify has asked is noted by then.
    await sleep(500);
    // One after the other, so that it is clear who fetched.
    for (const sender of senders.all) {
      const claim = `${what}: ${sender.name} ${fetch === undefined ? 'has nothing to fetch' : 'tries to fetch'}, and refuses by the policy that it holds`;
      await table.prove(claim, async () => {
        const [before, questions] = [[...edge.lines], asked()];
        await sender.refresh();
        const words = await deliver(stage, senders, sender, {
          what: `enforce held, ${what}: an untrusted certificate`, mail: UNTRUSTED, foretold, otherwise: REFUSE_AS_HELD,
        });
        const fetches = await fetchesSince(stage, before, fetch);
        if (asked() === questions) throw new Error(`${sender.name} did not ask for the record:\n${words}`);
        if (fetch !== undefined && sender.looksAtIds && !words.includes('policy daemon: STS policy fetch')) throw new Error(`it does not say that it tried to fetch:\n${words}`);
        return [words, `asked for the record ${asked() - questions} times`, ...fetches.map((line) => `edge: ${line}`), expectHeld(sender, paths, 'enforce')].join('\n');
      });
    }
  } finally {
    endDisturbance(stage);
  }
}

/**
 * @param fetch - what they look like; none where there must be no request at all
 * @returns the edge's lines
 */
async function fetchesSince({ edge }: Stage, before: readonly string[], fetch: RegExp | undefined): Promise<readonly string[]> {
  // A sender that fetches behind its deliveries may do so after them.
  for (const end = Date.now() + (fetch === undefined ? 1_000 : 15_000); ;) {
    const lines = linesSince(before, edge.lines).filter((line) => (fetch ?? /^GET |^TLS handshake/).test(line));
    if (fetch === undefined && lines.length > 0) throw new Error(`somebody fetched:\n${lines.join('\n')}`);
    if (fetch !== undefined && lines.length > 0) return lines;
    if (Date.now() > end) {
      if (fetch === undefined) return [];
      throw new Error(`nobody tried to fetch, the edge has seen:\n${linesSince(before, edge.lines).join('\n')}`);
    }
    await sleep(50);
  }
}

/** What is refused waits, and arrives once the certificate is mended. */
async function mended(stage: Stage, senders: Senders): Promise<void> {
  await serveMail(stage, UNTRUSTED);
  const bad = (await Foretold.now(stage)).expect('refuse');
  const waiting = new Map<string, Attempt>();
  await senders.each(({ name }) => `an untrusted certificate: ${name} keeps the message`, stage, async (sender) => {
    const attempt = await attempted(stage, senders, sender, { what: 'enforce held: an untrusted certificate', mail: UNTRUSTED, foretold: bad });
    waiting.set(sender.name, attempt);
    return attempt.words;
  });
  await serveMail(stage, GOOD);
  const good = (await Foretold.now(stage)).expect('deliver-verified');
  await senders.each(({ name }) => `the certificate is mended: ${name} delivers the same message`, stage, async (sender) => {
    const first = waiting.get(sender.name);
    if (first === undefined) throw new Error('it was not refused before');
    return again(stage, sender, { what: 'enforce held, refused before: a good mail host', mail: GOOD, foretold: good }, first);
  });
  await Promise.all(senders.all.map((sender) => sender.forgetHosts()));
}

/** The end of a policy that is held, by `none`: a host that `enforce` keeps mail from has it again. */
async function noneLearnt(stage: Stage, senders: Senders): Promise<void> {
  const { table, paths } = stage;
  await table.prove('none is deployed, with a new id', async () => {
    expectEnd(await stage.deploy({ mode: 'none' }), 0, 'cdk deploy');
    return 'status 0';
  });
  await serveMail(stage, UNTRUSTED);
  const foretold = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name, looksAtIds }) => looksAtIds
    ? `${name} sees the new id and takes none: an untrusted certificate no longer matters`
    : `${name} looks at no record while it holds a policy: it refuses an untrusted certificate until its own refresh, and then delivers`, stage, async (sender) => {
    const words: string[] = [];
    if (!sender.looksAtIds) {
      words.push(await deliver(stage, senders, sender, {
        what: 'enforce held, a new id for none: an untrusted certificate', mail: UNTRUSTED, foretold, otherwise: REFUSE_AS_HELD,
      }));
      await sender.refresh();
      await untilHeld(sender, paths, 'none');
    }
    words.push(await deliver(stage, senders, sender, {
      what: `enforce held, none ${sender.looksAtIds ? 'seen' : 'after its refresh'}: an untrusted certificate`, mail: UNTRUSTED, foretold,
    }), expectHeld(sender, paths, 'none'));
    return words.join('\n');
  });
  await serveMail(stage, UNCOVERED);
  const uncovered = (await Foretold.now(stage)).expect('deliver-unverified');
  await senders.each(({ name }) => `${name} that has forgotten learns none, and delivers to a mail host that the policy does not cover`, stage, async (sender) => {
    await sender.forget();
    return [
      await deliver(stage, senders, sender, { what: `none: ${UNCOVERED.what}`, mail: UNCOVERED, foretold: uncovered }), expectHeld(sender, paths, 'none'),
    ].join('\n');
  });
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

/** From a good mail host. */
async function learn(stage: Stage, senders: Senders, claim: (name: string) => string, what: string): Promise<void> {
  await serveMail(stage, GOOD);
  const foretold = await Foretold.now(stage);
  await senders.each(({ name }) => claim(name), stage, async (sender) => {
    await sender.forget();
    const words = await deliver(stage, senders, sender, { what, mail: GOOD, foretold: foretold.expect('deliver-verified') });
    await sender.forgetHosts();
    return words;
  });
}

export async function serveMail(stage: Stage, { behaviour, mx = 'mx1.example.test' }: Mail): Promise<void> {
  await put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', `10 ${mx}.`)]);
  for (const exchanger of stage.exchangers) exchanger.behaviour = behaviour;
}

/** What can be expected; `unknown` cannot. */
const DELIVERIES: readonly string[] = ['deliver-verified', 'deliver-unverified', 'refuse'];

/** A message that a sender has. */
interface Attempt {
  readonly recipient: string;
  readonly id: string;
  /** The evidence. */
  readonly words: string;
}

/** Sends, compares what comes of it with what is expected, and notes it where that holds. */
export async function deliver(stage: Stage, senders: Senders, sender: Sender, message: Message): Promise<string> {
  return (await attempted(stage, senders, sender, message)).words;
}

async function attempted(stage: Stage, senders: Senders, sender: Sender, message: Message): Promise<Attempt> {
  const recipient = senders.newRecipient();
  const known = new Set(connectionsOf(stage));
  const sent = await sender.send(recipient);
  const connections = await ended(() => connectionsOf(stage).filter((one) => !known.has(one) && one.client === sender.greeting));
  return { recipient, id: sent.id, words: compare(stage, sender, message, recipient, sent, connections) };
}

/** Has a message tried again that was delivered by then to nobody. */
async function again(stage: Stage, sender: Sender, message: Message, { recipient, id }: Attempt): Promise<string> {
  const sent = await sender.again(recipient, id);
  if (sent.id !== id) throw new Error(`the message was ${id}, and is ${sent.id}`);
  return compare(stage, sender, message, recipient, sent, []);
}

/** @param connections - those of the sender since it had the message, as the mail hosts saw them */
function compare(
  stage: Stage, sender: Sender, message: Message, recipient: string, { outcome, verified, log }: Sent, connections: readonly Connection[],
): string {
  const { what, mail, foretold, otherwise } = message;
  const expected = otherwise?.delivery ?? foretold.delivery;
  const arrived = stage.exchangers.flatMap(({ delivered }) => delivered).find(({ text }) => text.includes(recipient));
  const words = [
    ...log,
    ...arrived === undefined ? connections.map(wordsOf) : [`${arrived.host} has it, over ${arrived.tls ?? 'plain text'}`],
  ].join('\n');
  if ((arrived !== undefined) !== (outcome === 'delivered')) throw new Error(`the log and the mail host do not agree:\n${words}`);
  if (!DELIVERIES.includes(expected)) throw new Error(`mta-sts verify foretold ${expected}; it was ${outcome}:\n${words}`);
  if (otherwise?.delivery === foretold.delivery) throw new Error(`${sender.name} should do otherwise than foretold, which was ${expected}`);
  if ((outcome === 'refused') !== (expected === 'refuse')) throw new Error(`it was ${outcome}, expected ${expected}:\n${words}`);
  if (expected === 'deliver-verified' && arrived?.tls === undefined) throw new Error(`it came in plain text:\n${words}`);
  if (expected === 'deliver-verified' && !verified) throw new Error(`${sender.name} has not verified the certificate:\n${words}`);
  if (outcome === 'refused') expectRefusal(sender, mail, connections, words);
  const did = outcome === 'refused' ? outcome : `delivered, ${arrived?.tls === undefined ? 'plain text' : `${verified ? 'verified' : 'unverified'} ${arrived.tls}`}`;
  stage.table.cases.push({ sender: sender.name, what, foretold: foretold.delivery, expected: otherwise?.why ?? AGREES, did, log: log.at(-1) ?? '' });
  return words;
}

/** A sender may defer for many a reason: it must be the one of this mail host, and by the policy. */
function expectRefusal({ name, looksAtIds }: Sender, { what, refusals }: Mail, connections: readonly Connection[], words: string): void {
  const refusal = refusals?.[name];
  if (refusal === undefined) throw new Error(`${name} has no reason to refuse ${what}:\n${words}`);
  const { says, at: place } = refusal;
  if (!says.test(words)) throw new Error(`${name} refused for another reason than ${String(says)}:\n${words}`);
  // Of Postfix the policy is what its daemon answers; chasquid names it itself.
  if (looksAtIds && !words.includes('policy daemon: OK secure match=')) throw new Error(`the policy daemon did not ask for verified TLS:\n${words}`);
  if ((place === 'unreached') !== (connections.length === 0)) throw new Error(`${name} made ${connections.length} connections to mail hosts:\n${words}`);
  const against = connections.filter(({ startTls, handshake, mail }) => {
    return mail || (place === 'certificate' ? handshake?.startsWith('TLSv1') !== true : startTls);
  });
  if (against.length > 0) throw new Error(`${name} did not decline at the ${place}:\n${against.map(wordsOf).join('\n')}\n${words}`);
}

/** A sender writes its log before the mail host has seen the end of it. */
async function ended(connections: () => readonly Connection[]): Promise<readonly Connection[]> {
  for (const end = Date.now() + 10_000; Date.now() < end && connections().some(({ over }) => !over);) await sleep(20);
  return connections();
}

function connectionsOf({ exchangers }: Stage): readonly Connection[] {
  return exchangers.flatMap(({ connections }) => connections);
}

function wordsOf({ host, client, startTls, handshake, mail }: Connection): string {
  const tls = startTls ? `STARTTLS, ${handshake ?? 'no handshake'}` : 'no STARTTLS';
  return `${host} saw EHLO ${client ?? 'from nobody'}, ${tls}, ${mail ? 'MAIL' : 'and no MAIL'}`;
}
