// The files of examples/: pipelines are parsed and their lines run, and the apps are synthesized.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';
import { Capture, Match, Template } from 'aws-cdk-lib/assertions';
import type { Verifier } from '../cli/context';
import { DelegatedMtaSts, MtaStsPolicy, MxHosts } from '../lib';
import { renderPolicyId } from '../lib/protocol/policy/id';
import { stackOutput } from '../lib/contract/stack-output';
import { createNetwork } from '../lib/verifier/default-network';
import { run } from './support/command';
import type { CommandResult } from './support/command';
import { exampleApp, shellLine, yamlExample } from './support/examples';
import { verificationResult } from './support/report';
import { firstItem, required } from './support/items';
import { ENV, importedZone } from './support/stack';

const ROOT = join(__dirname, '..');
const FOLDER = process.cwd();
const { hash, text: policy } = MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com') });
const id = renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), hash);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'examples-'));
  // The form of `cdk deploy --outputs-file`.
  writeFileSync(join(folder, 'cdk-outputs.json'), JSON.stringify({ MtaSts: { Published: stackOutput({ domain: 'example.com', id, policy, target: 'd111111abcdef8.cloudfront.net' }) } }));
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(FOLDER);
  rmSync(folder, { recursive: true });
});

interface Verification extends CommandResult {
  /** The domains that the command verified, each with the expected values. */
  readonly asked: readonly unknown[];
}

/** Runs a line of a pipeline that calls `npx cdk-mta-sts`, with a verifier that passes all domains. */
async function verification(line: string, env?: Readonly<Record<string, string>>): Promise<Verification> {
  const asked: unknown[] = [];
  const loadVerifier = (): Promise<Verifier> => Promise.resolve({
    createNetwork,
    verify: (domain, { expectId, expectMode, expectPolicy, smtp } = {}) => {
      asked.push({ domain, expectId, expectMode, expectPolicy, smtp });
      return Promise.resolve(verificationResult({ domain }));
    },
  });
  const { argv: [command, ...argv] } = shellLine(line, env);
  expect(command).toBe('cdk-mta-sts');
  return { ...await run(argv, { loadVerifier }), asked };
}

const published = { domain: 'example.com', expectId: id, expectPolicy: policy };
const nightly = ['example.com', 'example.net'].map((domain) => ({ domain, expectMode: 'enforce' }));

/** Words that a job without credentials must not contain. */
const CREDENTIALS = /aws|secret|credential|role|arn:|token/i;

/** Asserts that a line deploys. All examples use the same line. */
function expectDeployment(line: string): void {
  expect(line).toBe('npx cdk deploy --all --require-approval never --outputs-file cdk-outputs.json');
}

test('the CDK command has each option of the line that deploys the examples', () => {
  const help = execFileSync(process.execPath, [join(ROOT, 'node_modules/aws-cdk/bin/cdk'), 'deploy', '--help'], { encoding: 'utf8' });
  expect(help).toMatch(/--all\b[^[]*\[boolean\]/);
  expect(help).toMatch(/--outputs-file\b[^[]*\[string\]/);
  expect(help).toMatch(/--require-approval\b[^[]*\[string\] \[choices: [^\]]*"never"/);
});

test('this test knows every example', () => {
  const source = readFileSync(__filename, 'utf8');
  const names = readdirSync(join(ROOT, 'examples'));
  expect(names.length).toBeGreaterThan(4);
  expect(names.filter((name) => !source.includes(`('${name}'`))).toEqual([]);
});

function templateOf(app: App, name: string): Template {
  const stack = app.node.findChild(name);
  if (!(stack instanceof Stack)) throw new Error(`${name} is no stack`);
  return Template.fromStack(stack);
}

describe('GitHub Actions', () => {
  interface Step { readonly uses?: string; readonly run?: string; readonly with?: Readonly<Record<string, unknown>> }
  interface Job {
    readonly 'runs-on': string;
    readonly 'needs'?: string;
    readonly 'if'?: string;
    readonly 'permissions': object;
    readonly 'steps': readonly Step[];
  }
  interface Workflow {
    readonly on: object;
    readonly permissions: object;
    readonly jobs: { readonly deploy: Job; readonly verify: Job; readonly nightly: Job };
  }

  const workflow = yamlExample('github-actions.yml') as Workflow;
  const { deploy, verify, nightly: everyNight } = workflow.jobs;
  const step = (job: Job, action: string): Step['with'] => job.steps.find(({ uses }) => uses?.startsWith(`${action}@`))?.with;
  const line = (job: Job, begin: string): string => job.steps.find((one) => one.run?.startsWith(begin))?.run ?? '';

  test('the GitHub workflow runs on a push to the main branch and every night', () => {
    expect(workflow.on).toEqual({ push: { branches: ['main'] }, schedule: [{ cron: expect.stringMatching(/^\d+ \d+ \* \* \*$/) }] });
    expect([deploy.if, verify.if, everyNight.if]).toEqual(['github.event_name == \'push\'', undefined, 'github.event_name == \'schedule\'']);
  });

  test('each step of the GitHub workflow uses one action or runs one line', () => {
    for (const { 'runs-on': runner, steps } of Object.values<Job>(workflow.jobs)) {
      expect(runner).toBe('ubuntu-latest');
      for (const one of steps) expect([one.uses, one.run].filter((part) => part !== undefined)).toHaveLength(1);
      expect(steps.map(({ uses }) => uses).filter((uses) => uses !== undefined && !/^[\w-]+\/[\w-]+@v\d+$/.test(uses))).toEqual([]);
    }
  });

  test('the GitHub workflow deploys by a role with a token, and keeps the outputs', () => {
    expect(deploy.permissions).toEqual({ 'contents': 'read', 'id-token': 'write' });
    expect(step(deploy, 'aws-actions/configure-aws-credentials')).toEqual({ 'role-to-assume': expect.stringMatching(/^arn:aws:iam::\d{12}:role\//), 'aws-region': 'us-east-1' });
    expectDeployment(line(deploy, 'npx cdk'));
    expect(step(deploy, 'actions/upload-artifact')).toMatchObject({ name: 'cdk-outputs', path: 'cdk-outputs.json' });
  });

  test('the GitHub workflow verifies without AWS credentials, with only the right to read the repository', () => {
    expect(workflow.permissions).toEqual({});
    for (const job of [verify, everyNight]) {
      expect(job.permissions).toEqual({ contents: 'read' });
      expect(JSON.stringify(job).replace('"persist-credentials":false', '')).not.toMatch(CREDENTIALS);
      expect(line(job, 'npm')).toBe('npm ci --ignore-scripts');
    }
  });

  test('the GitHub workflow verifies the published policy after the deployment, with annotations', async () => {
    expect(verify.needs).toBe('deploy');
    expect(step(verify, 'actions/download-artifact')).toEqual({ name: 'cdk-outputs' });
    const { status, asked, stdout } = await verification(line(verify, 'npx cdk-mta-sts'));
    expect({ status, asked }).toEqual({ status: 0, asked: [{ ...published, smtp: false }] });
    expect(stdout).toBe('example.com: pass\n1 domain: 1 pass, 0 fail, 0 could not be decided\n');
  });

  test('the GitHub workflow verifies domains every night', async () => {
    const { status, asked } = await verification(line(everyNight, 'npx cdk-mta-sts'));
    expect({ status, asked }).toEqual({ status: 0, asked: nightly.map((one) => ({ ...one, smtp: false })) });
  });
});

describe('GitLab', () => {
  interface Job {
    readonly stage: string;
    readonly needs?: readonly string[];
    readonly rules: readonly { readonly if: string }[];
    readonly script: readonly string[];
    readonly variables?: object;
    readonly id_tokens?: object;
    readonly artifacts: object;
  }
  interface Pipeline {
    readonly default: object;
    readonly stages: readonly string[];
    readonly deploy: Job;
    readonly verify: Job;
    readonly nightly: Job;
  }

  const pipeline = yamlExample('gitlab-ci.yml') as Pipeline;
  const { deploy, verify, nightly: everyNight } = pipeline;
  const last = ({ script }: Job): string => required(script.at(-1));
  const junit = { when: 'always', reports: { junit: 'mta-sts.xml' } };

  test('the GitLab pipeline has jobs of known stages, and only the nightly job is scheduled', () => {
    expect(Object.keys(pipeline)).toEqual(['default', 'stages', 'deploy', 'verify', 'nightly']);
    expect([deploy, verify, everyNight].map(({ stage }) => pipeline.stages.includes(stage))).toEqual([true, true, true]);
    const branch = [{ if: '$CI_PIPELINE_SOURCE != "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH' }];
    expect([deploy.rules, verify.rules, everyNight.rules]).toEqual([branch, branch, [{ if: '$CI_PIPELINE_SOURCE == "schedule"' }]]);
  });

  test('the GitLab pipeline deploys by a role with a token, and keeps the outputs', () => {
    expect(deploy.id_tokens).toEqual({ AWS_ID_TOKEN: { aud: 'https://gitlab.com' } });
    const token = join(folder, 'token');
    shellLine(firstItem(deploy.script), { AWS_ID_TOKEN: 'a.b.c', AWS_WEB_IDENTITY_TOKEN_FILE: token });
    expect(readFileSync(token, 'utf8')).toBe('a.b.c');
    expect(deploy.variables).toMatchObject({ AWS_WEB_IDENTITY_TOKEN_FILE: expect.stringMatching(/^\/tmp\//), AWS_ROLE_ARN: expect.stringMatching(/^arn:/) });
    expectDeployment(last(deploy));
    expect(deploy.artifacts).toMatchObject({ paths: ['cdk-outputs.json'] });
  });

  test('the GitLab pipeline verifies without AWS credentials', () => {
    expect(JSON.stringify(pipeline.default)).not.toMatch(CREDENTIALS);
    for (const job of [verify, everyNight]) {
      expect(JSON.stringify(job)).not.toMatch(CREDENTIALS);
      expect(job.script[0]).toBe('npm ci --ignore-scripts');
    }
  });

  test('the GitLab pipeline verifies the published policy after the deployment, and always keeps a report of test results', async () => {
    expect(verify.needs).toEqual(['deploy']);
    const { status, asked } = await verification(last(verify));
    expect({ status, asked }).toEqual({ status: 0, asked: [{ ...published, smtp: true }] });
    expect(verify.artifacts).toEqual(junit);
    expect(readFileSync('mta-sts.xml', 'utf8')).toMatch(/<testsuite name="example\.com"/);
  });

  test('the GitLab pipeline verifies domains every night', async () => {
    const { status, asked } = await verification(last(everyNight));
    expect({ status, asked }).toEqual({ status: 0, asked: nightly.map((one) => ({ ...one, smtp: true })) });
    expect(everyNight.artifacts).toEqual(junit);
    expect(readFileSync('mta-sts.xml', 'utf8')).toMatch(/<testsuite name="example\.net"/);
  });
});

/** A buildspec of CodeBuild. */
interface BuildSpec {
  readonly version: string | number;
  readonly phases: {
    readonly install: { readonly 'runtime-versions': object; readonly 'commands': readonly string[] };
    readonly build: { readonly commands: readonly string[] };
  };
  readonly reports?: object;
  readonly artifacts?: object;
}

const REPORTS = { 'mta-sts': { 'files': ['mta-sts.xml'], 'file-format': 'JUNITXML' } };

describe('CodeBuild', () => {
  const verifying = yamlExample('buildspec.yml') as BuildSpec;
  const deploying = yamlExample('buildspec-deploy.yml') as BuildSpec;

  test('each buildspec has the parts that CodeBuild requires', () => {
    for (const { version, phases } of [verifying, deploying]) {
      expect({ version, names: Object.keys(phases), runtime: phases.install['runtime-versions'] }).toEqual({ version: 0.2, names: ['install', 'build'], runtime: { nodejs: 22 } });
    }
  });

  test('the buildspec for the deployment deploys and keeps the outputs', () => {
    deploying.phases.build.commands.forEach(expectDeployment);
    expect(deploying.artifacts).toEqual({ files: ['cdk-outputs.json'] });
  });

  test('the buildspec for the verification has no AWS credentials of its own', () => {
    expect(JSON.stringify(verifying)).not.toMatch(CREDENTIALS);
    expect(Object.keys(verifying)).not.toContain('env');
    expect(verifying.phases.install.commands).toEqual(['npm ci --ignore-scripts']);
  });

  test('the buildspec for the verification verifies the published policy, and has a report group of test results', async () => {
    const command = firstItem(verifying.phases.build.commands);
    // CodePipeline puts the second input artifact into this folder.
    const { status, asked } = await verification(command, { CODEBUILD_SRC_DIR_Deployed: folder });
    expect({ status, asked }).toEqual({ status: 0, asked: [{ ...published, smtp: true }] });
    expect(verifying.reports).toEqual(REPORTS);
    expect(readFileSync('mta-sts.xml', 'utf8')).toMatch(/<testsuite name="example\.com"/);
  });
});

describe('CDK Pipelines', () => {
  interface Action {
    readonly Name: string;
    readonly Namespace?: string;
    readonly Configuration: { readonly EnvironmentVariables?: string; readonly ProjectName?: { readonly Ref: string } };
  }
  interface Pipeline { readonly Properties: { readonly Stages: readonly { readonly Name: string; readonly Actions: readonly Action[] }[] } }
  interface Project {
    readonly Properties: { readonly Source: { readonly BuildSpec: string }; readonly ServiceRole: { readonly 'Fn::GetAtt': readonly [string, string] } };
  }
  type Outputs = Readonly<Record<string, { readonly Value: unknown }>>;

  let template: Template;
  let actions: readonly Action[];
  let outputs: Outputs;
  let project: Project;
  let spec: BuildSpec;
  let verify: Action;

  beforeAll(() => {
    const app = exampleApp('cdk-pipelines.ts');
    const assembly = app.synth();
    const stageStack = firstItem(assembly.getNestedAssembly('assembly-Production').stacks);
    ({ Outputs: outputs } = stageStack.template as { Outputs: Outputs });
    template = Template.fromJSON(assembly.getStackByName('Pipeline').template as Record<string, unknown>);
    const pipelines = Object.values(template.findResources('AWS::CodePipeline::Pipeline')) as Pipeline[];
    actions = pipelines.flatMap(({ Properties }) => Properties.Stages).find(({ Name }) => Name === 'Production')?.Actions ?? [];
    verify = required(actions.at(-1));
    project = template.findResources('AWS::CodeBuild::Project')[verify.Configuration.ProjectName?.Ref ?? ''] as Project;
    spec = JSON.parse(project.Properties.Source.BuildSpec) as BuildSpec;
  });

  /** Returns the environment of the step. CodePipeline inserts each variable into the JSON without escapes. */
  function environment(outputOf: (name: string) => string | undefined): Record<string, string> {
    const [namespace] = actions.map(({ Namespace }) => Namespace).filter((one) => one !== undefined);
    const text = (verify.Configuration.EnvironmentVariables ?? '').replace(/#\{([^.}]+)\.([^}]+)\}/g, (whole, space: string, name: string) =>
      space === namespace ? outputOf(name) ?? whole : whole);
    const variables = JSON.parse(text) as { name: string; value: string }[];
    return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  }

  test('the CDK pipeline verifies after the stage is deployed', () => {
    expect(actions.map(({ Name }) => Name)).toEqual(['Mail.Prepare', 'Mail.Deploy', 'Verify']);
  });

  test('the CDK pipeline verifies the outputs of the stage, with a report group of test results', async () => {
    const valueOf = (name: string): unknown => outputs[name]?.Value;
    const late = valueOf('MtaStsPolicyId');
    expect(late).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^MtaStsPublication/), 'PolicyId'] });
    const env = environment((name) => valueOf(name) === late ? id : String(valueOf(name)));
    expect(Object.keys(env)).toEqual(['MTA_STS_DOMAIN', 'MTA_STS_ID']);
    const { commands } = spec.phases.build;
    expect(commands).toHaveLength(1);
    const { status, asked } = await verification(commands.join(), env);
    expect({ status, asked }).toEqual({ status: 0, asked: [{ domain: 'example.com', expectId: id, smtp: true }] });
    expect(spec.reports).toEqual(REPORTS);
    expect(readFileSync('mta-sts.xml', 'utf8')).toMatch(/<testsuite name="example\.com"/);
  });

  test('the CDK pipeline cannot pass the whole output, whose quotes would end the JSON', () => {
    const begin = '{"mtaSts":{"domain":"example.com",';
    expect(JSON.stringify(outputs)).toContain(JSON.stringify(begin).slice(1, -1));
    expect(() => environment(() => `${begin}}}`)).toThrow(SyntaxError);
  });

  test('the CDK pipeline uses a Node.js version that the command supports, and no scripts of packages', () => {
    expect(spec.phases.install).toEqual({ 'runtime-versions': { nodejs: 22 }, 'commands': ['npm ci --ignore-scripts'] });
  });

  test('the verification step of the CDK pipeline may only write logs and reports and read artifacts', () => {
    const [role] = project.Properties.ServiceRole['Fn::GetAtt'];
    const policies = Object.values(template.findResources('AWS::IAM::Policy', { Properties: { Roles: Match.arrayWith([{ Ref: role }]) } })) as
      { Properties: { PolicyDocument: { Statement: { Action: string | string[] }[] } } }[];
    const allowed = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action));
    expect(allowed.length).toBeGreaterThan(5);
    expect(allowed.filter((action) => !/^(logs:|codebuild:.*Report|codebuild:BatchPut|s3:(Get|List)|kms:D)/.test(action))).toEqual([]);
  });
});

describe('every line that verifies', () => {
  const spec = (name: string): readonly string[] => (yamlExample(name) as BuildSpec).phases.build.commands;
  const lines = [...new Set(['github-actions.yml', 'gitlab-ci.yml', 'cdk-pipelines.ts'].flatMap((name) =>
    [...readFileSync(join(ROOT, 'examples', name), 'utf8').matchAll(/npx cdk-mta-sts verify [^\n']+/g)].map(([line]) => line)).concat(spec('buildspec.yml')))];

  test('this test knows every line of the examples that verifies', () => {
    expect(lines).toHaveLength(6);
  });

  test.each(lines)('a job fails when its verification fails: %s', (line) => {
    expect(shellLine(line, { CODEBUILD_SRC_DIR_Deployed: '.', MTA_STS_DOMAIN: 'example.com', MTA_STS_ID: 'x' }, 7).status).toBe(7);
  });
});

describe('a sub-zone that another account delegates', () => {
  let app: App;

  beforeAll(() => {
    app = exampleApp('delegated-sub-zone.ts');
  });

  test('the sub-zone is created in the account of the mail, before MtaSts and after the role that may delegate it', () => {
    const stacks = app.synth().stacks.map(({ stackName, environment: { account } }) => [stackName, account]);
    expect(stacks).toEqual([['ParentZone', '111111111111'], ['MailZone', '222222222222'], ['Mail', '222222222222']]);
  });

  test('the role that delegates the sub-zone may write only the NS record of its name', () => {
    templateOf(app, 'ParentZone').hasResourceProperties('AWS::IAM::Role', {
      RoleName: 'delegates-mail',
      AssumeRolePolicyDocument: Match.objectLike({ Statement: [Match.objectLike({
        Action: 'sts:AssumeRole', Principal: { AWS: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('::222222222222:root')])] } },
      })] }),
    });
    templateOf(app, 'ParentZone').hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: Match.objectLike({ Statement: Match.arrayWith([Match.objectLike({
      Action: 'route53:ChangeResourceRecordSets',
      Condition: Match.objectLike({ 'ForAllValues:StringEquals': Match.objectLike({
        'route53:ChangeResourceRecordSetsRecordTypes': ['NS'],
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['mail.example.com'],
      }) }),
    })]) }) });
  });

  test('the parent zone delegates the sub-zone to its name servers', () => {
    templateOf(app, 'MailZone').hasResourceProperties('Custom::CrossAccountZoneDelegation', {
      AssumeRoleArn: 'arn:aws:iam::111111111111:role/delegates-mail',
      ParentZoneId: 'Z0123456789ABCDEFGHIJ',
      DelegatedZoneName: 'mail.example.com',
      DelegatedZoneNameServers: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Zone'), 'NameServers'] },
    });
  });

  test('the sub-zone contains the records of MtaSts, whose only warning is about testing', () => {
    templateOf(app, 'Mail').hasResourceProperties('AWS::Route53::RecordSet', {
      Name: '_mta-sts.mail.example.com.', HostedZoneId: { 'Fn::ImportValue': Match.stringLikeRegexp('^MailZone:') },
    });
    // CDK adds its own warning about references between stacks.
    const warnings = app.synth().getStackByName('Mail').messages.filter(({ id: path }) => path.startsWith('/Mail/'));
    expect(warnings.map(({ entry }) => entry.data)).toEqual([expect.stringMatching(/^mail\.example\.com is in `testing`/)]);
  });
});

interface Resource { readonly Type: string; readonly DependsOn?: readonly string[]; readonly Properties: Readonly<Record<string, unknown>> }

/** Returns the logical ids of the resources that are created before a resource, by dependencies and references. */
function before(template: Template, logicalId: string): ReadonlySet<string> {
  const { Resources } = template.toJSON() as { Resources: Readonly<Record<string, Resource>> };
  const found = new Set<string>();
  const visit = (id: string): void => {
    const text = JSON.stringify([Resources[id]?.DependsOn, Resources[id]?.Properties]);
    for (const other of Object.keys(Resources)) {
      if (other !== id && !found.has(other) && text.includes(`"${other}"`)) {
        found.add(other);
        visit(other);
      }
    }
  };
  visit(logicalId);
  return found;
}

/** Returns the logical id of the only resource with these properties. */
function logicalId(template: Template, type: string, properties: object): string {
  const ids = Object.keys(template.findResources(type, { Properties: properties }));
  expect(ids).toHaveLength(1);
  return ids.join();
}

describe('records in another account', () => {
  let app: App;

  beforeAll(() => {
    app = exampleApp('records-in-another-account.ts');
  });

  test('records in another account are created after host and file', () => {
    const stacks = app.synth().stacks.map(({ stackName, environment: { account } }) => [stackName, account]);
    expect(stacks).toEqual([['Mail', '222222222222'], ['Dns', '111111111111']]);
  });

  test('the account of the mail has no records and a given certificate', () => {
    templateOf(app, 'Mail').resourceCountIs('AWS::Route53::RecordSet', 0);
    templateOf(app, 'Mail').resourceCountIs('AWS::CertificateManager::Certificate', 0);
    templateOf(app, 'Mail').hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike({
      Aliases: ['mta-sts.example.com'],
      ViewerCertificate: Match.objectLike({ AcmCertificateArn: Match.stringLikeRegexp('^arn:aws:acm:us-east-1:222222222222:') }),
    }) });
  });

  test('records in another account read only the host and the id from the account of the mail, by a role', () => {
    const dns = templateOf(app, 'Dns');
    dns.resourceCountIs('AWS::Route53::RecordSet', 3);
    dns.hasResourceProperties('AWS::Route53::RecordSet', { Name: '_mta-sts.example.com.', Type: 'TXT', ResourceRecords: [
      { 'Fn::Join': ['', ['"v=STSv1; id=', { 'Fn::GetStackOutput': Match.objectLike({ StackName: 'Mail', RoleArn: Match.anyValue() }) }, ';"']] },
    ] });
    dns.hasResourceProperties('AWS::Route53::RecordSet', { Name: '_smtp._tls.example.com.', Type: 'TXT' });
    const output = new Capture();
    dns.hasResourceProperties('AWS::Route53::RecordSet', {
      Name: 'mta-sts.example.com.', Type: 'CNAME',
      ResourceRecords: [{ 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: output, RoleArn: Match.anyValue(), Region: 'us-east-1' } }],
    });
    expect(templateOf(app, 'Mail').findOutputs(output.asString())[output.asString()]?.Value).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^PolicyHostDistribution/), 'DomainName'] });
    templateOf(app, 'Mail').hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: Match.objectLike({
      Statement: [Match.objectLike({ Action: 'cloudformation:DescribeStacks' })],
    }) });
  });

  test('the `_mta-sts` record in another account is created after the record of the policy host', () => {
    const dns = templateOf(app, 'Dns');
    const record = (Name: string): string => logicalId(dns, 'AWS::Route53::RecordSet', { Name });
    expect([...before(dns, record('_mta-sts.example.com.'))]).toContain(record('mta-sts.example.com.'));
  });
});

describe('serving customers', () => {
  let template: Template;
  let messages: readonly unknown[];

  beforeAll(() => {
    const app = exampleApp('serving-others.ts');
    template = templateOf(app, 'Policies');
    messages = app.synth().getStackByName('Policies').messages.map(({ entry }) => entry.data);
  });

  test('a provider serves all customers by one host with one certificate', () => {
    const names = ['customer-one.example', 'customer-two.example', 'provider.example'].map((domain) => `mta-sts.${domain}`);
    template.resourceCountIs('AWS::CloudFront::Distribution', 1);
    template.hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike({ Aliases: names }) });
    template.hasResourceProperties('AWS::CertificateManager::Certificate', { DomainName: names[0], SubjectAlternativeNames: names.slice(1) });
  });

  test('a provider has one `_mta-sts` record for all customers, with the id of its own publication', () => {
    const publication = logicalId(template, 'Custom::MtaStsPublication', { DomainName: 'provider.example' });
    template.resourcePropertiesCountIs('AWS::Route53::RecordSet', { Name: Match.stringLikeRegexp('^_mta-sts\\.') }, 1);
    template.hasResourceProperties('AWS::Route53::RecordSet', { Name: '_mta-sts.provider.example.', ResourceRecords: [
      { 'Fn::Join': ['', ['"v=STSv1; id=', { 'Fn::GetAtt': [publication, 'PolicyId'] }, ';"']] },
    ] });
    template.resourceCountIs('Custom::MtaStsPublication', 3);
    const texts = Object.values(template.findResources('Custom::MtaStsPublication')).map((one) => (one as Resource).Properties.Policy);
    const [text] = texts;
    expect(text).toBeDefined();
    expect(texts).toEqual([text, text, text]);
  });

  test('the `_mta-sts` record of a provider is created after the file of every customer is live', () => {
    const stsRecord = logicalId(template, 'AWS::Route53::RecordSet', { Name: '_mta-sts.provider.example.' });
    const publications = Object.keys(template.findResources('Custom::MtaStsPublication'));
    expect([...before(template, stsRecord)]).toEqual(expect.arrayContaining(publications));
  });

  test('the example of a provider has no warnings', () => {
    expect(messages).toEqual([]);
  });

  test('the records of a customer point to the provider, as the example says', () => {
    const stack = new Stack(exampleApp('serving-others.ts'), 'Customer', { env: ENV });
    const customer = new DelegatedMtaSts(stack, 'MtaSts', { hostedZone: importedZone(stack, 'customer-one.example'), provider: 'provider.example' });
    const comment = readFileSync(join(ROOT, 'examples', 'serving-others.ts'), 'utf8');
    expect(customer.records).toHaveLength(2);
    for (const { name, type, value } of customer.records) expect(comment).toMatch(new RegExp(`^// +${name}\\. +${type} +${value}\\.`, 'm'));
  });
});
