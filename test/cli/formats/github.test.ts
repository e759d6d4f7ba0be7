import { describe, expect, test } from '@jest/globals';
import { githubFormat } from '../../../cli/output/formats/github';
import { jobSummaryFormat } from '../../../cli/output/formats/job-summary';
import type { Severity } from '../../../lib/protocol/findings/finding';
import { verificationResult } from '../../support/report';
import { HOSTILE, documentOf, finding } from '../../support/html-document';

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** Parses a line as GitHub's runner does (actions/runner, ActionCommand.cs): a command begins with `::` or contains `##[`. */
function commandOf(line: string): Command | undefined {
  const trimmed = line.trim();
  const parts = /^::(\S+?)(?: ([^]*?))?::([^]*)$/.exec(trimmed);
  if (parts === null) return trimmed.includes('##[') ? { name: '##', properties: {}, message: trimmed } : undefined;
  const [, name = '', properties = '', message = ''] = parts;
  const unescaped = (text: string): string => text
    .replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%');
  const pairs = properties.split(',').map((pair): [string, string] => {
    const [key = '', value = ''] = pair.split('=');
    return [key, unescaped(value)];
  });
  return { name, message: unescaped(message), properties: Object.fromEntries(pairs) };
}

function commandsOf(text: string): Command[] {
  return text.split('\n').map(commandOf).filter((command) => command !== undefined);
}

describe('annotations', () => {
  test('hostile text in any field of a finding makes no workflow command', () => {
    const text = documentOf(githubFormat(), [verificationResult({ verdict: 'fail', findings: [finding({ code: HOSTILE, subject: HOSTILE, message: HOSTILE, evidence: HOSTILE, time: HOSTILE, fix: HOSTILE, reference: HOSTILE })] })]);
    expect(commandsOf(text)).toMatchObject([{ name: 'error' }]);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
  });

  test('percent signs, colons and commas are preserved in annotations', () => {
    const [command] = commandsOf(documentOf(githubFormat(), [verificationResult({ findings: [finding({ code: 'a,b::c%3A', message: '100%, %0A and :: and %25' })] })]));
    expect(command?.properties).toEqual({ title: 'example.com: a,b::c%3A' });
    expect(command?.message.split('\n')[0]).toBe('100%, %0A and :: and %25');
  });

  test.each<[Severity, string]>([
    ['error', 'error'], ['unknown', 'warning'], ['warning', 'warning'], ['info', 'notice'],
  ])('a finding with severity %s is the annotation %s', (severity, name) => {
    expect(commandsOf(documentOf(githubFormat(), [verificationResult({ findings: [finding({ severity })] })]))).toMatchObject([{ name }]);
  });

  test('the annotation of an undecided check says so', () => {
    expect(documentOf(githubFormat(), [verificationResult({ findings: [finding({ severity: 'unknown', message: 'no answer' })] })])).toContain('::could not be decided: no answer%0A');
  });

  test('findings beyond the limit of GitHub are counted, over all domains and by kind', () => {
    const findings = [...Array.from({ length: 7 }, () => finding()), ...Array.from({ length: 6 }, () => finding({ severity: 'info' }))];
    const text = documentOf(githubFormat(), [verificationResult({ verdict: 'fail', findings }), verificationResult({ verdict: 'fail', findings })]);
    const names = commandsOf(text).map(({ name }) => name);
    expect(names.filter((name) => name === 'error')).toHaveLength(10);
    expect(names.filter((name) => name === 'notice')).toHaveLength(10);
    expect(text).toContain('and 4 errors, 2 notices more: GitHub shows 10 of each kind for a step; the job summary lists more\n');
  });

  test('an annotation has all fields of its finding, one a line', () => {
    const [command] = commandsOf(documentOf(githubFormat(), [verificationResult({ findings: [finding({ evidence: 'seen there', time: '2026-01-02T03:04:05Z', fix: 'replace it', reference: 'RFC 8461 §4.1' })] })]));
    expect(command).toEqual({
      name: 'error',
      properties: { title: 'example.com: some-code' },
      message: 'something is wrong\nabout: MX mx1.example.com\nseen: seen there (2026-01-02T03:04:05Z)\nfix: replace it\nsee: RFC 8461 §4.1',
    });
  });

  test('domains without findings are named, and all domains are counted', () => {
    expect(documentOf(githubFormat(), [verificationResult(), verificationResult({ domain: 'b.test', verdict: 'unknown' })]))
      .toBe('example.com: pass\nb.test: could not be decided\n2 domains: 1 pass, 0 fail, 1 could not be decided\n');
    expect(documentOf(githubFormat(), [])).toBe('0 domains: 0 pass, 0 fail, 0 could not be decided\n');
  });
});

describe('the job summary', () => {
  /** Removes everything that is escaped from a line. */
  function raw(markdown: string): string {
    return markdown.replace(/\\[!-/:-@[-`{-~]/g, '').replace(/&(?:amp|lt|gt);|<wbr>/g, '');
  }

  test('hostile text in the job summary is neither Markdown nor HTML and ends no cell', () => {
    const text = documentOf(jobSummaryFormat(), [verificationResult({ verdict: 'fail', findings: [finding({ code: HOSTILE, message: HOSTILE, evidence: HOSTILE, fix: HOSTILE, reference: HOSTILE })] })]);
    const row = text.split('\n').find((line) => line.startsWith('| ❌')) ?? '';
    expect(raw(row).split('|')).toHaveLength(7);
    expect(raw(row).replace('<br><sub>', '').replace('</sub>', '')).not.toMatch(/[<>`*_[\]]/);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(text).toContain('&lt;script&gt;');
  });

  test('the job summary has one row for each finding and counts the rest', () => {
    const text = documentOf(jobSummaryFormat(), [verificationResult({ verdict: 'fail', findings: Array.from({ length: 60 }, (_, at) => finding({ code: `code${at}` })) })]);
    expect(text.match(/^\| ❌ error \|/gm)).toHaveLength(50);
    expect(text).toContain('and 10 findings more\n');
  });

  test('the job summary never exceeds the limit of GitHub and counts the missing domains', () => {
    const findings = Array.from({ length: 50 }, () => finding({ message: 'm'.repeat(900) }));
    const text = documentOf(jobSummaryFormat(), Array.from({ length: 100 }, () => verificationResult({ verdict: 'fail', findings })));
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
    const sections = text.match(/^### /gm)?.length ?? 0;
    expect(sections).toBeGreaterThan(10);
    expect(text).toContain(`${100 - sections} more domains would not fit into this summary`);
  });

  test('the job summary has one line for a domain that passed and a table for one that did not', () => {
    const text = documentOf(jobSummaryFormat(), [verificationResult(), verificationResult({ domain: 'b.test', verdict: 'fail', delivery: 'refuse', findings: [finding({ fix: 'replace it', reference: 'RFC 8461 §4.1' })] })]);
    expect(text).toBe(`## MTA-STS

### ✅ example.com: pass

### ❌ b.test: fail

Senders find a policy\\: they deliver only to covered hosts with a valid certificate; a sender would now refuse to deliver.

| | code | what | how to fix it | see |
|---|---|---|---|---|
| ❌ error | some\\-code | something is wrong | replace it | RFC 8461 §4.1 |

**2 domains**: 1 pass, 1 fail, 0 could not be decided
`);
  });
});
