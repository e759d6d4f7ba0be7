// Compares the sender quirks of the finding catalogue with the observed behaviour of real senders, row by row.
import { describe, expect, test } from '@jest/globals';
import { senderViews } from '../../../lib/protocol/findings/sender-quirks';
import type { SenderQuirk, Finding } from '../../../lib/protocol/findings/finding';
import { FINDINGS } from '../../../lib/protocol/findings/catalog';
import type { FindingKind } from '../../../lib/protocol/findings/kind';
import { DEEP_WILDCARD_QUIRK } from '../../../lib/protocol/mx/deep-wildcard';
import { parsePolicy } from '../../../lib/protocol/policy/policy';
import { parseRecord } from '../../../lib/protocol/records/sts-record';
import { KNOWN_SENDERS, acceptingSenders } from '../../../lib/protocol/findings/tolerance';
import { vectors } from '../grammar/vectors';
import type { PolicyVector, TxtVector } from '../grammar/vectors';

/** Observed behaviour: an input, the finding codes about it, and the quirks of these codes as `senders: effect`. */
const ROWS: readonly (readonly [row: string, codes: readonly string[], quirks: readonly string[]])[] = [
  ['`mode: none` without mx', ['policy-none-without-mx'], ['chasquid, stalwart, aykevl: refuses the policy']],
  ['`max_age: 0`', ['policy-max-age-zero'], ['chasquid, rest-mail, aykevl: refuses the policy']],
  ['`max_age` over 31557600', ['policy-max-age-limit'], [
    'chasquid, rest-mail, mailpiece, postfix-mta-sts-resolver, mailauth: refuses the policy',
    'postfix-tlspol: caps the age at a year',
    'go-mtasts, kumomta, stalwart, courier, aykevl: accepts the policy',
  ]],
  ['blank line or comment', ['policy-blank-line', 'policy-comment'], [
    'mox, postfix-tlspol, go-mtasts: refuses the policy',
    'courier: ignores the lines that follow',
    'postfix-mta-sts-resolver, mailauth, chasquid, kumomta, stalwart, rest-mail, mailpiece, aykevl, danmarg: accepts the policy',
  ]],
  ['duplicate `mode` or `max_age`', ['policy-duplicate-field'], [
    'chasquid, go-mtasts, postfix-mta-sts-resolver, mailauth, stalwart: reads the last one',
    'kumomta: refuses the policy',
  ]],
  ['a second, unrelated TXT at `_mta-sts`', ['record-unrelated-txt'], ['go-mtasts: sees no policy']],
  ['text that begins `v=STSv1 ` beside the record', ['record-version-text'], [
    'postfix-mta-sts-resolver, mailauth, go-mtasts, kumomta, courier: sees no policy',
  ]],
  ['over 10,240 bytes', ['policy-large'], ['chasquid: cuts the file after 10240 bytes']],
  ['hyphens in places 3 and 4', ['policy-mx-reserved-label'], ['mox: refuses the policy']],
  ['`max_age` at the limit', ['policy-max-age-at-limit'], ['stalwart: reads the age as a day']],
  ['a line without a colon', ['policy-no-colon'], [
    'mox, postfix-tlspol, go-mtasts, kumomta, danmarg: refuses the policy',
    'postfix-mta-sts-resolver, mailauth, chasquid, stalwart, rest-mail, mailpiece, courier, aykevl: accepts the policy',
  ]],
  ['no mx', ['policy-mx-missing'], [
    'mox, postfix-tlspol, postfix-mta-sts-resolver, mailauth, chasquid, go-mtasts, kumomta, stalwart, rest-mail, mailpiece, aykevl: refuses the policy',
    'courier, danmarg: accepts the policy',
  ]],
  ['host case in patterns', ['policy-mx-upper-case'], ['aykevl, stalwart, kumomta: compares with case']],
  ['tabs around TXT delimiters', ['record-tab'], ['postfix-tlspol, kumomta, courier: refuses the record']],
];

const kinds: readonly [string, FindingKind][] = Object.entries(FINDINGS);

describe('the finding catalogue', () => {
  test.each(ROWS)('the finding catalogue names the senders with a quirk about %s', (_row, codes, quirks) => {
    for (const code of codes) expect(inWords(new Map(kinds).get(code)?.quirks)).toEqual(quirks);
  });

  test('the finding catalogue names the senders that accept a wildcard over several labels', () => {
    expect(inWords(DEEP_WILDCARD_QUIRK)).toEqual([
      // Observed for postfix-mta-sts-resolver with Postfix: docs/contribute/e2e-emulator.md.
      'postfix-mta-sts-resolver, mailauth, courier: lets the wildcard match several labels, so that it covers the host',
    ]);
  });

  test('the finding catalogue names the senders that accept a version in another letter case', () => {
    const { dissent = [], valueDissent = [] } = vectors('record').find(({ id }) => id === 'record-073') ?? {};
    expect(inWords(FINDINGS['record-version-case'].quirks)).toEqual([`${dissent.join(', ')}: sees no policy`, `${valueDissent.join(', ')}: reads the other record`]);
  });

  test('every finding code with sender quirks has a row of observed behaviour', () => {
    const named = kinds.filter(([, { quirks }]) => quirks !== undefined).map(([code]) => code);
    expect(named.sort()).toEqual([...ROWS.flatMap(([, codes]) => codes), 'record-version-case'].sort());
  });
});

describe('sender views', () => {
  test('sender views are sorted by sender, then in the order of the findings', () => {
    const { findings } = parsePolicy(Buffer.from('version: STSv1\nmode: none\nmode: none\nmax_age: 0\n'));
    expect(senderViews(findings)).toEqual([
      { sender: 'aykevl', effect: 'refuses the policy', code: 'policy-none-without-mx' },
      { sender: 'aykevl', effect: 'refuses the policy', code: 'policy-max-age-zero' },
      { sender: 'chasquid', effect: 'refuses the policy', code: 'policy-none-without-mx' },
      { sender: 'chasquid', effect: 'reads the last one', code: 'policy-duplicate-field' },
      { sender: 'chasquid', effect: 'refuses the policy', code: 'policy-max-age-zero' },
      { sender: 'go-mtasts', effect: 'reads the last one', code: 'policy-duplicate-field' },
      { sender: 'kumomta', effect: 'refuses the policy', code: 'policy-duplicate-field' },
      { sender: 'mailauth', effect: 'reads the last one', code: 'policy-duplicate-field' },
      { sender: 'postfix-mta-sts-resolver', effect: 'reads the last one', code: 'policy-duplicate-field' },
      { sender: 'rest-mail', effect: 'refuses the policy', code: 'policy-max-age-zero' },
      { sender: 'stalwart', effect: 'refuses the policy', code: 'policy-none-without-mx' },
      { sender: 'stalwart', effect: 'reads the last one', code: 'policy-duplicate-field' },
    ]);
  });

  test('sender views name each sender once', () => {
    const { findings } = parsePolicy(Buffer.from('version: STSv1\nmode: testing\nmx: MX1.example.com\nmx: MX2.example.com\nmax_age: 86400\n'));
    expect(findings).toHaveLength(2);
    expect(senderViews(findings).map(({ sender }) => sender)).toEqual(['aykevl', 'kumomta', 'stalwart']);
  });

  test('sender views are empty when all senders agree', () => {
    const withoutQuirks: Finding = { code: 'a', severity: 'error', message: 'b' };
    expect(senderViews([withoutQuirks, ...parseRecord(['v=spf1 -all']).findings])).toEqual([]);
  });
});

function inWords(quirks: readonly SenderQuirk[] = []): readonly string[] {
  return quirks.map(({ senders, effect }) => `${senders.join(', ')}: ${effect}`);
}

/** Returns the name of a sender in the vectors. */
function vectorName(sender: string): string {
  return sender === 'postfix-tlspol' ? 'tlspol' : sender;
}

/**
 * Senders that the vectors name, and whose behaviour was later observed to differ: two refuse an address, and one ignores the lines after
 * an empty line.
 */
const LATER_OBSERVED = new Map([['policy-087', ['aykevl', 'danmarg']], ['policy-016', ['courier']]]);

/** An empty line alone. A sender that skips the line has an empty policy, and no finding names such senders. */
const WITHOUT_SENDERS = ['policy-114'];

describe('senders that accept an invalid policy or record', () => {
  test.each(vectors('policy').filter(({ id, expect: verdict }) => verdict === 'invalid' && !WITHOUT_SENDERS.includes(id)))(
    'vector $id: the findings name the senders that accept the invalid policy ($name)', (vector: PolicyVector) => {
      const { id, input = '', inputBase64, dissent = [] } = vector;
      const laterObserved = LATER_OBSERVED.get(id) ?? [];
      const expected = KNOWN_SENDERS.filter((sender) => dissent.includes(vectorName(sender)) && !laterObserved.includes(sender));
      expect([...acceptingSenders(parsePolicy(inputBase64 === undefined ? Buffer.from(input) : Buffer.from(inputBase64, 'base64')).findings)].sort()).toEqual([...expected].sort());
    },
  );

  test.each(vectors('record').filter(({ expect: verdict }) => verdict === 'invalid' || verdict === 'none'))('vector $id: the findings name the senders that accept the invalid record ($name)', ({ input, dissent = [] }: TxtVector) => {
    const expected = KNOWN_SENDERS.filter((sender) => dissent.includes(vectorName(sender)));
    expect([...acceptingSenders(parseRecord(typeof input === 'string' ? [input] : input).findings)].sort()).toEqual([...expected].sort());
  });

  test.each([
    ['a comma list', 'mx1.example.com, mx2.example.com'],
    ['an IPv4 address', '192.0.2.1'],
  ])('the finding about %s as an mx pattern names the senders that refuse it and the senders that accept it', (_name, pattern) => {
    const { verdict, mode, findings } = parsePolicy(Buffer.from(`version: STSv1\nmode: enforce\nmx: ${pattern}\nmax_age: 604800\n`));
    expect({ verdict, mode }).toEqual({ verdict: 'invalid', mode: 'enforce' });
    expect(findings.at(0)?.message).toContain('; refused or read otherwise by mox, postfix-tlspol, aykevl, danmarg; still accepted by postfix-mta-sts-resolver, mailauth, chasquid, ');
  });
});

describe('senders that refuse a valid policy or record', () => {
  const good = 'version: STSv1\nmode: testing\nmx: mail.example.com\nmax_age: 604800\n';

  test.each([
    ['hyphens in places 3 and 4', good.replace('mail', 'mx--1'), ['mox']],
    ['a false A-label', good.replace('mail', 'xn--a'), ['mox']],
    ['a true A-label', good.replace('mail', 'xn--mx-lka'), []],
    ['more than 10,240 bytes', `${good}note: ${'x'.repeat(10_240)}\n`, ['chasquid']],
    ['a second version', `${good}version: STSv2\n`, ['chasquid', 'go-mtasts', 'kumomta', 'mailauth', 'mox', 'postfix-mta-sts-resolver', 'stalwart']],
    ['the same version again', `${good}version: STSv1\n`, ['kumomta']],
    ['a malformed second mode', `${good}mode: bogus\n`, ['chasquid', 'danmarg', 'go-mtasts', 'kumomta', 'mailauth', 'mox', 'postfix-mta-sts-resolver', 'stalwart']],
    ['a malformed second max_age', `${good}max_age: abc\n`, ['chasquid', 'danmarg', 'go-mtasts', 'kumomta', 'mailauth', 'mox', 'postfix-mta-sts-resolver', 'stalwart']],
    ['a colon in an extension', `${good}note: a:b\n`, ['go-mtasts']],
    ['a C1 control in an extension', `${good}note: a\u0085b\n`, ['postfix-tlspol']],
    ['the largest max_age', good.replace('604800', '31557600'), ['stalwart']],
  ])('the findings name the senders that refuse or misread a valid policy: %s', (_name, text, senders) => {
    const { verdict, findings } = parsePolicy(Buffer.from(text));
    expect(verdict).toBe('valid');
    expect([...new Set(senderViews(findings).map(({ sender }) => sender))]).toEqual(senders);
  });

  test.each([
    ['a second id', ['v=STSv1; id=1; id=2'], ['courier', 'go-mtasts', 'kumomta', 'mailauth', 'mailpiece', 'mox', 'postfix-mta-sts-resolver', 'rest-mail', 'stalwart']],
    ['the same id again', ['v=STSv1; id=1; id=1'], ['courier', 'mailpiece', 'mox', 'rest-mail']],
    ['the version again', ['v=STSv1; id=1; v=STSv1'], ['rest-mail']],
    ['a blank before the semicolon, alone', ['v=STSv1 ; id=1'], ['aykevl', 'chasquid', 'mailpiece']],
    ['a tab', ['v=STSv1;\tid=1'], ['courier', 'kumomta', 'postfix-tlspol']],
  ])('the findings name the senders that refuse or misread a valid record: %s', (_name, texts, senders) => {
    const { verdict, findings } = parseRecord(texts);
    expect(verdict).toBe('valid');
    expect(senderViews(findings).map(({ sender }) => sender)).toEqual(senders);
  });
});
