// First deployments that fail: a published record always has its file, and nothing remains after the rollback.
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
import { skewElevenMinutes } from '../../faults/clock-skew';
import { secondRecord } from '../../faults/dns';
import { underFault } from '../../faults/fault';
import type { FaultRow } from '../faults/fault-table';

const DOMAIN = 'fresh.test';
const STACK = 'MtaSts-fresh-test';

/** A fault of a first deployment. The faults of test/e2e/faults meet a domain that has a policy. */
interface Creation extends Required<Pick<Fault, 'what' | 'says' | 'begin'>>, Pick<Fault, 'slow'> {
  readonly published: 'never' | 'for a moment';
}

export const CREATIONS: readonly Creation[] = [
  {
    what: 'the API of CloudFront throttles the creation of the distribution',
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
    what: 'the edge serves another file for more than ten minutes during a first deployment',
    slow: true,
    published: 'never',
    says: /policy-not-live: https:\/\/mta-sts\.fresh\.test\/\S+ did not serve the new policy within \d+ s\. Last seen: .*other bytes/,
    begin: skewElevenMinutes(({ edge }) => {
      const body = Buffer.from('version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n');
      edge.fail((_, { host }) => host === `mta-sts.${DOMAIN}` ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body } : undefined);
    }),
  },
  {
    what: 'a foreign record appears beside the new one during a first deployment',
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

/** A domain without a policy. Each failed first deployment must leave none. */
export class FreshDomain {
  public static async open(environment: TestEnvironment): Promise<FreshDomain> {
    const zoneId = await createZone(environment.emulator.route53, DOMAIN, [record(DOMAIN, 'MX', '10 mail.other.test.')]);
    // Wait until its name servers have the zone.
    await sleep(2_000);
    return new FreshDomain(environment, zoneId, await takeInventory(environment));
  }

  private readonly assembly: string;

  private constructor(
    private readonly environment: TestEnvironment, private readonly zoneId: string, private readonly before: readonly string[],
  ) {
    this.assembly = `${environment.paths.folder}/cdk.out.fresh`;
  }

  public async prove(creation: Creation): Promise<FaultRow & { readonly evidence: string }> {
    const { environment } = this;
    const { what, says, published } = creation;
    // Read the file before the record: then an observation stays right if both are deleted during it.
    const { observer, ended: { ended, unmet } } = await observeWhile({ ca: environment.authority.certificatePem, first: 'file', domain: DOMAIN }, () => {
      return underFault(creation, environment, () => this.deploy());
    });
    expectEnd(ended, 1, 'cdk deploy');
    if (unmet !== undefined) throw new Error(`${unmet.message}\n${observer.summary()}`);
    if (!says.test(ended.output)) throw new Error(`the command must print a reason that matches ${String(says)}:\n${ended.output}`);
    const stack = await findStack(environment.emulator.cloudformation, STACK);
    if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
    // Without a host no file is served. That is right as long as there is no record.
    const observations = [...observer.observations, ...observer.unreached];
    const blind = observer.unanswered - observer.unreached.length;
    if (blind * 50 > observations.length) throw new Error(`more than one observation in fifty got no answer from DNS:\n${observer.summary()}`);
    // `several`: the foreign record is beside ours.
    const isPublished = ({ published: id, several }: Pick<Observation, 'published' | 'several'>): boolean => id !== undefined || several === true;
    const isWithoutFile = ({ published: id, names, several, served }: Observation): boolean => {
      return several === true ? served === undefined : id !== undefined && served !== names;
    };
    const against = observer.findViolations(isWithoutFile, isPublished);
    const mtaStsRecords = observations.filter(isPublished).length;
    if (published === 'for a moment' && mtaStsRecords === 0) throw new Error(`no observation saw a record, so none was published:\n${observer.summary()}`);
    // CloudFormation keeps the empty stack of a failed creation until it is deleted.
    const left = (await findLeftovers(environment, this.before)).filter((thing) => thing !== `${REGION}: stack ${STACK}`);
    const lost = [
      ...against.length > 0 ? [`${against.length} observations saw a record without its file: ${against.slice(0, 5).join('\n')}`] : [],
      ...published === 'never' && mtaStsRecords > 0 ? [`${mtaStsRecords} observations saw a record, which must not be published`] : [],
      ...left.length > 0 ? [`not deleted: ${left.join(', ')}`] : [],
    ];
    return {
      what, outcome: 'rolled back', lost, seconds: ended.seconds, observations: observations.length, unanswered: blind, early: 0,
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s\n${observer.summary()}`,
    };
  }

  /** Deletes the zone, and the empty stack of the last failed creation. */
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
