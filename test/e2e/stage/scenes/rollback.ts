// A verification that fails takes the whole change back: the old id and the old bytes stand again.
import { Watch } from '../watch';
import { stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { AppContext, Stage } from '../stage';

/**
 * @param deployed - what stands
 * @param wanted - what is tried
 */
export async function rollbackScene(stage: Stage, deployed: AppContext, wanted: AppContext): Promise<void> {
  const { table, dns, emulator, authority, cli } = stage;
  table.begin('A verification that fails');
  await stage.ensure(deployed);
  await table.prove('the deployment fails with its reason, and is rolled back', async () => {
    await stage.synth(wanted);
    const watch = new Watch({ ca: authority.certificatePem, first: 'record' });
    const before = await firstId(watch);
    // From the moment that another id is there, somebody else's record stands beside it.
    dns.fail((_, answer) => async (question) => {
      const reply = await answer(question);
      if (reply === 'drop' || question.name !== '_mta-sts.example.test' || question.type !== 'TXT') return reply;
      if (reply.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(before))) return reply;
      return { ...reply, answers: [...reply.answers, { name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=somebodyelses;'] }] };
    });
    const ended = await stage.deploy(wanted);
    await watch.stop();
    dns.fail(undefined);
    expectEnd(ended, 1, 'cdk deploy');
    watch.expectSight();
    const reason = ended.output.split('\n').find((line) => line.includes('MtaStsVerification') && line.includes('FAILED'));
    if (reason === undefined) throw new Error(`the command gave no reason:\n${ended.output}`);
    const stack = await stackOf(emulator.cloudformation, STACK);
    if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}\n${ended.output}`);
    const last = watch.looks.at(-1);
    if (last?.announced !== before || last.served !== before) throw new Error(`${before} does not stand again:\n${watch.summary()}`);
    return `${reason.trim().slice(0, 300)}\n${watch.summary()}`;
  });
  await table.prove('after that mta-sts verify says pass, and the next deployment goes through', async () => {
    expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
    expectEnd(await stage.deploy(wanted), 0, 'cdk deploy');
    expectEnd(await stage.deploy(deployed), 0, 'cdk deploy');
    expectEnd(await cli.mtaSts('verify', 'example.test'), 0, 'mta-sts verify');
    return 'there and back again';
  });
}

async function firstId(watch: Watch): Promise<string> {
  for (;;) {
    const id = watch.looks.at(-1)?.announced;
    if (id !== undefined) return id;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
