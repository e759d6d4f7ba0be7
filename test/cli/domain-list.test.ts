// Lists of domains in files and on standard input.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDomainList } from '../../cli/input/domain-list';
import type { ListedDomain } from '../../cli/input/domain-list';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-list-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function* nothing(): AsyncGenerator<string> {
  // Standard input that must not be read.
}

async function read(text: string): Promise<ListedDomain[]> {
  const path = join(folder, 'domains.txt');
  writeFileSync(path, text);
  return collect(await openDomainList(path, nothing()));
}

async function collect(list: AsyncIterable<ListedDomain>): Promise<ListedDomain[]> {
  const all: ListedDomain[] = [];
  for await (const one of list) all.push(one);
  return all;
}

describe('a list of domains', () => {
  test('a missing list of domains is refused with its name', async () => {
    await expect(openDomainList(join(folder, 'nowhere'), nothing())).rejects.toThrow(/cannot read `.*nowhere`: there is no such file/);
    await expect(openDomainList(folder, nothing())).rejects.toThrow('it is a folder');
  });

  test('a list of domains yields each invalid line with its number and its problem, and continues', async () => {
    expect(await read('a.example\nuser@b.example\n\nlocalhost\nc.example\n')).toEqual([
      { domain: 'a.example' },
      { line: 2, problem: '`user@b.example` is an email address, where a mail domain is expected; write `b.example`' },
      { line: 4, problem: expect.stringContaining('is a single label') },
      { domain: 'c.example' },
    ]);
  });

  test('a list of domains may have comments, blanks, CRLF and no final line end, and its names become A-labels', async () => {
    expect(await read('# all of ours\r\n  A.example.  # the first\r\n\r\n\tbücher.example')).toEqual([{ domain: 'a.example' }, { domain: 'xn--bcher-kva.example' }]);
  });

  test('an empty list of domains yields nothing', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('\n\n# nothing\n')).toEqual([]);
  });

  test('a list of domains on standard input may be cut into any chunks', async () => {
    async function* stdin(): AsyncGenerator<Uint8Array> {
      for (const piece of ['a.exa', 'mple\nb', '.example\n']) yield await Promise.resolve(Buffer.from(piece));
    }
    expect(await collect(await openDomainList('-', stdin()))).toEqual([{ domain: 'a.example' }, { domain: 'b.example' }]);
  });

  test('a list of domains is read on demand, so it may be endless', async () => {
    let lines = 0;
    async function* stdin(): AsyncGenerator<string> {
      for (;;) {
        lines += 1;
        yield await Promise.resolve(`d${lines}.example\n`);
      }
    }
    let seen = 0;
    for await (const one of await openDomainList('-', stdin())) {
      expect(one).toEqual({ domain: `d${seen += 1}.example` });
      if (seen === 5) break;
    }
    expect(lines).toBeLessThan(5000);
  });
});
