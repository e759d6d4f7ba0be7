// To deploy manually: one domain with everything, in us-east-1. MTA_STS_DOMAIN and MTA_STS_ZONE_ID name a public hosted zone of the
// account.
import { App, Stack, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from '../lib';

const { MTA_STS_DOMAIN: zoneName = 'example.com', MTA_STS_ZONE_ID: hostedZoneId = 'Z0123456789ABCDEFGHIJ', CDK_DEFAULT_ACCOUNT: account } = process.env;

const app = new App();
const stack = new Stack(app, 'MtaStsIntegOneDomain', { env: { account, region: 'us-east-1' } });

new MtaSts(stack, 'MtaSts', {
  hostedZone: route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName }),
  policy: MtaStsPolicy.testing({ mx: MxHosts.of(`*.${zoneName}`) }),
  tlsReporting: TlsReporting.to(`mailto:tls-reports@${zoneName}`),
});
