// What must not be deployed ends in seconds, with a reason in the command's own output, and leaves nothing behind.
import { ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { DnsAnswerer } from '../../../../lib/preview/dns-server';
import { put, record } from '../domain';
import { eventsOf, stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import type { Stage } from '../stage';

/** Seconds from the first event of the stack to the failure of the Preflight. */
const MOST_SECONDS = 20;

interface Obstacle {
  readonly what: string;
  /** What the command must say. */
  readonly says: RegExp;
  /** Puts it there. */
  readonly place: (stage: Stage) => Promise<void> | void;
  readonly remove: (stage: Stage) => Promise<void> | void;
}

const CAA = record('example.test', 'CAA', '0 issue "letsencrypt.org"');
const FOREIGN = record('_mta-sts.example.test', 'TXT', '"v=STSv1; id=somebodyelses;"');

const OBSTACLES: readonly Obstacle[] = [
  {
    what: 'public DNS asks another zone',
    says: /the hosted zone \S+ \(example\.test\) is not the one that public DNS asks: .*ns1\.other\.test/,
    place: ({ dns }) => {
      dns.fail(() => (question) => question.name === 'example.test' && question.type === 'NS' ? ELSEWHERE : undefined);
    },
    remove: ({ dns }) => {
      dns.fail(undefined);
    },
  },
  {
    what: 'CAA does not let Amazon issue',
    says: /CAA at example\.test does not let Amazon issue .*found 0 issue "letsencrypt\.org"/,
    place: (stage) => put(stage.emulator.route53, stage.zoneId, [CAA]),
    remove: (stage) => take(stage, CAA),
  },
  {
    what: 'a record of somebody else stands there',
    says: /a record that this stack did not make stands at _mta-sts\.example\.test/,
    place: (stage) => put(stage.emulator.route53, stage.zoneId, [FOREIGN]),
    remove: (stage) => take(stage, FOREIGN),
  },
  {
    what: 'enforce does not cover a mail host',
    says: /mail\.other\.test/,
    place: (stage) => put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', '10 mx1.example.test.', '20 mail.other.test.')]),
    remove: (stage) => put(stage.emulator.route53, stage.zoneId, [record('example.test', 'MX', '10 mx1.example.test.')]),
  },
];

const ELSEWHERE = {
  rcode: 'NOERROR',
  answers: [{ name: 'example.test', ttl: 1, type: 'NS', data: 'ns1.other.test' }],
  authorities: [],
  authoritative: true,
} as const satisfies Awaited<ReturnType<DnsAnswerer>>;

export async function preflightScene(stage: Stage): Promise<void> {
  const { table, emulator } = stage;
  table.begin('Preflight');
  for (const { what, says, place, remove } of OBSTACLES) {
    await table.prove(`${what}: stopped before anything is made`, async () => {
      await place(stage);
      const ended = await stage.deploy({ mode: 'enforce' }).finally(() => remove(stage));
      expectEnd(ended, 1, 'cdk deploy');
      const reason = ended.output.split('\n').find((line) => says.test(line));
      if (reason === undefined) throw new Error(`the command did not say ${String(says)}:\n${ended.output}`);
      const stack = await stackOf(emulator.cloudformation, STACK);
      if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'not there'}, expected ROLLBACK_COMPLETE`);
      const events = await eventsOf(emulator.cloudformation, stack.id);
      const failed = events.find(({ ResourceStatus: status }) => status === 'CREATE_FAILED');
      if (failed?.ResourceType !== 'Custom::MtaStsPreflight') throw new Error(`${failed?.ResourceType ?? 'nothing'} failed first`);
      const seconds = (Number(failed.Timestamp) - Number(events[0].Timestamp)) / 1000;
      if (seconds > MOST_SECONDS) throw new Error(`it took ${seconds} s`);
      return `${seconds.toFixed(1)} s after the stack began: ${reason.trim().slice(0, 400)}`;
    });
  }
}

async function take({ emulator, zoneId }: Stage, set: ResourceRecordSet): Promise<void> {
  await emulator.route53.send(new ChangeResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: [{ Action: 'DELETE', ResourceRecordSet: set }] },
  }));
}
