import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { createIo } from '../../cli/io';
import { runInProcess } from '../../cli/process';

class FakeStream extends EventEmitter {
  public text = '';
  public isTTY = false;
  public columns = 80;

  public write(text: string): boolean {
    this.text += text;
    return true;
  }
}

/** The part of a process that the command uses. */
class FakeProcess extends EventEmitter {
  public readonly stdout = new FakeStream();
  public readonly stderr = new FakeStream();
  public readonly stdin = nothing();
  public exitCode: number | undefined;
  public readonly exits: unknown[] = [];

  public constructor(public readonly argv: string[], public readonly env: Record<string, string> = {}) {
    super();
  }

  public exit(code: unknown): void {
    this.exits.push(code);
  }
}

async function* nothing(): AsyncGenerator<string> {
  yield await Promise.resolve('');
}

describe('the command in a process', () => {
  test('the process gets its status in exitCode, so that no output is cut off', async () => {
    const fake = new FakeProcess(['node', 'mta-sts', 'match', 'mx.example.com', 'mx2.example.com']);
    await runInProcess(fake);
    expect(fake.exitCode).toBe(1);
    expect(fake.exits).toEqual([]);
    expect(fake.stdout.text).toBe('✘ no: the names differ (RFC 8461 §4.1)\n');
  });

  test('a closed pipe ends the process silently, with the status if there is one', async () => {
    const fake = new FakeProcess(['node', 'mta-sts', 'match', 'mx.example.com', 'mx2.example.com']);
    const run = runInProcess(fake);
    fake.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(fake.exits).toEqual([141]);
    await run;
    fake.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(fake.exits).toEqual([141, 1]);
    expect(fake.stderr.text).toBe('');
  });

  test('a closed pipe is a signal for a command that waits for one, so that it can clean up', async () => {
    const fake = new FakeProcess(['node', 'mta-sts', '--version']);
    await runInProcess(fake);
    const interrupted = createIo(fake).interrupted();
    fake.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await interrupted;
    expect(fake.exits).toEqual([]);
  });

  test('a full disk is reported and is not a success', async () => {
    const fake = new FakeProcess(['node', 'mta-sts', '--version']);
    await runInProcess(fake);
    fake.stdout.emit('error', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
    expect(fake.exits).toEqual([2]);
    expect(fake.stderr.text).toBe('mta-sts: cannot write the output: ENOSPC: no space left on device, write\n');
  });

  test('a closed standard error does not stop the command', async () => {
    const fake = new FakeProcess(['node', 'mta-sts', 'nonsense']);
    await runInProcess(fake);
    fake.stderr.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(fake.exitCode).toBe(2);
    expect(fake.exits).toEqual([]);
  });
});

describe('the settings of the output', () => {
  const settings = (terminal: boolean, env: Record<string, string>): ReturnType<typeof createIo> => {
    const fake = new FakeProcess([], env);
    fake.stdout.isTTY = terminal;
    return createIo(fake);
  };

  test('output has no colours outside of a terminal, with NO_COLOR, or in a terminal without colours', () => {
    expect(settings(false, {}).colour).toBe(false);
    expect(settings(true, { NO_COLOR: '1' }).colour).toBe(false);
    expect(settings(true, { TERM: 'dumb' }).colour).toBe(false);
  });

  test('output has colours in a terminal, also with an empty NO_COLOR', () => {
    expect(settings(true, {}).colour).toBe(true);
    expect(settings(true, { NO_COLOR: '' }).colour).toBe(true);
  });

  test('output is wrapped only in a terminal', () => {
    expect(settings(false, {}).columns).toBeUndefined();
    expect(settings(true, {}).columns).toBe(80);
  });

  test.each<[Record<string, string>, boolean]>([
    [{ LANG: 'C' }, false],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, false],
    [{ LANG: 'en_US.UTF-8', TERM: 'linux' }, false],
    [{}, true],
    [{ LANG: '', LC_ALL: '' }, true],
    [{ LANG: 'en_US' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'en_US.UTF-8', TERM: 'xterm-256color' }, true],
  ])('with the environment %j the use of characters beyond ASCII is %s', (env, unicode) => {
    expect(settings(true, env).unicode).toBe(unicode);
  });

  test('the command listens for signals only while it waits for one', async () => {
    const fake = new FakeProcess([]);
    const io = createIo(fake);
    expect(io.stdin).toBe(fake.stdin);
    expect(fake.listenerCount('SIGINT')).toBe(0);
    const interrupted = io.interrupted();
    fake.emit('SIGTERM');
    await interrupted;
    expect([fake.listenerCount('SIGINT'), fake.listenerCount('SIGTERM')]).toEqual([0, 0]);
  });
});
