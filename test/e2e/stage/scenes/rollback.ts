// A verification that fails takes the whole change back: the old id and the old bytes stand again, also for senders that came in between.
import type { DnsRecord } from '../../../../lib/preview/dns-server';
import type { Mode } from '../../../../lib/protocol/policy';
import { ANNOUNCEMENT } from '../domain';
import { expectHeld, untilHeld } from '../held-policy';
import { GOOD, UNTRUSTED, serveMail } from '../mail';
import { Foretold, deliver } from '../message';
import type { Sender } from '../senders/sender';
import type { Senders } from '../senders/senders';
import { stackOf } from '../stacks';
import { announcedId } from '../standing';
import { STACK, expectEnd } from '../stage';
import type { Stage } from '../stage';
import { watched } from '../watch';

const REASON = /UPDATE_FAILED .*MtaStsVerification.* record-multiple: _mta-sts\.example\.test /;

/** From `enforce` to `testing` and back: to a mail host that senders must not trust, so that each does something else by each policy. */
export async function rollbackScene(stage: Stage, senders: Senders): Promise<void> {
  const { table, dns, emulator, authority, cli } = stage;
  const [deployed, wanted] = [{ mode: 'enforce' }, { mode: 'testing' }] as const;
  const withPolicy = async (sender: Sender, sent: Promise<string>, mode: Mode): Promise<string> => {
    return `${await sent}\n${expectHeld(sender, stage.paths, mode)}`;
  };
  const refreshed = async (sender: Sender, mode: Mode): Promise<void> => {
    await sender.refresh();
    await untilHeld(sender, stage.paths, mode);
  };
  table.begin('A verification that fails');
  await stage.ensure(deployed);
  await stage.synth(wanted);
  await serveMail(stage, UNTRUSTED);
  const foretold = (await Foretold.now(stage)).expect('refuse');
  for (const sender of senders.all) {
    await table.prove(`before: foretold ${foretold.delivery} of an untrusted certificate, ${sender.name} learns enforce and does so`, async () => {
      await sender.forget();
      return withPolicy(sender, deliver(stage, senders, sender, { what: 'enforce, before a failure: an untrusted certificate', mail: UNTRUSTED, foretold }), deployed.mode);
    });
  }
  const between = new Map<string, Promise<string>>();
  await table.prove('the deployment fails with its reason, and is rolled back', async () => {
    const before = await announcedId();
    let isOver = false;
    const visit = async (): Promise<void> => {
      const midway = Foretold.now(stage);
      for (const sender of senders.all) {
        // One that looks at no ids comes by its own refresh.
        between.set(sender.name, (sender.looksAtIds ? Promise.resolve() : refreshed(sender, wanted.mode))
          .then(async () => withPolicy(sender, deliver(stage, senders, sender, {
            what: 'the policy of a failing deployment: an untrusted certificate', mail: UNTRUSTED, foretold: (await midway).expect('deliver-unverified'),
          }), wanted.mode)));
      }
      await Promise.allSettled(between.values());
      isOver = true;
    };
    let visiting: Promise<void> | undefined;
    // The resolver gives what is right, so that senders learn the new policy. The name servers have the old record, for which the
    // verification waits, until the senders were there, and then somebody else's record beside the new one, for which it does not.
    dns.fail((server, answer) => async (question) => {
      if (server === 'resolver' || question.name !== ANNOUNCEMENT || question.type !== 'TXT') return undefined;
      const reply = await answer(question);
      if (reply === 'drop' || reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(before))) return reply;
      visiting ??= visit();
      const record = (id: string): DnsRecord => ({ name: question.name, ttl: 1, type: 'TXT', data: [`v=STSv1; id=${id};`] });
      return { ...reply, answers: isOver ? [...reply.answers, record('somebodyelses')] : [record(before)] };
    });
    const { watch, ended } = await watched({ ca: authority.certificatePem, first: 'record' }, () => stage.deploy(wanted).finally(() => {
      dns.fail(undefined);
    }));
    expectEnd(ended, 1, 'cdk deploy');
    watch.expectSight();
    const reason = ended.output.split('\n').find((line) => REASON.test(line));
    if (reason === undefined) throw new Error(`the command must say something like ${String(REASON)}:\n${ended.output}`);
    const stack = await stackOf(emulator.cloudformation, STACK);
    if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
    const last = watch.looks.at(-1);
    if (last?.announced !== before || last.served !== before) throw new Error(`${before} does not stand again:\n${watch.summary()}`);
    return `${reason.trim().slice(0, 300)}\n${watch.summary()}`;
  });
  for (const { name } of senders.all) {
    await table.prove(`in between ${name} fetched the new policy, and delivered by it`, () => between.get(name) ?? Promise.reject(new Error('it never came')));
  }
  const again = await Foretold.now(stage);
  for (const sender of senders.all) {
    await table.prove(sender.looksAtIds
      ? `afterwards foretold ${again.delivery}: ${sender.name} sees the old id, fetches the old policy and does so`
      : `afterwards foretold ${again.delivery}: ${sender.name} looks at no record while it holds a policy, delivers by that of in between, and does so after its own refresh`,
    async () => {
      again.expect(foretold.delivery);
      const words: string[] = [];
      if (!sender.looksAtIds) {
        words.push(await withPolicy(sender, deliver(stage, senders, sender, {
          what: 'the policy of a failed deployment held: an untrusted certificate',
          mail: UNTRUSTED,
          foretold: again,
          otherwise: { delivery: 'deliver-unverified', why: 'holds a policy that was taken back' },
        }), wanted.mode));
        await refreshed(sender, deployed.mode);
      }
      words.push(await withPolicy(sender, deliver(stage, senders, sender, {
        what: 'enforce, after a rollback: an untrusted certificate', mail: UNTRUSTED, foretold: again,
      }), deployed.mode));
      return words.join('\n');
    });
  }
  await serveMail(stage, GOOD);
  const good = (await Foretold.now(stage)).expect('deliver-verified');
  for (const sender of senders.all) {
    await table.prove(`afterwards foretold ${good.delivery} of a good mail host: ${sender.name} does so`, async () => deliver(stage, senders, sender, {
      what: 'enforce, after a rollback: a good mail host', mail: GOOD, foretold: good,
    }));
  }
  await table.prove('after that mta-sts verify says pass, and the next deployment goes through', async () => {
    expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
    expectEnd(await stage.deploy(wanted), 0, 'cdk deploy');
    expectEnd(await stage.deploy(deployed), 0, 'cdk deploy');
    expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
    return 'there and back again';
  });
}
