import { afterEach, describe, expect, test } from '@jest/globals';
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestedStack, Stack, Stage, aws_s3 as s3 } from 'aws-cdk-lib';
import { readStacks } from '../../lib/preview/assembly/files';
import { PreviewError } from '../../lib/preview/errors';
import { ENV } from '../support/stack';
import { handWritten, removeFolders, synthesize, temporaryFolder, written } from '../support/assemblies';

afterEach(removeFolders);

function stackIn(template: string, more: object = {}): Record<string, unknown> {
  return { version: '54.0.0', artifacts: { Mail: { type: 'aws:cloudformation:stack', properties: { templateFile: template }, ...more } } };
}

describe('says what is wrong, and the command that mends it', () => {
  test.each<[string, () => string, RegExp]>([
    ['a folder that is missing', () => join(temporaryFolder(), 'cdk.out'), /there is no folder .*cdk\.out; make the cloud assembly with `npx cdk synth`, or .*--app/],
    ['a file', () => join(handWritten({}), 'Mail.template.json'), /is a file, but a cloud assembly is a folder; run `npx cdk synth`/],
    ['an empty folder', temporaryFolder, /manifest\.json is missing; run `npx cdk synth` again/],
    ['a manifest that is no JSON', () => written({ 'manifest.json': '{\u001b[31m' }), /manifest\.json is not JSON \([^\u001b]*\); run `npx cdk synth` again/],
    ['a manifest of something else', () => written({ 'manifest.json': '[]' }), /lists no artifacts, so it is no cloud assembly's/],
    ['a stack without a template', () => written({ 'manifest.json': { artifacts: { Mail: { type: 'aws:cloudformation:stack' } } } }), /the stack Mail in .* names no template/],
    ['a template that is missing', () => written({ 'manifest.json': stackIn('Mail.template.json') }), /Mail\.template\.json is missing/],
    ['a template outside of the folder', () => written({ 'manifest.json': stackIn('../../../../../../etc/passwd') }), /etc\/passwd, which lies outside of the assembly/],
    ['a template at an absolute path', () => written({ 'manifest.json': stackIn('/etc/passwd') }), /etc\/passwd, which lies outside of the assembly/],
    ['a link that leads out', () => {
      const folder = written({ 'manifest.json': stackIn('link.json') });
      symlinkSync('/etc/passwd', join(folder, 'link.json'));
      return folder;
    }, /link\.json, which lies outside of the assembly/],
    ['a template larger than any', () => {
      const folder = handWritten({});
      truncateSync(join(folder, 'Mail.template.json'), 17 * 1024 * 1024);
      return folder;
    }, /has 17825792 bytes; a preview reads at most 16777216/],
  ])('%s', (_what, make, message) => {
    expect(() => readStacks(make())).toThrow(PreviewError);
    expect(() => readStacks(make())).toThrow(message);
  });

  test('an assembly that is its own stage, without going round for ever', () => {
    const stage = { type: 'cdk:cloud-assembly', properties: { directoryName: '.' } };
    expect(readStacks(written({ 'manifest.json': { artifacts: { stage, other: { type: 'cdk:tree' } } } }))).toEqual([]);
  });

  test('stages in stages, to a depth that no app has', () => {
    const stage = (folder: string): unknown => ({ artifacts: { [folder]: { type: 'cdk:cloud-assembly' } } });
    const deep = Object.fromEntries(Array.from({ length: 20 }, (_, depth) => [`${'s/'.repeat(depth)}manifest.json`, stage('s')]));
    expect(readStacks(written(deep))).toEqual([]);
  });
});

describe('finds', () => {
  test('every stack, those of stages too, with name, account and Region', () => {
    const app = synthesize((root) => {
      new Stack(root, 'One', { env: ENV });
      new Stack(new Stage(root, 'Prod', { env: { account: '210987654321', region: 'eu-west-1' } }), 'Two', { stackName: 'named' });
      new Stack(root, 'Three');
    });
    expect(readStacks(app).map(({ name, account, region }) => ({ name, account, region }))).toEqual(expect.arrayContaining([
      { name: 'One', ...ENV },
      { name: 'named', account: '210987654321', region: 'eu-west-1' },
      { name: 'Three', account: '123456789012', region: 'us-east-1' },
    ]));
  });

  test.each([true, false])('the template of a nested stack, with asset metadata: %s', (metadata) => {
    const app = synthesize((root) => {
      root.node.setContext('aws:cdk:enable-asset-metadata', metadata);
      const stack = new Stack(root, 'Outer', { env: ENV });
      new s3.Bucket(new NestedStack(stack, 'Inner'), 'Bucket');
    });
    const [{ template, nestedTemplate }] = readStacks(app);
    const { Resources } = template as { Resources: Record<string, { Type: string; Properties: { TemplateURL: unknown } }> };
    const [nested] = Object.values(Resources);
    const address = JSON.stringify(nested.Properties.TemplateURL);
    expect(JSON.stringify(nestedTemplate(nested, address))).toContain('AWS::S3::Bucket');
  });

  test('no template of a nested stack that lies elsewhere', () => {
    const folder = handWritten({});
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts: {
      Mail: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Mail.template.json' } },
      Assets: { type: 'cdk:asset-manifest', properties: { file: 'Mail.assets.json' } },
    } }));
    writeFileSync(join(folder, 'Mail.assets.json'), '{"files":{}}');
    const [{ nestedTemplate }] = readStacks(folder);
    expect(nestedTemplate({}, 'https://s3.amazonaws.com/other/template.json')).toBeUndefined();
    expect(nestedTemplate({}, `https://s3.amazonaws.com/assets/${'0'.repeat(64)}.json`)).toBeUndefined();
  });
});
