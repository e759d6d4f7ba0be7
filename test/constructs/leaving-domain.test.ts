// A domain leaves a host that still serves other domains. For them, only the resources that list all hosts change.
import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { MtaStsDomains, MtaStsPolicy, TlsReporting } from '../../lib';
import { required } from '../support/items';
import { importedZone, testStack } from '../support/stack';

interface Resource { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }
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

/** Returns the names of the members in which two objects differ. */
function differences(one: object, other: object): string[] {
  const [ours, theirs] = [one, other].map((value) => new Map(Object.entries(value).map(([key, member]) => [key, JSON.stringify(member)])));
  return Object.keys({ ...one, ...other }).filter((key) => ours?.get(key) !== theirs?.get(key));
}

function propertiesOf(all: Resources, id: string): Readonly<Record<string, unknown>> {
  return required(all[id]).Properties;
}

describe.each(DOMAINS)('when %s leaves the host', (leaving) => {
  const before = serving(DOMAINS);
  const after = serving(DOMAINS.filter((domain) => domain !== leaving));
  const changed = Object.keys(after).filter((id) => differences(propertiesOf(after, id), propertiesOf(before, id)).length > 0);
  const changedOf = (type: string): string => required(changed.find((id) => after[id]?.Type === type));

  test(`every resource of the other domains keeps its logical id and its type when ${leaving} leaves the host`, () => {
    expect(before).toMatchObject(Object.fromEntries(Object.entries(after).map(([id, { Type }]) => [id, { Type }])));
  });

  test(`only resources of ${leaving} are removed when it leaves the host`, () => {
    const gone = Object.keys(before).filter((id) => !(id in after));
    expect(gone.length).toBeGreaterThan(2);
    for (const id of gone) expect(JSON.stringify(propertiesOf(before, id))).toContain(leaving);
  });

  test(`only the resources that list every host change when ${leaving} leaves the host`, () => {
    // Preflight changes too. It only checks, so no served domain is affected.
    expect(changed.map((id) => after[id]?.Type ?? '').filter((type) => type !== 'Custom::MtaStsPreflight').sort()).toEqual([
      'AWS::CertificateManager::Certificate', 'AWS::CloudFront::Distribution', 'AWS::CloudFront::Function', 'AWS::S3::BucketPolicy',
    ]);
  });

  test(`only the names and the comment of the distribution change when ${leaving} leaves the host`, () => {
    const id = changedOf('AWS::CloudFront::Distribution');
    const [now, then] = [after, before].map((all) => propertiesOf(all, id).DistributionConfig);
    expect(differences(Object(now) as object, Object(then) as object)).toEqual(['Aliases', 'Comment']);
    expect(now).toMatchObject({ Aliases: DOMAINS.filter((domain) => domain !== leaving).map((domain) => `mta-sts.${domain}`) });
  });

  test(`the edge function and the bucket policy lose only the host of ${leaving} when it leaves`, () => {
    for (const type of ['AWS::CloudFront::Function', 'AWS::S3::BucketPolicy']) {
      const id = changedOf(type);
      const [now = '', then = ''] = [after, before].map((all) => JSON.stringify(propertiesOf(all, id)));
      expect(now).not.toContain(leaving);
      for (const domain of DOMAINS) {
        if (domain !== leaving) expect(now.split(domain).length).toBe(then.split(domain).length);
      }
    }
  });
});
