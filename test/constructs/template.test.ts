// The template under feature flags, the built-in validation of CDK and cdk-nag.
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnResource, Stack, Validations, aws_s3 as s3 } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { PolicyHost } from '../../lib';
import { ENV, importedZone, oneDomain, testStack } from '../support/stack';

const recommendedFlags = JSON.parse(
  readFileSync(createRequire(__filename).resolve('aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
) as Record<string, unknown>;

function template(context: Record<string, unknown>): Record<string, unknown> {
  const stack = testStack({ context });
  oneDomain(stack);
  return Template.fromStack(stack).toJSON();
}

interface ValidationReport { pluginReports: { violations: { ruleName: string }[] }[] }

/** Returns the broken rules: those of the built-in validation, with its default rules as errors, and those of cdk-nag. */
function brokenRules(fill: (stack: Stack) => void): string[] {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-'));
  const { CDK_VALIDATION: before } = process.env;
  const { exitCode } = process;
  process.env.CDK_VALIDATION = 'true';
  try {
    const app = new App({ outdir, context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
    fill(new Stack(app, 'Test', { env: ENV }));
    Validations.of(app).addPlugins(new AwsSolutionsChecks());
    // Broken rules end the synthesis with an error and set the exit status. The report lists them.
    expect(() => app.synth()).toThrow(/validation-report\.json/);
    const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as ValidationReport;
    return [...new Set(report.pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName)))].sort();
  } finally {
    process.env.CDK_VALIDATION = before;
    process.exitCode = exitCode;
    rmSync(outdir, { recursive: true });
  }
}

test('the template is the same without feature flags and with all recommended ones', () => {
  // This flag validates during synthesis, which takes seconds. It does not change the template.
  const flags = { ...recommendedFlags, '@aws-cdk/core:validateAgainstDefaultRules': false };
  expect(template(flags)).toEqual(template({}));
});

describe('rule checks', () => {
  test('the rule checks find only missing access logs, geographic restriction and WAF', () => {
    expect(brokenRules((stack) => oneDomain(stack))).toEqual(['AwsSolutions-CFR1', 'AwsSolutions-CFR2', 'AwsSolutions-CFR3', 'AwsSolutions-S1']);
  });

  test('the rule checks find no missing access log if a bucket for access logs is given', () => {
    const broken = brokenRules((stack) => {
      const accessLogBucket = new s3.Bucket(stack, 'Logs', {
        blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL, enforceSSL: true, objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
      });
      const hostedZone = importedZone(stack);
      oneDomain(stack, { hostedZone, policyHost: new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], accessLogBucket }) });
    });
    expect(broken).toEqual(['AwsSolutions-CFR1', 'AwsSolutions-CFR2']);
  });

  test('the rule checks find an unknown property of a resource', () => {
    expect(brokenRules((stack) => {
      new CfnResource(stack, 'Bucket', { type: 'AWS::S3::Bucket', properties: { Unknown: 1 } });
    })).toContain('F3002');
  });
});

describe('dependency circles', () => {
  interface Resource { DependsOn?: string[] }

  /** Removes resources that wait for no remaining resource, until none is left to remove. The remaining resources wait in a circle. */
  function circle(resources: Record<string, Resource>): string[] {
    const waits = new Map(Object.entries(resources).map(([id, resource]) =>
      [id, new Set([...resource.DependsOn ?? [], ...references(resource)])]));
    for (let before = -1; before !== waits.size;) {
      before = waits.size;
      for (const [id, others] of waits) {
        if (![...others].some((other) => waits.has(other))) {
          waits.delete(id);
        }
      }
    }
    return [...waits.keys()];
  }

  function references(value: unknown): string[] {
    const text = JSON.stringify(value);
    return [...text.matchAll(/"(?:Ref|Fn::GetAtt)":\[?"([^".]+)/g)].map(([, id = '']) => id);
  }

  test('the template has no dependency circle', () => {
    expect(circle(template({}).Resources as Record<string, Resource>)).toEqual([]);
  });

  test('the check finds a dependency circle', () => {
    const resources = { ...template({}).Resources as Record<string, Resource>, Role: { Ref: 'Other' }, Other: { DependsOn: ['Role'] } };
    expect(circle(resources as Record<string, Resource>)).toEqual(['Role', 'Other']);
  });
});
