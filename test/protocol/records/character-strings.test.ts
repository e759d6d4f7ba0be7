// Tests how a text is written as character-strings of a TXT record.
import { expect, test } from '@jest/globals';
import { characterStrings } from '../../../lib/protocol/records/character-strings';

test.each([
  ['v=STSv1; id=1;', '"v=STSv1; id=1;"'],
  ['', '""'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['é\n', '"\\195\\169\\010"'],
  ['x'.repeat(256), `"${'x'.repeat(255)}" "x"`],
])('a text is written as character-strings of a TXT record: %j', (text, written) => {
  expect(characterStrings(text)).toBe(written);
});
