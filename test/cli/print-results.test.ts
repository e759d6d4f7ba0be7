import { EventEmitter } from 'node:events';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { XMLValidator } from 'fast-xml-parser';
import { RESULT_FORMATS } from '../../cli/output/formats';
import type { ResultFormat } from '../../cli/output/formats';
import type { Io, Output } from '../../cli/io';
import { printResults } from '../../cli/output/print-results';
import { OutputError } from '../../cli/output/sinks';
import type { VerificationResult } from '../../lib/verifier/result';
import { verificationResult } from '../support/report';
import { finding } from '../support/html-document';
import { run } from '../support/command';

let folder: string;

/** The script of `measure`. */
const measuring = join(mkdtempSync(join(tmpdir(), 'mta-sts-memory-')), 'memory.cjs');

beforeAll(() => {
  buildSync({
    entryPoints: [join(__dirname, '..', 'support', 'memory.ts')], outfile: measuring, bundle: true, platform: 'node', define: { 'process.env.MTA_STS_VERSION': '"0"' },
  });
});

afterAll(() => {
  rmSync(dirname(measuring), { recursive: true });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-results-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** An output that keeps everything. */
class Kept implements Output {
  public text = '';

  public write(text: string): boolean {
    this.text += text;
    return true;
  }
}

function ioOf(stdout: Output, env: Io['env'] = {}): Io {
  const interrupted: Io['interrupted'] = () => new Promise(() => undefined);
  const settings = { colour: false, unicode: true, columns: undefined, terminal: undefined };
  return { stdout, stderr: new Kept(), stdin: empty(), ...settings, env, now: Date.now, interrupted };
}

async function* empty(): AsyncGenerator<string> {
  yield await Promise.resolve('');
}

async function* these(...results: readonly VerificationResult[]): AsyncGenerator<VerificationResult> {
  for (const one of results) yield await Promise.resolve(one);
}

async function* failing(...results: readonly VerificationResult[]): AsyncGenerator<VerificationResult> {
  yield* these(...results);
  throw new RangeError('`long.test` is too long');
}

const PASS = verificationResult();
const FAIL = verificationResult({ domain: 'fail.test', verdict: 'fail', findings: [finding({ code: 'mx-not-covered', message: 'a host is not covered' })] });
const UNKNOWN = verificationResult({ domain: 'unknown.test', verdict: 'unknown' });

/** Whether a document is complete, by the rules of its format. */
const WHOLE: Readonly<Record<ResultFormat, (text: string) => boolean>> = {
  text: (text) => text === '' || text.endsWith('\n'),
  json: (text) => typeof JSON.parse(text) === 'object',
  ndjson: (text) => text.split('\n').slice(0, -1).every((line) => typeof JSON.parse(line) === 'object'),
  junit: (text) => XMLValidator.validate(text) === true,
  github: (text) => /\d+ domains?: \d+ pass, \d+ fail, \d+ could not be decided\n$/.test(text),
  html: (text) => text.startsWith('<!doctype html>\n') && text.endsWith('</html>\n'),
};

describe.each(RESULT_FORMATS)('%s', (format) => {
  test('the results before an error form a complete document, and the error is thrown', async () => {
    const stdout = new Kept();
    await expect(printResults(failing(PASS, FAIL), { format }, ioOf(stdout))).rejects.toThrow('`long.test` is too long');
    expect(stdout.text).toContain('fail.test');
    expect(WHOLE[format](stdout.text)).toBe(true);
  });

  test('an error before the first result prints nothing', async () => {
    const stdout = new Kept();
    await expect(printResults(failing(), { format }, ioOf(stdout))).rejects.toThrow(RangeError);
    expect(stdout.text).toBe('');
  });

  test('a run without results prints a complete document', async () => {
    const stdout = new Kept();
    expect(await printResults(these(), { format }, ioOf(stdout))).toBe(0);
    expect(WHOLE[format](stdout.text)).toBe(true);
  });

  test('a file has the same content as standard output', async () => {
    const file = join(folder, 'result');
    const [stdout, beside] = [new Kept(), new Kept()];
    await printResults(these(PASS, FAIL), { format }, ioOf(stdout));
    expect(await printResults(these(PASS, FAIL), { format, output: file }, ioOf(beside))).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(stdout.text);
    expect(beside.text).toBe('✘ fail.test: fail\n  mx-not-covered: a host is not covered\n2 domains: 1 pass, 1 fail\n');
  });
});

describe.each(['text', 'json', 'ndjson', 'junit', 'github'] as const)('streaming of %s', (format) => {
  test('each result is written before the next one is requested', async () => {
    const stdout = new Kept();
    const written: string[] = [];
    async function* watched(): AsyncGenerator<VerificationResult> {
      for (const domain of ['a.test', 'b.test', 'c.test']) {
        yield await Promise.resolve(verificationResult({ domain }));
        written.push(stdout.text);
      }
    }
    await printResults(watched(), { format }, ioOf(stdout));
    expect(written[0]).toContain('a.test');
    expect(written[1]).toContain('b.test');
    expect(written[1]).not.toContain('c.test');
  });

  test('the memory in use does not grow with the number of domains', () => {
    expect(measure(format)).toBeLessThan(1024 * 1024);
  });
});

/** Returns the growth of used memory between 2,000 and 10,000 results, in bytes, from a process with garbage collection on demand. */
function measure(format: ResultFormat): number {
  return Number(execFileSync(process.execPath, ['--expose-gc', measuring, format], { encoding: 'utf8' }));
}

describe('a slow reader', () => {
  class Slow extends EventEmitter implements Output {
    public text = '';
    public full = false;

    public write(text: string): boolean {
      // Without a pause, the output would accumulate in memory.
      expect(this.full).toBe(false);
      this.text += text;
      this.full = true;
      setTimeout(() => {
        this.full = false;
        this.emit('drain');
      }, 1);
      return false;
    }
  }

  test.each(['text', 'json', 'ndjson', 'junit', 'github'] as const)('a slow reader of %s pauses the run', async (format) => {
    const [slow, fast] = [new Slow(), new Kept()];
    await printResults(these(PASS, FAIL, PASS), { format }, ioOf(slow));
    await printResults(these(PASS, FAIL, PASS), { format }, ioOf(fast));
    expect(slow.text).toBe(fast.text);
    expect(['drain', 'close', 'error'].map((event) => slow.listenerCount(event))).toEqual([0, 0, 0]);
  });

  test.each(['close', 'error'])('a reader that has gone away (%s) does not pause the run', async (event) => {
    class Gone extends EventEmitter implements Output {
      public write(): boolean {
        setImmediate(() => this.emit(event, new Error('EPIPE')));
        return false;
      }
    }
    expect(await printResults(these(PASS, FAIL), { format: 'ndjson' }, ioOf(new Gone()))).toBe(1);
  });

  test('an output without events does not pause the run', async () => {
    expect(await printResults(these(PASS), { format: 'ndjson' }, ioOf({ write: () => false }))).toBe(0);
  });
});

describe('the exit status', () => {
  test.each<[readonly VerificationResult[], number]>([
    [[PASS, UNKNOWN, FAIL], 1],
    [[UNKNOWN, PASS], 3],
    [[PASS], 0],
    [[], 0],
  ])('the exit status of case %# follows from the verdicts', async (results, status) => {
    expect(await printResults(these(...results), { format: 'ndjson' }, ioOf(new Kept()))).toBe(status);
  });
});

describe('an output file that cannot be written', () => {
  /** Results that fail when the first one is requested. */
  function untouched(): AsyncIterable<VerificationResult> {
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('was asked')) }) };
  }

  test.each<[string, () => string, string]>([
    ['a folder', () => folder, 'it is a folder; a file is expected'],
    ['a file in no folder', () => join(folder, 'none', 'result'), 'there is no such folder'],
    ['a file below a file', () => join(folder, 'plain', 'result'), 'a part of its path is not a folder'],
  ])('the problem of %s is reported before the first verification', async (_, path, reason) => {
    writeFileSync(join(folder, 'plain'), '');
    const stdout = new Kept();
    const printed = printResults(untouched(), { format: 'json', output: path() }, ioOf(stdout));
    await expect(printed).rejects.toThrow(OutputError);
    await expect(printed).rejects.toThrow(`cannot write \`${path()}\`: ${reason}`);
    expect(stdout.text).toBe('');
  });

  test('an output file that cannot be written is wrong usage of the command', async () => {
    const { status, stdout, stderr } = await run(['verify', 'example.test', '--format', 'html', '--output', join(folder, 'none', 'x.html')]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^mta-sts: cannot write `.*x\.html`: .*\ntry `npx cdk-mta-sts verify --help`\n$/);
  });

  test('a job summary that cannot be written is an error', async () => {
    await expect(printResults(untouched(), { format: 'github' }, ioOf(new Kept(), { GITHUB_STEP_SUMMARY: folder }))).rejects.toThrow(OutputError);
  });

  test('an output file that cannot be written leaves no temporary file behind', async () => {
    await expect(printResults(untouched(), { format: 'github', output: join(folder, 'none', 'x') }, ioOf(new Kept(), { GITHUB_STEP_SUMMARY: join(folder, 'summary') })))
      .rejects.toThrow(OutputError);
    expect(readdirSync(folder)).toEqual(['summary']);
    expect(readFileSync(join(folder, 'summary'), 'utf8')).toBe('');
  });

  test('a full device is an error when a write fails', async () => {
    await expect(printResults(these(PASS), { format: 'json', output: '/dev/full' }, ioOf(new Kept()))).rejects.toThrow('cannot write `/dev/full`: no space is left');
  });
});

describe('the output file', () => {
  test('a run without results and with an error does not change the output file', async () => {
    const file = join(folder, 'result.json');
    writeFileSync(file, 'earlier');
    await expect(printResults(failing(), { format: 'json', output: file }, ioOf(new Kept()))).rejects.toThrow(RangeError);
    expect(readFileSync(file, 'utf8')).toBe('earlier');
    expect(readdirSync(folder)).toEqual(['result.json']);
  });

  test('the output file keeps the results before an error', async () => {
    const file = join(folder, 'result.json');
    await expect(printResults(failing(FAIL), { format: 'json', output: file }, ioOf(new Kept()))).rejects.toThrow(RangeError);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty('domains.length', 1);
    expect(readdirSync(folder)).toEqual(['result.json']);
  });

  test('the output file appears only when it is complete', async () => {
    const file = join(folder, 'result.json');
    const seen: boolean[] = [];
    async function* watched(): AsyncGenerator<VerificationResult> {
      yield await Promise.resolve(PASS);
      seen.push(existsSync(file));
    }
    await printResults(watched(), { format: 'json', output: file }, ioOf(new Kept()));
    expect(seen).toEqual([false]);
    expect(readdirSync(folder)).toEqual(['result.json']);
  });

  test('an output file that is a link stays a link and keeps its permissions', async () => {
    mkdirSync(join(folder, 'real'));
    const real = join(folder, 'real', 'result.json');
    const link = join(folder, 'link.json');
    writeFileSync(real, 'earlier');
    chmodSync(real, 0o600);
    symlinkSync(real, link);
    await printResults(these(PASS), { format: 'json', output: link }, ioOf(new Kept()));
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(real, 'utf8'))).toHaveProperty('domains.length', 1);
    expect(statSync(real).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'real'))).toEqual(['result.json']);
  });

  test('an output file that is a device is written to, not replaced', async () => {
    await printResults(these(PASS), { format: 'json', output: '/dev/null' }, ioOf(new Kept()));
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('an output file has no colours although the terminal has', async () => {
    const file = join(folder, 'result.txt');
    const stdout = new Kept();
    await printResults(these(FAIL), { format: 'text', output: file }, { ...ioOf(stdout), colour: true, columns: 40 });
    expect(readFileSync(file, 'utf8')).not.toContain('\u001b');
    expect(stdout.text).toContain('\u001b[');
  });
});

describe('the job summary of GitHub', () => {
  test('results are appended to the job summary of GitHub', async () => {
    const summary = join(folder, 'summary.md');
    writeFileSync(summary, 'earlier\n');
    const stdout = new Kept();
    await printResults(these(PASS, FAIL), { format: 'github' }, ioOf(stdout, { GITHUB_STEP_SUMMARY: summary }));
    expect(readFileSync(summary, 'utf8')).toMatch(/^earlier\n## MTA-STS\n[^]*fail\.test[^]*\*\*2 domains\*\*: 1 pass, 1 fail, 0 could not be decided\n$/);
    expect(stdout.text).toContain('::error title=fail.test%3A mx-not-covered::');
  });

  test.each(RESULT_FORMATS.filter((format) => format !== 'github'))('the format %s does not touch the job summary', async (format) => {
    const summary = join(folder, 'summary.md');
    await printResults(these(FAIL), { format }, ioOf(new Kept(), { GITHUB_STEP_SUMMARY: summary }));
    expect(existsSync(summary)).toBe(false);
  });

  test('the format github works without a job summary', async () => {
    expect(await printResults(these(FAIL), { format: 'github' }, ioOf(new Kept(), { GITHUB_STEP_SUMMARY: '' }))).toBe(1);
  });
});
