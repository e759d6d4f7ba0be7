// The command prints the sample outputs of the documentation.
import { expect, test } from '@jest/globals';
import { textFormat } from '../../cli/output/formats/text';
import { Style } from '../../cli/output/terminal';
import { codeBlocks } from '../support/markdown';
import { showcases } from '../support/showcase';

/** Returns the lines of an output without the parts that differ between runs. */
function stableLines(output: string): string[] {
  return output.replaceAll('example.test', 'example.com').replace(/\d+ ms/g, '1 ms').split('\n').filter((line) => line.trim() !== '');
}

test('the sample of the README is a shortened output of verify for a domain without problems', async () => {
  const { good } = await showcases();
  const style = new Style({ colour: false, unicode: true, columns: undefined });
  const format = textFormat(style);
  const output = stableLines(good.results.map((result) => format.body(result)).join(''));
  const sample = codeBlocks('README.md').find(({ language, headings }) => language === 'text' && headings.includes('Check a domain'));
  const lines = stableLines(sample?.code ?? '');
  expect(lines.length).toBeGreaterThan(5);
  expect(output.filter((line) => lines.includes(line))).toEqual(lines);
});
