// Mail at mail.example.com, where example.com is a zone of another account: the name is delegated to a zone of the account that has the
// mail, and everything goes on by itself there. `npx cdk deploy --all` deploys the three stacks in this order.
import { App, Stack, aws_iam as iam, aws_route53 as route53 } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from 'cdk-mta-sts';

const DOMAIN = 'mail.example.com';
const ROLE_NAME = 'delegates-mail';
const dnsAccount = { account: '111111111111', region: 'us-east-1' };
const mailAccount = { account: '222222222222', region: 'us-east-1' };

const app = new App();

// 1. In the account of the zone above: who may delegate, and that name alone.
const parent = new Stack(app, 'ParentZone', { env: dnsAccount });
const parentZone = route53.HostedZone.fromHostedZoneAttributes(parent, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'example.com' });
const delegator = new iam.Role(parent, 'Delegator', { roleName: ROLE_NAME, assumedBy: new iam.AccountPrincipal(mailAccount.account) });
parentZone.grantDelegation(delegator, { delegatedZoneNames: [DOMAIN] });

// 2. In the account of the mail: the zone, and the NS record above it. In a stack of its own, so that it is delegated when MtaSts comes
// to look, and outlives it.
const delegated = new Stack(app, 'MailZone', { env: mailAccount });
delegated.addStackDependency(parent, 'the role must be there');
const hostedZone = new route53.PublicHostedZone(delegated, 'Zone', { zoneName: DOMAIN });
new route53.CrossAccountZoneDelegationRecord(delegated, 'Delegation', {
  delegatedZone: hostedZone,
  parentHostedZoneId: parentZone.hostedZoneId,
  delegationRole: iam.Role.fromRoleArn(delegated, 'Delegator', `arn:aws:iam::${dnsAccount.account}:role/${ROLE_NAME}`),
});

// 3. As with any zone of the own account. The MX records of the domain are in the same zone.
const mail = new Stack(app, 'Mail', { env: mailAccount });
new MtaSts(mail, 'MtaSts', {
  hostedZone,
  policy: MtaStsPolicy.testing({ mx: MxHosts.googleWorkspace() }),
  tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
});
