// Asserts who may import whom: the rooms and arrows of docs/contribute/architecture.md, over the imports of lib/, cli/ and bin/.
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { BUNDLES } from '../tools/bundles.mjs';
import { importCircles } from './support/import-circles';

const ROOT = join(__dirname, '..');

type Room = 'bin' | 'cli' | 'constructs' | 'contract' | 'functions' | 'operations' | 'preview' | 'private' | 'protocol' | 'util' | 'verifier';

interface Rules {
  /** Other rooms that the room may import. A room may always import itself. */
  readonly rooms: readonly Room[];
  /** Packages that the room may import. A scope stands for all of its packages. */
  readonly packages: readonly string[];
  readonly builtins: boolean;
}

/** An import that is not listed here is an error. */
const RULES: Record<Room, Rules> = {
  util: { rooms: [], packages: [], builtins: false },
  contract: { rooms: ['protocol', 'util'], packages: [], builtins: false },
  protocol: { rooms: ['util'], packages: [], builtins: false },
  verifier: { rooms: ['protocol', 'contract', 'util'], packages: ['dns-packet', 'ipaddr.js', 'tldts'], builtins: true },
  operations: { rooms: ['verifier', 'protocol', 'contract', 'util'], packages: ['@aws-sdk'], builtins: true },
  functions: { rooms: ['operations', 'verifier', 'protocol', 'contract', 'util'], packages: ['@aws-sdk', 'aws-lambda'], builtins: true },
  preview: { rooms: ['verifier', 'protocol', 'contract', 'util'], packages: ['dns-packet', '@peculiar/x509', 'reflect-metadata'], builtins: true },
  private: { rooms: ['constructs', 'protocol', 'contract', 'util'], packages: ['aws-cdk-lib', 'constructs'], builtins: true },
  constructs: { rooms: ['private', 'protocol', 'contract', 'util'], packages: ['aws-cdk-lib', 'constructs'], builtins: true },
  cli: { rooms: ['preview', 'verifier', 'protocol', 'contract', 'util'], packages: ['commander', 'fast-xml-builder'], builtins: true },
  bin: { rooms: ['cli', 'constructs'], packages: ['aws-cdk-lib', 'constructs'], builtins: true },
};

/** Single files that may import one thing more than their room. */
const EXCEPTIONS = new Map([
  ['lib/protocol/domain-name.ts', 'node:url'],
  ['lib/protocol/policy/id.ts', 'node:crypto'],
  // The app names its stack after the domain, so it checks the domain before the construct does.
  ['bin/app.ts', '../lib/protocol/domain-name'],
]);

/** Rooms below a room: they import only the listed neighbours, so that each can be read alone. */
const INNER_RULES: Readonly<Record<string, readonly string[]>> = {
  'lib/protocol/findings': [],
  'lib/verifier/dns': ['lib/verifier'],
  'lib/verifier/tls': ['lib/verifier'],
  'lib/verifier/https': ['lib/verifier', 'lib/verifier/tls', 'lib/verifier/dns'],
  'lib/verifier/smtp': ['lib/verifier', 'lib/verifier/tls', 'lib/verifier/dns'],
  'lib/preview/dns-server': ['lib/preview'],
  'lib/operations/history': ['lib/operations', 'lib/operations/context'],
  'lib/functions/runtime': [],
  'cli/input': ['cli'],
  'cli/output': ['cli', 'cli/input'],
};

/** Every source file, relative to the root. */
const SOURCES = filesIn('lib', 'cli', 'bin');

/** Every file of the tests, relative to the root. */
const TESTS = filesIn('test');

/** The largest number of files in a folder of source; its folders are rooms of their own. */
const MAX_FILES = 12;

describe('each file imports only what its room may know', () => {
  test.each(SOURCES)('%s imports nothing that its room must not know', (file) => {
    expect(forbidden(file, readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  });
});

describe('the house as a whole', () => {
  test('the sources have no import circle, type imports included', () => {
    expect(importCircles(importGraph(SOURCES))).toEqual([]);
  });

  test('the tests have no import circle, type imports included', () => {
    expect(importCircles(importGraph(TESTS))).toEqual([]);
  });

  test('every folder of the sources and of the end-to-end tests has at most a dozen files', () => {
    const folders = new Map<string, number>();
    for (const file of [...SOURCES, ...TESTS.filter((test) => test.startsWith('test/e2e/'))]) folders.set(posix.dirname(file), (folders.get(posix.dirname(file)) ?? 0) + 1);
    expect([...folders].filter(([, files]) => files > MAX_FILES).map(([folder, files]) => `${folder}: ${files}`)).toEqual([]);
  });

  test('every function and the command have a bundle, and every bundle has an entry point', () => {
    const entryPoints = SOURCES.filter((file) => /^lib\/functions\/[^/]+\/index\.ts$|^bin\/mta-sts\.ts$/.test(file));
    expect(BUNDLES.map(({ entryPoint }) => entryPoint).sort()).toEqual([...entryPoints].sort());
  });

  test('every bundle becomes stale with all sources that its entry point imports', () => {
    for (const { entryPoint, sources: parts } of BUNDLES) {
      const others = reachable(entryPoint).filter((file) => !parts.some((part) => file.startsWith(part)));
      expect({ entryPoint, others }).toEqual({ entryPoint, others: [] });
    }
  });

  test('every room of the architecture rules exists', () => {
    const rooms = new Set(SOURCES.map(roomOf));
    expect([...rooms].sort()).toEqual(Object.keys(RULES).sort());
    for (const folder of Object.keys(INNER_RULES)) expect(SOURCES.some((file) => file.startsWith(`${folder}/`))).toBe(true);
  });
});

describe('the check itself', () => {
  test.each([
    ['lib/util/x.ts', 'import { a } from \'../protocol/policy/policy\';'],
    ['lib/contract/x.ts', 'import { a } from \'../verifier/verify\';'],
    ['lib/protocol/x.ts', 'import { a } from \'../mta-sts-policy\';'],
    ['lib/protocol/x.ts', 'import { a } from \'../verifier/result\';'],
    ['lib/protocol/x.ts', 'import { readFileSync } from \'node:fs\';'],
    ['lib/protocol/x.ts', 'import { createHash } from \'node:crypto\';'],
    ['lib/protocol/x.ts', 'import { Duration } from \'aws-cdk-lib\';'],
    ['lib/protocol/findings/x.ts', 'import { a } from \'../policy/policy\';'],
    ['lib/verifier/x.ts', 'import type { MtaSts } from \'../mta-sts\';'],
    ['lib/verifier/checks/x.ts', 'import { MtaSts } from \'../../index\';'],
    ['lib/verifier/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\';'],
    ['lib/verifier/x.ts', 'export * from \'../preview/dns-server/server\';'],
    ['lib/verifier/x.ts', 'const a = await import(\'../functions/deployment/index\');'],
    ['lib/verifier/x.ts', 'const a = require(\'../functions/deployment/index\');'],
    ['lib/verifier/dns/x.ts', 'import { a } from \'../https/policy-fetch\';'],
    ['lib/operations/x.ts', 'import { a } from \'../functions/deployment/event\';'],
    ['lib/functions/deployment/x.ts', 'import { MtaSts } from \'../..\';'],
    ['lib/functions/runtime/x.ts', 'import { a } from \'../deployment/event\';'],
    ['lib/functions/deployment/x.ts', 'import { startDnsServer } from \'../../preview/dns-server/server\';'],
    ['lib/functions/deployment/x.ts', 'import { Stack } from \'aws-cdk-lib\';'],
    ['lib/preview/x.ts', 'import { PolicyHost } from \'../policy-host\';'],
    ['lib/private/x.ts', 'import { verify } from \'../verifier/verify\';'],
    ['lib/x.ts', 'import { verify } from \'./verifier/verify\';'],
    ['lib/x.ts', 'import { handler } from \'./functions/deployment\';'],
    ['lib/x.ts', 'import { startDnsServer } from \'./preview/dns-server/server\';'],
    ['lib/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\';'],
    ['bin/x.ts', 'import { handler } from \'../lib/functions/deployment/index\';'],
    ['bin/x.ts', 'import { a } from \'../lib/mta-sts\';'],
    ['cli/x.ts', 'import { MtaSts } from \'../lib/mta-sts\';'],
    ['cli/commands/x.ts', 'import { a } from \'../../tools/bundle.mjs\';'],
    ['bin/x.ts', 'import { a } from \'../test/support/setup\';'],
  ])('the architecture test finds the forbidden import in %s: %s', (file, source) => {
    expect(forbidden(file, source)).toHaveLength(1);
  });

  test.each([
    ['lib/protocol/x.ts', 'import { safeText } from \'../util/safe-text\';'],
    ['lib/protocol/policy/id.ts', 'import { createHash } from \'node:crypto\';'],
    ['lib/verifier/checks/policy/x.ts', 'import { parsePolicy } from \'../../../protocol/policy/policy\';'],
    ['lib/operations/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\';'],
    ['lib/functions/deployment/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\'; import { a } from \'../runtime/log\';'],
    ['lib/x.ts', 'import { a } from \'./protocol/policy/policy\'; import { b } from \'./y\'; import { join } from \'node:path\'; import { c } from \'./private/z\';'],
    ['bin/x.ts', 'import { MtaSts } from \'../lib\'; import { a } from \'../lib/index\'; import { b } from \'../cli/process\';'],
    ['cli/commands/x.ts', 'import { a } from \'./y\'; import { b } from \'../../lib/preview/y\';'],
  ])('the architecture test allows the import in %s: %s', (file, source) => {
    expect(forbidden(file, source)).toEqual([]);
  });

  test('the architecture test finds a circle of three files once', () => {
    expect(importCircles(new Map([['a', ['b']], ['b', ['c']], ['c', ['a']], ['d', ['a']]]))).toEqual([['a', 'b', 'c']]);
  });
});

/** Returns the imports of a source, static, dynamic or by require, that its file must not have. */
function forbidden(file: string, source: string): readonly string[] {
  return specifiers(source).filter((specifier) => !isAllowed(file, specifier));
}

function specifiers(source: string): readonly string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Returns a file and all files that it imports, directly or not. */
function reachable(entryPoint: string): readonly string[] {
  const found = new Set([entryPoint]);
  // A set hands out the files that are added meanwhile.
  for (const file of found) for (const target of importedFiles(file, new Set(SOURCES))) found.add(target);
  return [...found];
}

/** Returns the imported files of a file, as far as they are known. */
function importedFiles(file: string, known: ReadonlySet<string>): readonly string[] {
  return imports(file, readFileSync(join(ROOT, file), 'utf8'))
    .flatMap((target) => [`${target}.ts`, `${target}/index.ts`])
    .filter((target) => known.has(target));
}

/** Returns the imported paths relative to the root, without extension. */
function imports(file: string, source: string): readonly string[] {
  return specifiers(source).filter((specifier) => specifier.startsWith('.')).map((specifier) => posix.join(posix.dirname(file), specifier));
}

/** Returns for each file the other files of the list that it imports. */
function importGraph(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const known = new Set(files);
  return new Map(files.map((file) => [file, importedFiles(file, known)]));
}

function isAllowed(file: string, specifier: string): boolean {
  if (EXCEPTIONS.get(file) === specifier) return true;
  const own = roomOf(file);
  if (own === undefined) return false;
  const { rooms, packages, builtins } = RULES[own];
  if (!specifier.startsWith('.')) {
    if (isBuiltin(specifier)) return builtins;
    return packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  }
  const target = posix.join(posix.dirname(file), specifier);
  const room = target === 'lib' ? 'constructs' : roomOf(target);
  if (room === own) return isInnerAllowed(posix.dirname(file), posix.dirname(target));
  // The apps import only the public API of the constructs.
  if (own === 'bin' && room === 'constructs' && target !== 'lib' && target !== 'lib/index') return false;
  return room !== undefined && rooms.includes(room);
}

function isInnerAllowed(from: string, to: string): boolean {
  const inner = Object.keys(INNER_RULES).find((folder) => from === folder || from.startsWith(`${folder}/`));
  return inner === undefined || to === inner || to.startsWith(`${inner}/`) || (INNER_RULES[inner] ?? []).includes(to);
}

/** Returns the room of a path relative to the root; undefined outside of all rooms. */
function roomOf(path: string): Room | undefined {
  const [top, second] = path.split('/');
  if (top === 'bin' || top === 'cli') return top;
  if (top !== 'lib') return undefined;
  const rooms: readonly Room[] = ['contract', 'functions', 'operations', 'preview', 'private', 'protocol', 'util', 'verifier'];
  return rooms.find((room) => room === second) ?? 'constructs';
}

function filesIn(...folders: readonly string[]): readonly string[] {
  return folders
    .flatMap((top) => readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
