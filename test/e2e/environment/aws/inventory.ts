// All that stands in the account, in words: what a scene leaves behind is what was not there before it.
import { ListCertificatesCommand } from '@aws-sdk/client-acm';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ListHostedZonesCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import type { TestEnvironment } from '../environment';
import { REGION } from './emulator';
import type { Emulator } from './emulator';
import { countResources, listFunctionNames, listLogGroups, listRoleNames } from './signed-calls';

/** The Region of the stack that is not of us-east-1. */
export const OTHER_REGION = 'eu-central-1';

/** How the emulator calls the log of a deployment function, behind the name of the stack. */
const KEPT_LOG = '/CdkMtaStsHandlerLog';

/** Of CloudFront, which lists each by pages that tell how many there are. */
const CLOUDFRONT = ['distribution', 'function', 'origin-access-control'];

/** In both Regions, and what belongs to none. */
export async function takeInventory({ emulator }: TestEnvironment): Promise<readonly string[]> {
  const { Buckets: buckets = [] } = await emulator.s3.send(new ListBucketsCommand({}));
  const counts = await Promise.all(CLOUDFRONT.map(async (what) => [what, await countResources(what)] as const));
  return [
    ...counts.flatMap(([what, count]) => count === 0 ? [] : [`CloudFront ${what}: ${count}`]),
    ...buckets.map(({ Name: name = '' }) => `bucket ${name}`),
    ...(await listRoleNames()).map((name) => `role ${name}`),
    ...await listRecords(emulator),
    ...(await Promise.all([REGION, OTHER_REGION].map(async (region) => listRegionalResources(emulator, region)))).flat(),
  ];
}

/** What is there now and was not before, in either Region, but for the logs of deployment functions: they are kept by design. */
export async function findLeftovers(environment: TestEnvironment, before: readonly string[]): Promise<readonly string[]> {
  return listAdded(await takeInventory(environment), before);
}

/** What is there now and was not before, but for the kept logs. */
function listAdded(now: readonly string[], before: readonly string[]): readonly string[] {
  return now.filter((thing) => !before.includes(thing) && !thing.includes(KEPT_LOG));
}

/**
 * After the end of a stack.
 *
 * @throws Error where something is left behind beside the log of its function, or where that was not kept
 */
export async function expectNothingButLog(environment: TestEnvironment, before: readonly string[], stack: string): Promise<string> {
  const now = await takeInventory(environment);
  const left = listAdded(now, before);
  if (left.length > 0) throw new Error(left.join('; '));
  const kept = now.filter((thing) => thing.includes(`/${stack}${KEPT_LOG}`));
  if (kept.length !== 1) throw new Error(`${kept.length} logs of ${stack} were kept, expected one: ${kept.join('; ')}`);
  return `as before: ${before.length} things; kept: ${kept.join()}`;
}

async function listRegionalResources(emulator: Emulator, region: string): Promise<readonly string[]> {
  const { acm, cloudformation } = emulator.inRegion(region);
  const { Stacks: stacks = [] } = await cloudformation.send(new DescribeStacksCommand({}));
  const { CertificateSummaryList: certificates = [] } = await acm.send(new ListCertificatesCommand({}));
  return [
    ...stacks.map(({ StackName: name = '' }) => `${region}: stack ${name}`),
    ...certificates.map(({ CertificateArn: arn = '' }) => `${region}: certificate ${arn}`),
    ...(await listFunctionNames(region)).map((name) => `${region}: Lambda function ${name}`),
    ...(await listLogGroups(region)).map((name) => `${region}: log group ${name}`),
  ];
}

async function listRecords({ route53 }: Emulator): Promise<readonly string[]> {
  const { HostedZones: zones = [] } = await route53.send(new ListHostedZonesCommand({}));
  return (await Promise.all(zones.map(async ({ Id: id }) => {
    const { ResourceRecordSets: sets = [] } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: id }));
    return sets.map(({ Name: name = '', Type: type = '' }) => `record ${name} ${type}`);
  }))).flat();
}
