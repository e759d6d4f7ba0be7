// The DNS zones of a preview: record sets, manual records and MX hosts.
import { afterEach, describe, expect, test } from '@jest/globals';
import { readAssembly } from '../../lib/preview/assembly/assembly';
import type { DnsRecord } from '../../lib/preview/dns-server/records';
import { zoneAnswers } from '../../lib/preview/dns-server/server';
import { previewZones } from '../../lib/preview/assembly/zones';
import type { Addresses, MxHost, PreviewMx } from '../../lib/preview/assembly/zones';
import { policyHash } from '../../lib/protocol/policy/id';
import { policyText } from '../../lib/contract/custom-resources';
import { UNPUBLISHED_RECORD } from '../../lib/protocol/records/sts-record';
import { removeFolders, usualApp, writeAssembly } from '../support/assemblies';
import { onlyItem } from '../support/items';

afterEach(removeFolders);

interface Planned { records: readonly DnsRecord[]; mx: readonly PreviewMx[]; notes: readonly string[] }

function plan(app: string, { addresses = { v4: '127.0.0.1' }, mx = [] }: { addresses?: Addresses; mx?: MxHost[] } = {}): Planned {
  const assembly = readAssembly(app, Date.UTC(2026, 10, 30, 19, 24, 8));
  const zones = previewZones(assembly, assembly.publications, addresses, mx);
  // Throws if the DNS server would refuse the records.
  zoneAnswers(zones.records);
  return { ...zones, notes: assembly.notes.all };
}

function find({ records }: Planned, name: string, type: string): unknown[] {
  return records.filter((record) => record.name === name && record.type === type).map(({ data }) => data);
}

const DISTRIBUTION = { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig: { Aliases: ['mta-sts.example.com'] } } };
const TARGET = { DNSName: { 'Fn::GetAtt': ['Distribution', 'DomainName'] } };

/** Writes an assembly with the publication of one policy, and record sets. */
function template(sets: readonly object[], policy: { mx?: readonly string[]; domain?: string; zone?: unknown } = {}): string {
  const { mx = ['mx1.example.com'], domain = 'example.com', zone = 'Z1' } = policy;
  const Policy = ['version: STSv1', 'mode: enforce', ...mx.map((pattern) => `mx: ${pattern}`), 'max_age: 86400'];
  return writeAssembly({ Resources: {
    Distribution: DISTRIBUTION,
    Publication: { Type: 'Custom::MtaStsPublication', Properties: { DomainName: domain, HostedZoneId: zone, PolicyHash: policyHash(policyText(Policy)), Policy, BucketName: 'b', ObjectKey: 'k' } },
    ...Object.fromEntries(sets.map((Properties, index) => [`R${index}`, { Type: 'AWS::Route53::RecordSet', Properties }])),
  } });
}

describe('record sets that the preview cannot serve', () => {
  test.each<[string, object, string]>([
    ['a record without a zone', { Name: 'x.example.com', Type: 'A', ResourceRecords: ['192.0.2.1'] }, 'has no hosted zone'],
    ['a record outside of its zone', { HostedZoneName: 'example.net', Name: 'x.example.com', Type: 'A', ResourceRecords: ['192.0.2.1'] }, 'x.example.com is not in its hosted zone example.net, so Route 53 refuses it'],
    ['a value that Route 53 refuses', { HostedZoneId: 'Z1', Name: '_mta-sts.example.com', Type: 'TXT', ResourceRecords: ['v=STSv1; id=1;'] }, 'the value "v=STSv1; id=1;" of _mta-sts.example.com is not in quotes'],
    ['an alias to another service', { HostedZoneId: 'Z1', Name: 'x.example.com', Type: 'A', AliasTarget: { DNSName: 'dualstack.lb.example' } }, 'the alias record x.example.com leads to dualstack.lb.example, which the preview does not serve'],
    ['an alias of another type', { HostedZoneId: 'Z1', Name: 'x.example.com', Type: 'HTTPS', AliasTarget: TARGET }, 'which the preview does not serve'],
  ])('the preview leaves out %s, with a note', (_, set, note) => {
    const { records, notes } = plan(template([set]));
    expect(onlyItem(notes)).toContain(note);
    expect(onlyItem(notes)).toMatch(/^Mail\/R0: .*\. It is left out$/);
    expect(records.filter(({ name }) => name === 'x.example.com' || name === '_mta-sts.example.com')).toEqual([]);
  });
});

describe('manual records', () => {
  const publication = (RecordsByHand: unknown, more: object = {}): string => writeAssembly({ Resources: {
    Distribution: DISTRIBUTION,
    Publication: { Type: 'Custom::MtaStsPublication', Properties: {
      DomainName: 'Example.com', PolicyHash: policyHash('version: STSv1\r\n'), Policy: ['version: STSv1'], BucketName: 'b', ObjectKey: 'k', RecordsByHand, ...more,
    } },
  } });
  const TXT = { Name: '_mta-sts.example.com', Type: 'TXT', Value: 'v=STSv1; id=1;' };
  const RECORDS = [{ Name: 'mta-sts.example.com', Type: 'CNAME', Value: { 'Fn::GetAtt': ['Distribution', 'DomainName'] } }, TXT];

  test('the preview serves manual records as if they existed', () => {
    const planned = plan(publication(RECORDS));
    expect(find(planned, 'mta-sts.example.com', 'CNAME')).toEqual([expect.stringMatching(/\.cloudfront\.net$/)]);
    expect(find(planned, '_mta-sts.example.com', 'TXT')).toEqual([['v=STSv1; id=1;']]);
    expect(find(planned, 'example.com', 'SOA')).toHaveLength(1);
    expect(planned.notes).toEqual([]);
  });

  test('a manual TXT record has the id of the preview if the template cannot contain one', () => {
    const planned = plan(publication([{ ...TXT, Value: UNPUBLISHED_RECORD }]));
    expect(find(planned, '_mta-sts.example.com', 'TXT')).toEqual([[`v=STSv1; id=20261130T192408${policyHash('version: STSv1\r\n')};`]]);
    expect(planned.notes).toEqual([]);
  });

  test('the preview ignores manual records if the domain has a zone in Route 53', () => {
    expect(find(plan(publication(RECORDS, { HostedZoneId: 'Z1' })), '_mta-sts.example.com', 'TXT')).toEqual([]);
  });

  test('the preview leaves out an incomplete manual record, with a note', () => {
    expect(plan(publication([{ Name: '_mta-sts.example.com', Type: 'TXT' }])).notes).toEqual(['Mail/Publication: RecordsByHand.0.Value is missing or not a text']);
  });
});

describe('the records of the construct', () => {
  test('the preview serves the records of the construct from one zone with a name server', () => {
    const planned = plan(usualApp());
    expect(find(planned, 'example.com', 'SOA')).toHaveLength(1);
    expect(find(planned, 'example.com', 'NS')).toEqual(['ns.preview.invalid']);
    expect(find(planned, 'ns.preview.invalid', 'A')).toEqual(['127.0.0.1']);
    expect(find(planned, '_mta-sts.example.com', 'TXT')).toEqual([[expect.stringMatching(/^v=STSv1; id=20261130T192408[0-9a-f]{16};$/)]]);
    expect(find(planned, '_smtp._tls.example.com', 'TXT')).toEqual([['v=TLSRPTv1; rua=mailto:tls-reports@example.com']]);
    expect(planned.notes).toEqual([]);
  });

  test('the policy host has an IPv6 address only if the preview listens on one', () => {
    expect(find(plan(usualApp()), 'mta-sts.example.com', 'AAAA')).toEqual([]);
    const both = plan(usualApp(), { addresses: { v4: '127.0.0.1', v6: '::1' } });
    expect(find(both, 'mta-sts.example.com', 'A')).toEqual(['127.0.0.1']);
    expect(find(both, 'mta-sts.example.com', 'AAAA')).toEqual(['::1']);
    expect(find(plan(usualApp(), { addresses: { v6: '::1' } }), 'mta-sts.example.com', 'A')).toEqual([]);
  });

  test('the policy host has no IPv6 address if the distribution has none', () => {
    const alias = { HostedZoneId: 'Z1', Name: 'mta-sts.example.com', Type: 'AAAA', AliasTarget: TARGET };
    expect(find(plan(template([alias]), { addresses: { v4: '127.0.0.1', v6: '::1' } }), 'mta-sts.example.com', 'AAAA')).toEqual([]);
  });
});

describe('zones', () => {
  const text = (name: string, zone: object): object => ({ ...zone, Name: name, Type: 'TXT', TTL: 60, ResourceRecords: ['"x"'] });
  const apexes = ({ records }: Planned): string[] => records.filter(({ type, name }) => type === 'SOA' && !/preview\.invalid|cloudfront/.test(name)).map(({ name }) => name);

  test('a zone that the template names has that name', () => {
    expect(apexes(plan(template([text('a.b.example.net', { HostedZoneName: 'example.net.' })])))).toEqual(['example.net', 'example.com']);
  });

  test('an imported zone is named after the common parent of its records', () => {
    const sets = [text('a.example.net', { HostedZoneId: 'Z2' }), text('b.c.example.net', { HostedZoneId: 'Z2' })];
    expect(apexes(plan(template(sets)))).toEqual(['example.net', 'example.com']);
  });

  test('an imported zone with records without a common parent becomes several zones', () => {
    const sets = [text('a.example.net', { HostedZoneId: 'Z2' }), text('b.example.org', { HostedZoneId: 'Z2' })];
    expect(apexes(plan(template(sets)))).toEqual(['example.net', 'example.org', 'example.com']);
  });

  test('a subdomain is in the zone of its record sets', () => {
    const sets = [text('_mta-sts.mail.example.com', { HostedZoneId: 'Z1' }), text('example.com', { HostedZoneId: 'Z1' })];
    expect(apexes(plan(template(sets, { domain: 'mail.example.com' })))).toEqual(['example.com']);
  });

  test('a domain without records and without a zone gets a zone', () => {
    expect(apexes(plan(template([], { zone: undefined })))).toEqual(['example.com']);
  });

  test('the preview answers for the name of a distribution that a CNAME record leads to', () => {
    const planned = plan(template([{ HostedZoneId: 'Z1', Name: 'mta-sts.example.com', Type: 'CNAME', TTL: 60, ResourceRecords: [TARGET.DNSName] }]));
    const answer = zoneAnswers(planned.records)({ name: 'mta-sts.example.com', type: 'A' });
    expect(answer).toMatchObject({ rcode: 'NOERROR', answers: [{ type: 'CNAME' }, { type: 'A', data: '127.0.0.1' }] });
  });
});

describe('MX hosts', () => {
  const templateMx = { HostedZoneId: 'Z1', Name: 'example.com', Type: 'MX', TTL: 60, ResourceRecords: ['10 real.example.com.'] };

  test('MX hosts from the policy have addresses, and a wildcard becomes one host', () => {
    const planned = plan(template([], { mx: ['mx1.example.com', '*.Mail.example.org', 'mx.mail.example.org'] }), { addresses: { v4: '127.0.0.1', v6: '::1' } });
    expect(planned.mx).toEqual([{ domain: 'example.com', hosts: ['mx1.example.com', 'mx.mail.example.org'], origin: 'policy' }]);
    expect(find(planned, 'example.com', 'MX')).toEqual([{ preference: 10, exchange: 'mx1.example.com' }, { preference: 20, exchange: 'mx.mail.example.org' }]);
    expect(find(planned, 'mx1.example.com', 'A')).toEqual(['127.0.0.1']);
    expect(find(planned, 'mx.mail.example.org', 'AAAA')).toEqual(['::1']);
  });

  test('MX hosts from the policy keep the addresses of the template', () => {
    const host = { HostedZoneId: 'Z1', Name: 'mx1.example.com', Type: 'A', TTL: 60, ResourceRecords: ['192.0.2.25'] };
    expect(find(plan(template([host])), 'mx1.example.com', 'A')).toEqual(['192.0.2.25']);
  });

  test('a policy without mx patterns gives no MX hosts', () => {
    expect(plan(template([], { mx: [] })).mx).toEqual([{ domain: 'example.com', hosts: [], origin: 'policy' }]);
  });

  test('the preview serves the MX records of the template unchanged', () => {
    const planned = plan(template([templateMx]));
    expect(planned.mx).toEqual([{ domain: 'example.com', hosts: ['real.example.com'], origin: 'template' }]);
    expect(find(planned, 'example.com', 'MX')).toEqual([{ preference: 10, exchange: 'real.example.com' }]);
  });

  test('MX hosts of the user replace all other MX hosts and their addresses', () => {
    const host = { HostedZoneId: 'Z1', Name: 'mail.example.com', Type: 'CNAME', TTL: 60, ResourceRecords: ['x.example.com'] };
    const mx = [
      { host: 'mail.example.com', address: '127.0.0.2' }, { host: 'mail.example.com', address: '::1' }, { host: 'mail.other.test', address: '127.0.0.3' },
    ];
    const planned = plan(template([templateMx, host]), { mx });
    expect(planned.mx).toEqual([{ domain: 'example.com', hosts: ['mail.example.com', 'mail.other.test'], origin: 'given' }]);
    expect(find(planned, 'example.com', 'MX')).toEqual([{ preference: 10, exchange: 'mail.example.com' }, { preference: 20, exchange: 'mail.other.test' }]);
    expect(find(planned, 'mail.example.com', 'CNAME')).toEqual([]);
    expect(find(planned, 'mail.example.com', 'A')).toEqual(['127.0.0.2']);
    expect(find(planned, 'mail.example.com', 'AAAA')).toEqual(['::1']);
    expect(find(planned, 'mail.other.test', 'A')).toEqual(['127.0.0.3']);
  });
});
