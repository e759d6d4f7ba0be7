// To deploy manually: ten domains below one zone on one host, the default quota of a certificate's names. One leaves
// in two deployments: with MTA_STS_PUBLISHED=9, and with MTA_STS_LISTED=9 as well.
import { App, Stack, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost } from '../lib';

const { MTA_STS_DOMAIN: zoneName = 'example.com', MTA_STS_ZONE_ID: hostedZoneId = 'Z0123456789ABCDEFGHIJ', CDK_DEFAULT_ACCOUNT: account } = process.env;
const { MTA_STS_LISTED: listed = '10', MTA_STS_PUBLISHED: published = listed } = process.env;

const app = new App();
const stack = new Stack(app, 'MtaStsIntegManyDomains', { env: { account, region: 'us-east-1' } });
const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName });

const domains = Array.from({ length: Number(listed) }, (_, i) => ({ hostedZone, domainName: `mail${i}.${zoneName}` }));
const policyHost = new PolicyHost(stack, 'PolicyHost', { domains });
for (const { domainName } of domains.slice(0, Number(published))) {
  new MtaSts(stack, domainName, { hostedZone, domainName, policyHost, policy: MtaStsPolicy.testing({ mx: MxHosts.of(domainName) }) });
}
