// The line that says how far a long run is.
import { describe, expect, test } from '@jest/globals';
import { withProgress } from '../../bin/command/progress';
import type { Report } from '../../lib/verifier/report';
import { report } from '../support/report';

async function* reports(...verdicts: Report['verdict'][]): AsyncGenerator<Report> {
  for (const verdict of verdicts) yield await Promise.resolve(report({ verdict }));
}

async function drawn(total: number | undefined, ...verdicts: Report['verdict'][]): Promise<string> {
  let text = '';
  const terminal = { write: (piece: string) => text += piece };
  for await (const one of withProgress(reports(...verdicts), terminal, total)) text += `<${one.verdict}>`;
  return text;
}

describe('progress', () => {
  test('is cleared before each report, told after it, and gone at the end', async () => {
    expect(await drawn(2, 'pass', 'fail')).toBe([
      '\r\u001b[K0 of 2 verified: 0 pass, 0 fail, 0 could not be decided', '\r\u001b[K<pass>',
      '\r\u001b[K1 of 2 verified: 1 pass, 0 fail, 0 could not be decided', '\r\u001b[K<fail>',
      '\r\u001b[K2 of 2 verified: 1 pass, 1 fail, 0 could not be decided', '\r\u001b[K',
    ].join(''));
  });

  test('names no total where none is known', async () => {
    expect(await drawn(undefined, 'unknown')).toContain('\r\u001b[K1 verified: 0 pass, 0 fail, 1 could not be decided');
  });

  test('is nothing where there is no terminal', async () => {
    const all: Report[] = [];
    for await (const one of withProgress(reports('pass'), undefined)) all.push(one);
    expect(all).toHaveLength(1);
  });

  test('is gone as well when the run fails', async () => {
    let text = '';
    async function* failing(): AsyncGenerator<Report> {
      yield await Promise.resolve(report());
      throw new Error('the list is gone');
    }
    const work = async (): Promise<void> => {
      for await (const one of withProgress(failing(), { write: (piece: string) => text += piece })) expect(one.verdict).toBe('pass');
    };
    await expect(work()).rejects.toThrow('the list is gone');
    expect(text.endsWith('\r\u001b[K')).toBe(true);
  });
});
