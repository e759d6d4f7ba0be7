// The rules of awslint, which cannot load current aws-cdk-lib, over the jsii assembly.
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

interface Documented { name?: string; docs?: { summary?: string; default?: string } }
interface Member extends Documented { optional?: boolean; immutable?: boolean; type?: { primitive?: string; fqn?: string } }
interface ApiType extends Documented {
  kind: 'class' | 'interface' | 'enum';
  name: string;
  datatype?: boolean;
  base?: string;
  properties?: (Member & { name: string })[];
  methods?: (Documented & { name: string; parameters?: Documented[] })[];
  members?: Documented[];
  initializer?: { parameters?: { name: string }[] };
}

const ROOT = join(__dirname, '..');
const compressed = join(ROOT, '.jsii.gz');
const assembly = JSON.parse(
  existsSync(compressed) ? gunzipSync(readFileSync(compressed)).toString() : readFileSync(join(ROOT, '.jsii'), 'utf8'),
) as { types: Record<string, ApiType> };
const types = Object.values(assembly.types);

test('exports the names of the design', () => {
  expect(types.map(({ name }) => name)).toEqual(expect.arrayContaining(['MtaSts', 'MtaStsPolicy', 'MxHosts', 'PolicyHost', 'TlsReporting']));
});

describe.each(types.map((type) => [type.name, type] as const))('%s', (_name, type) => {
  test('is documented, with every member', () => {
    const members: Documented[] = [type, ...type.properties ?? [], ...type.methods ?? [], ...type.members ?? [],
      ...(type.methods ?? []).flatMap(({ parameters }) => parameters ?? [])];
    expect(members.filter(({ docs }) => !docs?.summary).map(({ name }) => name)).toEqual([]);
  });

  test('says the default of each optional property', () => {
    const optional = (type.properties ?? []).filter((property) => type.datatype && property.optional);
    expect(optional.filter(({ docs }) => !docs?.default).map(({ name }) => name)).toEqual([]);
  });

  test('has only read-only properties', () => {
    expect((type.properties ?? []).filter(({ immutable }) => !immutable).map(({ name }) => name)).toEqual([]);
  });

  test('takes no `any`', () => {
    expect((type.properties ?? []).filter((property) => property.type?.primitive === 'any').map(({ name }) => name)).toEqual([]);
  });

  test('as a construct takes scope, id and props', () => {
    const parameters = (type.initializer?.parameters ?? []).map(({ name }) => name);
    expect(type.base === 'constructs.Construct' ? parameters : ['scope', 'id', 'props']).toEqual(['scope', 'id', 'props']);
  });
});
