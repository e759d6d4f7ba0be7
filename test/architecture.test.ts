// Who may know whom: the rooms and arrows of the design, asserted over the imports of lib/ and bin/.
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const ROOT = join(__dirname, '..');

type Room = 'bin' | 'constructs' | 'handler' | 'preview' | 'protocol' | 'verifier';

interface Rules {
  /** Other rooms; a room may always import itself. */
  readonly rooms: readonly Room[];
  /** Packages, a scope standing for all in it. */
  readonly packages: readonly string[];
  readonly builtins: boolean;
}

/** An arrow that is not here is a mistake. */
const RULES: Record<Room, Rules> = {
  protocol: { rooms: [], packages: [], builtins: false },
  verifier: { rooms: ['protocol'], packages: ['dns-packet', 'ipaddr.js', 'tldts'], builtins: true },
  handler: { rooms: ['verifier', 'protocol'], packages: ['@aws-sdk', 'aws-lambda'], builtins: true },
  preview: { rooms: ['verifier', 'protocol'], packages: ['dns-packet', '@peculiar/x509', 'reflect-metadata'], builtins: true },
  constructs: { rooms: ['protocol'], packages: ['aws-cdk-lib', 'constructs'], builtins: true },
  bin: { rooms: ['preview', 'verifier', 'constructs', 'protocol'], packages: ['commander', 'fast-xml-builder', 'aws-cdk-lib', 'constructs'], builtins: true },
};

/** Single files that may import one thing more than their room. */
const EXCEPTIONS = new Map([
  ['lib/protocol/domain-name.ts', 'node:url'],
  ['lib/protocol/policy-id.ts', 'node:crypto'],
]);

describe('each file imports only what its room may know', () => {
  test.each(sources())('%s', (file) => {
    expect(forbidden(file, readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  });
});

describe('the check itself', () => {
  test('looks at every room', () => {
    const rooms = new Set(sources().map(roomOf));
    expect([...rooms].sort()).toEqual(Object.keys(RULES).sort());
  });

  test.each([
    ['lib/protocol/x.ts', 'import { a } from \'../policy\';'],
    ['lib/protocol/x.ts', 'import { a } from \'../verifier/report\';'],
    ['lib/protocol/x.ts', 'import { readFileSync } from \'node:fs\';'],
    ['lib/protocol/x.ts', 'import { createHash } from \'node:crypto\';'],
    ['lib/protocol/x.ts', 'import { Duration } from \'aws-cdk-lib\';'],
    ['lib/verifier/x.ts', 'import type { MtaSts } from \'../mta-sts\';'],
    ['lib/verifier/checks/x.ts', 'import { MtaSts } from \'../../index\';'],
    ['lib/verifier/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\';'],
    ['lib/verifier/x.ts', 'export * from \'../preview/dns-server\';'],
    ['lib/verifier/x.ts', 'const a = await import(\'../handler/index\');'],
    ['lib/verifier/x.ts', 'const a = require(\'../handler/index\');'],
    ['lib/handler/x.ts', 'import { MtaSts } from \'..\';'],
    ['lib/handler/x.ts', 'import { startDnsServer } from \'../preview/dns-server\';'],
    ['lib/handler/x.ts', 'import { Stack } from \'aws-cdk-lib\';'],
    ['lib/preview/x.ts', 'import { PolicyHost } from \'../policy-host\';'],
    ['lib/x.ts', 'import { verify } from \'./verifier/verify\';'],
    ['lib/x.ts', 'import { handler } from \'./handler\';'],
    ['lib/x.ts', 'import { startDnsServer } from \'./preview/dns-server\';'],
    ['lib/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\';'],
    ['bin/x.ts', 'import { handler } from \'../lib/handler/index\';'],
    ['bin/command/x.ts', 'import { MtaSts } from \'../../lib/mta-sts\';'],
    ['bin/command/x.ts', 'import { a } from \'../../tools/bundle.mjs\';'],
    ['bin/x.ts', 'import { a } from \'../test/support/setup\';'],
  ])('catches in %s: %s', (file, source) => {
    expect(forbidden(file, source)).toHaveLength(1);
  });

  test.each([
    ['lib/protocol/x.ts', 'import { printable } from \'./text\';'],
    ['lib/protocol/policy-id.ts', 'import { createHash } from \'node:crypto\';'],
    ['lib/verifier/checks/x.ts', 'import { parsePolicy } from \'../../protocol/policy\';'],
    ['lib/handler/x.ts', 'import { S3Client } from \'@aws-sdk/client-s3\';'],
    ['lib/x.ts', 'import { a } from \'./protocol/policy\'; import { b } from \'./y\'; import { join } from \'node:path\';'],
    ['bin/x.ts', 'import { MtaSts } from \'../lib\'; import { a } from \'../lib/index\';'],
    ['bin/command/x.ts', 'import { a } from \'./y\'; import { b } from \'../../lib/preview/y\';'],
  ])('allows in %s: %s', (file, source) => {
    expect(forbidden(file, source)).toEqual([]);
  });
});

/** The imports of a source, static, dynamic or by require, that its file may not have. */
function forbidden(file: string, source: string): readonly string[] {
  const imports = ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
  return imports.filter((specifier) => !isAllowed(file, specifier));
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
  if (room === own) return true;
  // Of the constructs only what the public API exports.
  if (own === 'bin' && room === 'constructs' && target !== 'lib' && target !== 'lib/index') return false;
  return room !== undefined && rooms.includes(room);
}

/** The room of a path relative to the root, or undefined for what lies outside of them all. */
function roomOf(path: string): Room | undefined {
  const [top, second] = path.split('/');
  if (top === 'bin') return 'bin';
  if (top !== 'lib') return undefined;
  return second === 'protocol' || second === 'verifier' || second === 'handler' || second === 'preview' ? second : 'constructs';
}

function sources(): readonly string[] {
  return ['lib', 'bin']
    .flatMap((top) => readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
