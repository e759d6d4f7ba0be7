import { afterEach, describe, expect, test } from '@jest/globals';
import { CfnCondition, CfnMapping, CfnOutput, CfnParameter, Fn, NestedStack, Stack, aws_s3 as s3 } from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';
import { Unresolved } from '../../lib/preview/assembly/intrinsics';
import { readStacks } from '../../lib/preview/assembly/files';
import { resourcesOf } from '../../lib/preview/assembly/stacks';
import type { Resource } from '../../lib/preview/assembly/stacks';
import { ENV } from '../support/stack';
import { handWritten, removeFolders, synthesize } from '../support/assemblies';

afterEach(removeFolders);

function resourcesIn(app: string): readonly Resource[] {
  return resourcesOf(readStacks(app), 0);
}

/** Evaluates a value as the property of a resource in a template. */
function valueOf(value: unknown, template: object = {}): unknown {
  const more = template as { Resources?: object };
  const app = handWritten({ ...template, Resources: { Bucket: { Type: 'AWS::S3::Bucket' }, ...more.Resources, X: { Type: 'Test', Properties: { value } } } });
  const properties = resourcesIn(app).find(({ path }) => path === 'Mail/X')?.properties as { value: unknown };
  return properties.value;
}

describe('cannot know, and says why:', () => {
  const stack = { Resources: { Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://elsewhere.example/x.json' } } } };
  test.each<[string, unknown, RegExp, object?]>([
    ['a function of which it never heard', { 'Fn::Transform': {} }, /uses Fn::Transform, which a preview cannot evaluate/],
    ['a control character in a name', { 'Fn::\u001b[31m': {} }, /uses Fn::\\x1b\[31m/],
    ['a parameter that is not there', { Ref: 'Nothing' }, /refers to Nothing, which the template does not have/],
    ['an inherited name', { Ref: 'constructor' }, /refers to constructor, which the template does not have/],
    ['a parameter without default', { Ref: 'P' }, /needs the parameter P, which has no default/, { Parameters: { P: { Type: 'String' } } }],
    ['a parameter of Parameter Store', { Ref: 'P' }, /reads the parameter P from Parameter Store/, { Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' } } }],
    ['a pseudo parameter that is none', { Ref: 'AWS::Moon' }, /refers to AWS::Moon/],
    ['Ref of what is no name', { Ref: { a: 1, b: 2 } }, /holds no text where a name is expected/],
    ['an attribute of nothing', { 'Fn::GetAtt': ['Nothing', 'Arn'] }, /refers to the resource Nothing/],
    ['an attribute without a name', { 'Fn::GetAtt': 'Bucket' }, /uses Fn::GetAtt in a form/],
    ['an export that nobody makes', { 'Fn::ImportValue': 'x' }, /imports x, which no stack of the assembly exports/],
    ['an output of a stack that is elsewhere', { 'Fn::GetStackOutput': { StackName: 'Other', OutputName: 'x' } }, /asks for an output of the stack Other, which is not in the assembly/],
    ['an output that is not there', { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'x' } }, /asks for the output x, which the stack Mail has not/],
    ['an output without a name', { 'Fn::GetStackOutput': {} }, /uses Fn::GetStackOutput in a form/],
    ['a condition that is not there', { 'Fn::If': ['C', 1, 2] }, /depends on the condition C/],
    ['an if without condition', { 'Fn::If': [1] }, /uses Fn::If in a form/],
    ['a mapping that is not there', { 'Fn::FindInMap': ['a', 'b', 'c'] }, /looks in the mapping a\.b\.c/],
    ['a mapping without keys', { 'Fn::FindInMap': ['a'] }, /uses Fn::FindInMap in a form/],
    ['a join without list', { 'Fn::Join': ['', 'x'] }, /uses Fn::Join in a form/],
    ['a join of lists', { 'Fn::Join': ['', [[]]] }, /uses Fn::Join in a form/],
    ['a join of the unknown', { 'Fn::Join': ['', ['a', { Ref: 'Nothing' }]] }, /refers to Nothing/],
    ['a join of an unknown list', { 'Fn::Join': ['', { Ref: 'Nothing' }] }, /refers to Nothing/],
    ['a sub without text', { 'Fn::Sub': [] }, /uses Fn::Sub in a form/],
    ['a sub of the unknown', { 'Fn::Sub': '${Nothing}' }, /refers to Nothing/],
    ['a selection from the unknown', { 'Fn::Select': [0, { Ref: 'Nothing' }] }, /refers to Nothing/],
    ['a selection from too few', { 'Fn::Select': [3, ['a']] }, /uses Fn::Select in a form/],
    ['a split of the unknown', { 'Fn::Split': ['.', { Ref: 'Nothing' }] }, /refers to Nothing/],
    ['a split by nothing', { 'Fn::Split': ['', 'x'] }, /uses Fn::Split in a form/],
    ['a comparison with the unknown', { 'Fn::If': ['C', 1, 2] }, /refers to Nothing/, { Conditions: { C: { 'Fn::Equals': [{ Ref: 'Nothing' }, ''] } } }],
    ['a comparison to the unknown', { 'Fn::If': ['C', 1, 2] }, /refers to Nothing/, { Conditions: { C: { 'Fn::Equals': ['', { Ref: 'Nothing' }] } } }],
    ['a condition of the unknown', { 'Fn::If': ['C', 1, 2] }, /refers to Nothing/, { Conditions: { C: { 'Fn::And': [true, { Ref: 'Nothing' }] } } }],
    ['an import by an unknown name', { 'Fn::ImportValue': { Ref: 'Nothing' } }, /refers to Nothing/],
    ['an output that is made of itself', { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'O' } }, /refers in circles/, { Outputs: { O: { Value: { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'O' } } } } }],
    ['an output of a nested stack that lies elsewhere', { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Child', 'Outputs.X'] }, { Ref: 'Nothing' }]] }, /refers to Nothing/, stack],
  ])('%s', (_what, value, reason, template = {}) => {
    const evaluated = valueOf(value, template);
    expect(evaluated).toBeInstanceOf(Unresolved);
    expect((evaluated as Unresolved).reason).toMatch(reason);
  });

  test('a text that doubles itself forty times, within a moment', () => {
    const Outputs = Object.fromEntries(Array.from({ length: 40 }, (_, index) => {
      const next = { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: `O${index + 1}` } };
      return [`O${index}`, { Value: index === 39 ? 'laugh' : { 'Fn::Join': ['', [next, next]] } }];
    }));
    const evaluated = valueOf({ 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'O0' } }, { Outputs });
    expect(evaluated).toBeInstanceOf(Unresolved);
  });

  test('the name of a bucket that is called after itself: it gets a stand-in', () => {
    const template = { Resources: { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'B' } } } } };
    expect(valueOf({ Ref: 'B' }, template)).toMatch(/^preview-[0-9a-f]+$/);
  });

  test('a text of megabytes', () => {
    expect(valueOf({ 'Fn::Join': ['', Array.from({ length: 300 }, () => 'x'.repeat(1024))] })).toEqual(new Unresolved('makes a text of more than 256 KiB'));
  });

  test('a list in lists in lists', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 1000; depth += 1) deep = [deep];
    expect(JSON.stringify(valueOf(deep))).toContain('refers in circles, or is too large');
  });

  test('what stands beside it is still known', () => {
    expect(valueOf({ a: { Ref: 'Nothing' }, b: [{ Ref: 'AWS::Region' }, { Ref: 'Nothing' }] })).toEqual({
      a: expect.any(Unresolved), b: ['us-east-1', expect.any(Unresolved)],
    });
  });
});

describe('evaluates', () => {
  test.each<[string, unknown, unknown, object?]>([
    ['plain values', { a: [1, true, null, 'x'], b: {} }, { a: [1, true, null, 'x'], b: {} }],
    ['pseudo parameters', { 'Fn::Sub': '${AWS::Partition} ${AWS::AccountId} ${AWS::Region} ${AWS::URLSuffix} ${AWS::StackName}' }, 'aws 123456789012 us-east-1 amazonaws.com Mail'],
    ['the stack\'s id', { Ref: 'AWS::StackId' }, 'arn:aws:cloudformation:us-east-1:123456789012:stack/Mail/preview'],
    ['what is no value', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
    ['defaults of parameters', [{ Ref: 'P' }, { Ref: 'L' }], ['x', ['a', 'b']], { Parameters: { P: { Type: 'String', Default: 'x' }, L: { Type: 'CommaDelimitedList', Default: 'a, b' } } }],
    ['Join, Split and Select', { 'Fn::Select': ['1', { 'Fn::Split': ['.', { 'Fn::Join': ['.', ['a', 2, true]] }] }] }, '2'],
    ['Sub with variables and literals', { 'Fn::Sub': ['${A}-${!B}-$C-${Bucket.Arn}', { A: { Ref: 'AWS::Region' } }] }, expect.stringMatching(/^us-east-1-\$\{B\}-\$C-preview-[0-9a-f]+\.Arn$/)],
    ['the name servers of a zone', { 'Fn::GetAtt': ['Zone', 'NameServers'] }, ['ns.preview.invalid'], { Resources: { Zone: { Type: 'AWS::Route53::HostedZone' } } }],
    ['GetAtt as a text', { 'Fn::GetAtt': 'Bucket.Arn' }, expect.stringMatching(/\.Arn$/)],
    ['mappings', { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'x'] }, ['y'], { Mappings: { M: { 'us-east-1': { x: ['y'] } } } }],
    ['conditions', ['A', 'B', 'C', 'D'].map((name) => ({ 'Fn::If': [name, 'yes', 'no'] })), ['yes', 'no', 'yes', 'no'], { Conditions: {
      A: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
      B: { 'Fn::Not': [{ Condition: 'A' }] },
      C: { 'Fn::Or': [{ Condition: 'B' }, { Condition: 'A' }] },
      D: { 'Fn::And': [{ Condition: 'B' }, { Condition: 'A' }] },
    } }],
    ['exports', { 'Fn::ImportValue': 'Shared' }, 'us-east-1', { Outputs: { O: { Value: { Ref: 'AWS::Region' }, Export: { Name: 'Shared' } }, P: { Value: '' } } }],
  ])('%s', (_what, value, expected, template = {}) => {
    expect(valueOf(value, template)).toEqual(expected);
  });

  test('a member called __proto__ as any other', () => {
    expect(JSON.stringify(valueOf(JSON.parse('{"__proto__":{"Ref":"AWS::Region"},"a":1}')))).toBe('{"__proto__":"us-east-1","a":1}');
  });

  test('resources under a condition: none where it is false, and one where it cannot be known', () => {
    const resource = (Condition: string): object => ({ Type: 'Test', Condition });
    const app = handWritten({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] }, Unknown: { 'Fn::Equals': [{ Ref: 'Nothing' }, 'b'] } },
      Resources: { A: resource('Never'), B: resource('Unknown') },
    });
    expect(resourcesIn(app).map(({ path }) => path)).toEqual(['Mail/B']);
  });

  test('the partition of China', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: { region: 'cn-north-1' } });
      new s3.CfnBucket(stack, 'Bucket', { bucketName: Fn.sub('${AWS::Partition}-${AWS::URLSuffix}') });
    });
    expect(resourcesIn(app)[0].id).toBe('aws-cn-amazonaws.com.cn');
  });
});

describe('follows real references', () => {
  function bucketName(app: string, path: RegExp): unknown {
    const found = resourcesIn(app).find((resource) => path.test(resource.path));
    return (found?.properties as { BucketName?: unknown }).BucketName;
  }

  function twoBuckets(build: (app: App) => void): string {
    return synthesize(build);
  }

  test('from one stack to another', () => {
    const app = twoBuckets((root) => {
      const one = new s3.Bucket(new Stack(root, 'One', { env: ENV }), 'Bucket');
      new s3.CfnBucket(new Stack(root, 'Two', { env: ENV }), 'Copy', { bucketName: `copy-of-${one.bucketName}` });
    });
    expect(bucketName(app, /Copy/)).toMatch(/^copy-of-preview-[0-9a-f]{24}$/);
  });

  test('into a nested stack and out of it', () => {
    const app = twoBuckets((root) => {
      const stack = new Stack(root, 'Outer', { env: ENV });
      const outer = new s3.Bucket(stack, 'Given');
      const inner = new s3.Bucket(new NestedStack(stack, 'Inner'), 'Bucket', { bucketName: `in-${outer.bucketName}` });
      new s3.CfnBucket(stack, 'Copy', { bucketName: `out-${inner.bucketName}` });
    });
    expect(bucketName(app, /Copy/)).toMatch(/^out-in-preview-[0-9a-f]{24}$/);
  });

  test('by the output of a stack in another Region', () => {
    const app = twoBuckets((root) => {
      new CfnOutput(new Stack(root, 'One', { env: ENV }), 'Name', { value: 'chosen' });
      const two = new Stack(root, 'Two', { env: { ...ENV, region: 'eu-west-1' } });
      new s3.CfnBucket(two, 'Copy', { bucketName: Fn.getStackOutput('One', 'Name', 'us-east-1') });
    });
    expect(bucketName(app, /Copy/)).toBe('chosen');
  });

  test('by parameters, mappings and conditions of the constructs', () => {
    const app = twoBuckets((root) => {
      const stack = new Stack(root, 'One', { env: ENV });
      const stage = new CfnParameter(stack, 'Stage', { default: 'prod' });
      const names = new CfnMapping(stack, 'Names', { mapping: { prod: { name: 'real' } } });
      new CfnCondition(stack, 'IsProd', { expression: Fn.conditionEquals(stage.valueAsString, 'prod') });
      const name = Fn.conditionIf('IsProd', names.findInMap(stage.valueAsString, 'name'), 'other').toString();
      new s3.CfnBucket(stack, 'Copy', { bucketName: name });
    });
    expect(bucketName(app, /Copy/)).toBe('real');
  });

  test('stand-ins are the same each time, and differ from stack to stack', () => {
    const build = (): string[] => resourcesIn(synthesize((root) => {
      for (const id of ['One', 'Two']) new s3.Bucket(new Stack(root, id, { env: ENV }), 'Bucket');
    })).map(({ id }) => id);
    const [first, second] = [build(), build()];
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(2);
  });
});
