// A domain leaves a host that goes on serving others: nothing is changed that they are served or announced by, but what lists all hosts.
import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { MtaStsDomains, MtaStsPolicy, TlsReporting } from '../../lib';
import { importedZone, testStack } from '../support/stack';

interface Resource { readonly Type: string; readonly Properties: Record<string, unknown> }
type Resources = Record<string, Resource>;

const DOMAINS = ['example.com', 'example.net', 'example.org'];

function serving(domains: string[]): Resources {
  const stack = testStack();
  new MtaStsDomains(stack, 'Mail', {
    domains: domains.map((zoneName) => ({ hostedZone: importedZone(stack, zoneName) })),
    policy: MtaStsPolicy.none(),
    tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
  });
  return Template.fromStack(stack).toJSON().Resources as Resources;
}

/** The names below which an object differs from another. */
function differences(one: unknown, other: unknown): string[] {
  const [ours, theirs] = [one, other] as Record<string, unknown>[];
  return Object.keys({ ...ours, ...theirs }).filter((key) => JSON.stringify(ours[key]) !== JSON.stringify(theirs[key]));
}

describe.each(DOMAINS)('when %s leaves the host', (leaving) => {
  const before = serving(DOMAINS);
  const after = serving(DOMAINS.filter((domain) => domain !== leaving));
  const changed = Object.keys(after).filter((id) => JSON.stringify(after[id].Properties) !== JSON.stringify(before[id].Properties));
  const [distribution] = changed.filter((id) => after[id].Type === 'AWS::CloudFront::Distribution');

  test('every resource of the others keeps its logical id and its type', () => {
    expect(before).toMatchObject(Object.fromEntries(Object.entries(after).map(([id, { Type }]) => [id, { Type }])));
  });

  test('what goes is its own alone', () => {
    const gone = Object.keys(before).filter((id) => !(id in after));
    expect(gone.length).toBeGreaterThan(2);
    for (const id of gone) expect(JSON.stringify(before[id].Properties)).toContain(leaving);
  });

  test('what changes is what lists every host: the distribution, the edge function, the certificate, the bucket\'s policy', () => {
    // Preflight too, where one looks before all of them start: it takes nothing from anyone who is served.
    expect(changed.map((id) => after[id].Type).filter((type) => type !== 'Custom::MtaStsPreflight').sort()).toEqual([
      'AWS::CertificateManager::Certificate', 'AWS::CloudFront::Distribution', 'AWS::CloudFront::Function', 'AWS::S3::BucketPolicy',
    ]);
  });

  test('of the distribution only the names change, and its comment that tells them', () => {
    const [now, then] = [after, before].map((all) => all[distribution].Properties.DistributionConfig);
    expect(differences(now, then)).toEqual(['Aliases', 'Comment']);
    expect(now).toMatchObject({ Aliases: DOMAINS.filter((domain) => domain !== leaving).map((domain) => `mta-sts.${domain}`) });
  });

  test('the edge function and the bucket\'s policy lose that host and nothing else', () => {
    for (const type of ['AWS::CloudFront::Function', 'AWS::S3::BucketPolicy']) {
      const [id] = changed.filter((one) => after[one].Type === type);
      const [now, then] = [after, before].map((all) => JSON.stringify(all[id].Properties));
      expect(now).not.toContain(leaving);
      for (const domain of DOMAINS) {
        if (domain !== leaving) expect(now.split(domain).length).toBe(then.split(domain).length);
      }
    }
  });
});
