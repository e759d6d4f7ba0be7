import { describe, expect, test } from '@jest/globals';
import { App, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { MtaSts, MtaStsPolicy } from '../../lib';
import { edgeFunctionName } from '../../lib/private/policy-host/policy-distribution';
import { ENV, importedZone } from '../support/stack';

const policy = MtaStsPolicy.none();

function stackNamed(stackName: string, id = 'Mail', app: Construct = new App()): Stack {
  return new Stack(app, id, { stackName, env: ENV });
}

/** As they stand in the template. */
function namesIn(stack: Stack): string[] {
  return Object.values(Template.fromStack(stack).findResources('AWS::CloudFront::Function'))
    .map(({ Properties }: { Properties?: { Name: string } }) => Properties?.Name ?? '');
}

function made(stack: Stack, id = 'MtaSts', zoneName = 'example.com'): MtaSts {
  return new MtaSts(stack, id, { hostedZone: importedZone(stack, zoneName), policy });
}

describe('the name of the edge function', () => {
  test('has the name of the stack and the path of the host', () => {
    const stack = stackNamed('mail-dev');
    made(stack);
    expect(namesIn(stack)).toEqual([expect.stringMatching(/^mail-dev-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
  });

  test('is the same at each synthesis', () => {
    const [before, after] = [stackNamed('mail'), stackNamed('mail')];
    [before, after].forEach((stack) => made(stack));
    expect(namesIn(before)).toEqual(namesIn(after));
  });

  test('is another for each stack, each host and each path that reads alike', () => {
    const app = new App();
    const [dev, prod] = ['dev', 'prod'].map((name) => stackNamed(`mail-${name}`, name, app));
    for (const stack of [dev, prod]) {
      made(stack, 'One');
      made(stack, 'Two', 'example.net');
      made(new Stack(new Stage(app, `${stack.node.id}Stage`), 'Mail', { env: ENV }));
    }
    const like = ['a-b', 'a.b', 'a+b'].map((id) => edgeFunctionName(new Construct(dev, id)));
    const names = [...namesIn(dev), ...namesIn(prod), ...like];
    expect(new Set(names).size).toBe(7);
  });

  test.each([
    ['a long stack name', 's'.repeat(128), 'Id'],
    ['a long path', 'mail', 'p'.repeat(200)],
    ['both', 's'.repeat(128), 'p'.repeat(200)],
    ['a path of other characters', 'mail', 'Ünïcode (of 2) ☂'],
  ])('is one that CloudFront takes with %s, and still of its own', (_, stackName, id) => {
    const names = [`${id}1${'q'.repeat(100)}`, `${id}2${'q'.repeat(100)}`, id].map((one) => edgeFunctionName(new Construct(stackNamed(stackName), one)));
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
    expect(new Set(names).size).toBe(3);
  });

  test('has in a nested stack, whose own name is known only at deployment, that of the outermost', () => {
    const [dev, prod] = ['mail-dev', 'mail-prod'].map((stackName) => {
      const nested = new NestedStack(new NestedStack(stackNamed(stackName), 'Outer'), 'Inner');
      made(nested);
      return namesIn(nested);
    });
    expect(dev).toEqual([expect.stringMatching(/^mail-dev-Outer-Inner-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
    expect(prod).toEqual([expect.stringMatching(/^mail-prod-Outer-Inner-/)]);
  });

  test('is another for stacks of one name in two Regions, which come to us-east-1 both', () => {
    const names = ['eu-central-1', 'ap-southeast-2'].map((region) => {
      const stack = new Stack(new App(), 'Mail', { stackName: 'mail', env: { ...ENV, region } });
      made(stack);
      const inner = stack.node.findChild('MtaStsUsEast1');
      return inner instanceof Stack ? namesIn(inner) : [];
    });
    expect(names[0]).toEqual([expect.stringMatching(/^mail-eu-central-1-mta-sts-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
    expect(names[1]).not.toEqual(names[0]);
  });
});
