// What must not be deployed ends in seconds, with a reason in the command's own output, and leaves nothing behind.
import { ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { readFileSync } from 'node:fs';
import type { DnsAnswerer } from '../../../../lib/preview/dns-server/server';
import { at, itemsOf } from '../../../../lib/preview/json';
import { STACK } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { readLiveState } from '../../environment/app/live-state';
import { readSynthesizedPolicy } from '../../environment/app/synthesized';
import { REGION } from '../../environment/aws/emulator';
import { takeInventory, findLeftovers } from '../../environment/aws/inventory';
import { stackEvents, findStack } from '../../environment/aws/stacks';
import { RECORD_NAME, put, record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';

/**
 * Seconds, each from where somebody waits to where they know: from the first event of the stack to the failure of the Preflight, and of the
 * whole command, which synthesizes nothing here (see `synth`): it starts, publishes the assets, takes away the stack of the attempt before,
 * waits, and looks every five seconds whether the stack has been rolled back.
 */
const MAX_SECONDS = { stack: 20, command: 30 } as const;

/** What is made before the Preflight has said yes: itself, and what it runs in. */
const BEFOREHAND = [
  'AWS::CloudFormation::Stack', 'AWS::IAM::Role', 'AWS::IAM::Policy', 'AWS::Logs::LogGroup', 'AWS::Lambda::Function', 'AWS::Lambda::EventInvokeConfig',
  'Custom::MtaStsPreflight',
];

const WANTED: AppContext = { mode: 'enforce' };

/** Asks less of senders. */
const LESS: AppContext = { mode: 'testing' };

interface Obstacle {
  readonly what: string;
  /** What the command must say. */
  readonly says: RegExp;
  /** Puts it there. */
  readonly place: (environment: TestEnvironment) => Promise<void> | void;
  readonly remove: (environment: TestEnvironment) => Promise<void> | void;
  /** Shown in an update too, where a policy stands already. */
  readonly update?: true;
}

const CAA = record('example.test', 'CAA', '0 issue "letsencrypt.org"');
const FOREIGN = record(RECORD_NAME, 'TXT', '"v=STSv1; id=somebodyelses;"');

const FORBIDDEN: Obstacle = {
  what: 'CAA does not let Amazon issue',
  says: /CAA at example\.test does not allow Amazon to issue a certificate for the policy host \(found: 0 issue "letsencrypt\.org"\)\. .* Add /,
  place: (environment) => put(environment.emulator.route53, environment.zoneId, [CAA]),
  remove: (environment) => take(environment, CAA),
  update: true,
};

const OBSTACLES: readonly Obstacle[] = [
  {
    what: 'public DNS asks another zone',
    says: /zone-not-delegated: public DNS does not use the hosted zone \S+ for example\.test: it has the name servers ns1\.other\.test/,
    place: ({ dns }) => {
      dns.fail(() => (question) => question.name === 'example.test' && question.type === 'NS' ? ELSEWHERE : undefined);
    },
    remove: ({ dns }) => {
      dns.fail(undefined);
    },
  },
  FORBIDDEN,
  {
    what: 'a record of somebody else stands there',
    says: /record-exists: this stack did not create the record at _mta-sts\.example\.test in the hosted zone \S+: TXT .*somebodyelses/,
    place: (environment) => put(environment.emulator.route53, environment.zoneId, [FOREIGN]),
    remove: (environment) => take(environment, FOREIGN),
  },
  {
    what: 'enforce does not cover a mail host',
    says: /mx-not-covered: the policy for example\.test does not cover mail\.other\.test \(patterns: mx1\.example\.test\)\. In enforce mode, senders refuse mail/,
    place: (environment) => put(environment.emulator.route53, environment.zoneId, [record('example.test', 'MX', '10 mx1.example.test.', '20 mail.other.test.')]),
    remove: (environment) => put(environment.emulator.route53, environment.zoneId, [record('example.test', 'MX', '10 mx1.example.test.')]),
    update: true,
  },
];

const ELSEWHERE = {
  rcode: 'NOERROR',
  answers: [{ name: 'example.test', ttl: 1, type: 'NS', data: 'ns1.other.test' }],
  authorities: [],
  authoritative: true,
} as const satisfies Awaited<ReturnType<DnsAnswerer>>;

export async function preflightScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator } = environment;
  table.begin('Preflight');
  await environment.synth(WANTED);
  for (const obstacle of OBSTACLES) {
    await table.prove(`${obstacle.what}: stopped before anything is made`, async () => {
      const before = await takeInventory(environment);
      const { reason, seconds } = await refused(environment, obstacle);
      const stack = await findStack(emulator.cloudformation, STACK);
      if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'not there'}, expected ROLLBACK_COMPLETE`);
      const events = await stackEvents(emulator.cloudformation, stack.id);
      const inStack = expectPreflightAlone(events, 'CREATE');
      // The stack itself stays, as one that has failed, until the next deployment or `cdk destroy`.
      const left = (await findLeftovers(environment, before)).filter((thing) => thing !== `${REGION}: stack ${STACK}`);
      if (left.length > 0) throw new Error(`left behind: ${left.join('; ')}`);
      return `${inStack.toFixed(1)} s after the stack began, the command ended after ${seconds.toFixed(1)} s (without synthesis): ${reason}`;
    });
  }
}

/** The same where a policy stands: it stands as before. Needs the scene `deploy`. */
export async function refusedScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator } = environment;
  table.begin('Preflight of an update');
  await environment.synth(WANTED);
  await environment.ensureDeployed(LESS);
  for (const obstacle of OBSTACLES.filter(({ update }) => update === true)) {
    await table.prove(`${obstacle.what}: the update is stopped, and the old id and the old bytes stand untouched`, async () => {
      const [before, things] = [await readLiveState(environment), await takeInventory(environment)];
      const since = new Date();
      const { reason, seconds } = await refused(environment, obstacle);
      const stack = await findStack(emulator.cloudformation, STACK);
      if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'not there'}, expected UPDATE_ROLLBACK_COMPLETE`);
      const inStack = expectPreflightAlone(await stackEvents(emulator.cloudformation, STACK, since), 'UPDATE');
      const after = await readLiveState(environment);
      if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error(`there stands ${JSON.stringify(after)}, stood ${JSON.stringify(before)}`);
      const left = await findLeftovers(environment, things);
      if (left.length > 0) throw new Error(`left behind: ${left.join('; ')}`);
      return `${inStack.toFixed(1)} s after the update began, the command ended after ${seconds.toFixed(1)} s; ${before.records[0]}: ${reason}`;
    });
  }
  await proveWayOut(environment);
}

/** The way out where senders refuse mail: the certificate is there, whatever CAA says by now. */
async function proveWayOut(environment: TestEnvironment): Promise<void> {
  const { table, emulator: { logFile } } = environment;
  const { what, says, place, remove } = FORBIDDEN;
  await table.prove(`${what}: from enforce the policy becomes testing all the same, with a warning in the function's log`, async () => {
    await environment.ensureDeployed(WANTED);
    const { length } = readFileSync(logFile);
    await place(environment);
    expectEnd(await environment.deploy(LESS).finally(() => remove(environment)), 0, 'cdk deploy');
    const { hash, text } = readSynthesizedPolicy(environment.assembly(LESS));
    const { records, files } = await readLiveState(environment);
    if (!records.every((record) => record.endsWith(`${hash};`)) || !files.every((file) => file.toString() === text)) {
      throw new Error(`there stands ${records.join(', ')} and ${files.join(', ')}, expected an id that ends with ${hash} and ${text}`);
    }
    const lines = readFileSync(logFile).subarray(length).toString().split('\n').filter((line) => line.includes('"preflight, caa"'));
    const warnings = lines.flatMap((line) => itemsOf(at(JSON.parse(line), 'warnings'))).map((one) => String(at(one, 'message')));
    const warning = warnings.find((said) => says.test(said) && said.includes('This update goes on all the same'));
    if (warning === undefined) throw new Error(`the function's log has no such warning, but ${lines.join('\n')}`);
    return `${records[0]}: ${warning}`;
  });
}

/** @returns what the command gave as its reason, and how long it took */
async function refused(environment: TestEnvironment, { says, place, remove }: Obstacle): Promise<{ readonly reason: string; readonly seconds: number }> {
  await place(environment);
  const ended = await environment.deploy(WANTED).finally(() => remove(environment));
  expectEnd(ended, 1, 'cdk deploy');
  const reason = ended.output.split('\n').find((line) => says.test(line));
  if (reason === undefined) throw new Error(`the command did not say ${String(says)}:\n${ended.output}`);
  if (ended.seconds > MAX_SECONDS.command) throw new Error(`the command took ${ended.seconds} s, more than ${MAX_SECONDS.command}`);
  return { reason: reason.replace(/^.*\) Error: /, '').trim().slice(0, 400), seconds: ended.seconds };
}

/**
 * @returns the seconds from the first event to the failure
 * @throws Error where anything else failed first, or anything was begun that must wait for the Preflight
 */
function expectPreflightAlone(events: readonly StackEvent[], what: 'CREATE' | 'UPDATE'): number {
  const index = events.findIndex(({ ResourceStatus: status }) => status === `${what}_FAILED`);
  const failed = events.at(index);
  if (index === -1 || failed?.ResourceType !== 'Custom::MtaStsPreflight') throw new Error(`${failed?.ResourceType ?? 'nothing'} failed first`);
  const early = events.filter(({ ResourceType: type = '', ResourceStatus: status = '' }) => {
    return /^(?:CREATE|UPDATE)_(?:IN_PROGRESS|COMPLETE)$/.test(status) && !BEFOREHAND.includes(type);
  });
  if (early.length > 0) throw new Error(`this was begun: ${early.map(({ LogicalResourceId: id, ResourceStatus: status }) => `${id ?? ''} ${status ?? ''}`).join(', ')}`);
  const seconds = (Number(failed.Timestamp) - Number(events[0].Timestamp)) / 1000;
  if (seconds > MAX_SECONDS.stack) throw new Error(`the Preflight failed after ${seconds} s, more than ${MAX_SECONDS.stack}`);
  return seconds;
}

async function take({ emulator, zoneId }: TestEnvironment, set: ResourceRecordSet): Promise<void> {
  await emulator.route53.send(new ChangeResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: [{ Action: 'DELETE', ResourceRecordSet: set }] },
  }));
}
