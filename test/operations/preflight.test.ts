// The preflight: what it refuses, what it lets pass, and what it says.
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { ResourceStatus, StackResource } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import type { DnsRecord } from '../../lib/preview/dns-server/server';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyLines } from '../../lib/contract/custom-resources';
import type { Mode } from '../../lib/protocol/policy/policy';
import { codeBlocks } from '../support/markdown';
import {
  DOMAIN, NAME_SERVERS, POLICY, TestDns, ZONE_ID, awsError, caa, createEvent, failure, lambdaContext, mx, preflightDomain,
  preflightProperties, record, soa,
  testServices, updateEvent,
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

/** The public DNS as a resolver shows it, all in order. */
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

function world(state: AwsState = {}): TestServices {
  return testServices(state, { resolver: dns.resolver() });
}

async function run(made: TestServices, event: Event = createEvent(TYPE, preflightProperties())): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext());
}

async function refused(made: TestServices, event?: Event): Promise<string> {
  return (await failure(run(made, event))).message;
}

async function refusedByDns(...records: readonly DnsRecord[]): Promise<string> {
  dns.serve(...records);
  return refused(world());
}

function recordSet(Name: string, Type: ResourceRecordSet['Type'], ...values: readonly string[]): ResourceRecordSet {
  return { Name, Type, TTL: 300, ResourceRecords: values.map((Value) => ({ Value })) };
}

describe('delegation', () => {
  test('refuses a zone that public DNS does not delegate, by NXDOMAIN', async () => {
    const message = await refusedByDns(soa('com'), soa('test'), mx('other.com', 'mx1.example.com'));
    expect(message).toContain('example.com is not delegated: public DNS has no name servers for it (NXDOMAIN)');
    expect(message).toContain('ns-1.awsdns-01.test, ns-2.awsdns-02.test');
    expect(message).toContain('registrar');
  });

  test('refuses a zone that public DNS knows without name servers', async () => {
    expect(await refusedByDns(...without(publicDns(), 'NS'))).toContain('not delegated: public DNS has no name servers for it (NODATA)');
  });

  test('refuses a duplicate zone and names both lists and the ways out', async () => {
    const message = await refusedByDns(...without(publicDns(), 'NS'), record(DOMAIN, 'NS', 'ns-8.awsdns-08.test'),
      record(DOMAIN, 'NS', 'ns-9.awsdns-09.test'), record('ns-8.awsdns-08.test', 'A', '192.0.2.8'), record('ns-9.awsdns-09.test', 'A', '192.0.2.9'));
    expect(message).toContain(`the hosted zone ${ZONE_ID} (example.com) is not the one that public DNS asks: its name servers are `
      + 'ns-1.awsdns-01.test, ns-2.awsdns-02.test, but public DNS gives ns-8.awsdns-08.test, ns-9.awsdns-09.test');
    expect(message).toContain('registrar');
    expect(message).toContain('if there are two of this name');
    expect(message).toContain('must be deployed first');
  });

  test('refuses a zone that shares the domain with name servers of somebody else', async () => {
    const message = await refusedByDns(...publicDns(record(DOMAIN, 'NS', 'ns.other.test'), record('ns.other.test', 'A', '192.0.2.9')));
    expect(message).toContain('public DNS gives ns-1.awsdns-01.test, ns-2.awsdns-02.test, ns.other.test');
  });

  test('refuses name servers whose names have no address at all', async () => {
    const message = await refusedByDns(...without(publicDns(), 'NS'), record(DOMAIN, 'NS', 'gone.test'));
    expect(message).toContain('public DNS gives gone.test');
  });

  test('recognises white-label name servers by their addresses', async () => {
    dns.serve(...without(publicDns(), 'NS'), record(DOMAIN, 'NS', 'ns1.example.com'), record(DOMAIN, 'NS', 'ns2.example.com'),
      record('ns1.example.com', 'A', '192.0.2.1'), record('ns2.example.com', 'A', '192.0.2.2'), record('ns2.example.com', 'AAAA', '2001:db8::2'));
    const answer = await run(world());
    expect(answer.Data?.Summary).toContain('example.com is delegated to the hosted zone');
  });

  test('compares names without regard to case and the dot at the end', async () => {
    const answer = await run(world({ nameServers: ['NS-1.AWSDNS-01.Test.', 'ns-2.awsdns-02.test.'] }));
    expect(answer.Data?.Summary).toContain('example.com is delegated');
  });

  test('only warns of a name server of the zone that is not in public DNS', async () => {
    const made = world({ nameServers: [...NAME_SERVERS, 'ns-3.awsdns-03.test'] });
    expect((await run(made)).Data?.Summary).toContain('but not ns-3.awsdns-03.test');
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'preflight, delegation' }));
  });

  test('refuses a zone of another domain', async () => {
    expect(await refused(world({ zoneName: 'example.org' }))).toContain(`the hosted zone ${ZONE_ID} is example.org, which example.com is not in`);
  });

  test('refuses a zone whose name only ends alike', async () => {
    expect(await refused(world({ zoneName: 'ample.com' }))).toContain('is ample.com, which example.com is not in');
  });

  test('takes the zone of a parent', async () => {
    dns.serve(...publicDns(mx('mail.example.com', 'mx1.example.com')));
    const event = createEvent(TYPE, preflightProperties({ DomainName: 'mail.example.com', Records: [] }));
    expect((await run(world(), event)).PhysicalResourceId).toBe('mta-sts-preflight/mail.example.com');
  });

  test('refuses a private zone', async () => {
    const made = world();
    made.aws.route53.on(GetHostedZoneCommand).resolves({
      HostedZone: { Id: ZONE_ID, Name: 'example.com.', CallerReference: 'x', Config: { PrivateZone: true } },
    });
    expect(await refused(made)).toContain(`the hosted zone ${ZONE_ID} (example.com) is private`);
  });

  test('refuses a zone that is not there, once, though two checks need it', async () => {
    const made = world();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('NoSuchHostedZone', 'No hosted zone found with ID: Z0'));
    const message = await refused(made);
    expect(message.match(/there is no hosted zone/g)).toHaveLength(1);
    expect(message).toContain('No hosted zone found with ID: Z0');
  });

  test('refuses an answer of Route 53 without name servers', async () => {
    const made = world();
    made.aws.route53.on(GetHostedZoneCommand).resolves({});
    expect(await refused(made)).toContain('gave no name or no name servers');
  });

  test('asks again while DNS fails, and goes on when it answers', async () => {
    const answers = dns.answer;
    let failures = 2;
    dns.answer = (question) => {
      if (question.type !== 'NS' || failures === 0) return answers(question);
      failures -= 1;
      return { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false };
    };
    const made = world();
    await run(made);
    expect(failures).toBe(0);
    expect(made.clock.slept).toEqual([1000, 2000]);
  });

  test('gives up on DNS that fails for half a minute, and never takes it for "not delegated"', async () => {
    dns.answer = () => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false });
    const message = await refused(world());
    expect(message).toContain('DNS gave no answer for example.com NS: SERVFAIL');
    expect(message).not.toContain('not delegated');
  });
});

describe('CAA', () => {
  test.each([
    ['another authority alone', [caa(DOMAIN, 'issue', 'letsencrypt.org')], '0 issue "letsencrypt.org"'],
    ['nobody', [caa(DOMAIN, 'issue', ';')], '0 issue ";"'],
    ['another authority with parameters that name Amazon', [caa(DOMAIN, 'issue', 'ca.test; account=amazon.com')], 'ca.test'],
    ['another authority at the top-level domain', [caa('com', 'issue', 'ca.test')], 'CAA at com does not let'],
    ['Amazon for wildcards alone', [caa(DOMAIN, 'issue', 'ca.test'), caa(DOMAIN, 'issuewild', 'amazon.com')], '0 issuewild "amazon.com"'],
  ])('refuses where it allows %s', async (_, records, evidence) => {
    const message = await refusedByDns(...publicDns(...records));
    expect(message).toContain(evidence);
    expect(message).toContain('0 issue "amazon.com" (RFC 8659 §4.2)');
  });

  test('refuses a critical property that Amazon need not understand', async () => {
    const message = await refusedByDns(...publicDns(caa(DOMAIN, 'issue', 'amazon.com'), caa(DOMAIN, 'tbs', 'x', true)));
    expect(message).toContain('critical property tbs');
    expect(message).toContain('128 tbs "x"');
  });

  test('escapes what a record holds', async () => {
    expect(await refusedByDns(...publicDns(caa(DOMAIN, 'issue', 'ca\u001b[31m')))).toContain('ca\\x1b[31m');
  });

  test.each([
    ['no CAA', []],
    ['amazon.com', [caa(DOMAIN, 'issue', 'amazon.com')]],
    ['amazontrust.com', [caa(DOMAIN, 'issue', 'amazontrust.com')]],
    ['awstrust.com', [caa(DOMAIN, 'issue', 'awstrust.com')]],
    ['AmazonAWS.com in other case, with blanks and parameters', [caa(DOMAIN, 'ISSUE', ' AmazonAWS.com ; a=b')]],
    ['Amazon among others', [caa(DOMAIN, 'issue', 'ca.test'), caa(DOMAIN, 'issue', 'amazon.com')]],
    ['no issue property', [caa(DOMAIN, 'iodef', 'mailto:a@example.com'), caa(DOMAIN, 'issuewild', ';')]],
    ['a critical property that everybody understands', [caa(DOMAIN, 'issue', 'amazon.com', true)]],
    ['an unknown property that is not critical', [caa(DOMAIN, 'tbs', 'x')]],
    ['Amazon at the domain, and others at the parent', [caa(DOMAIN, 'issue', 'amazon.com'), caa('com', 'issue', 'ca.test')]],
  ])('passes with %s', async (_, records) => {
    dns.serve(...publicDns(...records));
    await expect(run(world())).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test('lets what stands at the policy host in the hosted zone decide first', async () => {
    dns.serve(...publicDns(caa(DOMAIN, 'issue', 'ca.test')));
    const recordSets = [recordSet('mta-sts.example.com.', 'CAA', '0 iodef "mailto:a@example.com"', '128 issue "amazon.com"')];
    expect((await run(world({ recordSets }))).Data?.Summary).toContain('CAA at mta-sts.example.com lets Amazon issue');
  });

  test('refuses by what stands at the policy host in the hosted zone', async () => {
    const recordSets = [recordSet('mta-sts.example.com.', 'CAA', '0 issue ";"')];
    expect(await refused(world({ recordSets }))).toContain('CAA at mta-sts.example.com does not let Amazon issue');
  });

  test('does not mind that DNS fails above the name that decides', async () => {
    dns.serve(...publicDns(caa(DOMAIN, 'issue', 'amazon.com')));
    const answers = dns.answer;
    dns.answer = (question) => question.name === 'com' ? 'drop' : answers(question);
    await expect(run(world())).resolves.toMatchObject({ PhysicalResourceId: ID });
  });
});

describe('records in the way', () => {
  test.each([
    ['mta-sts.example.com.', 'A', '192.0.2.7'],
    ['mta-sts.example.com.', 'CNAME', 'elsewhere.test'],
    ['_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"'],
    ['_mta-sts.example.com.', 'CNAME', 'provider.test'],
    ['_mta-sts.example.com.', 'CAA', '0 issue "amazon.com"'],
  ] as const)('refuses a foreign record at %s %s', async (name, type, value) => {
    const message = await refused(world({ recordSets: [recordSet(name, type, value)] }));
    expect(message).toContain(`at ${name.slice(0, -1)} in the hosted zone ${ZONE_ID}: ${type} ${value}; `);
  });

  test('does not matter to a certificate that was given', async () => {
    const recordSets = [recordSet('mta-sts.example.com.', 'CAA', '0 issue "ca.test"')];
    const event = createEvent(TYPE, preflightProperties({ Certificate: 'given' }));
    expect((await run(world({ recordSets }), event)).Data?.Summary).toContain('the certificate is given');
    expect(await refused(world({ recordSets }), createEvent(TYPE, preflightProperties({ Certificate: 'made' })))).toContain('CAA at mta-sts');
  });

  test('leaves no check unheard of a zone that is gone where the certificate was given', async () => {
    const unheard: unknown[] = [];
    const hear = (reason: unknown): unknown => unheard.push(reason);
    process.on('unhandledRejection', hear);
    const made = world();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('NoSuchHostedZone', 'No hosted zone found with ID: Z0'));
    await refused(made, createEvent(TYPE, preflightProperties({ Certificate: 'given' })));
    await new Promise(setImmediate);
    process.off('unhandledRejection', hear);
    expect(unheard).toEqual([]);
  });

  test('reads CAA at the policy host as it was typed', async () => {
    const odd = [recordSet('mta-sts.example.com.', 'CAA', '0  issue ca.test', '0')];
    expect(await refused(world({ recordSets: odd }))).toContain('found 0 issue "ca.test", 0  ""');
  });

  test('thinks of a renamed construct where a record is just the one that it would make', async () => {
    expect(await refused(world({ recordSets: [recordSet('mta-sts.example.com.', 'A', '192.0.2.7')] }))).toContain('give it its old id back');
    expect(await refused(world({ recordSets: [recordSet('mta-sts.example.com.', 'MX', '0 x')] }))).not.toContain('old id');
  });

  test('survives an answer of Route 53 with nothing in it', async () => {
    const made = world();
    const nothing = { Name: undefined, Type: undefined };
    made.aws.route53.on(ListResourceRecordSetsCommand).resolves({ ResourceRecordSets: [nothing], IsTruncated: true });
    await expect(run(made)).resolves.toMatchObject({ PhysicalResourceId: ID });
    made.aws.route53.on(ListResourceRecordSetsCommand).resolves({});
    await expect(run(made)).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test('offers to leave TLS reporting out where its record is taken', async () => {
    const message = await refused(world({ recordSets: [recordSet('_smtp._tls.example.com.', 'TXT', '"v=TLSRPTv1; rua=mailto:a@b.test"')] }));
    expect(message).toContain('leave `tlsReporting` out to keep it; or give what it says as `TlsReporting.to(\'mailto:a@b.test\')` and delete it just '
      + 'before the next deployment, which makes it anew: CloudFormation cannot import record sets');
  });

  test('names the target of a foreign alias, and the identifier of a weighted record set', async () => {
    const alias: ResourceRecordSet = {
      Name: 'mta-sts.example.com.', Type: 'A', SetIdentifier: 'blue', Weight: 1,
      AliasTarget: { DNSName: 'd111.cloudfront.net.', HostedZoneId: 'Z2FDTNDATAQYW2', EvaluateTargetHealth: false },
    };
    expect(await refused(world({ recordSets: [alias] }))).toContain('A alias to d111.cloudfront.net (blue)');
  });

  test('refuses a policy host that is delegated away', async () => {
    const message = await refused(world({ recordSets: [recordSet('mta-sts.example.com.', 'NS', 'ns.other.test.')] }));
    expect(message).toContain('mta-sts.example.com is delegated away from the hosted zone');
    expect(message).toContain('ns.other.test.');
  });

  test('refuses a sub-domain that is delegated away from the zone', async () => {
    dns.serve(...publicDns(mx('mail.example.com', 'mx1.example.com')));
    const made = world({ recordSets: [recordSet('mail.example.com.', 'NS', 'ns.other.test.')] });
    const event = createEvent(TYPE, preflightProperties({ DomainName: 'mail.example.com', Records: [] }));
    expect(await refused(made, event)).toContain('mail.example.com is delegated away');
  });

  test('finds a record on a later page, and stops where the name ends', async () => {
    const caas = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'TXT'] as const;
    const recordSets = [
      ...caas.map((type) => recordSet('mta-sts.example.com.', type, 'x')),
      recordSet('a.mta-sts.example.com.', 'TXT', '"harmless"'), recordSet('mta-sts0.example.com.', 'TXT', '"harmless"'),
    ];
    const made = world({ recordSets, pageSize: 2 });
    const message = await refused(made, createEvent(TYPE, preflightProperties({ Records: [] })));
    expect(message).toContain('5 faults');
    expect(message).toContain('TXT x');
    expect(message).not.toContain('harmless');
    expect(made.aws.route53.commandCalls(ListResourceRecordSetsCommand)).toHaveLength(3);
  });

  test('decodes the octal escapes of the API', async () => {
    const message = await refused(world({ recordSets: [recordSet('\\137mta-sts.example.com.', 'TXT', '"a\\052b"')] }));
    expect(message).toContain('stands at _mta-sts.example.com');
    expect(message).toContain('TXT "a*b"');
  });

  test('does not mind records beside and below', async () => {
    const recordSets = [
      recordSet('example.com.', 'NS', 'ns-1.awsdns-01.test.'), recordSet('example.com.', 'MX', '10 mx1.example.com'),
      recordSet('\\052.example.com.', 'A', '192.0.2.7'), recordSet('_abc.mta-sts.example.com.', 'CNAME', 'x.acm-validations.aws'),
      recordSet('_tls.example.com.', 'TXT', '"x"'), recordSet('mta-sts.example.com.', 'CAA', '0 issue "amazon.com"'),
    ];
    await expect(run(world({ recordSets }))).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test('says that other records cannot be imported', async () => {
    expect(await refused(world({ recordSets: [recordSet('_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"')] })))
      .toContain('delete it if it is no longer needed: CloudFormation cannot import record sets');
  });

  const ANNOUNCED = recordSet('_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"');
  const OWN = [recordSet('mta-sts.example.com.', 'A', '192.0.2.7'), ANNOUNCED];
  /** Something of the same domain was otherwise before this update. */
  const OTHER = { Policy: policyLines(renderPolicy({ ...POLICY, mode: 'testing' })) };

  test('knows its own records by the properties before an update', async () => {
    const made = world({ recordSets: OWN });
    const event = updateEvent(TYPE, ID, preflightProperties(), preflightProperties(OTHER));
    await expect(run(made, event)).resolves.toMatchObject({ PhysicalResourceId: ID });
    expect(made.aws.cloudformation.commandCalls(DescribeStackResourcesCommand)).toHaveLength(0);
  });

  test('does not take for its own what a construct of another id made, and says how a domain moves', async () => {
    const before = preflightProperties({ Records: [
      { Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'OtherHostAliasA' },
      { Name: '_mta-sts.example.com', Type: 'TXT', LogicalId: 'OtherAnnouncement' },
    ] });
    const message = await refused(world({ recordSets: OWN }), updateEvent(TYPE, ID, preflightProperties(), before));
    expect(message).toContain('2 faults');
    expect(message).toContain('a domain moves in two deployments');
  });

  test('takes for its own what an update takes away', async () => {
    const Records = [{ Name: 'mta-sts.example.com', Type: 'AAAA', LogicalId: 'AliasAAAA' }];
    const made = world({ recordSets: [recordSet('mta-sts.example.com.', 'A', '192.0.2.7')] });
    const before = preflightProperties({ Records: [...Records, { Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'AliasA' }] });
    const event = updateEvent(TYPE, ID, preflightProperties({ Records }), before);
    await expect(run(made, event)).resolves.toMatchObject({ PhysicalResourceId: ID });
  });

  test.each([{}, { HostedZoneId: undefined, Records: [] }])('does not let a construct change its domain in place, with %j', async (where) => {
    const before = preflightProperties({ ...where, DomainName: 'old.example', Publication: 'MtaStsPublication' });
    const now = preflightProperties({ ...where, Publication: 'MtaStsPublication' });
    expect(await refused(world(), updateEvent(TYPE, ID, now, before)))
      .toContain('the domain of this construct was old.example and is now example.com: a domain is not changed in place');
  });

  test('does not take for its own what an update adds', async () => {
    const before = preflightProperties({ Records: [{ Name: 'mta-sts.example.com', Type: 'A', LogicalId: 'AliasA' }] });
    expect(await refused(world({ recordSets: OWN }), updateEvent(TYPE, ID, preflightProperties(), before))).toContain('TXT "v=STSv1; id=1;"');
  });

  test('takes nothing in another hosted zone for its own', async () => {
    const made = world({ recordSets: OWN, stackResources: stackResources('CREATE_COMPLETE') });
    const before = preflightProperties({ HostedZoneId: 'Z9' });
    expect(await refused(made, updateEvent(TYPE, ID, preflightProperties(), before))).toContain('2 faults');
  });

  test('asks CloudFormation where the properties before an update say nothing', async () => {
    const made = world({ recordSets: [ANNOUNCED], stackResources: stackResources('UPDATE_COMPLETE') });
    for (const before of [{ Records: 'odd' }, { Domains: [{ DomainName: DOMAIN, HostedZoneId: ZONE_ID, Records: 'odd' }] }]) {
      await expect(run(made, updateEvent(TYPE, ID, preflightProperties(), before))).resolves.toMatchObject({ PhysicalResourceId: ID });
    }
    expect(made.aws.cloudformation.commandCalls(DescribeStackResourcesCommand)).toHaveLength(2);
  });

  test.each(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'CREATE_FAILED', 'DELETE_FAILED'] as const)(
    'knows its own records by the stack, %s', async (status) => {
      const made = world({ recordSets: [ANNOUNCED], stackResources: stackResources(status) });
      await expect(run(made)).resolves.toMatchObject({ PhysicalResourceId: ID });
    });

  test.each(['DELETE_COMPLETE', 'DELETE_SKIPPED', 'CREATE_IN_PROGRESS'] as const)('does not take for its own what the stack has as %s', async (status) => {
    expect(await refused(world({ recordSets: OWN, stackResources: stackResources(status) }))).toContain('2 faults');
  });

  test('does not take for its own what a group of the stack may or may not hold', async () => {
    const made = world({ recordSets: OWN, stackResources: stackResources('CREATE_COMPLETE') });
    expect(await refused(made)).toContain('mta-sts.example.com in the hosted zone');
  });

  test('does not take for its own a resource that made another record', async () => {
    const resources = stackResources('CREATE_COMPLETE').map((resource) => ({ ...resource, PhysicalResourceId: 'other.example.com' }));
    expect(await refused(world({ recordSets: OWN, stackResources: resources }))).toContain('2 faults');
  });

  test('fails with the reason where CloudFormation cannot be asked', async () => {
    const made = world({ recordSets: OWN });
    made.aws.cloudformation.on(DescribeStackResourcesCommand).rejects(awsError('ValidationError', 'Rate limit of some kind'));
    expect(await refused(made)).toContain('cloudformation:DescribeStackResources failed: ValidationError: Rate limit of some kind');
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

  test('refuses to enforce a policy that does not cover a live MX host', async () => {
    const message = await refusedByDns(...publicDns(mx(DOMAIN, 'backup.other.test', 30)));
    expect(message).toContain('the policy does not cover the MX host backup.other.test of example.com, its mx patterns are mx1.example.com, mx2.example.com');
    expect(message).toContain('RFC 8461 §4.1');
  });

  test('in the words that the README shows', async () => {
    const [failure] = codeBlocks(join(__dirname, '../../README.md')).filter(({ language }) => language === 'text');
    expect(await refusedByDns(...publicDns(mx(DOMAIN, 'backup.other.test', 30)))).toBe(failure.code);
  });

  test('names at most ten hosts', async () => {
    const many = Array.from({ length: 14 }, (_, index) => mx(DOMAIN, `b${String(index).padStart(2, '0')}.other.test`));
    expect(await refusedByDns(...publicDns(...many))).toContain('b09.other.test and 4 more of example.com');
  });

  test('refuses to enforce a policy that does not cover the implicit MX', async () => {
    const message = await refusedByDns(...without(publicDns(record(DOMAIN, 'A', '192.0.2.25')), 'MX'));
    expect(message).toContain('the MX host example.com of example.com');
    expect(message).toContain('add a pattern for it or publish an MX record (RFC 8461 §4.1)');
  });

  test('counts an IPv6 address alone as an implicit MX', async () => {
    expect(await refusedByDns(...without(publicDns(record(DOMAIN, 'AAAA', '2001:db8::25')), 'MX'))).toContain('the MX host example.com of');
  });

  test.each([
    ['a null MX', [mx(DOMAIN, '.', 0)]],
    ['neither MX nor address', []],
  ])('has nothing to cover with %s', async (_, records) => {
    dns.serve(...without(publicDns(), 'MX'), ...records);
    expect((await run(world())).Data?.Summary).toContain('example.com takes no mail');
  });

  test('warns where the only MX host does not exist, and goes on: no deployment mends that, and none makes it worse', async () => {
    dns.serve(...without(without(publicDns(), 'MX'), 'A', 'mx1.example.com'), mx(DOMAIN, 'mx1.example.com'));
    for (const properties of [preflightProperties(), TESTING]) {
      expect((await run(world(), createEvent(TYPE, properties))).Data?.Summary).toContain(
        'warning: the mail host mx1.example.com cannot be reached: there is no such name in DNS. It is the only mail host of example.com, so mail to example.com is not '
        + 'delivered; publish A and AAAA records for the host, or remove the MX record (RFC 5321 §5.1)',
      );
    }
  });

  test('warns once where none of several MX hosts has an address', async () => {
    dns.serve(...without(without(publicDns(), 'A', 'mx1.example.com'), 'AAAA', 'mx2.example.com'));
    expect((await run(world())).Data?.Summary).toContain('warning: no MX host of example.com can be reached: none of mx1.example.com, mx2.example.com has an address in DNS');
  });

  test('warns of one of several that cannot be reached, and of one that is an alias', async () => {
    dns.serve(...without(without(publicDns(), 'A', 'mx1.example.com'), 'AAAA', 'mx2.example.com'), record('mx2.example.com', 'CNAME', 'real.example.com'),
      record('real.example.com', 'A', '192.0.2.25'));
    const { Summary } = (await run(world())).Data ?? {};
    expect(Summary).toContain('warning: the mail host mx1.example.com cannot be reached: there is no such name in DNS. Senders pass it over');
    expect(Summary).toContain('warning: the mail host mx2.example.com is an alias (CNAME) of real.example.com');
  });

  test('refuses to enforce a policy for a misspelt MX host, which senders would hold after the record is mended', async () => {
    const host = 'mx1.example.com.example.com';
    const properties = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mx: [host] })) });
    dns.serve(...without(publicDns(), 'MX'), mx(DOMAIN, host));
    expect((await failure(run(world(), createEvent(TYPE, properties)))).message).toContain(
      `the policy names ${host}, which does not exist: the zone name is appended twice in the MX record of example.com. Once the record is mended, senders that hold the `
      + 'policy would refuse mx1.example.com',
    );
    const testing = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mode: 'testing', mx: [host] })) });
    expect((await run(world(), createEvent(TYPE, testing))).Data?.Summary).toContain('the zone name is appended twice');
  });

  test('says nothing of an MX host whose addresses DNS does not tell but that they could not be had', async () => {
    const answers = dns.answer;
    dns.answer = (question) => question.name.startsWith('mx') ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answers(question);
    const { Summary } = (await run(world())).Data ?? {};
    expect(Summary).toContain('warning: the addresses of the mail host mx1.example.com could not all be had: SERVFAIL');
    expect(Summary).not.toContain('cannot be reached');
  });

  test('covers a host without regard to case and the dot at the end', async () => {
    dns.serve(...without(publicDns(), 'MX'), mx(DOMAIN, 'MX1.Example.COM.'));
    expect((await run(world())).Data?.Summary).toContain('the policy covers the MX host');
  });

  test('only warns in testing mode, in the log and in the summary', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const made = world();
    const answer = await run(made, createEvent(TYPE, TESTING));
    expect(answer.Data?.Summary).toMatch(/^warning: the policy does not cover the MX host backup\.other\.test/);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'preflight, mx' }));
  });

  test('fails in enforce mode when DNS does not tell the MX', async () => {
    const answers = dns.answer;
    dns.answer = (question) => question.type === 'MX' ? { rcode: 'REFUSED', answers: [], authorities: [], authoritative: false } : answers(question);
    expect(await refused(world())).toContain('could not be learned: the MX records of example.com could not be had: REFUSED');
  });

  test('only warns in testing mode when DNS does not tell the MX', async () => {
    const answers = dns.answer;
    dns.answer = (question) => question.type === 'MX' ? { rcode: 'REFUSED', answers: [], authorities: [], authoritative: false } : answers(question);
    expect((await run(world(), createEvent(TYPE, TESTING))).Data?.Summary).toContain('warning: whether the policy covers the MX hosts of example.com could not be learned');
  });

  test('asks for no MX in mode none', async () => {
    const before = dns.asked.length;
    await run(world(), createEvent(TYPE, NONE));
    expect(dns.asked.slice(before)).not.toContain('example.com MX');
  });
});

describe('as a whole', () => {
  test('reports all faults of all checks at once, in one line', async () => {
    dns.serve(...without(publicDns(), 'NS'), caa(DOMAIN, 'issue', 'ca.test'), mx(DOMAIN, 'backup.other.test'));
    const message = await refused(world({ recordSets: [recordSet('_mta-sts.example.com.', 'TXT', '"x"')] }));
    expect(message).toMatch(/^4 faults: \(1\) example\.com is not delegated.*\(2\) a record that.*\(3\) CAA.*\(4\) the policy does not cover/);
    expect(message).not.toContain('\n');
  });

  test('answers with a stable physical id and a summary', async () => {
    await expect(run(world())).resolves.toEqual({
      PhysicalResourceId: ID,
      Data: {
        Summary: 'example.com is delegated to the hosted zone; no foreign record stands in the way; no CAA record limits who may issue; '
          + 'the policy covers all 2 MX hosts',
      },
    });
  });

  test('never asks a resolver for a name that the deployment is about to make', async () => {
    await run(world());
    // In none of the tests above either.
    expect(dns.asked).toContain('example.com NS');
    expect(dns.asked.filter((question) => /mta-sts|_tls/.test(question))).toEqual([]);
  });

  test('passes during a rollback although a check failed, and says so', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const made = world({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    const before = preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, maxAge: 86400 })) });
    const event = updateEvent(TYPE, ID, preflightProperties(), before);
    const answer = await run(made, event);
    expect(answer).toMatchObject({ PhysicalResourceId: ID, Data: { Summary: expect.stringContaining('does not cover') } });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'ERROR', message: 'forgiven, and the deployment goes on', rollingBack: true }));
  });

  test('fails when it cannot learn whether the stack is rolling back', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    const made = world({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    made.aws.cloudformation.on(DescribeStacksCommand).rejects(awsError('ThrottlingException', 'Rate exceeded'));
    expect(await refused(made)).toContain('does not cover');
  });
});

describe('of several domains', () => {
  const OTHER = 'example.net';
  const other = preflightDomain({ DomainName: OTHER, HostedZoneId: 'Z9', Records: [] });
  const both = { Domains: [preflightDomain(), other] };

  /** No Route 53 here but for the zone of the first; the other's is told by its own id. */
  function twoZones(): TestServices {
    const made = world();
    made.aws.route53.on(GetHostedZoneCommand, { Id: 'Z9' }).resolves({
      HostedZone: { Id: 'Z9', Name: `${OTHER}.`, CallerReference: 'x' }, DelegationSet: { NameServers: ['ns-1.awsdns-01.test'] },
    });
    return made;
  }

  beforeEach(() => {
    dns.serve(...publicDns(soa('net'), soa(OTHER), record(OTHER, 'NS', 'ns-1.awsdns-01.test'), mx(OTHER, 'mx1.example.com')));
  });

  test('checks each, and names those that each finding is about', async () => {
    const { Data } = await run(twoZones(), createEvent(TYPE, both));
    expect(Data?.Summary).toContain('example.com: example.com is delegated to the hosted zone');
    expect(Data?.Summary).toContain('example.net: example.net is delegated to the hosted zone');
    expect(Data?.Summary).toContain('example.com, example.net: no CAA record limits who may issue');
  });

  test('fails for one of them, and says which', async () => {
    dns.serve(...publicDns(soa('net'), soa(OTHER), record(OTHER, 'NS', 'ns-1.awsdns-01.test'), mx(OTHER, 'backup.other.test')));
    expect(await refused(twoZones(), createEvent(TYPE, both))).toMatch(/^example\.net: the policy does not cover the MX host backup\.other\.test/);
  });

  test('checks in an update only what has changed, however the others stand by now', async () => {
    dns.serve(...publicDns(soa('net'), soa(OTHER), mx(OTHER, 'backup.other.test')));
    const before = { Domains: [preflightDomain({ Policy: policyLines(renderPolicy({ ...POLICY, maxAge: 86400 })) }), other] };
    const { PhysicalResourceId, Data } = await run(twoZones(), updateEvent(TYPE, ID, both, before));
    expect(PhysicalResourceId).toBe(ID);
    expect(Data?.Summary).toContain('example.com is delegated to the hosted zone');
    expect(Data?.Summary).not.toContain(OTHER);
  });

  test('checks all again where a certificate is to be made now', async () => {
    const { Data } = await run(twoZones(), updateEvent(TYPE, ID, both, { ...both, Certificate: 'given' }));
    expect(Data?.Summary).toContain('example.com, example.net: no CAA');
  });

  test('asks nothing where a domain only leaves, and keeps its id', async () => {
    const made = twoZones();
    const answer = await run(made, updateEvent(TYPE, ID, { Domains: [other] }, both));
    expect(answer).toEqual({ PhysicalResourceId: ID, Data: { Summary: 'nothing has changed that is to be checked' } });
    expect(made.aws.route53.calls()).toHaveLength(0);
  });

  test('is made for many at a time, but a few at once, since Route 53 takes five requests a second', async () => {
    const made = world();
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
    expect(await refused(made, createEvent(TYPE, { Domains }))).toContain('d0.example.com, d1.example.com, d2.example.com and 27 more: there is no hosted zone');
    expect(most).toBe(4);
  });
});

describe('of a domain that another construct publishes now', () => {
  const elsewhere = (Publication?: string): Event => preflightProperties({ HostedZoneId: undefined, Records: [], Publication });

  test('is refused, since the old one would take the file of the new one away', async () => {
    expect(await refused(world(), updateEvent(TYPE, ID, elsewhere('Renamed'), elsewhere('MtaStsPublication'))))
      .toContain('another construct of this stack publishes the policy of example.com than before, on the same PolicyHost: when CloudFormation takes '
        + 'the old one away its policy file goes, which is that of the new one too; where a construct was renamed, give it its old id back');
  });

  test.each([[undefined, 'MtaStsPublication'], ['MtaStsPublication', undefined]])('is not, from %s to %s', async (before, now) => {
    await expect(run(world(), updateEvent(TYPE, ID, elsewhere(now), elsewhere(before)))).resolves.toMatchObject({ PhysicalResourceId: ID });
  });
});

describe('of an update that only asks less of senders', () => {
  const saying = (mode: Mode, more: Event = {}): Event => {
    return preflightDomain({ Policy: policyLines(renderPolicy({ ...POLICY, mode })), ...more });
  };
  const of = (...Domains: readonly Event[]): Event => ({ Domains });
  const change = (from: Event, to: Event): Event => updateEvent(TYPE, ID, of(to), of(from));
  const FORBIDDEN = caa(DOMAIN, 'issue', 'ca.test');
  const ALL_THE_SAME = '; it does not stop this update, whose policy asks less of senders than the one before';

  const LESS = [['enforce', 'testing'], ['enforce', 'none'], ['testing', 'none']] as const;

  test.each(LESS)('only warns of CAA from %s to %s, and says how it is mended', async (from, to) => {
    dns.serve(...publicDns(FORBIDDEN));
    const made = world();
    const { Data } = await run(made, change(saying(from), saying(to)));
    expect(Data?.Summary).toContain('warning: CAA at example.com does not let Amazon issue a certificate for the policy host: found 0 issue "ca.test"; '
      + `add example.com CAA 0 issue "amazon.com" (RFC 8659 §4.2)${ALL_THE_SAME}`);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'preflight, caa' }));
  });

  test('only warns of a zone that is not delegated', async () => {
    dns.serve(...without(publicDns(), 'NS'));
    const { Data } = await run(world(), change(saying('enforce'), saying('testing')));
    expect(Data?.Summary).toMatch(/warning: example\.com is not delegated: .* registrar of example\.com/);
    expect(Data?.Summary).toContain(ALL_THE_SAME);
  });

  test('only warns where DNS gives no answer for CAA', async () => {
    dns.serve(...publicDns());
    const { answer } = dns;
    dns.answer = async (question) => question.type === 'CAA' ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question);
    const { Data } = await run(world(), change(saying('enforce'), saying('none')));
    expect(Data?.Summary).toContain('warning: DNS gave no answer for example.com CAA: SERVFAIL');
    expect(Data?.Summary).toContain(ALL_THE_SAME);
  });

  test('refuses where DNS gives no answer for the delegation: nobody could prove the new file, and senders would meet it for ten minutes', async () => {
    dns.answer = () => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false });
    expect(await refused(world(), change(saying('enforce'), saying('none')))).toContain('DNS gave no answer for example.com NS: SERVFAIL');
  });

  test.each([['testing', 'enforce'], ['none', 'testing'], ['none', 'enforce'], ['testing', 'testing'], ['enforce', 'enforce']] as const)(
    'refuses by CAA all the same from %s to %s', async (from, to) => {
      dns.serve(...publicDns(FORBIDDEN));
      const before = saying(from, { Policy: policyLines(renderPolicy({ ...POLICY, mode: from, maxAge: 86_400 })) });
      expect(await refused(world(), change(before, saying(to)))).toContain('does not let Amazon issue');
    });

  test.each<[string, Event]>([
    ['no policy', { Policy: undefined }],
    ['a policy of another version', { Policy: ['version: STSv2'] }],
    ['another hosted zone', { HostedZoneId: 'Z9' }],
    ['other records', { Records: [] }],
  ])('refuses by CAA all the same with %s before', async (_, before) => {
    dns.serve(...publicDns(FORBIDDEN));
    expect(await refused(world(), change(saying('enforce', before), saying('testing')))).toContain('does not let Amazon issue');
  });

  test.each<[string, Event, Event]>([
    ['is made where one was given', of(saying('testing')), { ...of(saying('enforce')), Certificate: 'given' }],
    ['gets another name', of(saying('testing'), preflightDomain({ DomainName: 'www.example.com', Records: [] })), of(saying('enforce'))],
  ])('refuses by CAA all the same where the certificate %s', async (_, now, before) => {
    dns.serve(...publicDns(FORBIDDEN));
    expect(await refused(world(), updateEvent(TYPE, ID, now, before))).toContain('does not let Amazon issue');
  });

  test('refuses by CAA all the same what takes the policy away', async () => {
    dns.serve(...publicDns(FORBIDDEN));
    expect(await refused(world(), change(saying('enforce'), saying('enforce', { Policy: undefined })))).toContain('does not let Amazon issue');
  });

  test('refuses by CAA all the same what another domain of the host makes stricter', async () => {
    dns.serve(...publicDns(FORBIDDEN));
    const other = (mode: Mode): Event => saying(mode, { DomainName: 'lists.example.com', Records: [] });
    const message = await refused(world(), updateEvent(TYPE, ID, of(saying('testing'), other('enforce')), of(saying('enforce'), other('testing'))));
    expect(message).toMatch(/^lists\.example\.com: CAA at example\.com does not let Amazon issue/);
    expect(message).not.toContain('asks less');
  });

  test.each([
    ['a record of another type beside ours', recordSet('mta-sts.example.com.', 'TXT', '"x"')],
    ['an NS record at the policy host', recordSet('mta-sts.example.com.', 'NS', 'ns.other.test.')],
    ['a record at a name that the update leaves alone', recordSet('mta-sts.example.com.', 'CNAME', 'elsewhere.test')],
  ])('only warns of %s', async (_, recordSets) => {
    const { Data } = await run(world({ recordSets: [recordSets] }), change(saying('enforce'), saying('testing')));
    expect(Data?.Summary).toMatch(/warning: .*mta-sts\.example\.com/);
    expect(Data?.Summary).toContain(ALL_THE_SAME);
  });

  test.each<[string, ResourceRecordSet]>([
    ['a CNAME', recordSet('_mta-sts.example.com.', 'CNAME', 'provider.test')],
    ['a weighted record', { ...recordSet('_mta-sts.example.com.', 'TXT', '"v=STSv1; id=1;"'), SetIdentifier: 'blue', Weight: 1 }],
  ])('refuses for %s where the id is announced: CloudFormation would fail', async (_, set) => {
    const message = await refused(world({ recordSets: [set] }), change(saying('enforce'), saying('testing')));
    expect(message).toContain('a record that this stack did not make stands at _mta-sts.example.com');
  });

  test('refuses where the hosted zone is gone', async () => {
    const made = world();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('NoSuchHostedZone', 'No hosted zone found with ID: Z0'));
    expect(await refused(made, change(saying('enforce'), saying('testing')))).toMatch(/^there is no hosted zone/);
  });
});

describe('of a domain whose policy nobody publishes yet, or any more', () => {
  const unpublished = createEvent(TYPE, preflightProperties({ Policy: undefined }));

  test('looks at the zone and at CAA, and asks nothing of the MX', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    expect((await run(world(), unpublished)).Data?.Summary)
      .toBe('example.com is delegated to the hosted zone; no foreign record stands in the way; no CAA record limits who may issue');
  });

  test('refuses one that is not delegated', async () => {
    dns.serve(...without(publicDns(), 'NS'));
    expect(await refused(world(), unpublished)).toContain('example.com is not delegated');
  });
});

describe('where DNS is elsewhere', () => {
  const elsewhere = (more: Event = {}): Event => createEvent(TYPE, preflightProperties({ HostedZoneId: undefined, Records: [], ...more }));

  test('checks CAA and MX, and asks Route 53 for nothing', async () => {
    const made = world();
    const { Data } = await run(made, elsewhere());
    expect(Data?.Summary).toBe('no CAA record limits who may issue; the policy covers all 2 MX hosts');
    expect(made.aws.route53.calls()).toHaveLength(0);
  });

  test('asks DNS for CAA from the policy host on', async () => {
    dns.serve(...publicDns(caa('mta-sts.example.com', 'issue', 'ca.test')));
    expect(await refused(world(), elsewhere())).toContain('CAA at mta-sts.example.com does not let Amazon issue');
  });

  test('refuses a policy that does not cover the MX', async () => {
    dns.serve(...publicDns(mx(DOMAIN, 'backup.other.test')));
    expect(await refused(world(), elsewhere())).toContain('the policy does not cover the MX host backup.other.test');
  });

  test('does not mind CAA where the certificate is given', async () => {
    dns.serve(...publicDns(caa(DOMAIN, 'issue', 'ca.test')));
    expect((await run(world(), elsewhere({ Certificate: 'given' }))).Data?.Summary).toContain('the certificate is given');
  });
});
