// A domain with external DNS: the deployment creates host and file, and the user creates the records.
import { describe, expect, test } from '@jest/globals';
import { Stack, aws_certificatemanager as acm } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting } from '../../lib';
import type { MtaStsProps } from '../../lib';
import { importedZone, testStack } from '../support/stack';

const policy = MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com') });
const tlsReporting = TlsReporting.to('mailto:tls-reports@example.com');
const DISTRIBUTION = { 'Fn::GetAtt': [Match.stringLikeRegexp('Distribution'), 'DomainName'] };

function withExternalDns(stack = testStack(), props: Partial<MtaStsProps> = {}): { stack: Stack; made: MtaSts } {
  return { stack, made: new MtaSts(stack, 'MtaSts', { domainName: 'example.com', policy, tlsReporting, ...props }) };
}

/** Returns a domain whose host has a given certificate. */
function withCertificate(): { stack: Stack; made: MtaSts } {
  const stack = testStack();
  const certificate = acm.Certificate.fromCertificateArn(stack, 'Given', 'arn:aws:acm:us-east-1:123456789012:certificate/1');
  return withExternalDns(stack, { policyHost: new PolicyHost(stack, 'Host', { domains: [{ domainName: 'example.com' }], certificate }) });
}

describe('the template', () => {
  const template = Template.fromStack(withExternalDns().stack);

  test('a domain with external DNS gets the host, Preflight and Publication', () => {
    for (const type of ['AWS::CloudFront::Distribution', 'AWS::S3::Bucket', 'Custom::MtaStsPreflight', 'Custom::MtaStsPublication']) {
      template.resourceCountIs(type, 1);
    }
  });

  test('a domain with external DNS gets no records and no Verification', () => {
    for (const type of ['AWS::Route53::RecordSet', 'AWS::Route53::RecordSetGroup', 'Custom::MtaStsVerification']) {
      template.resourceCountIs(type, 0);
    }
  });

  test('a domain with external DNS gives the function no right to read a zone', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('route53:');
  });

  test('Preflight checks a domain with external DNS without a zone', () => {
    template.hasResourceProperties('Custom::MtaStsPreflight', {
      Certificate: 'made', Domains: [{ DomainName: 'example.com', Policy: Match.anyValue(), Records: [], HostedZoneId: Match.absent() }],
    });
  });

  test('Publication gets the distribution of a domain with external DNS, to prove the file there', () => {
    template.hasResourceProperties('Custom::MtaStsPublication', { HostedZoneId: Match.absent(), Distribution: DISTRIBUTION });
  });

  test('`cdk diff` shows the manual records, with a text in place of the id that is not known yet', () => {
    template.hasResourceProperties('Custom::MtaStsPublication', { RecordsByHand: [
      { Name: 'mta-sts.example.com', Type: 'CNAME', Value: DISTRIBUTION },
      { Name: '_mta-sts.example.com', Type: 'TXT', Value: '<known after the deployment, whose outputs tell the id>' },
      { Name: '_smtp._tls.example.com', Type: 'TXT', Value: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com' },
    ] });
  });
});

describe('the records', () => {
  test('`records` has all manual records as text, with the validation record of the certificate', () => {
    const { stack, made } = withExternalDns();
    const [validation, ...others] = made.records;
    expect(others.map(({ name, type }) => `${name} ${type}`)).toEqual(['mta-sts.example.com CNAME', '_mta-sts.example.com TXT', '_smtp._tls.example.com TXT']);
    expect(stack.resolve(validation)).toEqual({
      name: { 'Fn::GetAtt': [expect.stringMatching(/Publication/), 'ValidationName'] },
      type: 'CNAME',
      value: { 'Fn::GetAtt': [expect.stringMatching(/Publication/), 'ValidationValue'] },
    });
  });

  test('`records` has no validation record for a given certificate', () => {
    expect(withCertificate().made.records.map(({ name }) => name)).toEqual(['mta-sts.example.com', '_mta-sts.example.com', '_smtp._tls.example.com']);
  });

  test('an output lists the manual records, one in each line', () => {
    const outputs = Object.values(Template.fromStack(withCertificate().stack).findOutputs('*', {
      Description: 'The DNS records of example.com to make by hand, _mta-sts last (RFC 8461 section 8.1)',
    })).map(({ Value }) => Value as unknown);
    expect(outputs).toEqual([{ 'Fn::Join': ['', [
      'mta-sts.example.com CNAME ', { 'Fn::GetAtt': [expect.stringMatching(/^HostDistribution/), 'DomainName'] },
      '\n_mta-sts.example.com TXT "v=STSv1; id=', { 'Fn::GetAtt': [expect.stringMatching(/Publication/), 'PolicyId'] },
      ';"\n_smtp._tls.example.com TXT "v=TLSRPTv1; rua=mailto:tls-reports@example.com"',
    ]] }]);
  });

  test('the output for commands has the values of the manual records, and is JSON after the deployment', () => {
    const { stack, made } = withExternalDns();
    const { 'Fn::Join': [, parts] } = stack.resolve(made.output.value) as { 'Fn::Join': [string, (string | { 'Fn::GetAtt': string[] })[]] };
    const deployed = parts.map((part) => typeof part === 'string' ? part : `${part['Fn::GetAtt'][1]}.test`).join('');
    expect(JSON.parse(deployed)).toEqual({ mtaSts: {
      domain: 'example.com',
      id: 'PolicyId.test',
      policy: policy.text,
      target: 'DomainName.test',
      tlsRpt: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com',
      earliestRemoval: 'EarliestRemoval.test',
      warnings: 'Warnings.test',
      validation: { name: 'ValidationName.test', value: 'ValidationValue.test' },
    } });
  });
});

describe('a created certificate', () => {
  const { stack } = withExternalDns();
  const template = Template.fromStack(stack);

  test('a certificate for external DNS names no zone for its validation', () => {
    template.hasResourceProperties('AWS::CertificateManager::Certificate', {
      DomainName: 'mta-sts.example.com', ValidationMethod: 'DNS', DomainValidationOptions: Match.absent(),
    });
  });

  test('the function may read only the created certificate', () => {
    template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: Match.objectLike({ Statement: [
      { Action: 'acm:DescribeCertificate', Effect: 'Allow', Resource: { Ref: Match.stringLikeRegexp('Certificate') } },
    ] }) });
  });

  test('synthesis warns that the deployment waits for the validation record, with the command that shows the record', () => {
    const warnings = Annotations.fromStack(stack).findWarning('/Test/MtaSts/PolicyHost', Match.anyValue()).map(({ entry }) => entry.data);
    expect(warnings).toEqual([expect.stringContaining('the deployment waits up to 72 hours for the validation record of the certificate in the DNS of '
      + 'mta-sts.example.com, because `hostedZone` is missing. While it waits, read the record from the events of the stack, and create it: aws cloudformation '
      + 'describe-stack-events --region us-east-1 --stack-name Test --output text --query "StackEvents[?contains(ResourceStatusReason || \'\', '
      + '\'Content of DNS Record\')].ResourceStatusReason". To avoid the wait, give a `certificate` that is issued already')]);
  });

  test('a certificate for domains with and without a zone is validated in the zones of the first ones', () => {
    const mixed = testStack();
    new MtaStsDomains(mixed, 'Mail', { policy, tlsReporting, domains: [{ hostedZone: importedZone(mixed, 'example.net') }, { domainName: 'example.com' }] });
    Template.fromStack(mixed).hasResourceProperties('AWS::CertificateManager::Certificate', {
      DomainName: 'mta-sts.example.com',
      SubjectAlternativeNames: ['mta-sts.example.net'],
      DomainValidationOptions: [{ DomainName: 'mta-sts.example.net', HostedZoneId: 'Z0123456789ABCDEFGHIJ' }],
    });
    Template.fromStack(mixed).resourceCountIs('Custom::MtaStsVerification', 1);
  });
});

describe('the messages at synthesis', () => {
  const warnings = (props: Partial<MtaStsProps>): string[] => {
    const { stack } = withExternalDns(testStack(), props);
    return Annotations.fromStack(stack).findWarning('/Test/MtaSts', Match.stringLikeRegexp('has no `hostedZone`')).map(({ entry }) => JSON.stringify(entry.data));
  };

  test('synthesis warns that no records are created, and how to verify them later', () => {
    expect(warnings({})).toEqual([expect.stringContaining('example.com has no `hostedZone`: the deployment serves its policy and creates no records. '
      + 'Create the records of the outputs manually, `_mta-sts` last, also after each change of the policy. Then run '
      + 'npx cdk-mta-sts verify --outputs cdk-outputs.json --wait 30m (RFC 8461 §8.1)')]);
  });

  test('synthesis does not warn about validation for a given certificate', () => {
    expect(Annotations.fromStack(withCertificate().stack).findWarning('/Test/Host', Match.anyValue())).toEqual([]);
  });

  test('MtaSts without a zone needs a domain name', () => {
    expect(() => new MtaSts(testStack(), 'MtaSts', { policy })).toThrow('`hostedZone` is missing, the Route 53 zone that contains the records. '
      + 'With external DNS, write `domainName: \'example.com\'` without it. The records are then outputs, and you create them manually');
  });

  test('a PolicyHost without a zone refuses an MtaSts with a zone for the same domain', () => {
    const stack = testStack();
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ domainName: 'example.com' }] });
    expect(() => withExternalDns(stack, { policyHost, hostedZone: importedZone(stack) }))
      .toThrow('`hostedZone` must be the one that the PolicyHost has for example.com, none, got "Z0123456789ABCDEFGHIJ". Pass the same zone to both');
  });
});

test('a domain with external DNS can be in a stack of another Region', () => {
  const stack = new Stack(undefined, 'Mail', { env: { account: '123456789012', region: 'eu-central-1' } });
  new MtaSts(stack, 'MtaSts', { domainName: 'example.com', policy, tlsReporting });
  const inner = stack.node.findChild('MtaStsUsEast1');
  if (!(inner instanceof Stack)) throw new Error('no stack');
  Template.fromStack(inner).resourceCountIs('Custom::MtaStsPublication', 1);
});
