// What is said of real senders, held to the table "Where real senders disagree" of PROTOCOL.md, row by row.
import { describe, expect, test } from '@jest/globals';
import { senderViews } from '../../lib/protocol/dissent';
import type { Dissent, Finding } from '../../lib/protocol/finding';
import { FINDINGS } from '../../lib/protocol/findings';
import type { FindingKind } from '../../lib/protocol/findings';
import { DEEP_WILDCARD_DISSENT } from '../../lib/protocol/mx-deep-wildcard';
import { parsePolicy } from '../../lib/protocol/policy';
import { parseRecord } from '../../lib/protocol/record';
import { vectors } from './vectors';

/** Who does what, as `senders: effect`, for each code that the row became. */
const ROWS: readonly (readonly [row: string, codes: readonly string[], dissent: readonly string[]])[] = [
  ['`mode: none` without mx', ['policy-none-without-mx'], ['chasquid, stalwart, aykevl: refuses the policy']],
  ['`max_age: 0`', ['policy-max-age-zero'], ['chasquid, rest-mail, aykevl: refuses the policy']],
  ['`max_age` over 31557600', ['policy-max-age-limit'], [
    'chasquid, rest-mail, mailpiece, postfix-mta-sts-resolver, mailauth: refuses the policy',
    'postfix-tlspol: caps the age at a year',
  ]],
  ['blank line or comment', ['policy-blank-line', 'policy-comment'], [
    'mox, postfix-tlspol, go-mtasts: refuses the policy',
    'courier: ignores the lines that follow',
  ]],
  ['duplicate `mode` or `max_age`', ['policy-duplicate-field'], [
    'chasquid, go-mtasts, postfix-mta-sts-resolver, mailauth, stalwart: reads the last one',
    'kumomta: refuses the policy',
  ]],
  ['a second, unrelated TXT at `_mta-sts`', ['record-unrelated-txt'], ['go-mtasts: sees no policy']],
  ['text that begins `v=STSv1 ` beside the record', ['record-version-text'], [
    'postfix-mta-sts-resolver, mailauth, go-mtasts, kumomta, courier: sees no policy',
  ]],
  ['host case in patterns', ['policy-mx-upper-case'], ['aykevl, stalwart, kumomta: compares with case']],
  ['tabs around TXT delimiters', ['record-tab'], ['postfix-tlspol, kumomta, courier: refuses the record']],
];

const kinds: readonly [string, FindingKind][] = Object.entries(FINDINGS);

describe('the table of the protocol', () => {
  test.each(ROWS)('row %s', (_row, codes, dissent) => {
    for (const code of codes) expect(inWords(new Map(kinds).get(code)?.dissent)).toEqual(dissent);
  });

  test('row wildcard over several labels', () => {
    expect(inWords(DEEP_WILDCARD_DISSENT)).toEqual([
      // The first one was seen to do so, with Postfix: test/e2e/README.md.
      'postfix-mta-sts-resolver, mailauth, courier: lets the wildcard stand for several labels, so that it covers the host',
    ]);
  });

  test('row of a version that differs in case, which is in the vectors only', () => {
    const { dissent = [], valueDissent = [] } = vectors('record').find(({ id }) => id === 'record-073') ?? {};
    expect(inWords(FINDINGS['record-version-case'].dissent)).toEqual([`${dissent.join(', ')}: sees no policy`, `${valueDissent.join(', ')}: reads the other record`]);
  });

  test('has a row for every code that names senders', () => {
    const named = kinds.filter(([, { dissent }]) => dissent !== undefined).map(([code]) => code);
    expect(named.sort()).toEqual([...ROWS.flatMap(([, codes]) => codes), 'record-version-case'].sort());
  });
});

describe('the views of the senders', () => {
  test('are what each does and why, ordered by their names, those of one sender as the findings are', () => {
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

  test('name each once, however often the finding is there', () => {
    const { findings } = parsePolicy(Buffer.from('version: STSv1\nmode: testing\nmx: MX1.example.com\nmx: MX2.example.com\nmax_age: 86400\n'));
    expect(findings).toHaveLength(2);
    expect(senderViews(findings).map(({ sender }) => sender)).toEqual(['aykevl', 'kumomta', 'stalwart']);
  });

  test('are none where nobody disagrees', () => {
    const unseen: Finding = { code: 'a', severity: 'error', message: 'b' };
    expect(senderViews([unseen, ...parseRecord(['v=spf1 -all']).findings])).toEqual([]);
  });
});

function inWords(dissent: readonly Dissent[] = []): readonly string[] {
  return dissent.map(({ senders, effect }) => `${senders.join(', ')}: ${effect}`);
}
