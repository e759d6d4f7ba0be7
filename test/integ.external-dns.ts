// To deploy manually: a domain whose DNS is not in Route 53, and a bucket with versioning, as rules of compliance ask. MTA_STS_DOMAIN names
// the domain; while the certificate waits, make its validation record, and when the deployment is done the records of the output.
// MTA_STS_MODE=none withdraws the policy.
import { App, Stack } from 'aws-cdk-lib';
import type { aws_s3 as s3 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from '../lib';

const { MTA_STS_DOMAIN: domainName = 'example.com', MTA_STS_MODE: mode, CDK_DEFAULT_ACCOUNT: account } = process.env;
const mx = MxHosts.of(`*.${domainName}`);

const app = new App();
const stack = new Stack(app, 'MtaStsIntegExternalDns', { env: { account, region: 'us-east-1' } });

const { policyHost } = new MtaSts(stack, 'MtaSts', {
  domainName,
  policy: mode === 'none' ? MtaStsPolicy.none({ mx }) : MtaStsPolicy.testing({ mx }),
  tlsReporting: TlsReporting.to(`mailto:tls-reports@${domainName}`),
});

(policyHost.bucket.node.defaultChild as s3.CfnBucket).versioningConfiguration = { status: 'Enabled' };
