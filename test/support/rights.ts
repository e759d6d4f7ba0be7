// Every right that a template gives, with its reason. `npm run docs` writes the table of docs/reference/security.md from it.
import type * as cdk from 'aws-cdk-lib';
import type * as cdkMtaSts from '../../lib';
import { at, itemsOf, membersOf, textOf } from '../../lib/preview/json';

/** What one statement allows or denies. */
export interface Right {
  readonly who: string;
  /** Begins with `not` if it is denied. */
  readonly action: string;
  readonly resource: string;
  /** Empty if the statement has no condition. */
  readonly condition: string;
}

export interface ExplainedRight extends Right {
  readonly reason: string;
}

const FUNCTION = 'the function';
const FRAMEWORK = 'the provider framework';
const CLOUDFRONT = 'CloudFront';
const POLICY_FILES = '`*/.well-known/mta-sts.txt` in the bucket';
const HISTORIES = '`ledger/*` in the bucket';

/** Every right, in the order of the table. */
export const RIGHTS: readonly ExplainedRight[] = [
  {
    who: FUNCTION, action: 's3:PutObject', resource: '`mta-sts.<domain>/.well-known/mta-sts.txt` in the bucket', condition: '',
    reason: 'publishes the policy of each domain of the host',
  },
  {
    who: FUNCTION, action: 's3:DeleteObject', resource: POLICY_FILES, condition: '',
    reason: 'deletes the policy of a removed domain, which the template no longer names',
  },
  { who: FUNCTION, action: 's3:GetObject', resource: HISTORIES, condition: '', reason: 'reads the publication history' },
  { who: FUNCTION, action: 's3:PutObject', resource: HISTORIES, condition: '', reason: 'writes the publication history' },
  { who: FUNCTION, action: 's3:DeleteObject', resource: HISTORIES, condition: '', reason: 'deletes the publication history of a removed domain' },
  {
    who: FUNCTION, action: 's3:ListBucket', resource: 'the bucket', condition: '`s3:prefix` is `ledger/*`',
    reason: 'finds out whether a history exists: without this right, S3 denies access to a missing object',
  },
  {
    who: FUNCTION, action: 's3:DeleteObjectVersion', resource: POLICY_FILES, condition: '',
    reason: 'empties a bucket with versioning, so that S3 can delete it',
  },
  { who: FUNCTION, action: 's3:DeleteObjectVersion', resource: HISTORIES, condition: '', reason: 'empties a bucket with versioning, so that S3 can delete it' },
  {
    who: FUNCTION, action: 's3:ListBucketVersions', resource: 'the bucket', condition: '`s3:prefix` is `*/.well-known/mta-sts.txt` or `ledger/*`',
    reason: 'finds these versions',
  },
  {
    who: FUNCTION, action: 'route53:GetHostedZone', resource: 'the hosted zone of each domain', condition: '',
    reason: 'finds the name servers of the zone, to query them',
  },
  {
    who: FUNCTION, action: 'route53:ListResourceRecordSets', resource: 'the hosted zone of each domain', condition: '',
    reason: 'finds existing records before anything is deployed, and the current id',
  },
  {
    who: FUNCTION, action: 'cloudformation:DescribeStackEvents', resource: 'the stack itself', condition: '',
    reason: 'recognizes a late event by its properties',
  },
  {
    who: FUNCTION, action: 'cloudformation:DescribeStackResources', resource: 'the stack itself', condition: '',
    reason: 'recognizes records of this stack, and a late event',
  },
  {
    who: FUNCTION, action: 'cloudformation:DescribeStacks', resource: 'the stack itself', condition: '',
    reason: 'finds out whether the stack is rolling back',
  },
  {
    who: FUNCTION, action: 'acm:DescribeCertificate', resource: 'the certificate', condition: '',
    reason: 'reads the validation record; only for a domain with external DNS',
  },
  { who: FUNCTION, action: 'logs:CreateLogStream', resource: 'its log group', condition: '', reason: 'writes its log' },
  { who: FUNCTION, action: 'logs:PutLogEvents', resource: 'its log group', condition: '', reason: 'writes its log' },
  { who: FRAMEWORK, action: 'lambda:InvokeFunction', resource: 'the function', condition: '', reason: 'passes on the events of CloudFormation' },
  { who: FRAMEWORK, action: 'lambda:GetFunction', resource: 'the function', condition: '', reason: 'waits until a new version of it is ready' },
  { who: FRAMEWORK, action: 'logs:CreateLogStream', resource: 'its log group', condition: '', reason: 'writes its log' },
  { who: FRAMEWORK, action: 'logs:PutLogEvents', resource: 'its log group', condition: '', reason: 'writes its log' },
  {
    who: CLOUDFRONT, action: 's3:GetObject', resource: POLICY_FILES, condition: '`AWS:SourceArn` is the distribution',
    reason: 'serves the policies; it cannot read the publication histories',
  },
  {
    who: 'everybody', action: 'not s3:*', resource: 'the bucket and all in it', condition: '`aws:SecureTransport` is `false`',
    reason: 'refuses plain HTTP',
  },
  { who: 'AWS Lambda', action: 'sts:AssumeRole', resource: 'the role of the function', condition: '', reason: 'runs it' },
  { who: 'AWS Lambda', action: 'sts:AssumeRole', resource: 'the role of the provider framework', condition: '', reason: 'runs it' },
];

/** Returns the templates that together give every right: a domain in Route 53, and one with external DNS. */
export function templatesWithRights(
  { App, Stack, aws_route53: route53 }: Pick<typeof cdk, 'App' | 'Stack' | 'aws_route53'>,
  { MtaSts, MtaStsPolicy, TlsReporting }: Pick<typeof cdkMtaSts, 'MtaSts' | 'MtaStsPolicy' | 'TlsReporting'>,
): readonly unknown[] {
  const app = new App();
  const env = { account: '123456789012', region: 'us-east-1' };
  const [inRoute53, external] = [new Stack(app, 'Route53', { env }), new Stack(app, 'ExternalDns', { env })];
  const hostedZone = route53.HostedZone.fromHostedZoneAttributes(inRoute53, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'example.com' });
  const policy = MtaStsPolicy.none();
  const tlsReporting = TlsReporting.to('mailto:tls-reports@example.com');
  new MtaSts(inRoute53, 'MtaSts', { hostedZone, policy, tlsReporting });
  new MtaSts(external, 'MtaSts', { domainName: 'example.com', policy, tlsReporting });
  return app.synth().stacks.map((stack): unknown => stack.template);
}

/**
 * Returns the rights that the templates give, each right once.
 *
 * @throws Error if a template gives rights in a form that this reader does not know
 */
export function rightsOf(templates: readonly unknown[]): readonly Right[] {
  const rights = templates.flatMap((template) => new Reader(template).rights());
  return [...new Map(rights.map((right) => [keyOf(right), right])).values()];
}

export function keyOf({ who, action, resource, condition }: Right): string {
  return [who, action, resource, condition].join(' | ');
}

/** Returns the table in Markdown. */
export function rightsTable(): string {
  return [
    '| who | may | on | if | reason |',
    '|---|---|---|---|---|',
    ...RIGHTS.map(({ who, action, resource, condition, reason }) => {
      return `| ${who} | ${action.replace(/^(not )?(.*)$/, (_, not = '', name: string) => `${String(not)}\`${name}\``)} | ${resource} | ${condition} | ${reason} |`;
    }),
  ].map((line) => `${line}\n`).join('');
}

class Reader {
  public constructor(private readonly template: unknown) {}

  public rights(): readonly Right[] {
    return membersOf(at(this.template, 'Resources')).flatMap(([id, resource]) => {
      const [type = '', properties] = [textOf(at(resource, 'Type')), at(resource, 'Properties')];
      switch (type) {
        case 'AWS::IAM::Role':
          if (at(properties, 'ManagedPolicyArns') !== undefined) throw new Error(`${id} has managed policies, and a template does not say their rights`);
          return [
            ...this.statements(at(properties, 'AssumeRolePolicyDocument'), { on: `the role of ${roleName(id)}` }),
            ...itemsOf(at(properties, 'Policies')).flatMap((policy) => this.statements(at(policy, 'PolicyDocument'), { by: roleName(id) })),
          ];
        case 'AWS::IAM::Policy':
          return itemsOf(at(properties, 'Roles'))
            .flatMap((role) => this.statements(at(properties, 'PolicyDocument'), { by: roleName(textOf(at(role, 'Ref')) ?? '') }));
        case 'AWS::S3::BucketPolicy':
          return this.statements(at(properties, 'PolicyDocument'), {});
        default:
          if (/^AWS::IAM::|Polic(?:y|ies)$|Permission/.test(type)) throw new Error(`${id} is a ${type}, which may give rights, and this reader does not know it`);
          return [];
      }
    });
  }

  private statements(document: unknown, { by, on }: { readonly by?: string; readonly on?: string }): readonly Right[] {
    return itemsOf(at(document, 'Statement')).flatMap((statement) => {
      const known = ['Effect', 'Action', 'Resource', 'Condition', 'Principal', 'Sid'];
      const other = membersOf(statement).find(([name]) => !known.includes(name));
      if (other !== undefined) throw new Error(`a statement has ${other[0]}, which this reader does not know`);
      const who = by ?? this.principal(at(statement, 'Principal'));
      const not = at(statement, 'Effect') === 'Allow' ? '' : 'not ';
      const resources = on === undefined ? whole(listOf(at(statement, 'Resource')).map((one) => this.resource(one))) : [on];
      const condition = this.condition(at(statement, 'Condition'));
      return listOf(at(statement, 'Action')).flatMap((action) => resources.map((resource) => {
        return { who, action: `${not}${textOf(action) ?? ''}`, resource, condition };
      }));
    });
  }

  private principal(principal: unknown): string {
    const service = textOf(at(principal, 'Service'));
    const role = textOf(itemsOf(at(principal, 'AWS', 'Fn::GetAtt')).at(0));
    if (at(principal, 'AWS') === '*') return 'everybody';
    if (role !== undefined) return roleName(role);
    const name = { 'cloudfront.amazonaws.com': CLOUDFRONT, 'lambda.amazonaws.com': 'AWS Lambda' }[service ?? ''];
    if (name === undefined) throw new Error(`the principal ${JSON.stringify(principal)} is not known`);
    return name;
  }

  private resource(value: unknown): string {
    const text = this.text(value)
      .replace(/^arn:<partition>:route53:::hostedzone\/Z0123456789ABCDEFGHIJ$/, 'the hosted zone of each domain')
      .replace('mta-sts.example.com', 'mta-sts.<domain>');
    return text.replace(/^the bucket\/(.+)$/, (_, key: string) => `\`${key}\` in the bucket`);
  }

  private condition(condition: unknown): string {
    return membersOf(condition).flatMap(([operator, keys]) => membersOf(keys).map(([key, values]) => {
      if (!['Bool', 'StringEquals', 'StringLike'].includes(operator)) throw new Error(`the operator ${operator} is not known`);
      const words = listOf(values).map((value) => {
        const text = this.text(value);
        return text.endsWith(':distribution/the distribution') ? 'the distribution' : `\`${text}\``;
      });
      return `\`${key}\` is ${words.join(' or ')}`;
    })).join(' and ');
  }

  /** Returns the text of a value, with words in place of resources. */
  private text(value: unknown): string {
    const literal = textOf(value);
    if (literal !== undefined) return literal;
    const join = itemsOf(itemsOf(at(value, 'Fn::Join')).at(1));
    if (join.length > 0) return join.map((part) => this.text(part)).join('');
    const reference = textOf(at(value, 'Ref')) ?? textOf(itemsOf(at(value, 'Fn::GetAtt')).at(0)) ?? '';
    const pseudo = { 'AWS::StackId': 'the stack itself', 'AWS::Partition': '<partition>', 'AWS::AccountId': '<account>' }[reference];
    const made = {
      'AWS::S3::Bucket': 'the bucket',
      'AWS::Logs::LogGroup': 'its log group',
      'AWS::Lambda::Function': 'the function',
      'AWS::CertificateManager::Certificate': 'the certificate',
      'AWS::CloudFront::Distribution': 'the distribution',
    }[textOf(at(this.template, 'Resources', reference, 'Type')) ?? ''];
    const text = pseudo ?? made;
    if (text === undefined) throw new Error(`the resource ${JSON.stringify(value)} is not known`);
    return text;
  }
}

function roleName(id: string): string {
  const name = [[/^CdkMtaStsHandlerRole\w{8}$/, FUNCTION], [/^CdkMtaStsHandlerProviderRole\w{8}$/, FRAMEWORK]] as const;
  const found = name.find(([pattern]) => pattern.test(id));
  if (found === undefined) throw new Error(`the role ${id} is not known`);
  return found[1];
}

/** Joins the bucket and its objects into one resource. */
function whole(resources: readonly string[]): readonly string[] {
  return resources.length === 2 && resources.join() === 'the bucket,`*` in the bucket' ? ['the bucket and all in it'] : resources;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? itemsOf(value) : [value];
}
