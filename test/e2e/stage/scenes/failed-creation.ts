// A first deployment that fails: what was announced had its file, and nothing stays.
import { setTimeout as sleep } from 'node:timers/promises';
import { createZone, deleteZone, record } from '../domain';
import { REGION, hasDistributionFailed, setEmulatorFaults } from '../emulator';
import { mend, underFault } from '../faults/fault';
import type { Fault } from '../faults';
import { elevenMinutes } from '../faults/leap';
import { CLOUDFRONT_SAYS } from '../faults/of-aws';
import { besideRecord } from '../faults/of-dns';
import { inventory, leftBehind } from '../inventory';
import { stackOf } from '../stacks';
import { contextOf, expectEnd } from '../stage';
import type { Stage } from '../stage';
import { watched } from '../watch';
import type { Look } from '../watch';
import type { FaultRow } from './fault-table';

const DOMAIN = 'fresh.test';
const STACK = 'MtaSts-fresh-test';

/** As if it were among the faults, which meet a domain that has a policy. */
interface Creation extends Required<Pick<Fault, 'what' | 'says' | 'begin'>>, Pick<Fault, 'slow'> {
  readonly announced: 'never' | 'for a moment';
}

export const CREATIONS: readonly Creation[] = [
  {
    what: 'CloudFront\'s API throttles the creation of the distribution',
    slow: true,
    announced: 'never',
    says: /Rate exceeded/,
    begin: (stage: Stage) => {
      const { folder } = stage.paths;
      setEmulatorFaults(folder, { distribution: CLOUDFRONT_SAYS.throttled });
      return () => {
        const hasFailed = hasDistributionFailed(folder);
        mend(stage);
        if (!hasFailed) throw new Error('no distribution was created');
      };
    },
  },
  {
    what: 'a first deployment, and the edge serves another file for more than ten minutes',
    slow: true,
    announced: 'never',
    says: /policy-not-live: https:\/\/mta-sts\.fresh\.test\/\S+ did not serve the new policy within \d+ s\. Last seen: .*other bytes/,
    begin: elevenMinutes(({ edge }) => {
      const body = Buffer.from('version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n');
      edge.fail((_, { host }) => host === `mta-sts.${DOMAIN}` ? { status: 200, headers: new Map([['content-type', 'text/plain']]), body } : undefined);
    }),
  },
  {
    what: 'a first deployment, and somebody else\'s record appears beside the new one',
    announced: 'for a moment',
    says: /record-multiple: _mta-sts\.fresh\.test/,
    begin: (stage: Stage) => {
      stage.dns.fail(besideRecord(`_mta-sts.${DOMAIN}`, () => true));
      return () => {
        mend(stage);
      };
    },
  },
];

/** A domain that has no policy, and each time has none afterwards. */
export class FreshDomain {
  public static async open(stage: Stage): Promise<FreshDomain> {
    const zoneId = await createZone(stage.emulator.route53, DOMAIN, [record(DOMAIN, 'MX', '10 mail.other.test.')]);
    // Until its name servers know it.
    await sleep(2_000);
    return new FreshDomain(stage, zoneId, await inventory(stage));
  }

  private readonly assembly: string;

  private constructor(private readonly stage: Stage, private readonly zoneId: string, private readonly before: readonly string[]) {
    this.assembly = `${stage.paths.folder}/cdk.out.fresh`;
  }

  public async prove(creation: Creation): Promise<FaultRow & { readonly evidence: string }> {
    const { stage } = this;
    const { what, says, announced } = creation;
    // First, so that nothing is wrong with a look that the end of both comes into.
    const { activity, ended: { ended, unmet } } = await watched({ ca: stage.authority.certificatePem, first: 'file', domain: DOMAIN }, () => {
      return underFault(creation, stage, () => this.deploy());
    });
    expectEnd(ended, 1, 'cdk deploy');
    if (unmet !== undefined) throw new Error(`${unmet.message}\n${activity.summary()}`);
    if (!says.test(ended.output)) throw new Error(`the command must say something like ${String(says)}:\n${ended.output}`);
    const stack = await stackOf(stage.emulator.cloudformation, STACK);
    if (stack?.status !== 'ROLLBACK_COMPLETE') throw new Error(`the stack is ${stack?.status ?? 'gone'}:\n${ended.output}`);
    // Without a host nobody is served, which is no matter while there is no record.
    const looks = [...activity.looks, ...activity.unreached];
    const blind = activity.unanswered - activity.unreached.length;
    if (blind * 50 > looks.length) throw new Error(`more than one look in fifty had no answer from DNS:\n${activity.summary()}`);
    // Somebody else's record is beside ours.
    const isAnnounced = ({ announced: id, several }: Pick<Look, 'announced' | 'several'>): boolean => id !== undefined || several === true;
    const isWithoutFile = ({ announced: id, names, several, served }: Look): boolean => {
      return several === true ? served === undefined : id !== undefined && served !== names;
    };
    const against = activity.against(isWithoutFile, isAnnounced);
    const announcements = looks.filter(isAnnounced).length;
    if (announced === 'for a moment' && announcements === 0) throw new Error(`no look saw a record, so none was announced:\n${activity.summary()}`);
    // CloudFormation keeps a stack that never came to be, empty, until somebody deletes it.
    const left = (await leftBehind(stage, this.before)).filter((thing) => thing !== `${REGION}: stack ${STACK}`);
    const lost = [
      ...against.length > 0 ? [`${against.length} looks saw a record without its file: ${against.slice(0, 5).join('\n')}`] : [],
      ...announced === 'never' && announcements > 0 ? [`${announcements} looks saw a record, which must not be announced`] : [],
      ...left.length > 0 ? [`left behind: ${left.join(', ')}`] : [],
    ];
    return {
      what, outcome: 'rolled back', lost, seconds: ended.seconds, looks: looks.length, unanswered: blind, early: 0,
      evidence: `${stack.status} after ${ended.seconds.toFixed(1)} s\n${activity.summary()}`,
    };
  }

  /** With the stack that never came to be. */
  public async close(): Promise<void> {
    const { cli, emulator: { route53 } } = this.stage;
    expectEnd(await cli.cdk('destroy', '--app', this.assembly, '--all', '--force'), 0, 'cdk destroy');
    await deleteZone(route53, this.zoneId);
  }

  private deploy(): ReturnType<Stage['deploy']> {
    const context = contextOf({ domain: DOMAIN, hostedZoneId: this.zoneId, mode: 'testing', mx: 'mail.other.test' });
    return this.stage.cli.cdk('deploy', ...context, '-o', this.assembly, '--require-approval', 'never');
  }
}
