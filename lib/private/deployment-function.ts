// The Lambda function behind the three custom resources, one per stack, with rights that name each resource.
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  Aws, CustomResource, Duration, RemovalPolicy, Stack,
  aws_iam as iam, aws_lambda as lambda, aws_logs as logs, custom_resources as cr,
} from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { MtaStsPolicy } from '../mta-sts-policy';
import { policyLines } from '../contract/custom-resources';
import { shownStack } from './us-east-1-stack';

const ID = 'CdkMtaStsHandler';
const BUNDLE = path.join(__dirname, '..', 'functions', 'deployment', 'bundle');

/** The provider framework's own limit is 15 minutes; the function ends before it, and CloudFormation waits for both. */
const FUNCTION_TIMEOUT = Duration.minutes(14);
const SERVICE_TIMEOUT = Duration.minutes(15);

/** What every custom resource of ours is about. */
export interface DomainProps {
  readonly domainName: string;
  /** The zone that holds its records; none where DNS is elsewhere. */
  readonly hostedZone?: route53.IHostedZone;
  readonly policy: MtaStsPolicy;
}

/** What the function is told of a domain. */
export function domainProperties({ domainName, hostedZone, policy }: Partial<DomainProps>): Record<string, unknown> {
  return { DomainName: domainName, HostedZoneId: hostedZone?.hostedZoneId, Policy: policy && policyLines(policy.text) };
}

/**
 * The function, its role and its log, and the provider framework that answers CloudFormation whatever breaks.
 *
 * Nothing here depends on Preflight, and the roles take no later grants: that would be a circle, since Preflight needs them.
 */
export class DeploymentHandler extends Construct {
  /** The one of the stack that the scope is in. */
  public static of(scope: Construct): DeploymentHandler {
    const stack = Stack.of(scope);
    const existing = stack.node.tryFindChild(ID);
    if (existing !== undefined && !(existing instanceof DeploymentHandler)) {
      throw new Error(`the stack '${shownStack(stack)}' has a construct '${ID}' of another copy of cdk-mta-sts; keep one copy (\`npm ls cdk-mta-sts\`)`);
    }
    return existing ?? new DeploymentHandler(stack, ID);
  }

  /** Whom the bucket's policy grants the objects to. */
  public readonly principal: iam.IPrincipal;

  /** What the function runs as. Rights that name later resources go into a policy of their own: this one's would be a circle. */
  public readonly role: iam.IRole;

  private readonly serviceToken: string;
  private readonly rights = new iam.PolicyDocument({ minimize: true });
  private readonly readableZones = new Set<string>();

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    if (!fs.existsSync(path.join(BUNDLE, 'index.js'))) {
      throw new Error('the Lambda bundle of cdk-mta-sts is missing: in a clone of the repository run `npm run build`');
    }
    // Kept when the stack goes: the log of a deployment that failed and was rolled back is when it is needed.
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const writeLog = new iam.PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    });
    const readOwnStack = new iam.PolicyStatement({
      actions: ['cloudformation:DescribeStackEvents', 'cloudformation:DescribeStackResources', 'cloudformation:DescribeStacks'],
      resources: [Aws.STACK_ID],
    });

    this.rights.addStatements(readOwnStack, writeLog);
    const role = this.newRole('Role', 'reads the hosted zones and the own stack', this.rights);
    const fn = new lambda.Function(this, 'Function', {
      description: 'cdk-mta-sts: preflight, publication and verification of MTA-STS policies',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(BUNDLE),
      memorySize: 512,
      timeout: FUNCTION_TIMEOUT,
      role: role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
    });

    const invoke = new iam.PolicyStatement({ actions: ['lambda:GetFunction', 'lambda:InvokeFunction'], resources: [fn.functionArn] });
    const frameworkRole = this.newRole('ProviderRole', 'invokes the function of cdk-mta-sts',
      new iam.PolicyDocument({ minimize: true, statements: [invoke, writeLog] }));
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: fn,
      frameworkOnEventRole: frameworkRole.withoutPolicyUpdates(),
      logGroup,
    });
    // Lambda may deliver an event hours late, and repeats one whose function was killed. Later than this CloudFormation no longer waits
    // for it.
    const framework = provider.node.findChild('framework-onEvent');
    if (!(framework instanceof lambda.Function)) throw new Error('the provider framework of aws-cdk-lib has no function framework-onEvent; use the aws-cdk-lib of the peer range');
    framework.configureAsyncInvoke({ maxEventAge: SERVICE_TIMEOUT, retryAttempts: 2 });

    this.role = role;
    this.principal = new iam.ArnPrincipal(role.roleArn);
    this.serviceToken = provider.serviceToken;
  }

  /**
   * A custom resource that the function handles.
   *
   * @param resourceType - `Custom::MtaStsPreflight` for example
   * @param properties - all of them arrive as strings
   */
  public resource(scope: Construct, id: string, resourceType: string, properties: Record<string, unknown>): CustomResource {
    return new CustomResource(scope, id, { resourceType, serviceToken: this.serviceToken, serviceTimeout: SERVICE_TIMEOUT, properties });
  }

  /** Lets the function read the records of a zone. */
  public allowReading(hostedZone: route53.IHostedZone): void {
    // The API's own form of an id has this in front.
    const arn = `arn:${Aws.PARTITION}:route53:::hostedzone/${hostedZone.hostedZoneId.replace(/^\/?hostedzone\//, '')}`;
    if (!this.readableZones.has(arn)) {
      this.readableZones.add(arn);
      this.rights.addStatements(new iam.PolicyStatement({
        actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'],
        resources: [arn],
      }));
    }
  }

  private newRole(id: string, purpose: string, rights: iam.PolicyDocument): iam.Role {
    return new iam.Role(this, id, {
      description: `cdk-mta-sts: ${purpose}`,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { Work: rights },
    });
  }
}
