// Values that no compiler has checked, from plain JavaScript and Python. The error names the property, the value and the expected value.
import { describe, expect, test } from '@jest/globals';
import { App, Aws, Duration, Stack, aws_certificatemanager as acm, aws_route53 as route53, aws_s3 as s3 } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification, ZohoDataCenter } from '../../../lib';
import { ENV, importedZone, testStack } from '../../support/stack';

/** A function that JavaScript can call with any values. */
type Anything = (...values: unknown[]) => unknown;

const mx = MxHosts.of('mx1.example.com');
const policy = MtaStsPolicy.none();

/** Returns a construct of this package with one changed property. */
function made(kind: 'MtaSts' | 'MtaStsDomains' | 'DelegatedMtaSts' | 'PolicyHost', change: unknown): unknown {
  const stack = testStack();
  const hostedZone = importedZone(stack);
  const right = {
    MtaSts: { hostedZone, policy },
    MtaStsDomains: { domains: [{ hostedZone }], policy },
    DelegatedMtaSts: { hostedZone, provider: 'provider.example' },
    PolicyHost: { domains: [{ hostedZone }] },
  }[kind];
  const props: unknown = typeof change === 'object' && change !== null && !Array.isArray(change) ? { ...right, ...change } : change;
  const classes = { MtaSts, MtaStsDomains, DelegatedMtaSts, PolicyHost };
  return Reflect.construct(classes[kind], [stack, 'Made', props]) as unknown;
}

describe('MxHosts, MtaStsPolicy and TlsReporting refuse', () => {
  const of: Anything = MxHosts.of.bind(MxHosts) as Anything;
  const plus: Anything = mx.plus.bind(mx) as Anything;
  const sesInbound: Anything = MxHosts.sesInbound.bind(MxHosts) as Anything;
  const zoho: Anything = MxHosts.zoho.bind(MxHosts) as Anything;
  const enforce: Anything = MtaStsPolicy.enforce.bind(MtaStsPolicy) as Anything;
  const testing: Anything = MtaStsPolicy.testing.bind(MtaStsPolicy) as Anything;
  const none: Anything = MtaStsPolicy.none.bind(MtaStsPolicy) as Anything;
  const to: Anything = TlsReporting.to.bind(TlsReporting) as Anything;

  test.each<[string, () => unknown, string]>([
    ['a list of hosts', () => of(['mx1.example.com', 'mx2.example.com']), '`mx` must be a host name as a text, got ["mx1.example.com", '
    + '"mx2.example.com"]. Write `MxHosts.of(\'mx1.example.com\', \'mx2.example.com\')`'],
    ['an empty list of hosts', () => of([]), '`mx` must be a host name as a text, got []. Write `MxHosts.of('],
    ['a long list of hosts', () => of(Array.from({ length: 9 }, () => 'mx')), 'got a list of 9. Write `MxHosts.of('],
    ['null for a host', () => of('mx1.example.com', null), '`mx` must be a host name as a text, got null. '],
    ['undefined for a host', () => of(undefined), '`mx` must be a host name as a text, got undefined. '],
    ['a number for a host', () => of(10, 'mx1.example.com'), '`mx` must be a host name as a text, got 10. '],
    ['an MxHosts for a host', () => of(mx), '`mx` must be a host name as a text, got an object of MxHosts. Add the hosts of one list'],
    ['a text to add', () => plus('mx2.example.com'), '`other` must be an MxHosts, got "mx2.example.com". Write `MxHosts.of(\'mx2.example.com\')`'],
    ['a list to add', () => plus(['mx2.example.com']), '`other` must be an MxHosts, got ["mx2.example.com"]. Write `MxHosts.of(\'mx2.example.com\')`'],
    ['a missing list to add', () => plus(), '`other` must be an MxHosts, got undefined. '],
    ['a missing Region', () => sesInbound(), '`region` must be a text, got undefined. Write its name, for example `\'eu-west-1\'`'],
    ['a list of Regions', () => sesInbound(['eu-west-1']), '`region` must be a text, got ["eu-west-1"]. '],
    ['an unknown data centre', () => zoho('zoho.com.cn'), '`dataCenter` must be ZohoDataCenter.UNITED_STATES, ZohoDataCenter.EUROPE, '
    + 'ZohoDataCenter.INDIA, ZohoDataCenter.AUSTRALIA, ZohoDataCenter.JAPAN or ZohoDataCenter.CANADA, got "zoho.com.cn". '],
    ['the name of a data centre', () => zoho('EUROPE'), 'got "EUROPE". '],
    ['null for a data centre', () => zoho(null), 'got null. '],
    ['an object for a data centre', () => zoho({ dataCenter: 'zoho.eu' }), 'got { dataCenter }. '],
    ['missing properties', () => enforce(), '`props` must be the properties of MtaStsPolicy.enforce(), got undefined. Write `MtaStsPolicy.enforce({ mx: '],
    ['hosts for the properties', () => none(mx), '`props` must be the properties of MtaStsPolicy.none(), got an object of MxHosts. Write '
    + '`MtaStsPolicy.none({ mx: MxHosts.of('],
    ['an age for the properties', () => none(Duration.days(1)), '`props` must be the properties of MtaStsPolicy.none(), got an object of Duration. '],
    ['null for the properties', () => none(null), '`props` must be the properties of MtaStsPolicy.none(), got null. '],
    ['a list for the properties', () => testing(['mx1.example.com']), '`props` must be the properties of MtaStsPolicy.testing(), got ["mx1.example.com"]. '],
    ['an MxHosts for the properties', () => enforce(mx), '`mx` must be an MxHosts, got undefined. Write `MxHosts.of('],
    ['a list for mx', () => enforce({ mx: ['mx1.example.com'] }), '`mx` must be an MxHosts, got ["mx1.example.com"]. Write `MxHosts.of(\'mx1.example.com\')`, '
    + 'or a preset such as `MxHosts.googleWorkspace()`'],
    ['a text for mx', () => testing({ mx: 'it\'s' }), '`mx` must be an MxHosts, got "it\'s". Write `MxHosts.of(\'it\\\'s\')`'],
    ['an object for mx', () => none({ mx: {} }), '`mx` must be an MxHosts, got {}. '],
    ['null for mx', () => none({ mx: null }), '`mx` must be an MxHosts, got null. '],
    ['the factory for mx', () => enforce({ mx: MxHosts.googleWorkspace.bind(MxHosts) }), '`mx` must be an MxHosts, got the function bound googleWorkspace. '],
    ['an object with patterns that are no texts', () => enforce({ mx: { patterns: [1] } }), '`mx` must be a host name as a text, got 1. '],
    ['an object with patterns that senders refuse', () => enforce({ mx: { patterns: ['a\r\nmode: none'] } }), 'mx pattern "a\\r\\nmode: none" '],
    ['a number for maxAge', () => enforce({ mx, maxAge: 86400 }), '`maxAge` must be a Duration, got 86400. Write `Duration.seconds(86400)`'],
    ['a fraction for maxAge', () => testing({ mx, maxAge: 0.5 }), '`maxAge` must be a Duration, got 0.5. Write `Duration.days(30)`'],
    ['a text for maxAge', () => none({ maxAge: '30 days' }), '`maxAge` must be a Duration, got "30 days". Write `Duration.days(30)`'],
    ['null for maxAge', () => none({ maxAge: null }), '`maxAge` must be a Duration, got null. '],
    ['an object for maxAge', () => none({ maxAge: { days: 30 } }), '`maxAge` must be a Duration, got { days }. '],
    ['a list of addresses', () => to(['mailto:a@example.com']), '`TlsReporting.to()` must be a `mailto:` or `https:` address as a text, got '
    + '["mailto:a@example.com"]. Write `TlsReporting.to(\'mailto:a@example.com\')`'],
    ['null for an address', () => to(null), 'got null. Write `TlsReporting.to(\'mailto:tls-reports@example.com\')`'],
    ['a URL object', () => to(new URL('https://example.com/')), 'got an object of URL. '],
  ])('MxHosts, MtaStsPolicy and TlsReporting refuse %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('the constructs refuse', () => {
  test.each<[Parameters<typeof made>[0], unknown, string]>([
    ['MtaSts', undefined, '`props` must be the properties of MtaSts, got undefined. Write `new MtaSts(this, \'MtaSts\', { hostedZone, policy })`'],
    ['MtaSts', 'example.com', '`props` must be the properties of MtaSts, got "example.com". '],
    ['MtaSts', [], '`props` must be the properties of MtaSts, got []. '],
    ['MtaSts', { policy: null }, '`policy` must be an MtaStsPolicy, got null. Write `MtaStsPolicy.testing({ mx: MxHosts.of('],
    ['MtaSts', { policy: undefined }, '`policy` must be an MtaStsPolicy, got undefined. '],
    ['MtaSts', { policy: 'enforce' }, '`policy` must be an MtaStsPolicy, got "enforce". '],
    ['MtaSts', { policy: { mode: 'enforce', mx: ['mx1.example.com'] } }, '`policy` must be an MtaStsPolicy, got { mode, mx }. '],
    ['MtaSts', { policy: mx }, '`policy` must be an MtaStsPolicy, got an object of MxHosts. '],
    ['MtaSts', { hostedZone: null }, '`hostedZone` must be a hosted zone of Route 53, got null. Pass `HostedZone.fromLookup()`'],
    ['MtaSts', { hostedZone: 'example.com' }, '`hostedZone` must be a hosted zone of Route 53, got "example.com". '],
    ['MtaSts', { hostedZone: { hostedZoneId: 'Z1', zoneName: 'example.com' } }, '`hostedZone` must be a hosted zone of Route 53, got { hostedZoneId, zoneName }. '],
    ['MtaSts', { domainName: 5 }, '`domainName` must be the domain as a text, got 5. Write `domainName: \'example.com\'`'],
    ['MtaSts', { domainName: null }, '`domainName` must be the domain as a text, got null. '],
    ['MtaSts', { domainName: ['example.com'] }, '`domainName` must be the domain as a text, got ["example.com"]. '],
    ['MtaSts', { policyHost: {} }, '`policyHost` must be a PolicyHost, got {}. '],
    ['MtaSts', { policyHost: null }, '`policyHost` must be a PolicyHost, got null. '],
    ['MtaSts', { policyHost: 'mta-sts.example.com' }, '`policyHost` must be a PolicyHost, got "mta-sts.example.com". '],
    ['MtaSts', { tlsReporting: 'mailto:a@example.com' }, '`tlsReporting` must be a TlsReporting, got "mailto:a@example.com". '
    + 'Write `TlsReporting.to(\'mailto:a@example.com\')`'],
    ['MtaSts', { tlsReporting: ['mailto:a@example.com', 'mailto:b@example.com'] }, 'Write `TlsReporting.to(\'mailto:a@example.com\', \'mailto:b@example.com\')`'],
    ['MtaSts', { tlsReporting: true }, '`tlsReporting` must be a TlsReporting, got true. '],
    ['MtaSts', { tlsReporting: `mailto:a@${Aws.REGION}.example` }, '`tlsReporting` must be a TlsReporting, got a token, known only at deployment. '],
    ['MtaSts', { verification: 'nope' }, '`verification` must be Verification.FAIL_DEPLOYMENT or Verification.REPORT_ONLY, got "nope". '],
    ['MtaSts', { verification: false }, '`verification` must be Verification.FAIL_DEPLOYMENT or Verification.REPORT_ONLY, got false. '],
    ['MtaSts', { verification: 'REPORT_ONLY' }, 'got "REPORT_ONLY". Write for example `Verification.FAIL_DEPLOYMENT`'],
    ['MtaStsDomains', null, '`props` must be the properties of MtaStsDomains, got null. '],
    ['MtaStsDomains', { domains: undefined }, '`domains` must be a list, got undefined. Write `domains: [{ hostedZone }, '],
    ['MtaStsDomains', { domains: { hostedZone: 1 } }, '`domains` must be a list, got { hostedZone }. '],
    ['MtaStsDomains', { domains: 'example.com' }, '`domains` must be a list, got "example.com". '],
    ['MtaStsDomains', { domains: ['example.com'] }, '`domains[0]` must be an object with `hostedZone`, `domainName` or both, got "example.com". '],
    ['MtaStsDomains', { domains: [null] }, '`domains[0]` must be an object with `hostedZone`, `domainName` or both, got null. '],
    ['MtaStsDomains', { domains: [{ domainName: 'example.com' }, { hostedZone: null }] }, '`domains[1].hostedZone` must be a hosted zone of Route 53, got null. '],
    ['MtaStsDomains', { domains: [{ domainName: 1 }] }, '`domains[0].domainName` must be the domain as a text, got 1. '],
    ['MtaStsDomains', { domains: [{ domainName: 'example.com', policy: 'none' }] }, '`domains[0].policy` must be an MtaStsPolicy, got "none". '],
    ['MtaStsDomains', { domains: [{ domainName: 'example.com', tlsReporting: 'mailto:a@b.c' }] }, '`domains[0].tlsReporting` must be a TlsReporting, got "mailto:a@b.c". '],
    ['MtaStsDomains', { policy: null }, '`policy` must be an MtaStsPolicy, got null. '],
    ['MtaStsDomains', { policyHost: 'x' }, '`policyHost` must be a PolicyHost, got "x". '],
    ['MtaStsDomains', { tlsReporting: 'mailto:a@b.c' }, '`tlsReporting` must be a TlsReporting, got "mailto:a@b.c". '],
    ['MtaStsDomains', { verification: 'nope' }, '`verification` must be Verification.FAIL_DEPLOYMENT or Verification.REPORT_ONLY, got "nope". '],
    ['DelegatedMtaSts', undefined, '`props` must be the properties of DelegatedMtaSts, got undefined. '],
    ['DelegatedMtaSts', { hostedZone: undefined }, '`hostedZone` must be a hosted zone of Route 53, got undefined. '],
    ['DelegatedMtaSts', { hostedZone: null }, '`hostedZone` must be a hosted zone of Route 53, got null. '],
    ['DelegatedMtaSts', { provider: undefined }, '`provider` must be a text, got undefined. Write it out: `provider: \'provider.example\'`'],
    ['DelegatedMtaSts', { provider: null }, '`provider` must be a text, got null. '],
    ['DelegatedMtaSts', { provider: ['provider.example'] }, '`provider` must be a text, got ["provider.example"]. '],
    ['DelegatedMtaSts', { domainName: 1 }, '`domainName` must be the domain as a text, got 1. '],
    ['DelegatedMtaSts', { recordTarget: null }, '`recordTarget` must be a text, got null. '],
    ['DelegatedMtaSts', { policyHostTarget: 1 }, '`policyHostTarget` must be a text, got 1. '],
    ['DelegatedMtaSts', { tlsReporting: 'mailto:a@b.c' }, '`tlsReporting` must be a TlsReporting, got "mailto:a@b.c". '],
    ['PolicyHost', undefined, '`props` must be the properties of PolicyHost, got undefined. '],
    ['PolicyHost', { domains: 'example.com' }, '`domains` must be a list, got "example.com". '],
    ['PolicyHost', { domains: [['example.com']] }, '`domains[0]` must be an object with `hostedZone`, `domainName` or both, got ["example.com"]. '],
    ['PolicyHost', { certificate: 'arn:aws:acm:us-east-1:1:certificate/1' }, '`certificate` must be a certificate, got "arn:aws:acm:us-east-1:1:certificate/1". '
    + 'Write `Certificate.fromCertificateArn(this, \'Certificate\', \'arn:aws:acm:us-east-1:1:certificate/1\')`'],
    ['PolicyHost', { certificate: null }, '`certificate` must be a certificate, got null. '],
    ['PolicyHost', { certificate: { certificateArn: 'arn' } }, '`certificate` must be a certificate, got { certificateArn }. '],
    ['PolicyHost', { accessLogBucket: 'logs' }, '`accessLogBucket` must be a bucket, got "logs". Write `Bucket.fromBucketName(this, \'Logs\', \'logs\')`'],
    ['PolicyHost', { accessLogBucket: true }, '`accessLogBucket` must be a bucket, got true. '],
    ['PolicyHost', { webAclArn: {} }, '`webAclArn` must be the ARN of a web ACL as a text, got {}. '],
    ['PolicyHost', { webAclArn: 'senders' }, '`webAclArn` must be the ARN of a web ACL as a text, got "senders". '],
    ['PolicyHost', { webAclArn: null }, '`webAclArn` must be the ARN of a web ACL as a text, got null. '],
  ])('the construct %s refuses the properties %j', (kind, change, message) => {
    expect(() => made(kind, change)).toThrow(message);
  });

  test('PolicyHost refuses a zone in place of an object with a zone', () => {
    const stack = testStack();
    expect(() => Reflect.construct(PolicyHost, [stack, 'Host', { domains: [importedZone(stack)] }]) as unknown)
      .toThrow('`domains[0]` must be an object with `hostedZone`, `domainName` or both, got an object of Import. Write `domains: [{ hostedZone }, ');
  });

  test('the error for an object of many members does not list them', () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`member${i}`, i]));
    expect(() => made('MtaSts', { policy: many })).toThrow('got an object of 9 members. ');
    expect(() => made('MtaSts', { policy: Object.create(null) as unknown })).toThrow('got {}. ');
  });

  test('the error for a text with control characters escapes them, and is short', () => {
    expect(() => made('MtaSts', { policy: 'a\x1b[31m\u202e' })).toThrow('got "a\\u001b[31m\\u{202e}". ');
    for (const name of ['provider', 'recordTarget', 'policyHostTarget']) {
      expect(() => made('DelegatedMtaSts', { [name]: 'a\u202eb.example' })).toThrow(`\`${name}\` "a\\u{202e}b.example" contains U+202E`);
      expect(() => made('DelegatedMtaSts', { [name]: 'a'.repeat(5000) })).toThrow(/^.{1,500}$/);
    }
  });
});

describe('accepted values', () => {
  test('an object of another copy of the package is accepted by its members', () => {
    const text = MtaStsPolicy.enforce({ mx }).text;
    const { patterns } = mx;
    expect(Reflect.apply(MtaStsPolicy.enforce, MtaStsPolicy, [{ mx: { patterns } }])).toMatchObject({ text });
    const copy: unknown = Object.assign(Object.create({}) as object, policy);
    const reporting: unknown = Object.assign({}, TlsReporting.to('mailto:a@example.com'));
    expect(made('MtaSts', { policy: copy, tlsReporting: reporting })).toBeInstanceOf(MtaSts);
  });

  test('the text of each value of an enumeration is accepted', () => {
    expect(made('MtaSts', { verification: 'report' })).toBeInstanceOf(MtaSts);
    expect(Reflect.apply(MxHosts.zoho, MxHosts, ['zoho.eu'])).toEqual(MxHosts.zoho(ZohoDataCenter.EUROPE));
    expect(Object.values(Verification)).toEqual(['fail', 'report']);
  });

  test('objects whose values are known only at deployment are accepted', () => {
    const stack = new Stack(new App(), 'Test', { env: ENV });
    const hostedZone = new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' });
    new PolicyHost(stack, 'Host', {
      domains: [{ hostedZone }],
      certificate: new acm.Certificate(stack, 'Certificate', { domainName: 'mta-sts.example.com', validation: acm.CertificateValidation.fromDns(hostedZone) }),
      accessLogBucket: new s3.Bucket(stack, 'Logs', { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER }),
      webAclArn: `arn:aws:wafv2:us-east-1:${Aws.ACCOUNT_ID}:global/webacl/senders/1`,
    });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  test('a Duration is accepted as `maxAge`', () => {
    expect(MtaStsPolicy.enforce({ mx, maxAge: Duration.days(30) }).maxAge.toDays()).toBe(30);
  });
});
