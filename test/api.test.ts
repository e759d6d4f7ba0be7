// Checks the jsii assembly by the rules of awslint, because awslint cannot load the current aws-cdk-lib.
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

test('the package exports the classes of the design', () => {
  expect(types.map(({ name }) => name)).toEqual(expect.arrayContaining(['MtaSts', 'MtaStsPolicy', 'MxHosts', 'PolicyHost', 'TlsReporting']));
});

describe.each(types.map((type) => [type.name, type] as const))('%s', (name, type) => {
  test(`${name} is documented, with every member`, () => {
    const members: Documented[] = [type, ...type.properties ?? [], ...type.methods ?? [], ...type.members ?? [],
      ...(type.methods ?? []).flatMap(({ parameters }) => parameters ?? [])];
    expect(members.filter(({ docs }) => !docs?.summary).map((member) => member.name)).toEqual([]);
  });

  test(`${name} documents the default of each optional property`, () => {
    const optional = (type.properties ?? []).filter((property) => type.datatype && property.optional);
    expect(optional.filter(({ docs }) => !docs?.default).map((member) => member.name)).toEqual([]);
  });

  test(`${name} has only read-only properties`, () => {
    expect((type.properties ?? []).filter(({ immutable }) => !immutable).map((member) => member.name)).toEqual([]);
  });

  test(`${name} has no property of the type any`, () => {
    expect((type.properties ?? []).filter((property) => property.type?.primitive === 'any').map((member) => member.name)).toEqual([]);
  });

  test(`${name} takes scope, id and props if it is a construct`, () => {
    const parameters = (type.initializer?.parameters ?? []).map((parameter) => parameter.name);
    expect(type.base === 'constructs.Construct' ? parameters : ['scope', 'id', 'props']).toEqual(['scope', 'id', 'props']);
  });
});
