// The files of a cloud assembly, including broken and hostile ones.
import { afterEach, describe, expect, test } from '@jest/globals';
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestedStack, Stack, Stage, aws_s3 as s3 } from 'aws-cdk-lib';
import { readStacks } from '../../lib/preview/assembly/files';
import { PreviewError } from '../../lib/preview/errors';
import { at, membersOf } from '../../lib/preview/json';
import { ENV } from '../support/stack';
import { removeFolders, synthesize, temporaryFolder, writeAssembly, writeFiles } from '../support/assemblies';
import { firstItem } from '../support/items';

afterEach(removeFolders);

function stackIn(template: string, more: object = {}): Record<string, unknown> {
  return { version: '54.0.0', artifacts: { Mail: { type: 'aws:cloudformation:stack', properties: { templateFile: template }, ...more } } };
}

describe('a broken cloud assembly', () => {
  test.each<[string, () => string, RegExp]>([
    ['a missing folder', () => join(temporaryFolder(), 'cdk.out'), /there is no folder .*cdk\.out\. Create the cloud assembly with `npx cdk synth`, or .*--app/],
    ['a file in place of a folder', () => join(writeAssembly({}), 'Mail.template.json'), /is a file, but a cloud assembly is a folder\. Run `npx cdk synth`/],
    ['an empty folder', temporaryFolder, /manifest\.json is missing\. Run `npx cdk synth` again/],
    ['a manifest that is not JSON', () => writeFiles({ 'manifest.json': '{\u001b[31m' }), /manifest\.json is not JSON \([^\u001b]*\)\. Run `npx cdk synth` again/],
    ['a manifest without artifacts', () => writeFiles({ 'manifest.json': '[]' }), /lists no artifacts, so the folder is not a cloud assembly\. /],
    ['a stack without a template', () => writeFiles({ 'manifest.json': { artifacts: { Mail: { type: 'aws:cloudformation:stack' } } } }), /the stack Mail in .* has no template/],
    ['a missing template', () => writeFiles({ 'manifest.json': stackIn('Mail.template.json') }), /Mail\.template\.json is missing/],
    ['a template outside of the folder', () => writeFiles({ 'manifest.json': stackIn('../../../../../../etc/passwd') }), /etc\/passwd, which is outside of the assembly/],
    ['a template at an absolute path', () => writeFiles({ 'manifest.json': stackIn('/etc/passwd') }), /etc\/passwd, which is outside of the assembly/],
    ['a symbolic link out of the folder', () => {
      const folder = writeFiles({ 'manifest.json': stackIn('link.json') });
      symlinkSync('/etc/passwd', join(folder, 'link.json'));
      return folder;
    }, /link\.json, which is outside of the assembly/],
    ['a template of 17 MB', () => {
      const folder = writeAssembly({});
      truncateSync(join(folder, 'Mail.template.json'), 17 * 1024 * 1024);
      return folder;
    }, /has 17825792 bytes\. A preview reads at most 16777216/],
  ])('the preview refuses %s with a reason', (_, make, message) => {
    expect(() => readStacks(make())).toThrow(PreviewError);
    expect(() => readStacks(make())).toThrow(message);
  });

  test('the preview reads an assembly that lists itself as a stage only once', () => {
    const stage = { type: 'cdk:cloud-assembly', properties: { directoryName: '.' } };
    expect(readStacks(writeFiles({ 'manifest.json': { artifacts: { stage, other: { type: 'cdk:tree' } } } }))).toEqual([]);
  });

  test('the preview reads stages in stages to a limited depth', () => {
    const stage = (folder: string): unknown => ({ artifacts: { [folder]: { type: 'cdk:cloud-assembly' } } });
    const deep = Object.fromEntries(Array.from({ length: 20 }, (_, depth) => [`${'s/'.repeat(depth)}manifest.json`, stage('s')]));
    expect(readStacks(writeFiles(deep))).toEqual([]);
  });
});

describe('the stacks of a cloud assembly', () => {
  test('the preview finds every stack, also in stages, with its name, account and Region', () => {
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

  test.each([
    ['with asset metadata', true],
    ['without asset metadata', false],
  ])('the preview finds the template of a nested stack %s', (_, metadata) => {
    const app = synthesize((root) => {
      root.node.setContext('aws:cdk:enable-asset-metadata', metadata);
      const stack = new Stack(root, 'Outer', { env: ENV });
      new s3.Bucket(new NestedStack(stack, 'Inner'), 'Bucket');
    });
    const { template, nestedTemplate } = firstItem(readStacks(app));
    const [, nested] = firstItem(membersOf(at(template, 'Resources')));
    const address = JSON.stringify(at(nested, 'Properties', 'TemplateURL'));
    expect(JSON.stringify(nestedTemplate(nested, address))).toContain('AWS::S3::Bucket');
  });

  test('the preview has no template for a nested stack outside of the assembly', () => {
    const folder = writeAssembly({});
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts: {
      Mail: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Mail.template.json' } },
      Assets: { type: 'cdk:asset-manifest', properties: { file: 'Mail.assets.json' } },
    } }));
    writeFileSync(join(folder, 'Mail.assets.json'), '{"files":{}}');
    const { nestedTemplate } = firstItem(readStacks(folder));
    expect(nestedTemplate({}, 'https://s3.amazonaws.com/other/template.json')).toBeUndefined();
    expect(nestedTemplate({}, `https://s3.amazonaws.com/assets/${'0'.repeat(64)}.json`)).toBeUndefined();
  });
});
