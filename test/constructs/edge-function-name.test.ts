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

/** Returns the names of the edge functions in the template. */
function namesIn(stack: Stack): string[] {
  return Object.values(Template.fromStack(stack).findResources('AWS::CloudFront::Function'))
    .map(({ Properties }: { Properties?: { Name: string } }) => Properties?.Name ?? '');
}

function addDomain(stack: Stack, id = 'MtaSts', zoneName = 'example.com'): MtaSts {
  return new MtaSts(stack, id, { hostedZone: importedZone(stack, zoneName), policy });
}

describe('names of edge functions', () => {
  test('the name of an edge function contains the name of the stack and the path of the host', () => {
    const stack = stackNamed('mail-dev');
    addDomain(stack);
    expect(namesIn(stack)).toEqual([expect.stringMatching(/^mail-dev-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
  });

  test('the name of an edge function is the same at each synthesis', () => {
    const [before, after] = [stackNamed('mail'), stackNamed('mail')];
    [before, after].forEach((stack) => addDomain(stack));
    expect(namesIn(before)).toEqual(namesIn(after));
  });

  test('each stack, each host and each similar path has its own name of an edge function', () => {
    const app = new App();
    const [dev, prod] = [stackNamed('mail-dev', 'dev', app), stackNamed('mail-prod', 'prod', app)];
    for (const stack of [dev, prod]) {
      addDomain(stack, 'One');
      addDomain(stack, 'Two', 'example.net');
      addDomain(new Stack(new Stage(app, `${stack.node.id}Stage`), 'Mail', { env: ENV }));
    }
    const similar = ['a-b', 'a.b', 'a+b'].map((id) => edgeFunctionName(new Construct(dev, id)));
    const names = [...namesIn(dev), ...namesIn(prod), ...similar];
    expect(new Set(names).size).toBe(7);
  });

  test.each([
    ['a long stack name', 's'.repeat(128), 'Id'],
    ['a long path', 'mail', 'p'.repeat(200)],
    ['a long stack name and a long path', 's'.repeat(128), 'p'.repeat(200)],
    ['other characters in the path', 'mail', 'Ünïcode (of 2) ☂'],
  ])('CloudFront accepts the name of an edge function with %s, and the name is unique', (_, stackName, id) => {
    const names = [`${id}1${'q'.repeat(100)}`, `${id}2${'q'.repeat(100)}`, id].map((one) => edgeFunctionName(new Construct(stackNamed(stackName), one)));
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
    expect(new Set(names).size).toBe(3);
  });

  test('the name of an edge function in a nested stack contains the name of the outermost stack', () => {
    const [dev, prod] = ['mail-dev', 'mail-prod'].map((stackName) => {
      const nested = new NestedStack(new NestedStack(stackNamed(stackName), 'Outer'), 'Inner');
      addDomain(nested);
      return namesIn(nested);
    });
    expect(dev).toEqual([expect.stringMatching(/^mail-dev-Outer-Inner-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
    expect(prod).toEqual([expect.stringMatching(/^mail-prod-Outer-Inner-/)]);
  });

  test('stacks with the same name in two Regions have different names of edge functions', () => {
    const names = ['eu-central-1', 'ap-southeast-2'].map((region) => {
      const stack = new Stack(new App(), 'Mail', { stackName: 'mail', env: { ...ENV, region } });
      addDomain(stack);
      const inner = stack.node.findChild('MtaStsUsEast1');
      return inner instanceof Stack ? namesIn(inner) : [];
    });
    expect(names[0]).toEqual([expect.stringMatching(/^mail-eu-central-1-mta-sts-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
    expect(names[1]).not.toEqual(names[0]);
  });
});
