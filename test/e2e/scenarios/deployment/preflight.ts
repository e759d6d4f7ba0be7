// Obstacles that the Preflight must find: the deployment fails within seconds, prints the reason, and leaves nothing behind.
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
 * Maximum seconds from the first event of the stack to the failure of the Preflight, and of the whole command. The command does not
 * synthesize here (see `synth`). It publishes the assets, deletes the stack of the attempt before, and polls every five seconds until the
 * stack is rolled back.
 */
const MAX_SECONDS = { stack: 20, command: 30 } as const;

/** Types of the resources that exist before the Preflight has passed: the Preflight and its function. */
const BEFORE_PREFLIGHT = [
  'AWS::CloudFormation::Stack', 'AWS::IAM::Role', 'AWS::IAM::Policy', 'AWS::Logs::LogGroup', 'AWS::Lambda::Function', 'AWS::Lambda::EventInvokeConfig',
  'Custom::MtaStsPreflight',
];

const WANTED: AppContext = { mode: 'enforce' };

/** Less strict than `WANTED`. */
const RELAXED: AppContext = { mode: 'testing' };

interface Obstacle {
  readonly what: string;
  /** Matches the reason that the command must print. */
  readonly says: RegExp;
  /** Creates the obstacle. */
  readonly place: (environment: TestEnvironment) => Promise<void> | void;
  readonly remove: (environment: TestEnvironment) => Promise<void> | void;
  /** Whether an update of an existing policy meets the obstacle too. */
  readonly update?: true;
}

const CAA = record('example.test', 'CAA', '0 issue "letsencrypt.org"');
const FOREIGN = record(RECORD_NAME, 'TXT', '"v=STSv1; id=foreignrecord;"');

const CAA_FORBIDS_AMAZON: Obstacle = {
  what: 'a CAA record does not allow Amazon to issue a certificate',
  says: /CAA at example\.test does not allow Amazon to issue a certificate for the policy host \(found: 0 issue "letsencrypt\.org"\)\. .* Add /,
  place: (environment) => put(environment.emulator.route53, environment.zoneId, [CAA]),
  remove: (environment) => deleteRecord(environment, CAA),
  update: true,
};

const OBSTACLES: readonly Obstacle[] = [
  {
    what: 'public DNS uses another zone',
    says: /zone-not-delegated: public DNS does not use the hosted zone \S+ for example\.test: it has the name servers ns1\.other\.test/,
    place: ({ dns }) => {
      dns.fail(() => (question) => question.name === 'example.test' && question.type === 'NS' ? OTHER_NAME_SERVERS : undefined);
    },
    remove: ({ dns }) => {
      dns.fail(undefined);
    },
  },
  CAA_FORBIDS_AMAZON,
  {
    what: 'a foreign record exists',
    says: /record-exists: this stack did not create the record at _mta-sts\.example\.test in the hosted zone \S+: TXT .*foreignrecord/,
    place: (environment) => put(environment.emulator.route53, environment.zoneId, [FOREIGN]),
    remove: (environment) => deleteRecord(environment, FOREIGN),
  },
  {
    what: 'an enforce policy does not cover an MX host',
    says: /mx-not-covered: the policy for example\.test does not cover mail\.other\.test \(patterns: mx1\.example\.test\)\. In enforce mode, senders refuse mail/,
    place: (environment) => put(environment.emulator.route53, environment.zoneId, [record('example.test', 'MX', '10 mx1.example.test.', '20 mail.other.test.')]),
    remove: (environment) => put(environment.emulator.route53, environment.zoneId, [record('example.test', 'MX', '10 mx1.example.test.')]),
    update: true,
  },
];

const OTHER_NAME_SERVERS = {
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
    await table.prove(`when ${obstacle.what}, the deployment fails before it creates other resources`, async () => {
      const before = await takeInventory(environment);
      const { reason, seconds } = await deployRefused(environment, obstacle);
      const stack = await findStack(emulator.cloudformation, STACK);
      if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'missing'}, expected ROLLBACK_COMPLETE`);
      const events = await stackEvents(emulator.cloudformation, stack.id);
      const inStack = expectPreflightAlone(events, 'CREATE');
      // The failed stack itself remains until the next deployment or `cdk destroy`.
      const left = (await findLeftovers(environment, before)).filter((thing) => thing !== `${REGION}: stack ${STACK}`);
      if (left.length > 0) throw new Error(`not deleted: ${left.join('; ')}`);
      return `${inStack.toFixed(1)} s after the stack began, the command ended after ${seconds.toFixed(1)} s (without synthesis): ${reason}`;
    });
  }
}

/** Proves that a refused update does not change the existing policy. Needs the scenario `deploy`. */
export async function refusedScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator } = environment;
  table.begin('Preflight of an update');
  await environment.synth(WANTED);
  await environment.ensureDeployed(RELAXED);
  for (const obstacle of OBSTACLES.filter(({ update }) => update === true)) {
    await table.prove(`when ${obstacle.what}, the update fails, and the old id and the old bytes remain`, async () => {
      const [before, inventory] = [await readLiveState(environment), await takeInventory(environment)];
      const since = new Date();
      const { reason, seconds } = await deployRefused(environment, obstacle);
      const stack = await findStack(emulator.cloudformation, STACK);
      if (stack?.status !== 'UPDATE_ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'missing'}, expected UPDATE_ROLLBACK_COMPLETE`);
      const inStack = expectPreflightAlone(await stackEvents(emulator.cloudformation, STACK, since), 'UPDATE');
      const after = await readLiveState(environment);
      if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error(`the live state is ${JSON.stringify(after)}, expected ${JSON.stringify(before)}`);
      const left = await findLeftovers(environment, inventory);
      if (left.length > 0) throw new Error(`not deleted: ${left.join('; ')}`);
      return `${inStack.toFixed(1)} s after the update began, the command ended after ${seconds.toFixed(1)} s; ${before.records.at(0) ?? 'no record'}: ${reason}`;
    });
  }
  await proveRelaxedUpdate(environment);
}

/** Proves that a relaxed policy can be deployed despite the obstacle. The certificate exists, so CAA records no longer matter. */
async function proveRelaxedUpdate(environment: TestEnvironment): Promise<void> {
  const { table, emulator: { logFile } } = environment;
  const { what, says, place, remove } = CAA_FORBIDS_AMAZON;
  await table.prove(`when ${what}, an update from enforce to testing succeeds, with a warning in the log of the function`, async () => {
    await environment.ensureDeployed(WANTED);
    const { length } = readFileSync(logFile);
    await place(environment);
    expectEnd(await environment.deploy(RELAXED).finally(() => remove(environment)), 0, 'cdk deploy');
    const { hash, text } = readSynthesizedPolicy(environment.assembly(RELAXED));
    const { records, files } = await readLiveState(environment);
    if (!records.every((record) => record.endsWith(`${hash};`)) || !files.every((file) => file.toString() === text)) {
      throw new Error(`published are ${records.join(', ')} and ${files.join(', ')}, expected an id that ends with ${hash}, and ${text}`);
    }
    const lines = readFileSync(logFile).subarray(length).toString().split('\n').filter((line) => line.includes('"preflight, caa"'));
    const warnings = lines.flatMap((line) => itemsOf(at(JSON.parse(line), 'warnings'))).map((one) => String(at(one, 'message')));
    const warning = warnings.find((message) => says.test(message) && message.includes('This update continues, because its policy asks less of senders'));
    if (warning === undefined) throw new Error(`the log of the function does not have the warning:\n${lines.join('\n')}`);
    return `${records.at(0) ?? 'no record'}: ${warning}`;
  });
}

/** Deploys against an obstacle. Returns the reason that the command printed, and its duration. */
async function deployRefused(
  environment: TestEnvironment, { says, place, remove }: Obstacle,
): Promise<{ readonly reason: string; readonly seconds: number }> {
  await place(environment);
  const ended = await environment.deploy(WANTED).finally(() => remove(environment));
  expectEnd(ended, 1, 'cdk deploy');
  const reason = ended.output.split('\n').find((line) => says.test(line));
  if (reason === undefined) throw new Error(`the command printed no reason that matches ${String(says)}:\n${ended.output}`);
  if (ended.seconds > MAX_SECONDS.command) throw new Error(`the command took ${ended.seconds} s, more than ${MAX_SECONDS.command}`);
  return { reason: reason.replace(/^.*\) Error: /, '').trim().slice(0, 400), seconds: ended.seconds };
}

/**
 * @returns the seconds from the first event to the failure
 * @throws Error if another resource failed first, or a resource began that must wait for the Preflight
 */
function expectPreflightAlone(events: readonly StackEvent[], what: 'CREATE' | 'UPDATE'): number {
  const index = events.findIndex(({ ResourceStatus: status }) => status === `${what}_FAILED`);
  const failed = events.at(index);
  if (index === -1 || failed?.ResourceType !== 'Custom::MtaStsPreflight') throw new Error(`${failed?.ResourceType ?? 'nothing'} failed first`);
  const early = events.filter(({ ResourceType: type = '', ResourceStatus: status = '' }) => {
    return /^(?:CREATE|UPDATE)_(?:IN_PROGRESS|COMPLETE)$/.test(status) && !BEFORE_PREFLIGHT.includes(type);
  });
  if (early.length > 0) throw new Error(`these resources must wait for the Preflight: ${early.map(({ LogicalResourceId: id, ResourceStatus: status }) => `${id ?? ''} ${status ?? ''}`).join(', ')}`);
  const seconds = (Number(failed.Timestamp) - Number(events.at(0)?.Timestamp)) / 1000;
  if (seconds > MAX_SECONDS.stack) throw new Error(`the Preflight failed after ${seconds} s, more than ${MAX_SECONDS.stack}`);
  return seconds;
}

async function deleteRecord({ emulator, zoneId }: TestEnvironment, set: ResourceRecordSet): Promise<void> {
  await emulator.route53.send(new ChangeResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: [{ Action: 'DELETE', ResourceRecordSet: set }] },
  }));
}
