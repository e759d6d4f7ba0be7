// Lists the resources of the account, to find what a scenario leaves behind.
import { ListCertificatesCommand } from '@aws-sdk/client-acm';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ListHostedZonesCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import type { TestEnvironment } from '../environment';
import { REGION } from './emulator';
import type { Emulator } from './emulator';
import { countResources, listFunctionNames, listLogGroups, listRoleNames } from './signed-calls';

/** Region of the stack that is not in us-east-1. */
export const OTHER_REGION = 'eu-central-1';

/** Name of the log group of a deployment function in the emulator, after the name of the stack. */
const KEPT_LOG = '/CdkMtaStsHandlerLog';

/** Kinds of CloudFront resources. CloudFront's API has a list of each. */
const CLOUDFRONT_KINDS = ['distribution', 'function', 'origin-access-control'];

/** Lists the resources of both Regions, and the global ones. */
export async function takeInventory({ emulator }: TestEnvironment): Promise<readonly string[]> {
  const { Buckets: buckets = [] } = await emulator.s3.send(new ListBucketsCommand({}));
  const counts = await Promise.all(CLOUDFRONT_KINDS.map(async (kind) => [kind, await countResources(kind)] as const));
  return [
    ...counts.flatMap(([kind, count]) => count === 0 ? [] : [`CloudFront ${kind}: ${count}`]),
    ...buckets.map(({ Name: name = '' }) => `bucket ${name}`),
    ...(await listRoleNames()).map((name) => `role ${name}`),
    ...await listRecords(emulator),
    ...(await Promise.all([REGION, OTHER_REGION].map(async (region) => listRegionalResources(emulator, region)))).flat(),
  ];
}

/** Lists the resources that did not exist before, except logs of deployment functions, which are kept by design. */
export async function findLeftovers(environment: TestEnvironment, before: readonly string[]): Promise<readonly string[]> {
  return listAdded(await takeInventory(environment), before);
}

function listAdded(now: readonly string[], before: readonly string[]): readonly string[] {
  return now.filter((resource) => !before.includes(resource) && !resource.includes(KEPT_LOG));
}

/**
 * Asserts that a deleted stack has left exactly the log of its function.
 *
 * @returns evidence for the table
 */
export async function expectNothingButLog(environment: TestEnvironment, before: readonly string[], stack: string): Promise<string> {
  const now = await takeInventory(environment);
  const leftovers = listAdded(now, before);
  if (leftovers.length > 0) throw new Error(leftovers.join('; '));
  const kept = now.filter((resource) => resource.includes(`/${stack}${KEPT_LOG}`));
  if (kept.length !== 1) throw new Error(`${kept.length} logs of ${stack} were kept, expected one: ${kept.join('; ')}`);
  return `as before: ${before.length} resources; kept: ${kept.join()}`;
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
