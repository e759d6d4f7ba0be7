// Differential tests against mailauth: a class of the table explains every difference, and each class occurs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parsePolicy as mailauthPolicy, resolvePolicy, validateMx } from 'mailauth/lib/mta-sts';
import { mxMatches } from '../../../lib/protocol/mx/pattern';
import { parsePolicy } from '../../../lib/protocol/policy/policy';
import { parseRecord } from '../../../lib/protocol/records/sts-record';
import { matchOracle, policyOracle, recordsOracle } from './grammar';
import { edit, edited, policyFile, sequences, stsRecord } from './inputs';
import { CLASSES, mailauthTables } from './mailauth-classes';
import type { Comparison } from './mailauth-classes';
import { vectors } from './vectors';
import type { PolicyVector, TxtVector, Vector } from './vectors';

const GENERATED = { seed: 8461, numRuns: 500 };

test.each(CLASSES)('mailauth differs in the example of the class "$name" ($area)', async ({ area, example, has }) => {
  const comparison = await compared(area, asInput(area, example));
  expect(comparison.ours).not.toBe(comparison.theirs);
  expect(has(comparison)).toBe(true);
});

test.each(CLASSES)('mailauth differs in a compared input of the class "$name" ($area)', async ({ has }) => {
  expect((await disagreements()).some(has)).toBe(true);
});

test('every difference from mailauth belongs to a class', async () => {
  const found = await disagreements();
  expect(found.length).toBeGreaterThan(300);
  expect(found.filter((comparison) => !CLASSES.some(({ area, has }) => area === comparison.area && has(comparison)))).toEqual([]);
});

test('an independent grammar of the RFC agrees with our parser in every difference from mailauth', async () => {
  for (const { area, input, ours } of await disagreements()) expect({ input, ours }).toEqual({ input, ours: oracle(area, input) });
});

test('mailauth differs from the vectors exactly where the vectors name it', async () => {
  const records = await Promise.all(vectors('record').map(async (vector) => (
    { id: vector.id, differs: await mailauthRecord(textsOf(vector)) !== json(vector.parsed?.id), named: isNamed(vector) }
  )));
  const policies = vectors('policy').map((vector) => {
    const { id, parsed } = vector;
    const policy = parsed && { mode: parsed.mode, maxAge: parsed.max_age, mx: parsed.mx };
    return { id, differs: policyOfMailauth(fileOf(vector)) !== json(policy), named: isNamed(vector) };
  });
  const matches = vectors('mxmatch').map((vector) => (
    { id: vector.id, differs: mailauthMatches(vector.pattern, vector.host) !== vector.expect, named: isNamed(vector) }
  ));
  const all = [...records, ...policies, ...matches];
  expect(all.filter(({ differs, named }) => differs !== named)).toEqual([]);
  expect(all.filter(({ differs }) => differs).length).toBeGreaterThan(40);
});

test('docs/reference/senders.md has the table of differences from mailauth', () => {
  const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'reference', 'senders.md'), 'utf8');
  expect(page).toContain(`<!-- mailauth -->\n${mailauthTables()}<!-- /mailauth -->\n`);
});

let everything: Promise<readonly Comparison[]> | undefined;

function disagreements(): Promise<readonly Comparison[]> {
  everything ??= Promise.all([
    ...recordInputs().map((texts) => compared('record', texts.join('\n'))),
    ...policyInputs().map((file) => compared('policy', file)),
    ...mxInputs().map((pair) => compared('mx', pair)),
  ]).then((all) => all.filter(({ ours, theirs }) => ours !== theirs));
  return everything;
}

function recordInputs(): readonly (readonly string[])[] {
  const beside = [
    'v=STSv1; id=1', 'v=STSv1 text', 'V=STSv1; id=2', 'v=stsv1;id=3', ' v=STSv1;id=4', 'v=STSv10; id=5', 'v=spf1 -all', 'v=STSv1', 'v=STSv1 ;id=6',
  ];
  const pieces = [';', ' ', 'id=1', 'ID=2', 'id=', 'a=b', 'a=b:c', 'a="', 'v=STSv1', '='];
  return [
    ...vectors('record').map(textsOf),
    ...fc.sample(stsRecord, GENERATED).map((text) => [text]),
    ...fc.sample(fc.tuple(stsRecord, edit), GENERATED).map(([text, change]) => [edited(text, change)]),
    ...sequences(beside, 3),
    ...sequences(pieces, 3).map((some) => [`v=STSv1;id=x;${some.join('')}`]),
    ...sequences(pieces, 3).map((some) => [`v=STSv1;${some.join('')}`]),
  ].filter((texts) => texts.every((text) => !text.includes('\n')));
}

function policyInputs(): readonly string[] {
  const lines = [
    'version: STSv1', 'version: 2', 'mode: enforce', 'mode: None', 'Mode: none', 'mx: a.example', 'mx: A.example',
    'mx: a_.example', 'max_age: 1', 'max_age: 0x1', '',
  ];
  return [
    ...vectors('policy').map((vector) => fileOf(vector).toString('latin1')),
    ...CLASSES.filter(({ area }) => area === 'policy').map(({ area, example }) => asInput(area, example)),
    ...fc.sample(policyFile, GENERATED).map(({ text }) => text),
    ...fc.sample(fc.tuple(policyFile, edit), GENERATED).map(([{ text }, change]) => edited(text, change)),
    ...sequences(lines, 3).map((some) => ['version: STSv1', 'mode: testing', 'mx: b.example', 'max_age: 86400', ...some].join('\n')),
    ...sequences(lines, 3).map((some) => [...some, 'version: STSv1', 'max_age: 86400'].join('\n')),
  ];
}

function mxInputs(): readonly string[] {
  const names = sequences(['a', 'B', '*', '1', ''], 3).map((labels) => labels.join('.'));
  return [
    ...vectors('mxmatch').map(({ pattern, host }) => `${pattern} ${host}`),
    ...['a_b.example', 'm\u00f8x.example', '\u00a0a.example'].flatMap((host) => [`*.example ${host}`, `xn--mx-lka.example ${host}`]),
    ...names.flatMap((pattern) => names.flatMap((host) => [`${pattern} ${host}`, `${pattern} ${host}.`])),
  ];
}

async function compared(area: Comparison['area'], input: string): Promise<Comparison> {
  if (area === 'record') {
    const texts = input.split('\n');
    const { record, findings } = parseRecord(texts);
    return { area, input, ours: json(record?.id), theirs: await mailauthRecord(texts), codes: findings.map(({ code }) => code) };
  }
  if (area === 'policy') {
    const file = Buffer.from(input, 'latin1');
    const { policy, findings } = parsePolicy(file);
    return { area, input, ours: json(policy), theirs: policyOfMailauth(file), codes: findings.map(({ code }) => code) };
  }
  const [pattern, host] = pair(input);
  return { area, input, ours: covered(mxMatches(pattern, host)), theirs: covered(mailauthMatches(pattern, host)), codes: [] };
}

function oracle(area: Comparison['area'], input: string): string {
  if (area === 'record') return json(recordsOracle(input.split('\n'))?.id);
  return area === 'policy' ? json(policyOracle(input)) : covered(matchOracle(...pair(input)));
}

async function mailauthRecord(texts: readonly string[]): Promise<string> {
  try {
    const id = await resolvePolicy('example.com', { resolver: () => Promise.resolve(texts.map((text) => [text])) });
    return json(id === false ? undefined : id);
  } catch {
    // mailauth throws on several records.
    return json(undefined);
  }
}

function policyOfMailauth(file: Buffer): string {
  try {
    const { mode, maxAge, mx = [] } = mailauthPolicy(file);
    return json({ mode, maxAge, mx });
  } catch {
    return json(undefined);
  }
}

function mailauthMatches(pattern: string, host: string): boolean {
  return validateMx(host, { mode: 'enforce', mx: [pattern] }).valid;
}

function covered(matches: boolean): string {
  return json(matches ? true : undefined);
}

function json(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** Returns an example as an input: an example is text, a policy file has one character for each byte. */
function asInput(area: Comparison['area'], example: string): string {
  return area === 'policy' ? Buffer.from(example, 'utf8').toString('latin1') : example;
}

function fileOf({ input = '', inputBase64 }: PolicyVector): Buffer {
  return inputBase64 === undefined ? Buffer.from(input, 'utf8') : Buffer.from(inputBase64, 'base64');
}

function pair(input: string): [string, string] {
  const blank = input.indexOf(' ');
  return [input.slice(0, blank), input.slice(blank + 1)];
}

function textsOf({ input }: TxtVector): readonly string[] {
  return typeof input === 'string' ? [input] : input.map((record) => typeof record === 'string' ? record : record.join(''));
}

function isNamed({ dissent = [], valueDissent = [] }: Vector): boolean {
  return [...dissent, ...valueDissent].includes('mailauth');
}
