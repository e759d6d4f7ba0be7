// To deploy manually: a stack of eu-central-1, with its us-east-1 stack inside.
import { App, Stack, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts } from '../lib';

const { MTA_STS_DOMAIN: zoneName = 'example.com', MTA_STS_ZONE_ID: hostedZoneId = 'Z0123456789ABCDEFGHIJ', CDK_DEFAULT_ACCOUNT: account } = process.env;

const app = new App();
const stack = new Stack(app, 'MtaStsIntegOtherRegion', { env: { account, region: 'eu-central-1' } });

new MtaSts(stack, 'MtaSts', {
  hostedZone: route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName }),
  policy: MtaStsPolicy.testing({ mx: MxHosts.of(`*.${zoneName}`) }),
});
