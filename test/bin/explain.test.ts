import { describe, expect, test } from '@jest/globals';
import { AREAS, CODES, sectionsOf } from '../../bin/command/catalogue';
import { nearest } from '../../bin/command/nearest';
import { FINDINGS } from '../../lib/protocol/findings';
import { POLICY_FINDINGS } from '../../lib/protocol/findings-policy';
import { LIVE_FINDINGS } from '../../lib/verifier/findings';
import { run, runJson } from './run';

const ALL = [...Object.keys(LIVE_FINDINGS), ...Object.keys(FINDINGS)];

describe('an unknown code is wrong usage, with the codes that were probably meant', () => {
  test.each([
    ['mx-not-coverd', '`mx-not-coverd` is not the code of a finding; did you mean `mx-not-covered`?'],
    ['MX_NOT_COVERED', 'did you mean `mx-not-covered`?'],
    ['policy-mx-digit', 'did you mean `policy-mx-digits`?'],
    ['policy-html ', 'did you mean `policy-html`?'],
    ['record', 'is not the code of a finding; did you mean `record-'],
    ['toString', 'is not the code of a finding; without a code this command lists them all'],
    ['__proto__', 'is not the code of a finding; without a code'],
    ['', '`` is not the code of a finding; without a code'],
    ['\u001b[2J', '`\\x1b[2J` is not the code'],
    ['x'.repeat(5000), 'without a code this command lists them all'],
  ])('%j', async (code, message) => {
    const { status, stdout, stderr } = await run(['explain', code]);
    expect(stderr).toContain(message);
    expect(stderr).toContain('try `npx cdk-mta-sts explain --help`');
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('a wrong one beside a right one prints nothing', async () => {
    const { status, stdout } = await run(['explain', 'mx-not-covered', 'mx-not']);
    expect(status).toBe(2);
    expect(stdout).toBe('');
  });
});

test.each([
  ['mx-null', ['mx-null', 'mx-nul', 'mx-nully', 'policy-mx-null', 'far-away'], ['mx-null', 'mx-nul', 'mx-nully']],
  ['null', ['mx-null', 'policy-null-mx', 'nullable'], ['mx-null', 'policy-null-mx']],
  ['abcdefgh', ['stuvwxyz'], []],
])('nearest to %j of %j are %j', (typed, words, near) => {
  expect(nearest(typed, words)).toEqual(near);
});

describe('a code is explained with all that is known of it', () => {
  test.each(ALL)('%s', async (code) => {
    const { status, stdout, stderr } = await run(['explain', code], { unicode: true });
    const kind = new Map(Object.entries({ ...LIVE_FINDINGS, ...FINDINGS })).get(code);
    expect(stderr).toBe('');
    expect(stdout).toContain(`${code} · ${kind?.severity ?? ''}\n  ${kind?.meaning ?? ''}\n`);
    expect(stdout).toContain(`  harm     ${kind?.harm ?? ''}\n`);
    expect(stdout).toContain(`  fix      ${kind?.fix ?? ''}\n`);
    expect(stdout).toContain(`  see      ${kind?.reference ?? ''}\n           https://www.rfc-editor.org/rfc/rfc`);
    expect(status).toBe(0);
  });

  test('with the senders that disagree', async () => {
    const { stdout } = await run(['explain', 'policy-blank-line']);
    expect(stdout).toContain('\n  senders  mox, postfix-tlspol, go-mtasts: refuses the policy\n           courier: ignores the lines that follow\n');
  });

  test('several in the order in which they were asked for, each once', async () => {
    const { stdout } = await run(['explain', 'policy-html', 'mx-null', 'policy-html']);
    expect(stdout.match(/^\S (\S+) ·/gm)).toEqual(['✘ policy-html ·', 'i mx-null ·']);
  });

  test('as JSON', async () => {
    const { status, json } = await runJson(['explain', 'id-unexpected', 'policy-blank-line']);
    expect(status).toBe(0);
    const { severity, meaning, harm, fix, reference } = LIVE_FINDINGS['id-unexpected'];
    expect(json).toEqual([
      {
        code: 'id-unexpected', severity, meaning, harm, fix, reference, dissent: [],
        sections: [
          { name: 'RFC 8461 §3.1', url: 'https://www.rfc-editor.org/rfc/rfc8461#section-3.1' },
          { name: 'RFC 8461 §8.1', url: 'https://www.rfc-editor.org/rfc/rfc8461#section-8.1' },
        ],
      },
      expect.objectContaining({ code: 'policy-blank-line', dissent: POLICY_FINDINGS['policy-blank-line'].dissent }),
    ]);
  });
});

describe('without a code', () => {
  test('all are listed with severity and meaning, and fit a narrow terminal', async () => {
    const { status, stdout } = await run(['explain'], { columns: 80 });
    expect(stdout.match(/^ {2}\S (\S+) · (?:error|warning|info|unknown)$/gm)).toHaveLength(ALL.length);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const { stdout: wide } = await run(['explain']);
    for (const { meaning } of CODES.values()) expect(wide).toContain(`    ${meaning}\n`);
    expect(status).toBe(0);
  });

  test('all are listed as JSON', async () => {
    const { json } = await runJson(['explain']);
    expect((json as { code: string }[]).map(({ code }) => code).sort()).toEqual([...ALL].sort());
  });
});

describe('the catalogue', () => {
  test('has every code of both rooms in just one area', () => {
    expect(AREAS.flatMap(({ codes }) => codes.map(({ code }) => code)).sort()).toEqual([...ALL].sort());
  });

  test('knows which codes come from a live domain', () => {
    const live = AREAS.filter((area) => area.live).flatMap(({ codes }) => codes.map(({ code }) => code));
    expect(live.sort()).toEqual(Object.keys(LIVE_FINDINGS).sort());
  });

  test.each([...CODES.values()])('$code names a section that has an address', ({ reference }) => {
    expect(sectionsOf(reference).length).toBeGreaterThan(0);
  });
});
