// The preflight: the failures, the warnings and the summary of each check.
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { ResourceStatus, StackResource } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import type { PlannedDomain } from '../../lib/operations/preflight/domain-plan';
import { runPreflight } from '../../lib/operations/preflight/preflight';
import type { DnsRecord } from '../../lib/preview/dns-server/server';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyLines } from '../../lib/contract/custom-resources';
import type { Mode } from '../../lib/protocol/policy/policy';
import { codeBlocks } from '../support/markdown';
import {
  DOMAIN, NAME_SERVERS, POLICY, STACK_ID, TestDns, ZONE_ID, awsError, caa, createEvent, failure, lambdaContext, mx, operationContext,
  preflightDomain, preflightProperties, record, soa, testServices, updateEvent,
} from '../support/deployment';
import type { AwsState, Event, TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsPreflight';
const ID = 'mta-sts-preflight/example.com';
let dns: TestDns;

beforeAll(async () => {
  dns = await TestDns.start();
});

afterAll(async () => {
  await dns.close();
});

beforeEach(() => {
  dns.serve(...publicDns());
});

/** Returns records of public DNS in which every check passes. */
function publicDns(...more: readonly DnsRecord[]): readonly DnsRecord[] {
  return [
    soa('com'), soa('test'), soa(DOMAIN),
    ...NAME_SERVERS.map((name) => record(DOMAIN, 'NS', name)),
    record('ns-1.awsdns-01.test', 'A', '192.0.2.1'), record('ns-2.awsdns-02.test', 'A', '192.0.2.2'),
    record('ns-1.awsdns-01.test', 'AAAA', '2001:db8::1'), record('ns-2.awsdns-02.test', 'AAAA', '2001:db8::2'),
    mx(DOMAIN, 'mx1.example.com'), mx(DOMAIN, 'mx2.example.com', 20),
    record('mx1.example.com', 'A', '192.0.2.25'), record('mx2.example.com', 'AAAA', '2001:db8::25'),
    ...more,
  ];
}

function without(records: readonly DnsRecord[], type: string, name = DOMAIN): readonly DnsRecord[] {
  return records.filter((entry) => entry.type !== type || entry.name !== name);
}

function createServices(state: AwsState = {}): TestServices {
  return testServices(state, { resolver: dns.resolver() });
}

async function run(made: TestServices, event: Event = createEvent(TYPE, preflightProperties())): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext());
}

async function preflightFailure(made: TestServices, event?: Event): Promise<string> {
  return (await failure(run(made, event))).message;
}

async function failureWithDns(...records: readonly DnsRecord[]): Promise<string> {
  dns.serve(...records);
  return preflightFailure(createServices());
}

function recordSet(Name: string, Type: ResourceRecordSet['Type'], ...values: readonly string[]): ResourceRecordSet {
  return { Name, Type, TTL: 300, ResourceRecords: values.map((Value) => ({ Value })) };
}

describe('delegation', () => {
  test('preflight fails when public DNS answers NXDOMAIN for the zone', async () => {
    const message = await failureWithDns(soa('com'), soa('test'), mx('other.com', 'mx1.example.com'));
    expect(message).toContain('zone-not-delegated: public DNS has no name servers for example.com (NXDOMAIN). Senders would see no record');
    expect(message).toContain('ns-1.awsdns-01.test, ns-2.awsdns-02.test');
    expect(message).toContain('registrar');
  });

  test('preflight fails when public DNS has no name servers for the zone', async () => {
    expect(await failureWithDns(...without(publicDns(), 'NS'))).toContain('zone-not-delegated: public DNS has no name servers for example.com (NODATA)');
  });

  test('preflight fails for a duplicate zone, and names the public name servers, those of the zone and the fixes', async () => {
    const message = await failureWithDns(...without(publicDns(), 'NS'), record(DOMAIN, 'NS', 'ns-8.awsdns-08.test'),
      record(DOMAIN, 'NS', 'ns-9.awsdns-09.test'), record('ns-8.awsdns-08.test', 'A', '192.0.2.8'), record('ns-9.awsdns-09.test', 'A', '192.0.2.9'));
    expect(message).toContain(`zone-not-delegated: public DNS does not use the hosted zone ${ZONE_ID} for example.com: it has the name servers `
      + 'ns-8.awsdns-08.test, ns-9.awsdns-09.test. ');
    expect(message).toContain('Enter the zone\'s name servers ns-1.awsdns-01.test, ns-2.awsdns-02.test at the registrar of example.com');
    expect(message).toContain('pass the zone that is in use if two zones have this name');
    expect(message).toContain('deploy the zone first, alone');
  });

  test('preflight fails when public DNS has a foreign name server beside those of the zone', async () => {
    const message = await failureWithDns(...publicDns(record(DOMAIN, 'NS', 'ns.other.test'), record('ns.other.test', 'A', '192.0.2.9')));
    expect(message).toContain('it has the name servers ns-1.awsdns-01.test, ns-2.awsdns-02.test, ns.other.test. ');
  });

  test('preflight fails when the public name servers have no address', async () => {
    const message = await failureWithDns(...without(publicDns(), 'NS'), record(DOMAIN, 'NS', 'gone.test'));
    expect(message).toContain('it has the name servers gone.test. ');
  });

  test('preflight recognises white-label name servers by their addresses', async () => {
    dns.serve(...without(publicDns(), 'NS'), record(DOMAIN, 'NS', 'ns1.example.com'), record(DOMAIN, 'NS', 'ns2.example.com'),
      record('ns1.example.com', 'A', '192.0.2.1'), record('ns2.example.com', 'A', '192.0.2.2'), record('ns2.example.com', 'AAAA', '2001:db8::2'));
    const answer = await run(createServices());
    expect(answer.Data?.Summary).toContain('example.com is delegated to the hosted zone');
  });

  test('preflight compares name servers without regard to case and the dot at the end', async () => {
    const answer = await run(createServices({ nameServers: ['NS-1.AWSDNS-01.Test.', 'ns-2.awsdns-02.test.'] }));
    expect(answer.Data?.Summary).toContain('example.com is delegated');
  });

  test('preflight only warns when public DNS misses a name server of the zone', async () => {
    const made = createServices({ nameServers: [...NAME_SERVERS, 'ns-3.awsdns-03.test'] });
    expect((await run(made)).Data?.Summary).toContain('but not ns-3.awsdns-03.test');
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'preflight, delegation' }));
  });

  test('preflight fails when the zone is of another domain', async () => {
    expect(await preflightFailure(createServices({ zoneName: 'example.org' }))).toContain(`zone-wrong-domain: the domain example.com is not in the hosted zone ${ZONE_ID} (example.org). `);
  });

  test('preflight fails when the name of the zone is the end of the domain without being a parent', async () => {
    expect(await preflightFailure(createServices({ zoneName: 'ample.com' }))).toContain(`zone-wrong-domain: the domain example.com is not in the hosted zone ${ZONE_ID} (ample.com). `);
  });

  test('preflight accepts the zone of a parent domain', async () => {
    dns.serve(...publicDns(mx('mail.example.com', 'mx1.example.com')));
    const event = createEvent(TYPE, preflightProperties({ DomainName: 'mail.example.com', Records: [] }));
    expect((await run(createServices(), event)).PhysicalResourceId).toBe('mta-sts-preflight/mail.example.com');
  });

  test('preflight fails when the zone is private', async () => {
    const made = createServices();
    made.aws.route53.on(GetHostedZoneCommand).resolves({
      HostedZone: { Id: ZONE_ID, Name: 'example.com.', CallerReference: 'x', Config: { PrivateZone: true } },
    });
    expect(await preflightFailure(made)).toContain(`zone-private: the hosted zone ${ZONE_ID} (example.com) is private. `);
  });

  test('preflight reports a missing zone once although two checks need it', async () => {
    const made = createServices();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('NoSuchHostedZone', 'No hosted zone found with ID: Z0'));
    const message = await preflightFailure(made);
    expect(message).toMatch(/^zone-not-found: this account has no hosted zone /);
    expect(message.match(/has no hosted zone/g)).toHaveLength(1);
    expect(message).toContain('No hosted zone found with ID: Z0');
  });

  test('preflight fails when Route 53 returns a zone without name servers', async () => {
    const made = createServices();
    made.aws.route53.on(GetHostedZoneCommand).resolves({});
    expect(await preflightFailure(made)).toContain('zone-unreadable: route53:GetHostedZone returned no name or no name servers');
  });

  test('preflight repeats a question to DNS until there is an answer', async () => {
    const answers = dns.answer;
    let failures = 2;
    dns.answer = (question) => {
      if (question.type !== 'NS' || failures === 0) return answers(question);
      failures -= 1;
      return { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false };
    };
    const made = createServices();
    await run(made);
    expect(failures).toBe(0);
    expect(made.clock.slept).toEqual([1000, 2000]);
  });

  test('preflight fails with dns-failure, not with zone-not-delegated, when DNS gives no answer for half a minute', async () => {
    dns.answer = () => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false });
    const message = await preflightFailure(createServices());
    expect(message).toContain('dns-failure: DNS gave no answer for example.com NS: SERVFAIL');
    expect(message).not.toContain('zone-not-delegated');
  });
});

describe('CAA', () => {
  test.each([
    ['another authority alone', [caa(DOMAIN, 'issue', 'letsencrypt.org')], '0 issue "letsencrypt.org"'],
    ['no authority', [caa(DOMAIN, 'issue', ';')], '0 issue ";"'],
    ['another authority with parameters that name Amazon', [caa(DOMAIN, 'issue', 'ca.test; account=amazon.com')], 'ca.test'],
    ['another authority at the top-level domain', [caa('com', 'issue', 'ca.test')], 'CAA at com does not allow Amazon'],
    ['Amazon for wildcards alone', [caa(DOMAIN, 'issue', 'ca.test'), caa(DOMAIN, 'issuewild', 'amazon.com')], '0 issuewild "amazon.com"'],
  ])('preflight fails when CAA allows %s', async (_, records, evidence) => {
    const message = await failureWithDns(...publicDns(...records));
    expect(message).toContain(evidence);
    expect(message).toContain('0 issue "amazon.com" (RFC 8659 §4.2)');
  });

  test('preflight fails when CAA has a critical property that Amazon may not understand', async () => {
    const message = await failureWithDns(...publicDns(caa(DOMAIN, 'issue', 'amazon.com'), caa(DOMAIN, 'tbs', 'x', true)));
    expect(message).toContain('caa-critical-property: the CAA record at example.com has the critical property tbs');
    expect(message).toContain('128 tbs "x"');
  });

  test('preflight escapes control characters of a CAA record', async () => {
    expect(await failureWithDns(...publicDns(caa(DOMAIN, 'issue', 'ca\u001b[31m')))).toContain('ca\\x1b[31m');
  });

  test.each([
    ['no record', []],
    ['amazon.com', [caa(DOMAIN, 'issue', 'amazon.com')]],
    ['amazontrust.com', [caa(DOMAIN, 'issue', 'amazontrust.com')]],
    ['awstrust.com', [caa(DOMAIN, 'issue', 'awstrust.com')]],
    ['AmazonAWS.com in other case, with blanks and parameters', [caa(DOMAIN, 'ISSUE', ' AmazonAWS.com ; a=b')]],
    ['Amazon among others', [caa(DOMAIN, 'issue', 'ca.test'), caa(DOMAIN, 'issue', 'amazon.com')]],
    ['no issue property', [caa(DOMAIN, 'iodef', 'mailto:a@example.com'), caa(DOMAIN, 'issuewild', ';')]],
    ['a critical property that Amazon understands', [caa(DOMAIN, 'issue', 'amazon.com', true)]],
    ['an unknown property that is not critical', [caa(DOMAIN, 'tbs', 'x')]],
    ['Amazon at the domain, and others at the parent', [caa(DOMAIN, 'issue', 'amazon.com'), caa('com', 'issue', 'ca.test')]],
  ])('preflight passes when CAA has %s', async (_, records) => {
    dns.serve(...publicDns(...records));
    await expect(run(createServices())).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test('CAA at the policy host in the hosted zone decides before CAA at the domain', async () => {
    dns.serve(...publicDns(caa(DOMAIN, 'issue', 'ca.test')));
    const recordSets = [recordSet('mta-sts.example.com.', 'CAA', '0 iodef "mailto:a@example.com"', '128 issue "amazon.com"')];
    expect((await run(createServices({ recordSets }))).Data?.Summary).toContain('CAA at mta-sts.example.com allows Amazon to issue');
  });

  test('preflight fails when CAA at the policy host in the hosted zone forbids Amazon', async () => {
    const recordSets = [recordSet('mta-sts.example.com.', 'CAA', '0 issue ";"')];
    expect(await preflightFailure(createServices({ recordSets }))).toContain('caa-forbids-amazon: CAA at mta-sts.example.com does not allow Amazon to issue');
  });

  test('preflight ignores DNS failures above the name whose CAA decides', async () => {
    dns.serve(...publicDns(caa(DOMAIN, 'issue', 'amazon.com')));
    const answers = dns.answer;
    dns.answer = (question) => question.name === 'com' ? 'drop' : answers(question);
    await expect(run(createServices())).resolves.toMatchObject({ PhysicalResourceId: ID });
  });
});

describe('foreign records', () => {
  test.each([
    ['mta-sts.example.com.', 'A', '192.0.2.7'],
    ['mta-sts.example.com.', 'CNAME', 'elsewhere.test'],
    ['_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"'],
    ['_mta-sts.example.com.', 'CNAME', 'provider.test'],
    ['_mta-sts.example.com.', 'CAA', '0 issue "amazon.com"'],
  ] as const)('preflight fails when another stack or person made the record %s %s', async (name, type, value) => {
    const message = await preflightFailure(createServices({ recordSets: [recordSet(name, type, value)] }));
    expect(message).toContain(`record-exists: this stack did not create the record at ${name.slice(0, -1)} in the hosted zone ${ZONE_ID}: ${type} ${value}. `);
  });

  test('preflight ignores CAA when the certificate is given', async () => {
    const recordSets = [recordSet('mta-sts.example.com.', 'CAA', '0 issue "ca.test"')];
    const event = createEvent(TYPE, preflightProperties({ Certificate: 'given' }));
    expect((await run(createServices({ recordSets }), event)).Data?.Summary).toContain('the certificate is given');
    expect(await preflightFailure(createServices({ recordSets }), createEvent(TYPE, preflightProperties({ Certificate: 'made' })))).toContain('CAA at mta-sts');
  });

  test('preflight leaves no unhandled rejection when the zone is missing and the certificate is given', async () => {
    const unhandled: unknown[] = [];
    const collect = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', collect);
    const made = createServices();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('NoSuchHostedZone', 'No hosted zone found with ID: Z0'));
    await preflightFailure(made, createEvent(TYPE, preflightProperties({ Certificate: 'given' })));
    await new Promise(setImmediate);
    process.off('unhandledRejection', collect);
    expect(unhandled).toEqual([]);
  });

  test('preflight reads CAA at the policy host as it was typed', async () => {
    const odd = [recordSet('mta-sts.example.com.', 'CAA', '0  issue ca.test', '0')];
    expect(await preflightFailure(createServices({ recordSets: odd }))).toContain('(found: 0 issue "ca.test", 0  "")');
  });

  test('preflight mentions renamed constructs only when the record has a planned name and type', async () => {
    expect(await preflightFailure(createServices({ recordSets: [recordSet('mta-sts.example.com.', 'A', '192.0.2.7')] }))).toContain('give it its old id back');
    expect(await preflightFailure(createServices({ recordSets: [recordSet('mta-sts.example.com.', 'MX', '0 x')] }))).not.toContain('old id');
  });

  test('preflight passes when Route 53 lists record sets without fields', async () => {
    const made = createServices();
    const nothing = { Name: undefined, Type: undefined };
    made.aws.route53.on(ListResourceRecordSetsCommand).resolves({ ResourceRecordSets: [nothing], IsTruncated: true });
    await expect(run(made)).resolves.toMatchObject({ PhysicalResourceId: ID });
    made.aws.route53.on(ListResourceRecordSetsCommand).resolves({});
    await expect(run(made)).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test('preflight offers to leave out tlsReporting when its record exists', async () => {
    const message = await preflightFailure(createServices({ recordSets: [recordSet('_smtp._tls.example.com.', 'TXT', '"v=TLSRPTv1; rua=mailto:a@b.test"')] }));
    expect(message).toContain('CloudFormation can neither overwrite nor import it. To keep it, leave out `tlsReporting`. Or set `tlsReporting` to '
      + '`TlsReporting.to(\'mailto:a@b.test\')` and delete the record just before the next deployment, which creates it again.');
  });

  test('preflight names the target of a foreign alias and the identifier of a weighted record set', async () => {
    const alias: ResourceRecordSet = {
      Name: 'mta-sts.example.com.', Type: 'A', SetIdentifier: 'blue', Weight: 1,
      AliasTarget: { DNSName: 'd111.cloudfront.net.', HostedZoneId: 'Z2FDTNDATAQYW2', EvaluateTargetHealth: false },
    };
    expect(await preflightFailure(createServices({ recordSets: [alias] }))).toContain('A alias to d111.cloudfront.net (blue)');
  });

  test('preflight fails when the policy host is delegated away', async () => {
    const message = await preflightFailure(createServices({ recordSets: [recordSet('mta-sts.example.com.', 'NS', 'ns.other.test.')] }));
    expect(message).toContain('name-delegated-away: mta-sts.example.com is delegated away from the hosted zone');
    expect(message).toContain('ns.other.test.');
  });

  test('preflight fails when the domain is a sub-domain that is delegated away from the zone', async () => {
    dns.serve(...publicDns(mx('mail.example.com', 'mx1.example.com')));
    const made = createServices({ recordSets: [recordSet('mail.example.com.', 'NS', 'ns.other.test.')] });
    const event = createEvent(TYPE, preflightProperties({ DomainName: 'mail.example.com', Records: [] }));
    expect(await preflightFailure(made, event)).toContain('mail.example.com is delegated away');
  });

  test('preflight reads the record sets of a name on all pages, and no further', async () => {
    const caas = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'TXT'] as const;
    const recordSets = [
      ...caas.map((type) => recordSet('mta-sts.example.com.', type, 'x')),
      recordSet('a.mta-sts.example.com.', 'TXT', '"harmless"'), recordSet('mta-sts0.example.com.', 'TXT', '"harmless"'),
    ];
    const made = createServices({ recordSets, pageSize: 2 });
    const message = await preflightFailure(made, createEvent(TYPE, preflightProperties({ Records: [] })));
    expect(message).toContain('5 failures: (1) record-exists: ');
    expect(message).toContain('TXT x');
    expect(message).not.toContain('harmless');
    expect(made.aws.route53.commandCalls(ListResourceRecordSetsCommand)).toHaveLength(3);
  });

  test('preflight decodes the octal escapes of the Route 53 API', async () => {
    const message = await preflightFailure(createServices({ recordSets: [recordSet('\\137mta-sts.example.com.', 'TXT', '"a\\052b"')] }));
    expect(message).toContain('the record at _mta-sts.example.com');
    expect(message).toContain('TXT "a*b"');
  });

  test('preflight ignores records beside and below the planned names', async () => {
    const recordSets = [
      recordSet('example.com.', 'NS', 'ns-1.awsdns-01.test.'), recordSet('example.com.', 'MX', '10 mx1.example.com'),
      recordSet('\\052.example.com.', 'A', '192.0.2.7'), recordSet('_abc.mta-sts.example.com.', 'CNAME', 'x.acm-validations.aws'),
      recordSet('_tls.example.com.', 'TXT', '"x"'), recordSet('mta-sts.example.com.', 'CAA', '0 issue "amazon.com"'),
    ];
    await expect(run(createServices({ recordSets }))).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test('preflight says that CloudFormation cannot import a record', async () => {
    expect(await preflightFailure(createServices({ recordSets: [recordSet('_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"')] })))
      .toContain('CloudFormation can neither overwrite nor import it. Delete it if it is no longer needed.');
  });

  const PUBLISHED_RECORD = recordSet('_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"');
  const OWN = [recordSet('mta-sts.example.com.', 'A', '192.0.2.7'), PUBLISHED_RECORD];
  /** The same domain with another policy before this update. */
  const OTHER = { Policy: policyLines(renderPolicy({ ...POLICY, mode: 'testing' })) };

  test('preflight knows the records of the stack by the properties before an update', async () => {
    const made = createServices({ recordSets: OWN });
    const event = updateEvent(TYPE, ID, preflightProperties(), preflightProperties(OTHER));
    await expect(run(made, event)).resolves.toMatchObject({ PhysicalResourceId: ID });
    expect(made.aws.cloudformation.commandCalls(DescribeStackResourcesCommand)).toHaveLength(0);
  });

  test('preflight fails for records of a construct with another id, and says how a domain moves', async () => {
    const before = preflightProperties({ Records: [
      { Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'OtherHostAliasA' },
      { Name: '_mta-sts.example.com', Type: 'TXT', LogicalId: 'OtherAnnouncement' },
    ] });
    const message = await preflightFailure(createServices({ recordSets: OWN }), updateEvent(TYPE, ID, preflightProperties(), before));
    expect(message).toContain('2 failures: (1) record-exists: ');
    expect(message).toContain('To move a domain to another PolicyHost, use two deployments');
  });

  test('preflight knows a record that the update removes as one of the stack', async () => {
    const Records = [{ Name: 'mta-sts.example.com', Type: 'AAAA', LogicalId: 'AliasAAAA' }];
    const made = createServices({ recordSets: [recordSet('mta-sts.example.com.', 'A', '192.0.2.7')] });
    const before = preflightProperties({ Records: [...Records, { Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'AliasA' }] });
    const event = updateEvent(TYPE, ID, preflightProperties({ Records }), before);
    await expect(run(made, event)).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test.each([{}, { HostedZoneId: undefined, Records: [] }])('preflight fails when a construct changes its domain, with %j', async (where) => {
    const before = preflightProperties({ ...where, DomainName: 'old.example', Publication: 'MtaStsPublication' });
    const now = preflightProperties({ ...where, Publication: 'MtaStsPublication' });
    expect(await preflightFailure(createServices(), updateEvent(TYPE, ID, now, before)))
      .toContain('domain-changed: the domain of this construct was old.example and is now example.com. The record of old.example would outlive its policy file. ');
  });

  test('preflight fails when a record that the update adds exists already', async () => {
    const before = preflightProperties({ Records: [{ Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'AliasA' }] });
    expect(await preflightFailure(createServices({ recordSets: OWN }), updateEvent(TYPE, ID, preflightProperties(), before))).toContain('TXT "v=STSv1; id=1;"');
  });

  test('preflight takes no record of another hosted zone for one of the stack', async () => {
    const made = createServices({ recordSets: OWN, stackResources: stackResources('CREATE_COMPLETE') });
    const before = preflightProperties({ HostedZoneId: 'Z9' });
    expect(await preflightFailure(made, updateEvent(TYPE, ID, preflightProperties(), before))).toContain('2 failures: (1) record-exists: ');
  });

  test('preflight asks CloudFormation when the properties before an update are not readable', async () => {
    const made = createServices({ recordSets: [PUBLISHED_RECORD], stackResources: stackResources('UPDATE_COMPLETE') });
    for (const before of [{ Records: 'odd' }, { Domains: [{ DomainName: DOMAIN, HostedZoneId: ZONE_ID, Records: 'odd' }] }]) {
      await expect(run(made, updateEvent(TYPE, ID, preflightProperties(), before))).resolves.toMatchObject({ PhysicalResourceId: ID });
    }
    expect(made.aws.cloudformation.commandCalls(DescribeStackResourcesCommand)).toHaveLength(2);
  });

  test.each(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'CREATE_FAILED', 'DELETE_FAILED'] as const)(
    'preflight knows a record of the stack by its resource with the status %s', async (status) => {
      const made = createServices({ recordSets: [PUBLISHED_RECORD], stackResources: stackResources(status) });
      await expect(run(made)).resolves.toMatchObject({ PhysicalResourceId: ID });
    });

  test.each(['DELETE_COMPLETE', 'DELETE_SKIPPED', 'CREATE_IN_PROGRESS'] as const)('preflight fails for a record whose resource has the status %s', async (status) => {
    expect(await preflightFailure(createServices({ recordSets: OWN, stackResources: stackResources(status) }))).toContain('2 failures: (1) record-exists: ');
  });

  test('preflight fails for a record that a record set group of the stack may not contain', async () => {
    const made = createServices({ recordSets: OWN, stackResources: stackResources('CREATE_COMPLETE') });
    expect(await preflightFailure(made)).toContain('mta-sts.example.com in the hosted zone');
  });

  test('preflight fails for a record when the resource of the stack made another record', async () => {
    const resources = stackResources('CREATE_COMPLETE').map((resource) => ({ ...resource, PhysicalResourceId: 'other.example.com' }));
    expect(await preflightFailure(createServices({ recordSets: OWN, stackResources: resources }))).toContain('2 failures: (1) record-exists: ');
  });

  test('preflight fails with the words of AWS when CloudFormation refuses the question', async () => {
    const made = createServices({ recordSets: OWN });
    made.aws.cloudformation.on(DescribeStackResourcesCommand).rejects(awsError('ValidationError', 'Rate limit of some kind'));
    expect(await preflightFailure(made)).toContain('aws-call-failed: cloudformation:DescribeStackResources failed: ValidationError: Rate limit of some kind. ');
  });

  function stackResources(status: ResourceStatus): StackResource[] {
    const shared = { Timestamp: new Date(), ResourceStatus: status };
    return [
      { ...shared, ResourceType: 'AWS::Route53::RecordSetGroup', LogicalResourceId: 'Records', PhysicalResourceId: 'Mail-Records-1A2B3C' },
      { ...shared, ResourceType: 'AWS::Route53::RecordSet', LogicalResourceId: 'Announcement', PhysicalResourceId: '_MTA-STS.example.com.' },
    ];
  }
});

describe('MX', () => {
  const TESTING = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mode: 'testing' })) });
  const NONE = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mode: 'none' })) });

  test('preflight fails when an enforce policy does not cover a live MX host', async () => {
    const message = await failureWithDns(...publicDns(mx(DOMAIN, 'backup.other.test', 30)));
    expect(message).toContain('mx-not-covered: the policy for example.com does not cover backup.other.test (patterns: mx1.example.com, mx2.example.com). '
      + 'In enforce mode, senders refuse mail to this host. Add a pattern for it, or remove its MX record (RFC 8461 §4.1).');
  });

  test.each([
    ['docs/guide/how-it-works.md', 'When a step fails'],
    ['docs/troubleshooting/deployment-failures.md', 'Find the reason'],
  ])('%s shows the failure of an uncovered MX host as preflight words it', async (page, heading) => {
    const example = codeBlocks(page).find(({ language, headings }) => language === 'text' && headings.includes(heading));
    const message = await failureWithDns(...publicDns(mx(DOMAIN, 'backup.other.test', 30)));
    const shown = example?.code.trim().replace(/log group .*$/, '') ?? 'nothing';
    expect(message.slice(0, shown.length)).toBe(shown);
  });

  test('preflight names at most ten uncovered hosts', async () => {
    const many = Array.from({ length: 14 }, (_, index) => mx(DOMAIN, `b${String(index).padStart(2, '0')}.other.test`));
    expect(await failureWithDns(...publicDns(...many))).toContain('b09.other.test and 4 more (patterns: ');
  });

  test('preflight fails when an enforce policy does not cover the implicit MX', async () => {
    const message = await failureWithDns(...without(publicDns(record(DOMAIN, 'A', '192.0.2.25')), 'MX'));
    expect(message).toContain('mx-not-covered: the policy for example.com does not cover example.com (patterns: ');
    expect(message).toContain('Add a pattern for it, or publish an MX record (RFC 8461 §4.1).');
  });

  test('preflight treats an IPv6 address alone as an implicit MX', async () => {
    expect(await failureWithDns(...without(publicDns(record(DOMAIN, 'AAAA', '2001:db8::25')), 'MX'))).toContain('the policy for example.com does not cover example.com (patterns: ');
  });

  test.each([
    ['a null MX', [mx(DOMAIN, '.', 0)]],
    ['neither MX nor address', []],
  ])('preflight passes when the domain has %s', async (_, records) => {
    dns.serve(...without(publicDns(), 'MX'), ...records);
    expect((await run(createServices())).Data?.Summary).toContain('example.com takes no mail');
  });

  test('preflight only warns when the only MX host does not exist', async () => {
    dns.serve(...without(without(publicDns(), 'MX'), 'A', 'mx1.example.com'), mx(DOMAIN, 'mx1.example.com'));
    for (const properties of [preflightProperties(), TESTING]) {
      expect((await run(createServices(), createEvent(TYPE, properties))).Data?.Summary).toContain(
        'warning: mx-no-address: the mail host mx1.example.com cannot be reached: there is no such name in DNS. It is the only mail host of example.com, so mail to '
        + 'example.com is not delivered. Publish A and AAAA records for the host, or remove the MX record (RFC 5321 §5.1)',
      );
    }
  });

  test('preflight warns once when none of several MX hosts has an address', async () => {
    dns.serve(...without(without(publicDns(), 'A', 'mx1.example.com'), 'AAAA', 'mx2.example.com'));
    expect((await run(createServices())).Data?.Summary).toContain('warning: mx-no-address: no MX host of example.com can be reached, because none of mx1.example.com, mx2.example.com has an address in DNS. ');
  });

  test('preflight warns of an MX host without an address and of an MX host that is an alias', async () => {
    dns.serve(...without(without(publicDns(), 'A', 'mx1.example.com'), 'AAAA', 'mx2.example.com'), record('mx2.example.com', 'CNAME', 'real.example.com'),
      record('real.example.com', 'A', '192.0.2.25'));
    const { Summary } = (await run(createServices())).Data ?? {};
    expect(Summary).toContain('warning: mx-no-address: the mail host mx1.example.com cannot be reached: there is no such name in DNS. Senders pass it over');
    expect(Summary).toContain('warning: mx-alias: the mail host mx2.example.com is an alias (CNAME) of real.example.com');
  });

  test('preflight fails when an enforce policy names an MX host with the zone name appended twice', async () => {
    const host = 'mx1.example.com.example.com';
    const properties = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mx: [host] })) });
    dns.serve(...without(publicDns(), 'MX'), mx(DOMAIN, host));
    expect((await failure(run(createServices(), createEvent(TYPE, properties)))).message).toContain(
      `mx-zone-appended: the policy names ${host}, which does not exist: the zone name is appended twice in the MX record of example.com. Once the record is corrected, `
      + 'senders with this policy would refuse mx1.example.com.',
    );
    const testing = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mode: 'testing', mx: [host] })) });
    expect((await run(createServices(), createEvent(TYPE, testing))).Data?.Summary).toContain('the zone name is appended twice');
  });

  test('preflight warns of dns-failure when DNS gives no addresses of an MX host', async () => {
    const answers = dns.answer;
    dns.answer = (question) => question.name.startsWith('mx') ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answers(question);
    const { Summary } = (await run(createServices())).Data ?? {};
    expect(Summary).toContain('warning: dns-failure: the addresses of the mail host mx1.example.com could not all be looked up: SERVFAIL');
    expect(Summary).not.toContain('cannot be reached');
  });

  test('preflight compares MX hosts without regard to case and the dot at the end', async () => {
    dns.serve(...without(publicDns(), 'MX'), mx(DOMAIN, 'MX1.Example.COM.'));
    expect((await run(createServices())).Data?.Summary).toContain('the policy covers the MX host');
  });

  test('preflight only warns in testing mode, in the log and in the summary', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const made = createServices();
    const answer = await run(made, createEvent(TYPE, TESTING));
    expect(answer.Data?.Summary).toMatch(/^warning: mx-not-covered: the policy for example\.com does not cover backup\.other\.test .* Before you enforce, add a pattern for it/);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'preflight, mx' }));
  });

  test('preflight fails in enforce mode when DNS gives no answer for the MX records', async () => {
    const answers = dns.answer;
    dns.answer = (question) => question.type === 'MX' ? { rcode: 'REFUSED', answers: [], authorities: [], authoritative: false } : answers(question);
    expect(await preflightFailure(createServices())).toContain('dns-failure: the check cannot decide whether the policy covers the MX hosts of example.com. The MX records of example.com could not be looked up: REFUSED');
  });

  test('preflight only warns in testing mode when DNS gives no answer for the MX records', async () => {
    const answers = dns.answer;
    dns.answer = (question) => question.type === 'MX' ? { rcode: 'REFUSED', answers: [], authorities: [], authoritative: false } : answers(question);
    expect((await run(createServices(), createEvent(TYPE, TESTING))).Data?.Summary).toContain('warning: dns-failure: the check cannot decide whether the policy covers the MX hosts of example.com. ');
  });

  test('preflight does not ask for MX records in mode none', async () => {
    const before = dns.asked.length;
    await run(createServices(), createEvent(TYPE, NONE));
    expect(dns.asked.slice(before)).not.toContain('example.com MX');
  });
});

describe('the operation without an event', () => {
  const planned: PlannedDomain = {
    domain: DOMAIN, zoneId: ZONE_ID, policy: POLICY, records: [], recordsBefore: [],
    changesPublisher: false, changesZone: false, relaxesPolicy: false,
  };
  const input = { domains: [planned], stackId: STACK_ID, certificateGiven: true };

  test('runPreflight returns the facts of a domain in good order', async () => {
    const result = await runPreflight(operationContext(createServices()), input);
    expect(result).toMatchObject({ failures: [], warnings: [] });
    expect(result.passed).toContainEqual({ message: 'the policy covers all 2 MX hosts', domains: [DOMAIN] });
  });

  test('runPreflight returns each failure with its code and its domains, and does not throw', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const { failures } = await runPreflight(operationContext(createServices()), input);
    expect(failures).toEqual([{ code: 'mx-not-covered', domains: [DOMAIN], message: expect.stringContaining('backup.other.test') }]);
  });
});

describe('the whole preflight', () => {
  test('preflight reports the failures of all checks in one line, numbered and each with its code', async () => {
    dns.serve(...without(publicDns(), 'NS'), caa(DOMAIN, 'issue', 'ca.test'), mx(DOMAIN, 'backup.other.test'));
    const message = await preflightFailure(createServices({ recordSets: [recordSet('_mta-sts.example.com.', 'TXT', '"x"')] }));
    expect(message).toMatch(/^4 failures: \(1\) zone-not-delegated: .*\. \(2\) record-exists: .*\. \(3\) caa-forbids-amazon: .*\. \(4\) mx-not-covered: /);
    expect(message).not.toContain('\n');
  });

  test('preflight returns a stable physical id and a summary', async () => {
    await expect(run(createServices())).resolves.toEqual({
      PhysicalResourceId: ID,
      Data: {
        Summary: 'example.com is delegated to the hosted zone; no foreign record has a planned name; no CAA record limits the issuers; '
          + 'the policy covers all 2 MX hosts',
      },
    });
  });

  test('preflight never asks a resolver for a name that the deployment is about to create', async () => {
    await run(createServices());
    // In none of the tests above either.
    expect(dns.asked).toContain('example.com NS');
    expect(dns.asked.filter((question) => /mta-sts|_tls/.test(question))).toEqual([]);
  });

  test('preflight passes in a rollback although a check failed, and logs the failure', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const made = createServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    const before = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, maxAge: 86400 })) });
    const event = updateEvent(TYPE, ID, preflightProperties(), before);
    const answer = await run(made, event);
    expect(answer).toMatchObject({ PhysicalResourceId: ID, Data: { Summary: expect.stringContaining('does not cover') } });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'ERROR', message: 'the failure is ignored, and the deployment continues', rollingBack: true }));
  });

  test('preflight fails when CloudFormation does not say whether the stack is rolling back', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const made = createServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    made.aws.cloudformation.on(DescribeStacksCommand).rejects(awsError('ThrottlingException', 'Rate exceeded'));
    expect(await preflightFailure(made)).toContain('does not cover');
  });
});

describe('several domains', () => {
  const OTHER = 'example.net';
  const other = preflightDomain({ DomainName: OTHER, HostedZoneId: 'Z9', Records: [] });
  const both = { Domains: [preflightDomain(), other] };

  /** Answers with the zone of each domain by its id. */
  function twoZones(): TestServices {
    const made = createServices();
    made.aws.route53.on(GetHostedZoneCommand, { Id: 'Z9' }).resolves({
      HostedZone: { Id: 'Z9', Name: `${OTHER}.`, CallerReference: 'x' }, DelegationSet: { NameServers: ['ns-1.awsdns-01.test'] },
    });
    return made;
  }

  beforeEach(() => {
    dns.serve(...publicDns(soa('net'), soa(OTHER), record(OTHER, 'NS', 'ns-1.awsdns-01.test'), mx(OTHER, 'mx1.example.com')));
  });

  test('preflight checks each of several domains, and names the domains of each fact', async () => {
    const { Data } = await run(twoZones(), createEvent(TYPE, both));
    expect(Data?.Summary).toContain('example.com: example.com is delegated to the hosted zone');
    expect(Data?.Summary).toContain('example.net: example.net is delegated to the hosted zone');
    expect(Data?.Summary).toContain('example.com, example.net: no CAA record limits the issuers');
  });

  test('preflight fails for one of several domains, and names it', async () => {
    dns.serve(...publicDns(soa('net'), soa(OTHER), record(OTHER, 'NS', 'ns-1.awsdns-01.test'), mx(OTHER, 'backup.other.test')));
    expect(await preflightFailure(twoZones(), createEvent(TYPE, both))).toMatch(/^mx-not-covered: example\.net: the policy for example\.net does not cover backup\.other\.test/);
  });

  test('preflight checks only the changed domains of an update', async () => {
    dns.serve(...publicDns(soa('net'), soa(OTHER), mx(OTHER, 'backup.other.test')));
    const before = { Domains: [preflightDomain({ Policy: policyLines(renderPolicy({ ...POLICY, maxAge: 86400 })) }), other] };
    const { PhysicalResourceId, Data } = await run(twoZones(), updateEvent(TYPE, ID, both, before));
    expect(PhysicalResourceId).toBe(ID);
    expect(Data?.Summary).toContain('example.com is delegated to the hosted zone');
    expect(Data?.Summary).not.toContain(OTHER);
  });

  test('preflight checks all domains again when the update makes a certificate', async () => {
    const { Data } = await run(twoZones(), updateEvent(TYPE, ID, both, { ...both, Certificate: 'given' }));
    expect(Data?.Summary).toContain('example.com, example.net: no CAA');
  });

  test('preflight checks nothing and keeps its id when a domain leaves', async () => {
    const made = twoZones();
    const answer = await run(made, updateEvent(TYPE, ID, { Domains: [other] }, both));
    expect(answer).toEqual({ PhysicalResourceId: ID, Data: { Summary: 'nothing to check has changed' } });
    expect(made.aws.route53.calls()).toHaveLength(0);
  });

  test('preflight checks at most four of many domains at the same time', async () => {
    const made = createServices();
    let [running, most] = [0, 0];
    made.aws.route53.on(GetHostedZoneCommand).callsFake(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      throw awsError('NoSuchHostedZone', 'none');
    });
    const Domains = Array.from({ length: 30 }, (_, index) => preflightDomain({ DomainName: `d${index}.example.com`, Records: [] }));
    dns.serve(...publicDns());
    expect(await preflightFailure(made, createEvent(TYPE, { Domains }))).toContain('zone-not-found: d0.example.com, d1.example.com, d2.example.com and 27 more: this account has no hosted zone');
    expect(most).toBe(4);
  });
});

describe('a domain that another construct publishes', () => {
  const externalDns = (Publication?: string): Event => preflightProperties({ HostedZoneId: undefined, Records: [], Publication });

  test('preflight fails when another construct publishes the policy than before', async () => {
    expect(await preflightFailure(createServices(), updateEvent(TYPE, ID, externalDns('Renamed'), externalDns('MtaStsPublication'))))
      .toContain('publisher-changed: another construct of this stack than before publishes the policy of example.com on the same PolicyHost. When '
        + 'CloudFormation deletes the old construct, it deletes the policy file, which the new construct needs. If a construct was renamed, give it its old id back.');
  });

  test.each([
    [undefined, 'MtaStsPublication'],
    ['MtaStsPublication', undefined],
  ])('preflight passes when the publishing construct changes from %s to %s', async (before, now) => {
    const event = updateEvent(TYPE, ID, externalDns(now), externalDns(before));
    await expect(run(createServices(), event)).resolves.toMatchObject({ PhysicalResourceId: ID });
  });
});

describe('a relaxing update', () => {
  const saying = (mode: Mode, more: Event = {}): Event => {
    return preflightDomain({ Policy: policyLines(renderPolicy({ ...POLICY, mode })), ...more });
  };
  const of = (...Domains: readonly Event[]): Event => ({ Domains });
  const change = (from: Event, to: Event): Event => updateEvent(TYPE, ID, of(to), of(from));
  const FORBIDDEN = caa(DOMAIN, 'issue', 'ca.test');
  const GOES_ON = 'This update continues, because its policy asks less of senders than the one before.';

  const LESS = [['enforce', 'testing'], ['enforce', 'none'], ['testing', 'none']] as const;

  test.each(LESS)('preflight only warns of CAA, with the fix, when a policy is relaxed from %s to %s', async (from, to) => {
    dns.serve(...publicDns(FORBIDDEN));
    const made = createServices();
    const { Data } = await run(made, change(saying(from), saying(to)));
    expect(Data?.Summary).toContain('warning: caa-forbids-amazon: CAA at example.com does not allow Amazon to issue a certificate for the policy host (found: 0 issue "ca.test"). '
      + `The deployment would wait for it for hours. Add the record example.com CAA 0 issue "amazon.com" (RFC 8659 §4.2). ${GOES_ON}`);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'preflight, caa' }));
  });

  test('preflight only warns of a missing delegation in a relaxing update', async () => {
    dns.serve(...without(publicDns(), 'NS'));
    const { Data } = await run(createServices(), change(saying('enforce'), saying('testing')));
    expect(Data?.Summary).toMatch(/warning: zone-not-delegated: public DNS has no name servers for example\.com .* registrar of example\.com/);
    expect(Data?.Summary).toContain(GOES_ON);
  });

  test('preflight only warns in a relaxing update when DNS gives no answer for CAA', async () => {
    dns.serve(...publicDns());
    const { answer } = dns;
    dns.answer = async (question) => question.type === 'CAA' ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question);
    const { Data } = await run(createServices(), change(saying('enforce'), saying('none')));
    expect(Data?.Summary).toContain('warning: dns-failure: DNS gave no answer for example.com CAA: SERVFAIL');
    expect(Data?.Summary).toContain(GOES_ON);
  });

  test('preflight fails even in a relaxing update when DNS gives no answer for the delegation', async () => {
    dns.answer = () => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false });
    expect(await preflightFailure(createServices(), change(saying('enforce'), saying('none')))).toContain('DNS gave no answer for example.com NS: SERVFAIL');
  });

  test.each([['testing', 'enforce'], ['none', 'testing'], ['none', 'enforce'], ['testing', 'testing'], ['enforce', 'enforce']] as const)(
    'preflight fails by CAA when the mode changes from %s to %s', async (from, to) => {
      dns.serve(...publicDns(FORBIDDEN));
      const before = saying(from, { Policy: policyLines(renderPolicy({ ...POLICY, mode: from, maxAge: 86_400 })) });
      expect(await preflightFailure(createServices(), change(before, saying(to)))).toContain('does not allow Amazon to issue');
    });

  test.each<[string, Event]>([
    ['no policy', { Policy: undefined }],
    ['a policy of another version', { Policy: ['version: STSv2'] }],
    ['another hosted zone', { HostedZoneId: 'Z9' }],
    ['other records', { Records: [] }],
  ])('preflight fails by CAA in an update with %s before', async (_, before) => {
    dns.serve(...publicDns(FORBIDDEN));
    expect(await preflightFailure(createServices(), change(saying('enforce', before), saying('testing')))).toContain('does not allow Amazon to issue');
  });

  test.each<[string, Event, Event]>([
    ['is made where one was given', of(saying('testing')), { ...of(saying('enforce')), Certificate: 'given' }],
    ['gets another name', of(saying('testing'), preflightDomain({ DomainName: 'www.example.com', Records: [] })), of(saying('enforce'))],
  ])('preflight fails by CAA in a relaxing update when the certificate %s', async (_, now, before) => {
    dns.serve(...publicDns(FORBIDDEN));
    expect(await preflightFailure(createServices(), updateEvent(TYPE, ID, now, before))).toContain('does not allow Amazon to issue');
  });

  test('preflight fails by CAA when an update removes the policy', async () => {
    dns.serve(...publicDns(FORBIDDEN));
    expect(await preflightFailure(createServices(), change(saying('enforce'), saying('enforce', { Policy: undefined })))).toContain('does not allow Amazon to issue');
  });

  test('preflight fails by CAA for the domain whose policy becomes stricter', async () => {
    dns.serve(...publicDns(FORBIDDEN));
    const other = (mode: Mode): Event => saying(mode, { DomainName: 'lists.example.com', Records: [] });
    const message = await preflightFailure(createServices(), updateEvent(TYPE, ID, of(saying('testing'), other('enforce')), of(saying('enforce'), other('testing'))));
    expect(message).toMatch(/^caa-forbids-amazon: lists\.example\.com: CAA at example\.com does not allow Amazon to issue/);
    expect(message).not.toContain('asks less');
  });

  test.each([
    ['a record of another type beside ours', recordSet('mta-sts.example.com.', 'TXT', '"x"')],
    ['an NS record at the policy host', recordSet('mta-sts.example.com.', 'NS', 'ns.other.test.')],
    ['a record at a name that the update leaves alone', recordSet('mta-sts.example.com.', 'CNAME', 'elsewhere.test')],
  ])('preflight only warns in a relaxing update of %s', async (_, recordSets) => {
    const { Data } = await run(createServices({ recordSets: [recordSets] }), change(saying('enforce'), saying('testing')));
    expect(Data?.Summary).toMatch(/warning: .*mta-sts\.example\.com/);
    expect(Data?.Summary).toContain(GOES_ON);
  });

  test.each<[string, ResourceRecordSet]>([
    ['a CNAME', recordSet('_mta-sts.example.com.', 'CNAME', 'provider.test')],
    ['a weighted record', { ...recordSet('_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"'), SetIdentifier: 'blue', Weight: 1 }],
  ])('preflight fails even in a relaxing update for %s at the name of the id', async (_, set) => {
    const message = await preflightFailure(createServices({ recordSets: [set] }), change(saying('enforce'), saying('testing')));
    expect(message).toContain('record-exists: this stack did not create the record at _mta-sts.example.com');
  });

  test('preflight fails even in a relaxing update when the hosted zone is missing', async () => {
    const made = createServices();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('NoSuchHostedZone', 'No hosted zone found with ID: Z0'));
    expect(await preflightFailure(made, change(saying('enforce'), saying('testing')))).toMatch(/^zone-not-found: this account has no hosted zone/);
  });
});

describe('a domain without a policy', () => {
  const unpublished = createEvent(TYPE, preflightProperties({ Policy: undefined }));

  test('preflight of a domain without a policy checks the zone and CAA, and not the MX records', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    expect((await run(createServices(), unpublished)).Data?.Summary)
      .toBe('example.com is delegated to the hosted zone; no foreign record has a planned name; no CAA record limits the issuers');
  });

  test('preflight of a domain without a policy fails when the zone is not delegated', async () => {
    dns.serve(...without(publicDns(), 'NS'));
    expect(await preflightFailure(createServices(), unpublished)).toContain('zone-not-delegated: public DNS has no name servers for example.com');
  });
});

describe('external DNS', () => {
  const externalDns = (more: Event = {}): Event => {
    return createEvent(TYPE, preflightProperties({ HostedZoneId: undefined, Records: [], ...more }));
  };

  test('preflight with external DNS checks CAA and MX, and does not call Route 53', async () => {
    const made = createServices();
    const { Data } = await run(made, externalDns());
    expect(Data?.Summary).toBe('no CAA record limits the issuers; the policy covers all 2 MX hosts');
    expect(made.aws.route53.calls()).toHaveLength(0);
  });

  test('preflight with external DNS asks DNS for CAA at the policy host', async () => {
    dns.serve(...publicDns(caa('mta-sts.example.com', 'issue', 'ca.test')));
    expect(await preflightFailure(createServices(), externalDns())).toContain('caa-forbids-amazon: CAA at mta-sts.example.com does not allow Amazon to issue');
  });

  test('preflight with external DNS fails when the policy does not cover an MX host', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    expect(await preflightFailure(createServices(), externalDns())).toContain('mx-not-covered: the policy for example.com does not cover backup.other.test');
  });

  test('preflight with external DNS ignores CAA when the certificate is given', async () => {
    dns.serve(...publicDns(caa(DOMAIN, 'issue', 'ca.test')));
    expect((await run(createServices(), externalDns({ Certificate: 'given' }))).Data?.Summary).toContain('the certificate is given');
  });
});
