// A first deployment that fails: what was announced had its file, and nothing stays.
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOptions } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { REGION, hasDistributionFailed, setEmulatorFaults } from '../../environment/aws/emulator';
import { takeInventory, findLeftovers } from '../../environment/aws/inventory';
import { findStack } from '../../environment/aws/stacks';
import { createZone, deleteZone, record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { observeWhile } from '../../environment/observer/observer';
import type { Observation } from '../../environment/observer/observer';
import { reset } from '../../environment/reset';
import type { Fault } from '../../faults';
import { CLOUDFRONT_ERROR } from '../../faults/aws';
import { elevenMinutes } from '../../faults/clock-skew';
import { secondRecord } from '../../faults/dns';
import { underFault } from '../../faults/fault';
import type { FaultRow } from '../faults/fault-table';

const DOMAIN = 'fresh.test';
const STACK = 'MtaSts-fresh-test';

/** As if it were among the faults, which meet a domain that has a policy. */
interface Creation extends Required<Pick<Fault, 'what' | 'says' | 'begin'>>, Pick<Fault, 'slow'> {
  readonly published: 'never' | 'for a moment';
}

export const CREATIONS: readonly Creation[] = [
  {
    what: 'CloudFront\'s API throttles the creation of the distribution',
    slow: true,
    published: 'never',
    says: /Rate exceeded/,
    begin: (environment: TestEnvironment) => {
      const { folder } = environment.paths;
      setEmulatorFaults(folder, { distribution: CLOUDFRONT_ERROR.throttled });
      return () => {
        const hasFailed = hasDistributionFailed(folder);
        reset(environment);
        if (!hasFailed) throw new Error('no distribution was created');
      };
    },
  },
  {
    what: 'a first deployment, and the edge serves another file for more than ten minutes',
    slow: true,
    published: 'never',
    says: /policy-not-live: https:\/\/mta-sts\.fresh\.test\/\S+ did not serve the new policy within \d+ s\. Last seen: .*other bytes/,
    begin: elevenMinutes(({ edge }) => {
      const body = Buffer.from('version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n');
      edge.fail((_, { host }) => host === `mta-sts.${DOMAIN}` ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body } : undefined);
    }),
  },
  {
    what: 'a first deployment, and somebody else\'s record appears beside the new one',
    published: 'for a moment',
    says: /record-multiple: _mta-sts\.fresh\.test/,
    begin: (environment: TestEnvironment) => {
      environment.dns.fail(secondRecord(`_mta-sts.${DOMAIN}`, () => true));
      return () => {
        reset(environment);
      };
    },
  },
];

/** A domain that has no policy, and each time has none afterwards. */
export class FreshDomain {
  public static async open(environment: TestEnvironment): Promise<FreshDomain> {
    const zoneId = await createZone(environment.emulator.route53, DOMAIN, [record(DOMAIN, 'MX', '10 mail.other.test.')]);
    // Until its name servers know it.
    await sleep(2_000);
    return new FreshDomain(environment, zoneId, await takeInventory(environment));
  }

  private readonly assembly: string;

  private constructor(private readonly environment: TestEnvironment, private readonly zoneId: string, private readonly before: readonly string[]) {
    this.assembly = `${environment.paths.folder}/cdk.out.fresh`;
  }

  public async prove(creation: Creation): Promise<FaultRow & { readonly evidence: string }> {
    const { environment } = this;
    const { what, says, published } = creation;
    // First, so that nothing is wrong with a look that the end of both comes into.
    const { observer, ended: { ended, unmet } } = await observeWhile({ ca: environment.authority.certificatePem, first: 'file', domain: DOMAIN }, () => {
      return underFault(creation, environment, () => this.deploy());
    });
    expectEnd(ended, 1, 'cdk deploy');
    if (unmet !== undefined) throw new Error(`${unmet.message}\n${observer.summary()}`);
    if (!says.test(ended.output)) throw new Error(`the command must say something like ${String(says)}:\n${ended.output}`);
    const stack = await findStack(environment.emulator.cloudformation, STACK);
    if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
    // Without a host nobody is served, which is no matter while there is no record.
    const observations = [...observer.observations, ...observer.unreached];
    const blind = observer.unanswered - observer.unreached.length;
    if (blind * 50 > observations.length) throw new Error(`more than one look in fifty had no answer from DNS:\n${observer.summary()}`);
    // Somebody else's record is beside ours.
    const isPublished = ({ published: id, several }: Pick<Observation, 'published' | 'several'>): boolean => id !== undefined || several === true;
    const isWithoutFile = ({ published: id, names, several, served }: Observation): boolean => {
      return several === true ? served === undefined : id !== undefined && served !== names;
    };
    const against = observer.findViolations(isWithoutFile, isPublished);
    const mtaStsRecords = observations.filter(isPublished).length;
    if (published === 'for a moment' && mtaStsRecords === 0) throw new Error(`no look saw a record, so none was announced:\n${observer.summary()}`);
    // CloudFormation keeps a stack that never came to be, empty, until somebody deletes it.
    const left = (await findLeftovers(environment, this.before)).filter((thing) => thing !== `${REGION}: stack ${STACK}`);
    const lost = [
      ...against.length > 0 ? [`${against.length} looks saw a record without its file: ${against.slice(0, 5).join('\n')}`] : [],
      ...published === 'never' && mtaStsRecords > 0 ? [`${mtaStsRecords} looks saw a record, which must not be announced`] : [],
      ...left.length > 0 ? [`left behind: ${left.join(', ')}`] : [],
    ];
    return {
      what, outcome: 'rolled back', lost, seconds: ended.seconds, observations: observations.length, unanswered: blind, early: 0,
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s\n${observer.summary()}`,
    };
  }

  /** With the stack that never came to be. */
  public async close(): Promise<void> {
    const { cli, emulator: { route53 } } = this.environment;
    expectEnd(await cli.cdk('destroy', '--app', this.assembly, '--all', '--force'), 0, 'cdk destroy');
    await deleteZone(route53, this.zoneId);
  }

  private deploy(): ReturnType<TestEnvironment['deploy']> {
    const context = contextOptions({ domain: DOMAIN, hostedZoneId: this.zoneId, mode: 'testing', mx: 'mail.other.test' });
    return this.environment.cli.cdk('deploy', ...context, '-o', this.assembly, '--require-approval', 'never');
  }
}
