import { afterEach, describe, expect, test } from '@jest/globals';
import { readAssembly } from '../../lib/preview/assembly/assembly';
import type { DnsRecord } from '../../lib/preview/dns-server/records';
import { zoneAnswers } from '../../lib/preview/dns-server/server';
import { previewZones } from '../../lib/preview/assembly/zones';
import type { Addresses, MxHost, PreviewMx } from '../../lib/preview/assembly/zones';
import { policyHash } from '../../lib/protocol/policy/id';
import { policyText } from '../../lib/contract/custom-resources';
import { UNPUBLISHED_RECORD } from '../../lib/protocol/records/sts-record';
import { handWritten, removeFolders, usualApp } from '../support/assemblies';

afterEach(removeFolders);

interface Planned { records: readonly DnsRecord[]; mx: readonly PreviewMx[]; notes: readonly string[] }

function plan(app: string, { addresses = { v4: '127.0.0.1' }, mx = [] }: { addresses?: Addresses; mx?: MxHost[] } = {}): Planned {
  const assembly = readAssembly(app, Date.UTC(2026, 10, 30, 19, 24, 8));
  const zones = previewZones(assembly, assembly.publications, addresses, mx);
  // What is planned must also be what the server takes.
  zoneAnswers(zones.records);
  return { ...zones, notes: assembly.notes.all };
}

function find({ records }: Planned, name: string, type: string): unknown[] {
  return records.filter((record) => record.name === name && record.type === type).map(({ data }) => data);
}

const DISTRIBUTION = { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig: { Aliases: ['mta-sts.example.com'] } } };
const TARGET = { DNSName: { 'Fn::GetAtt': ['Distribution', 'DomainName'] } };

/** A template with the publication of one policy, and record sets. */
function template(sets: readonly object[], policy: { mx?: readonly string[]; domain?: string; zone?: unknown } = {}): string {
  const { mx = ['mx1.example.com'], domain = 'example.com', zone = 'Z1' } = policy;
  const Policy = ['version: STSv1', 'mode: enforce', ...mx.map((pattern) => `mx: ${pattern}`), 'max_age: 86400'];
  return handWritten({ Resources: {
    Distribution: DISTRIBUTION,
    Publication: { Type: 'Custom::MtaStsPublication', Properties: { DomainName: domain, HostedZoneId: zone, PolicyHash: policyHash(policyText(Policy)), Policy, BucketName: 'b', ObjectKey: 'k' } },
    ...Object.fromEntries(sets.map((Properties, index) => [`R${index}`, { Type: 'AWS::Route53::RecordSet', Properties }])),
  } });
}

describe('leaves out, and says so,', () => {
  test.each<[string, object, string]>([
    ['a record of no zone', { Name: 'x.example.com', Type: 'A', ResourceRecords: ['192.0.2.1'] }, 'names no hosted zone'],
    ['a record outside of its zone', { HostedZoneName: 'example.net', Name: 'x.example.com', Type: 'A', ResourceRecords: ['192.0.2.1'] }, 'x.example.com does not lie in its hosted zone example.net, which Route 53 refuses'],
    ['a value that Route 53 refuses', { HostedZoneId: 'Z1', Name: '_mta-sts.example.com', Type: 'TXT', ResourceRecords: ['v=STSv1; id=1;'] }, 'the value "v=STSv1; id=1;" of _mta-sts.example.com is not in quotes'],
    ['an alias that leads elsewhere', { HostedZoneId: 'Z1', Name: 'x.example.com', Type: 'A', AliasTarget: { DNSName: 'dualstack.lb.example' } }, 'the alias record x.example.com leads to dualstack.lb.example, which is not previewed'],
    ['an alias of another type', { HostedZoneId: 'Z1', Name: 'x.example.com', Type: 'HTTPS', AliasTarget: TARGET }, 'which is not previewed'],
  ])('%s', (_what, set, note) => {
    const { records, notes } = plan(template([set]));
    expect(notes).toEqual([expect.stringContaining(note)]);
    expect(notes[0]).toMatch(/^Mail\/R0: .*; it is left out$/);
    expect(records.filter(({ name }) => name === 'x.example.com' || name === '_mta-sts.example.com')).toEqual([]);
  });
});

describe('records that are made by hand', () => {
  const publication = (RecordsByHand: unknown, more: object = {}): string => handWritten({ Resources: {
    Distribution: DISTRIBUTION,
    Publication: { Type: 'Custom::MtaStsPublication', Properties: {
      DomainName: 'Example.com', PolicyHash: policyHash('version: STSv1\r\n'), Policy: ['version: STSv1'], BucketName: 'b', ObjectKey: 'k', RecordsByHand, ...more,
    } },
  } });
  const RECORDS = [
    { Name: 'mta-sts.example.com', Type: 'CNAME', Value: { 'Fn::GetAtt': ['Distribution', 'DomainName'] } },
    { Name: '_mta-sts.example.com', Type: 'TXT', Value: 'v=STSv1; id=1;' },
  ];

  test('are served as if they were there', () => {
    const planned = plan(publication(RECORDS));
    expect(find(planned, 'mta-sts.example.com', 'CNAME')).toEqual([expect.stringMatching(/\.cloudfront\.net$/)]);
    expect(find(planned, '_mta-sts.example.com', 'TXT')).toEqual([['v=STSv1; id=1;']]);
    expect(find(planned, 'example.com', 'SOA')).toHaveLength(1);
    expect(planned.notes).toEqual([]);
  });

  test('announce the id of the preview, where the template cannot know one', () => {
    const planned = plan(publication([{ ...RECORDS[1], Value: UNPUBLISHED_RECORD }]));
    expect(find(planned, '_mta-sts.example.com', 'TXT')).toEqual([[`v=STSv1; id=20261130T192408${policyHash('version: STSv1\r\n')};`]]);
    expect(planned.notes).toEqual([]);
  });

  test('are nothing where the domain has a zone in Route 53', () => {
    expect(find(plan(publication(RECORDS, { HostedZoneId: 'Z1' })), '_mta-sts.example.com', 'TXT')).toEqual([]);
  });

  test('are left out where they are none, and that is said', () => {
    expect(plan(publication([{ Name: '_mta-sts.example.com', Type: 'TXT' }])).notes).toEqual(['Mail/Publication: RecordsByHand.0.Value is missing or no text']);
  });
});

describe('the construct\'s records', () => {
  test('are served from one zone, with a name server that has an address', () => {
    const planned = plan(usualApp());
    expect(find(planned, 'example.com', 'SOA')).toHaveLength(1);
    expect(find(planned, 'example.com', 'NS')).toEqual(['ns.preview.invalid']);
    expect(find(planned, 'ns.preview.invalid', 'A')).toEqual(['127.0.0.1']);
    expect(find(planned, '_mta-sts.example.com', 'TXT')).toEqual([[expect.stringMatching(/^v=STSv1; id=20261130T192408[0-9a-f]{16};$/)]]);
    expect(find(planned, '_smtp._tls.example.com', 'TXT')).toEqual([['v=TLSRPTv1; rua=mailto:tls-reports@example.com']]);
    expect(planned.notes).toEqual([]);
  });

  test('give an IPv6 address only where one is served', () => {
    expect(find(plan(usualApp()), 'mta-sts.example.com', 'AAAA')).toEqual([]);
    const both = plan(usualApp(), { addresses: { v4: '127.0.0.1', v6: '::1' } });
    expect(find(both, 'mta-sts.example.com', 'A')).toEqual(['127.0.0.1']);
    expect(find(both, 'mta-sts.example.com', 'AAAA')).toEqual(['::1']);
    expect(find(plan(usualApp(), { addresses: { v6: '::1' } }), 'mta-sts.example.com', 'A')).toEqual([]);
  });

  test('have no IPv6 address where the distribution has none', () => {
    const alias = { HostedZoneId: 'Z1', Name: 'mta-sts.example.com', Type: 'AAAA', AliasTarget: TARGET };
    expect(find(plan(template([alias]), { addresses: { v4: '127.0.0.1', v6: '::1' } }), 'mta-sts.example.com', 'AAAA')).toEqual([]);
  });
});

describe('zones', () => {
  const text = (name: string, zone: object): object => ({ ...zone, Name: name, Type: 'TXT', TTL: 60, ResourceRecords: ['"x"'] });
  const apexes = ({ records }: Planned): string[] => records.filter(({ type, name }) => type === 'SOA' && !/preview\.invalid|cloudfront/.test(name)).map(({ name }) => name);

  test('known by name alone are served under that name', () => {
    expect(apexes(plan(template([text('a.b.example.net', { HostedZoneName: 'example.net.' })])))).toEqual(['example.net', 'example.com']);
  });

  test('known by id alone are called after what their records have in common', () => {
    const sets = [text('a.example.net', { HostedZoneId: 'Z2' }), text('b.c.example.net', { HostedZoneId: 'Z2' })];
    expect(apexes(plan(template(sets)))).toEqual(['example.net', 'example.com']);
  });

  test('of records that have nothing in common are several', () => {
    const sets = [text('a.example.net', { HostedZoneId: 'Z2' }), text('b.example.org', { HostedZoneId: 'Z2' })];
    expect(apexes(plan(template(sets)))).toEqual(['example.net', 'example.org', 'example.com']);
  });

  test('of a domain below another one is where the record sets are', () => {
    const sets = [text('_mta-sts.mail.example.com', { HostedZoneId: 'Z1' }), text('example.com', { HostedZoneId: 'Z1' })];
    expect(apexes(plan(template(sets, { domain: 'mail.example.com' })))).toEqual(['example.com']);
  });

  test('exist for a domain without any record, and without a zone', () => {
    expect(apexes(plan(template([], { zone: undefined })))).toEqual(['example.com']);
  });

  test('answer for the name of a distribution that a CNAME leads to', () => {
    const planned = plan(template([{ HostedZoneId: 'Z1', Name: 'mta-sts.example.com', Type: 'CNAME', TTL: 60, ResourceRecords: [TARGET.DNSName] }]));
    const answer = zoneAnswers(planned.records)({ name: 'mta-sts.example.com', type: 'A' });
    expect(answer).toMatchObject({ rcode: 'NOERROR', answers: [{ type: 'CNAME' }, { type: 'A', data: '127.0.0.1' }] });
  });
});

describe('MX', () => {
  const stated = { HostedZoneId: 'Z1', Name: 'example.com', Type: 'MX', TTL: 60, ResourceRecords: ['10 real.example.com.'] };

  test('made from the policy: a wildcard becomes one host below it, and all of them have addresses', () => {
    const planned = plan(template([], { mx: ['mx1.example.com', '*.Mail.example.org', 'mx.mail.example.org'] }), { addresses: { v4: '127.0.0.1', v6: '::1' } });
    expect(planned.mx).toEqual([{ domain: 'example.com', hosts: ['mx1.example.com', 'mx.mail.example.org'], origin: 'policy' }]);
    expect(find(planned, 'example.com', 'MX')).toEqual([{ preference: 10, exchange: 'mx1.example.com' }, { preference: 20, exchange: 'mx.mail.example.org' }]);
    expect(find(planned, 'mx1.example.com', 'A')).toEqual(['127.0.0.1']);
    expect(find(planned, 'mx.mail.example.org', 'AAAA')).toEqual(['::1']);
  });

  test('made from the policy leave a host\'s own records alone', () => {
    const host = { HostedZoneId: 'Z1', Name: 'mx1.example.com', Type: 'A', TTL: 60, ResourceRecords: ['192.0.2.25'] };
    expect(find(plan(template([host])), 'mx1.example.com', 'A')).toEqual(['192.0.2.25']);
  });

  test('of a policy that is malformed or names none are none', () => {
    expect(plan(template([], { mx: [] })).mx).toEqual([{ domain: 'example.com', hosts: [], origin: 'policy' }]);
  });

  test('of the template are served as they are', () => {
    const planned = plan(template([stated]));
    expect(planned.mx).toEqual([{ domain: 'example.com', hosts: ['real.example.com'], origin: 'template' }]);
    expect(find(planned, 'example.com', 'MX')).toEqual([{ preference: 10, exchange: 'real.example.com' }]);
  });

  test('given by the user stand in the place of all others, with their addresses', () => {
    const host = { HostedZoneId: 'Z1', Name: 'mail.example.com', Type: 'CNAME', TTL: 60, ResourceRecords: ['x.example.com'] };
    const mx = [
      { host: 'mail.example.com', address: '127.0.0.2' }, { host: 'mail.example.com', address: '::1' }, { host: 'mail.other.test', address: '127.0.0.3' },
    ];
    const planned = plan(template([stated, host]), { mx });
    expect(planned.mx).toEqual([{ domain: 'example.com', hosts: ['mail.example.com', 'mail.other.test'], origin: 'given' }]);
    expect(find(planned, 'example.com', 'MX')).toEqual([{ preference: 10, exchange: 'mail.example.com' }, { preference: 20, exchange: 'mail.other.test' }]);
    expect(find(planned, 'mail.example.com', 'CNAME')).toEqual([]);
    expect(find(planned, 'mail.example.com', 'A')).toEqual(['127.0.0.2']);
    expect(find(planned, 'mail.example.com', 'AAAA')).toEqual(['::1']);
    expect(find(planned, 'mail.other.test', 'A')).toEqual(['127.0.0.3']);
  });
});
