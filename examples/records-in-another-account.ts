// The zone of the domain is in another account than the mail: its records are made there, by a second stack, from what the first one says.
//
// Once, before the first deployment, the certificate: ask for one for mta-sts.example.com in us-east-1 of the account of the mail
// (`aws acm request-certificate --domain-name mta-sts.example.com --validation-method DNS --region us-east-1`), and make the CNAME that
// validates it in the zone. It stays the same for this name and this account, and renews the certificate too. Without `certificate` the
// deployment would make one and wait for that record.
//
//   npx cdk deploy --all --outputs-file cdk-outputs.json
//   npx cdk-mta-sts verify --outputs cdk-outputs.json --wait 30m
import { App, Duration, Stack, aws_certificatemanager as acm, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting } from 'cdk-mta-sts';

const domainName = 'example.com';
const dnsAccount = { account: '111111111111', region: 'us-east-1' };
const mailAccount = { account: '222222222222', region: 'us-east-1' };

const app = new App();

// Host and file. Without `hostedZone`, the construct publishes no record.
const mail = new Stack(app, 'Mail', { env: mailAccount });
const certificate = acm.Certificate.fromCertificateArn(mail, 'Certificate',
  `arn:aws:acm:us-east-1:${mailAccount.account}:certificate/01234567-89ab-cdef-0123-456789abcdef`);
const policyHost = new PolicyHost(mail, 'PolicyHost', { domains: [{ domainName }], certificate });
const mtaSts = new MtaSts(mail, 'MtaSts', {
  domainName,
  policyHost,
  policy: MtaStsPolicy.testing({ mx: MxHosts.googleWorkspace() }),
  tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
});

// The records. The target of the CNAME and the id of the publication are outputs of the other account, which CDK lets this stack read by a
// role that it makes there for that. So `Mail` comes first, at each deployment: a new id is published when the new file is live.
const dns = new Stack(app, 'Dns', { env: dnsAccount });
dns.addStackDependency(mail, 'a published policy must be live');
const zone = route53.HostedZone.fromHostedZoneAttributes(dns, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: domainName });
const records = mtaSts.records.map(({ name, type, value }) => {
  const record = { zone, recordName: `${name}.`, ttl: Duration.minutes(5) };
  return type === 'CNAME' ? new route53.CnameRecord(dns, name, { ...record, domainName: value }) : new route53.TxtRecord(dns, name, { ...record, values: [value] });
});

// `_mta-sts` last, and first to go (RFC 8461 §8.1).
const last = dns.node.findChild(`_mta-sts.${domainName}`);
last.node.addDependency(...records.filter((record) => record !== last));
