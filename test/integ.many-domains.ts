// To deploy by hand: ten domains below one zone on one host, the default quota of a certificate's names.
import { App, Stack, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost } from '../lib';

const { MTA_STS_DOMAIN: zoneName = 'example.com', MTA_STS_ZONE_ID: hostedZoneId = 'Z0123456789ABCDEFGHIJ', CDK_DEFAULT_ACCOUNT: account } = process.env;

const app = new App();
const stack = new Stack(app, 'MtaStsIntegManyDomains', { env: { account, region: 'us-east-1' } });
const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName });

const domains = Array.from({ length: 10 }, (_, i) => ({ hostedZone, domainName: `mail${i}.${zoneName}` }));
const policyHost = new PolicyHost(stack, 'PolicyHost', { domains });
for (const { domainName } of domains) {
  new MtaSts(stack, domainName, { hostedZone, domainName, policyHost, policy: MtaStsPolicy.testing({ mx: MxHosts.of(domainName) }) });
}
