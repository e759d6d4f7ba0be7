// The Lambda function behind the three custom resources: one for each stack.
import { Aws, CustomResource, Duration, Stack, aws_iam as iam, aws_lambda as lambda, custom_resources as cr } from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { BundledFunction } from './bundled-function';
import { shownStack } from './us-east-1-stack';

const ID = 'CdkMtaStsHandler';

/** The provider framework allows 15 minutes. The function ends earlier, and CloudFormation waits for both. */
const FUNCTION_TIMEOUT = Duration.minutes(14);
const SERVICE_TIMEOUT = Duration.minutes(15);

/**
 * The function, its role and log group, and the provider framework, which answers CloudFormation even if the function fails.
 *
 * Nothing here may depend on Preflight, and the roles take no later grants. Preflight needs the roles, so both would be a circle.
 */
export class DeploymentFunction extends Construct {
  /** Returns the function of the stack that contains the scope. Creates it on the first call. */
  public static of(scope: Construct): DeploymentFunction {
    const stack = Stack.of(scope);
    const existing = stack.node.tryFindChild(ID);
    if (existing !== undefined && !(existing instanceof DeploymentFunction)) {
      throw new Error(`the stack '${shownStack(stack)}' has a construct '${ID}' of another copy of cdk-mta-sts. Keep one copy (\`npm ls cdk-mta-sts\`)`);
    }
    return existing ?? new DeploymentFunction(stack, ID);
  }

  /** Principal to which the bucket policy grants access to the objects. */
  public readonly principal: iam.IPrincipal;

  /** Role of the function. Rights for later resources need a policy of their own: in this role they would be a circle. */
  public readonly role: iam.IRole;

  private readonly serviceToken: string;
  private readonly bundled: BundledFunction;
  private readonly readableZones = new Set<string>();

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bundled = new BundledFunction(this, {
      bundle: 'deployment',
      description: 'cdk-mta-sts: preflight, publication and verification of MTA-STS policies',
      purpose: 'reads the hosted zones and the own stack',
      timeout: FUNCTION_TIMEOUT,
      memorySize: 512,
      rights: [new iam.PolicyStatement({
        actions: ['cloudformation:DescribeStackEvents', 'cloudformation:DescribeStackResources', 'cloudformation:DescribeStacks'],
        resources: [Aws.STACK_ID],
      })],
    });
    const { lambdaFunction, logGroup, role } = this.bundled;
    const frameworkRole = this.bundled.roleForLog('ProviderRole', 'invokes the function of cdk-mta-sts', new iam.PolicyStatement({
      actions: ['lambda:GetFunction', 'lambda:InvokeFunction'], resources: [lambdaFunction.functionArn],
    }));
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: lambdaFunction,
      frameworkOnEventRole: frameworkRole.withoutPolicyUpdates(),
      logGroup,
    });
    // Lambda can deliver an event hours late, and repeats an event if the function was killed. After 15 minutes, CloudFormation no longer
    // waits for it.
    const framework = provider.node.findChild('framework-onEvent');
    if (!(framework instanceof lambda.Function)) throw new Error('the provider framework of aws-cdk-lib has no function framework-onEvent. Use an aws-cdk-lib of the peer range');
    framework.configureAsyncInvoke({ maxEventAge: SERVICE_TIMEOUT, retryAttempts: 2 });

    this.role = role;
    this.principal = new iam.ArnPrincipal(role.roleArn);
    this.serviceToken = provider.serviceToken;
  }

  /**
   * Creates a custom resource that the function handles.
   *
   * @param resourceType - for example `Custom::MtaStsPreflight`
   * @param properties - CloudFormation passes all values as strings
   */
  public resource(scope: Construct, id: string, resourceType: string, properties: object): CustomResource {
    return new CustomResource(scope, id, {
      resourceType, serviceToken: this.serviceToken, serviceTimeout: SERVICE_TIMEOUT, properties: { ...properties },
    });
  }

  /** Allows the function to read the records of a zone. */
  public allowReading(hostedZone: route53.IHostedZone): void {
    // The API returns ids with this prefix.
    const arn = `arn:${Aws.PARTITION}:route53:::hostedzone/${hostedZone.hostedZoneId.replace(/^\/?hostedzone\//, '')}`;
    if (!this.readableZones.has(arn)) {
      this.readableZones.add(arn);
      this.bundled.rights.addStatements(new iam.PolicyStatement({
        actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'],
        resources: [arn],
      }));
    }
  }
}
