// The end: the TXT record goes before the file, and nothing stays behind.
import { ListCertificatesCommand } from '@aws-sdk/client-acm';
import { ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { Order, eventsOf, stackOf } from '../stacks';
import { STACK, expectEnd } from '../stage';
import { Watch } from '../watch';
import type { Stage } from '../stage';
import { countOf, functionNames, roleNames } from '../raw';

export async function destroyScene(stage: Stage): Promise<void> {
  const { table, emulator, authority } = stage;
  table.begin('Destroy');
  const stack = await stackOf(emulator.cloudformation, STACK);
  if (stack === undefined) throw new Error(`there is no stack ${STACK}`);
  const since = new Date();
  await table.prove('cdk destroy ends well, and no look sees a record without its file', async () => {
    const watch = new Watch({ ca: authority.certificatePem, first: 'file' });
    const ended = await stage.destroy();
    await watch.stop();
    expectEnd(ended, 0, 'cdk destroy');
    watch.expectSight();
    const against = watch.against(({ announced, served }) => announced !== undefined && served === undefined);
    if (against.length > 0) throw new Error(`${against.length} looks saw it otherwise:\n${against.slice(0, 5).join('\n')}\n${watch.summary()}`);
    return watch.summary();
  });
  await table.prove('the TXT record goes before the file, the file before the host', async () => {
    const order = new Order(await eventsOf(emulator.cloudformation, stack.id, since));
    order.before(['AWS::Route53::RecordSet', 'DELETE_COMPLETE'], ['Custom::MtaStsPublication', 'DELETE_IN_PROGRESS']);
    for (const type of ['AWS::S3::Bucket', 'AWS::CloudFront::Distribution', 'AWS::Route53::RecordSetGroup']) {
      order.before(['Custom::MtaStsPublication', 'DELETE_COMPLETE'], [type, 'DELETE_IN_PROGRESS']);
    }
    return 'by the events of the stack';
  });
  await table.prove('nothing is left behind but the log, which is kept by design', async () => {
    const left = await leftBehind(stage);
    if (left.length > 0) throw new Error(left.join('; '));
    return 'no distribution, function, access control, bucket, certificate, Lambda function, role, record';
  });
}

async function leftBehind({ emulator, zoneId }: Stage): Promise<readonly string[]> {
  const { Buckets: buckets = [] } = await emulator.s3.send(new ListBucketsCommand({}));
  const { ResourceRecordSets: sets = [] } = await emulator.route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  const { CertificateSummaryList: certificates = [] } = await emulator.acm.send(new ListCertificatesCommand({}));
  return [
    ...await Promise.all(['distribution', 'function', 'origin-access-control'].map(async (what) => [`CloudFront ${what}`, await countOf(what)] as const))
      .then((counts) => counts.flatMap(([what, count]) => count === 0 ? [] : [`${what}: ${count}`])),
    ...buckets.flatMap(({ Name: name = '' }) => name.startsWith('cdk-') ? [] : [`bucket ${name}`]),
    ...sets.flatMap(({ Name: name = '', Type: type = '' }) => name.includes('mta-sts') ? [`record ${name} ${type}`] : []),
    ...(await functionNames()).map((name) => `Lambda function ${name}`),
    ...(await roleNames()).flatMap((name) => name.startsWith('cdk-') ? [] : [`role ${name}`]),
    ...certificates.map(({ CertificateArn: arn = '' }) => `certificate ${arn}`),
  ];
}
