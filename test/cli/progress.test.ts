// The progress line of a long run.
import { describe, expect, test } from '@jest/globals';
import { Progress } from '../../cli/commands/verify/progress';
import type { VerificationResult } from '../../lib/verifier/result';
import { verificationResult } from '../support/report';

async function* results(...verdicts: VerificationResult['verdict'][]): AsyncGenerator<VerificationResult> {
  for (const verdict of verdicts) yield await Promise.resolve(verificationResult({ verdict }));
}

async function drawn(total: number | undefined, ...verdicts: VerificationResult['verdict'][]): Promise<string> {
  let text = '';
  const terminal = { write: (piece: string) => text += piece };
  for await (const one of new Progress(terminal).track(results(...verdicts), terminal, total)) text += `<${one.verdict}>`;
  return text;
}

describe('progress', () => {
  test('progress is cleared before each result, shown after it, and gone at the end', async () => {
    expect(await drawn(2, 'pass', 'fail')).toBe([
      '\r\u001b[K0 of 2 verified: 0 pass, 0 fail, 0 could not be decided', '\r\u001b[K<pass>',
      '\r\u001b[K1 of 2 verified: 1 pass, 0 fail, 0 could not be decided', '\r\u001b[K<fail>',
      '\r\u001b[K2 of 2 verified: 1 pass, 1 fail, 0 could not be decided', '\r\u001b[K',
    ].join(''));
  });

  test('progress names no total if none is known', async () => {
    expect(await drawn(undefined, 'unknown')).toContain('\r\u001b[K1 verified: 0 pass, 0 fail, 1 could not be decided');
  });

  test('progress is not shown without a terminal', async () => {
    const all: VerificationResult[] = [];
    for await (const one of new Progress({ write: () => undefined }).track(results('pass'), undefined)) all.push(one);
    expect(all).toHaveLength(1);
  });

  test('progress is gone after a failed run', async () => {
    let text = '';
    async function* failing(): AsyncGenerator<VerificationResult> {
      yield await Promise.resolve(verificationResult());
      throw new Error('the list is gone');
    }
    const terminal = { write: (piece: string) => text += piece };
    const work = async (): Promise<void> => {
      for await (const one of new Progress(terminal).track(failing(), terminal)) expect(one.verdict).toBe('pass');
    };
    await expect(work()).rejects.toThrow('the list is gone');
    expect(text.endsWith('\r\u001b[K')).toBe(true);
  });

  test('progress makes room for a message and comes back after it', async () => {
    let text = '';
    const terminal = { write: (piece: string) => text += piece };
    const progress = new Progress(terminal);
    for await (const one of progress.track(results('pass', 'pass'), terminal, 2)) {
      expect(one.verdict).toBe('pass');
      text = '';
      progress.print('mta-sts: a note\n');
      expect(text).toBe('\r\u001b[Kmta-sts: a note\n\r\u001b[K' + `${progress.done} of 2 verified: ${progress.done} pass, 0 fail, 0 could not be decided`);
    }
    text = '';
    progress.print('mta-sts: the last word\n');
    expect(text).toBe('mta-sts: the last word\n');
  });
});
