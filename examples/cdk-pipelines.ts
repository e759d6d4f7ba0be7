// CDK Pipelines: a stage is deployed, and a step after it verifies as senders do, with what the deployment says that it published.
import { App, CfnOutput, Stack, Stage, aws_codebuild as codebuild, aws_route53 as route53, pipelines } from 'aws-cdk-lib';
import type { StageProps } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from 'cdk-mta-sts';
import type { Construct } from 'constructs';

class Mail extends Stage {
  readonly domain: CfnOutput;
  readonly policyId: CfnOutput;

  constructor(scope: Construct, id: string, props: StageProps) {
    super(scope, id, props);
    const stack = new Stack(this, 'Mail');
    const mtaSts = new MtaSts(stack, 'MtaSts', {
      hostedZone: route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'example.com' }),
      policy: MtaStsPolicy.testing({ mx: MxHosts.googleWorkspace() }),
      tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
    });
    // Two plain texts, and not `mtaSts.output`: CodePipeline writes an output unescaped into the JSON of a step's variables, which the
    // quotes of that JSON would break. The deployment makes the id, which ends with the hash of the policy: it tells the bytes as well.
    this.domain = new CfnOutput(stack, 'MtaStsDomain', { value: mtaSts.domainName });
    this.policyId = new CfnOutput(stack, 'MtaStsPolicyId', { value: mtaSts.policyId });
  }
}

const app = new App();
const env = { account: '123456789012', region: 'us-east-1' };
const stack = new Stack(app, 'Pipeline', { env });

const source = pipelines.CodePipelineSource.connection('example/mail', 'main', {
  connectionArn: 'arn:aws:codestar-connections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef',
});
const pipeline = new pipelines.CodePipeline(stack, 'Pipeline', {
  synth: new pipelines.ShellStep('Synth', { input: source, commands: ['npm ci', 'npx cdk synth'] }),
  codeBuildDefaults: {
    partialBuildSpec: codebuild.BuildSpec.fromObject({ phases: { install: { 'runtime-versions': { nodejs: 22 } } } }),
  },
});

const mail = new Mail(app, 'Production', { env });
pipeline.addStage(mail, {
  post: [
    // Its role may write logs and reports and read its artifacts; the command uses none of it.
    new pipelines.CodeBuildStep('Verify', {
      input: source,
      envFromCfnOutputs: { MTA_STS_DOMAIN: mail.domain, MTA_STS_ID: mail.policyId },
      installCommands: ['npm ci --ignore-scripts'],
      commands: ['npx cdk-mta-sts verify "$MTA_STS_DOMAIN" --expect-id "$MTA_STS_ID" --wait 10m --format junit --output mta-sts.xml'],
      partialBuildSpec: codebuild.BuildSpec.fromObject({
        reports: { 'mta-sts': { 'files': ['mta-sts.xml'], 'file-format': 'JUNITXML' } },
      }),
    }),
  ],
});
