// The evaluation of intrinsic functions and of references between stacks.
import { afterEach, describe, expect, test } from '@jest/globals';
import { CfnCondition, CfnMapping, CfnOutput, CfnParameter, Fn, NestedStack, Stack, aws_s3 as s3 } from 'aws-cdk-lib';
import { Unresolved } from '../../lib/preview/assembly/intrinsics';
import { readStacks } from '../../lib/preview/assembly/files';
import { readResources } from '../../lib/preview/assembly/stacks';
import type { Resource } from '../../lib/preview/assembly/stacks';
import { at } from '../../lib/preview/json';
import { ENV } from '../support/stack';
import { removeFolders, synthesize, writeAssembly } from '../support/assemblies';
import { onlyItem } from '../support/items';

afterEach(removeFolders);

function resourcesIn(app: string): readonly Resource[] {
  return readResources(readStacks(app), 0);
}

/** The sections of a template by name. */
type Template = Readonly<Record<string, object>>;

/** Evaluates a value as the property of a resource in a template. */
function evaluateIn(template: Template, value: unknown): unknown {
  const app = writeAssembly({ ...template, Resources: { Bucket: { Type: 'AWS::S3::Bucket' }, ...template.Resources, X: { Type: 'Test', Properties: { value } } } });
  return at(resourcesIn(app).find(({ path }) => path === 'Mail/X')?.properties, 'value');
}

describe('values that cannot be evaluated', () => {
  const stack = { Resources: { Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://elsewhere.example/x.json' } } } };
  test.each<[string, unknown, RegExp, Template?]>([
    ['an unknown function', { 'Fn::Transform': {} }, /uses Fn::Transform, which a preview cannot evaluate/],
    ['a control character in a name', { 'Fn::\u001b[31m': {} }, /uses Fn::\\x1b\[31m/],
    ['a missing parameter', { Ref: 'Nothing' }, /refers to Nothing, which the template does not have/],
    ['an inherited name such as `constructor`', { Ref: 'constructor' }, /refers to constructor, which the template does not have/],
    ['a parameter without default', { Ref: 'P' }, /needs the parameter P, which has no default/, { Parameters: { P: { Type: 'String' } } }],
    ['a parameter of Parameter Store', { Ref: 'P' }, /reads the parameter P from Parameter Store/, { Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' } } }],
    ['an unknown pseudo parameter', { Ref: 'AWS::Moon' }, /refers to AWS::Moon/],
    ['Ref of an object', { Ref: { a: 1, b: 2 } }, /has no text where a name is expected/],
    ['an attribute of a missing resource', { 'Fn::GetAtt': ['Nothing', 'Arn'] }, /refers to the resource Nothing/],
    ['an attribute without a name', { 'Fn::GetAtt': 'Bucket' }, /uses Fn::GetAtt in a form/],
    ['a missing export', { 'Fn::ImportValue': 'x' }, /imports x, which no stack of the assembly exports/],
    ['an output of a missing stack', { 'Fn::GetStackOutput': { StackName: 'Other', OutputName: 'x' } }, /reads an output of the stack Other, which is not in the assembly/],
    ['a missing output', { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'x' } }, /reads the output x, which the stack Mail does not have/],
    ['an output without a name', { 'Fn::GetStackOutput': {} }, /uses Fn::GetStackOutput in a form/],
    ['a missing condition', { 'Fn::If': ['C', 1, 2] }, /depends on the condition C/],
    ['Fn::If without a condition', { 'Fn::If': [1] }, /uses Fn::If in a form/],
    ['a missing mapping', { 'Fn::FindInMap': ['a', 'b', 'c'] }, /reads the mapping a\.b\.c/],
    ['Fn::FindInMap without keys', { 'Fn::FindInMap': ['a'] }, /uses Fn::FindInMap in a form/],
    ['Fn::Join without a list', { 'Fn::Join': ['', 'x'] }, /uses Fn::Join in a form/],
    ['Fn::Join of lists', { 'Fn::Join': ['', [[]]] }, /uses Fn::Join in a form/],
    ['Fn::Join of an unknown text', { 'Fn::Join': ['', ['a', { Ref: 'Nothing' }]] }, /refers to Nothing/],
    ['Fn::Join of an unknown list', { 'Fn::Join': ['', { Ref: 'Nothing' }] }, /refers to Nothing/],
    ['Fn::Sub without a text', { 'Fn::Sub': [] }, /uses Fn::Sub in a form/],
    ['Fn::Sub of an unknown name', { 'Fn::Sub': '${Nothing}' }, /refers to Nothing/],
    ['Fn::Select from an unknown list', { 'Fn::Select': [0, { Ref: 'Nothing' }] }, /refers to Nothing/],
    ['Fn::Select with an index after the end', { 'Fn::Select': [3, ['a']] }, /uses Fn::Select in a form/],
    ['Fn::Split of an unknown text', { 'Fn::Split': ['.', { Ref: 'Nothing' }] }, /refers to Nothing/],
    ['Fn::Split at an empty text', { 'Fn::Split': ['', 'x'] }, /uses Fn::Split in a form/],
    ['Fn::Equals of an unknown value', { 'Fn::If': ['C', 1, 2] }, /refers to Nothing/, { Conditions: { C: { 'Fn::Equals': [{ Ref: 'Nothing' }, ''] } } }],
    ['Fn::Equals to an unknown value', { 'Fn::If': ['C', 1, 2] }, /refers to Nothing/, { Conditions: { C: { 'Fn::Equals': ['', { Ref: 'Nothing' }] } } }],
    ['Fn::And of an unknown value', { 'Fn::If': ['C', 1, 2] }, /refers to Nothing/, { Conditions: { C: { 'Fn::And': [true, { Ref: 'Nothing' }] } } }],
    ['Fn::ImportValue of an unknown name', { 'Fn::ImportValue': { Ref: 'Nothing' } }, /refers to Nothing/],
    ['an output that refers to itself', { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'O' } }, /refers to itself/, { Outputs: { O: { Value: { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'O' } } } } }],
    ['an output of a nested stack outside of the assembly', { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Child', 'Outputs.X'] }, { Ref: 'Nothing' }]] }, /refers to Nothing/, stack],
  ])('the preview gives a reason for %s', (_, value, reason, template = {}) => {
    const evaluated = evaluateIn(template, value);
    expect(evaluated).toBeInstanceOf(Unresolved);
    expect(evaluated).toHaveProperty('reason', expect.stringMatching(reason));
  });

  test('the preview stops the evaluation of a text that doubles forty times', () => {
    const Outputs = Object.fromEntries(Array.from({ length: 40 }, (_, index) => {
      const next = { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: `O${index + 1}` } };
      return [`O${index}`, { Value: index === 39 ? 'laugh' : { 'Fn::Join': ['', [next, next]] } }];
    }));
    const evaluated = evaluateIn({ Outputs }, { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: 'O0' } });
    expect(evaluated).toBeInstanceOf(Unresolved);
  });

  test('a bucket with a name that refers to itself gets a placeholder', () => {
    const template = { Resources: { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'B' } } } } };
    expect(evaluateIn(template, { Ref: 'B' })).toMatch(/^preview-[0-9a-f]+$/);
  });

  test('the preview stops the evaluation of a text of 300 KiB', () => {
    expect(evaluateIn({}, { 'Fn::Join': ['', Array.from({ length: 300 }, () => 'x'.repeat(1024))] })).toEqual(new Unresolved('creates a text of more than 256 KiB'));
  });

  test('the preview stops the evaluation of a list that is nested a thousand times', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 1000; depth += 1) deep = [deep];
    expect(JSON.stringify(evaluateIn({}, deep))).toContain('refers to itself, or is too large');
  });

  test('a value that cannot be evaluated does not affect the values beside it', () => {
    expect(evaluateIn({}, { a: { Ref: 'Nothing' }, b: [{ Ref: 'AWS::Region' }, { Ref: 'Nothing' }] })).toEqual({
      a: expect.any(Unresolved), b: ['us-east-1', expect.any(Unresolved)],
    });
  });
});

describe('values that can be evaluated', () => {
  test.each<[string, unknown, unknown, Template?]>([
    ['plain values', { a: [1, true, null, 'x'], b: {} }, { a: [1, true, null, 'x'], b: {} }],
    ['pseudo parameters', { 'Fn::Sub': '${AWS::Partition} ${AWS::AccountId} ${AWS::Region} ${AWS::URLSuffix} ${AWS::StackName}' }, 'aws 123456789012 us-east-1 amazonaws.com Mail'],
    ['the stack id', { Ref: 'AWS::StackId' }, 'arn:aws:cloudformation:us-east-1:123456789012:stack/Mail/preview'],
    ['AWS::NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
    ['defaults of parameters', [{ Ref: 'P' }, { Ref: 'L' }], ['x', ['a', 'b']], { Parameters: { P: { Type: 'String', Default: 'x' }, L: { Type: 'CommaDelimitedList', Default: 'a, b' } } }],
    ['Join, Split and Select', { 'Fn::Select': ['1', { 'Fn::Split': ['.', { 'Fn::Join': ['.', ['a', 2, true]] }] }] }, '2'],
    ['Sub with variables and literals', { 'Fn::Sub': ['${A}-${!B}-$C-${Bucket.Arn}', { A: { Ref: 'AWS::Region' } }] }, expect.stringMatching(/^us-east-1-\$\{B\}-\$C-preview-[0-9a-f]+\.Arn$/)],
    ['the name servers of a zone', { 'Fn::GetAtt': ['Zone', 'NameServers'] }, ['ns.preview.invalid'], { Resources: { Zone: { Type: 'AWS::Route53::HostedZone' } } }],
    ['GetAtt of a text', { 'Fn::GetAtt': 'Bucket.Arn' }, expect.stringMatching(/\.Arn$/)],
    ['mappings', { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'x'] }, ['y'], { Mappings: { M: { 'us-east-1': { x: ['y'] } } } }],
    ['conditions', ['A', 'B', 'C', 'D'].map((name) => ({ 'Fn::If': [name, 'yes', 'no'] })), ['yes', 'no', 'yes', 'no'], { Conditions: {
      A: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
      B: { 'Fn::Not': [{ Condition: 'A' }] },
      C: { 'Fn::Or': [{ Condition: 'B' }, { Condition: 'A' }] },
      D: { 'Fn::And': [{ Condition: 'B' }, { Condition: 'A' }] },
    } }],
    ['exports', { 'Fn::ImportValue': 'Shared' }, 'us-east-1', { Outputs: { O: { Value: { Ref: 'AWS::Region' }, Export: { Name: 'Shared' } }, P: { Value: '' } } }],
  ])('the preview evaluates %s', (_, value, expected, template = {}) => {
    expect(evaluateIn(template, value)).toEqual(expected);
  });

  test('the preview evaluates a member called __proto__ like any other', () => {
    expect(JSON.stringify(evaluateIn({}, JSON.parse('{"__proto__":{"Ref":"AWS::Region"},"a":1}')))).toBe('{"__proto__":"us-east-1","a":1}');
  });

  test('the preview leaves out a resource with a false condition, and keeps one with an unknown condition', () => {
    const resource = (Condition: string): object => ({ Type: 'Test', Condition });
    const app = writeAssembly({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] }, Unknown: { 'Fn::Equals': [{ Ref: 'Nothing' }, 'b'] } },
      Resources: { A: resource('Never'), B: resource('Unknown') },
    });
    expect(resourcesIn(app).map(({ path }) => path)).toEqual(['Mail/B']);
  });

  test('a stack in China has the partition and the URL suffix of China', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: { region: 'cn-north-1' } });
      new s3.CfnBucket(stack, 'Bucket', { bucketName: Fn.sub('${AWS::Partition}-${AWS::URLSuffix}') });
    });
    expect(onlyItem(resourcesIn(app)).id).toBe('aws-cn-amazonaws.com.cn');
  });
});

describe('references of CDK constructs', () => {
  function bucketName(app: string, path: RegExp): unknown {
    return at(resourcesIn(app).find((resource) => path.test(resource.path))?.properties, 'BucketName');
  }

  test('the preview follows a reference from one stack to another', () => {
    const app = synthesize((root) => {
      const one = new s3.Bucket(new Stack(root, 'One', { env: ENV }), 'Bucket');
      new s3.CfnBucket(new Stack(root, 'Two', { env: ENV }), 'Copy', { bucketName: `copy-of-${one.bucketName}` });
    });
    expect(bucketName(app, /Copy/)).toMatch(/^copy-of-preview-[0-9a-f]{24}$/);
  });

  test('the preview follows references into a nested stack and out of it', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Outer', { env: ENV });
      const outer = new s3.Bucket(stack, 'Given');
      const inner = new s3.Bucket(new NestedStack(stack, 'Inner'), 'Bucket', { bucketName: `in-${outer.bucketName}` });
      new s3.CfnBucket(stack, 'Copy', { bucketName: `out-${inner.bucketName}` });
    });
    expect(bucketName(app, /Copy/)).toMatch(/^out-in-preview-[0-9a-f]{24}$/);
  });

  test('the preview follows a reference to an output of a stack in another Region', () => {
    const app = synthesize((root) => {
      new CfnOutput(new Stack(root, 'One', { env: ENV }), 'Name', { value: 'chosen' });
      const two = new Stack(root, 'Two', { env: { ...ENV, region: 'eu-west-1' } });
      new s3.CfnBucket(two, 'Copy', { bucketName: Fn.getStackOutput('One', 'Name', 'us-east-1') });
    });
    expect(bucketName(app, /Copy/)).toBe('chosen');
  });

  test('the preview follows references to parameters, mappings and conditions', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'One', { env: ENV });
      const stage = new CfnParameter(stack, 'Stage', { default: 'prod' });
      const names = new CfnMapping(stack, 'Names', { mapping: { prod: { name: 'real' } } });
      new CfnCondition(stack, 'IsProd', { expression: Fn.conditionEquals(stage.valueAsString, 'prod') });
      const name = Fn.conditionIf('IsProd', names.findInMap(stage.valueAsString, 'name'), 'other').toString();
      new s3.CfnBucket(stack, 'Copy', { bucketName: name });
    });
    expect(bucketName(app, /Copy/)).toBe('real');
  });

  test('placeholders are the same each time, and differ from stack to stack', () => {
    const build = (): string[] => resourcesIn(synthesize((root) => {
      for (const id of ['One', 'Two']) new s3.Bucket(new Stack(root, id, { env: ENV }), 'Bucket');
    })).map(({ id }) => id);
    const [first, second] = [build(), build()];
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(2);
  });
});
