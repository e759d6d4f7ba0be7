// The rights of the function behind the custom resources.
import { describe, expect, test } from '@jest/globals';
import { aws_route53 as route53 } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { MtaStsDomains, MtaStsPolicy } from '../../../lib';
import { oneDomain, testStack } from '../../support/stack';

describe('rights', () => {
  test('the roles have rights on named resources, without wildcards and managed policies', () => {
    const stack = testStack();
    oneDomain(stack);
    const roles = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'));
    expect(roles).toHaveLength(2);
    for (const { Properties } of roles as { Properties: { ManagedPolicyArns?: unknown; Policies: unknown } }[]) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(JSON.stringify(Properties.Policies)).not.toContain('*');
    }
    Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 0);
  });

  describe('fit a role', () => {
    /** Maximum characters of the inline policies of a role, without white space (IAM and AWS STS quotas). */
    const MAX_CHARACTERS = 10_240;

    const deployed: Record<string, string> = {
      'AWS::Partition': 'aws',
      'AWS::StackId': `arn:aws:cloudformation:us-east-1:123456789012:stack/${'s'.repeat(128)}/11111111-2222-3333-4444-555555555555`,
    };

    /** Returns the deployed value, with the longest names of the stack and of the log group. */
    function evaluated(value: unknown): unknown {
      if (Array.isArray(value)) return value.map(evaluated);
      if (typeof value !== 'object' || value === null) return value;
      const [key, argument] = (Object.entries(value) as [string, unknown][]).at(0) ?? [];
      if (key === 'Ref') return deployed[String(argument)];
      if (key === 'Fn::GetAtt') return `arn:aws:logs:us-east-1:123456789012:log-group:${'l'.repeat(512)}:*`;
      if (key === 'Fn::Join') return (evaluated(argument) as [string, string[]])[1].join('');
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, evaluated(one)]));
    }

    function largest(count: number): number {
      const stack = testStack({ context: { '@aws-cdk/core:stackResourceLimit': 0 } });
      const domains = Array.from({ length: count }, (_, i) => ({
        hostedZone: route53.HostedZone.fromHostedZoneAttributes(stack, `Zone${i}`, {
          hostedZoneId: `Z${String(i).padStart(20, 'A')}`, zoneName: `example${i}.com`,
        }),
      }));
      new MtaStsDomains(stack, 'Mail', { domains, policy: MtaStsPolicy.none() });
      const roles = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role')) as { Properties: { Policies: { PolicyDocument: unknown }[] } }[];
      return Math.max(...roles.map(({ Properties: { Policies } }) => Policies.map(({ PolicyDocument }) => JSON.stringify(evaluated(PolicyDocument))).join('').length));
    }

    test('the rights for 100 domains in 100 zones fit a role', () => {
      const [ten, hundred] = [largest(10), largest(100)];
      // Each zone is listed once: 21 characters of its id, and the rest of its ARN, quotes and comma.
      expect(hundred - ten).toBe(90 * '"arn:aws:route53:::hostedzone/Z01234567890123456789",'.length);
      expect(hundred).toBeLessThan(MAX_CHARACTERS);
    }, 60_000);
  });
});
