// A Lambda function of this package: its bundle, its own role with rights that name each resource, and its log group.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Duration } from 'aws-cdk-lib';
import { RemovalPolicy, aws_iam as iam, aws_lambda as lambda, aws_logs as logs } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Folder that contains a folder for each function. tools/bundles.mjs lists the bundles. */
const FUNCTIONS = path.join(__dirname, '..', 'functions');

/** Properties of a `BundledFunction`. */
export interface BundledFunctionProps {
  /** Folder below lib/functions, for example `deployment`. */
  readonly bundle: string;
  /** Description of the function in the Lambda console. */
  readonly description: string;
  /** Purpose of the role, as the second part of its description. */
  readonly purpose: string;
  readonly timeout: Duration;
  /** Memory in MiB. */
  readonly memorySize: number;
  /** Rights of the role, beside writing to the log group. */
  readonly rights: iam.PolicyStatement[];
}

/**
 * Creates the log group, the role and the function as children of a scope, with the ids `Log`, `Role` and `Function`.
 *
 * This class is no construct, because another level in the tree would change the ids in the template.
 */
export class BundledFunction {
  public readonly logGroup: logs.LogGroup;

  public readonly role: iam.Role;

  public readonly lambdaFunction: lambda.Function;

  /** Rights of the role. More statements can be added until synthesis. */
  public readonly rights: iam.PolicyDocument;

  private readonly writeLog: iam.PolicyStatement;

  /** @throws Error if the bundle is missing */
  constructor(private readonly scope: Construct, props: BundledFunctionProps) {
    const bundle = path.join(FUNCTIONS, props.bundle, 'bundle');
    if (!fs.existsSync(path.join(bundle, 'index.js'))) {
      throw new Error(`the Lambda bundle '${props.bundle}' of cdk-mta-sts is missing. In a clone of the repository, run \`npm run build\``);
    }
    // Keep the log group when the stack is removed: it is most useful after a deployment that was rolled back.
    this.logGroup = new logs.LogGroup(scope, 'Log', {
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.writeLog = new iam.PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
    this.rights = new iam.PolicyDocument({ minimize: true, statements: [...props.rights, this.writeLog] });
    this.role = this.newRole('Role', props.purpose, this.rights);
    this.lambdaFunction = new lambda.Function(scope, 'Function', {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(bundle),
      memorySize: props.memorySize,
      timeout: props.timeout,
      role: this.role.withoutPolicyUpdates(),
      logGroup: this.logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
    });
  }

  /** Creates a role for another function that writes to the same log group. */
  public roleForLog(id: string, purpose: string, statement: iam.PolicyStatement): iam.Role {
    return this.newRole(id, purpose, new iam.PolicyDocument({ minimize: true, statements: [statement, this.writeLog] }));
  }

  private newRole(id: string, purpose: string, rights: iam.PolicyDocument): iam.Role {
    return new iam.Role(this.scope, id, {
      description: `cdk-mta-sts: ${purpose}`,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { Work: rights },
    });
  }
}
