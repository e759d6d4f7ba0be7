// A provider of mail serves the policy for its customers, who have the DNS of their domains and make two records (RFC 8461 §8.2):
//
//   mta-sts.customer-one.example.   CNAME  mta-sts.provider.example.
//   _mta-sts.customer-one.example.  CNAME  _mta-sts.provider.example.    this one last, and the first to go
//
// All have one policy, so one text: the record of the provider, with the id of its publication, is valid for all of them. A customer
// with CDK makes the two by `DelegatedMtaSts` with `provider: 'provider.example'`.
//
// A new customer: the certificate must hold `mta-sts.<customer>`, and the deployment waits until the customer has made the CNAME that
// validates it. So ask for a certificate of that name alone before
// (`aws acm request-certificate --domain-name mta-sts.customer-one.example --validation-method DNS --region us-east-1`), and send the
// customer its validation record, which is the same for every certificate of a name in an account. Once it is issued, add the name here.
// One who leaves takes `_mta-sts` away and keeps its MX records until `maxAge` is over; then it is taken out here. Until then senders
// refuse every host that this policy does not name.
import { App, Stack, Validations, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaStsDomains, MtaStsPolicy, MxHosts, TlsReporting } from 'cdk-mta-sts';

const CUSTOMERS = ['customer-one.example', 'customer-two.example'];

const app = new App();
const stack = new Stack(app, 'Policies', { env: { account: '123456789012', region: 'us-east-1' } });
const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'provider.example' });

const { policyHost, all: [provider, ...customers] } = new MtaStsDomains(stack, 'Mail', {
  domains: [{ hostedZone }, ...CUSTOMERS.map((domainName) => ({ domainName }))],
  policy: MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.provider.example', 'mx2.provider.example') }),
  tlsReporting: TlsReporting.to('mailto:tls-reports@provider.example'),
});

// The one record speaks for all: it may change only when the file of every customer is live.
provider?.node.addDependency(...customers);

Validations.of(policyHost).acknowledge({ id: 'cdk-mta-sts:validationByHand', reason: 'a customer has made the record before it is added' });
for (const customer of customers) {
  Validations.of(customer).acknowledge({ id: 'cdk-mta-sts:dnsElsewhere', reason: 'the customer makes two CNAMEs, once' });
}
