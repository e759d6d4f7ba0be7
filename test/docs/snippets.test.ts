// Every TypeScript snippet of the documentation is compiled against the sources. Those for users are synthesized too.
import { describe, expect, test } from '@jest/globals';
import { documentationPages } from '../support/markdown';
import { pageSnippets } from '../support/page-snippets';
import { compilerErrors, synthesize } from '../support/snippets';
import { WALKTHROUGHS } from '../support/walkthrough';

// The files of a walkthrough need its other steps: test/docs/walkthroughs.test.ts compiles them together.
const snippets = documentationPages().filter((page) => !WALKTHROUGHS.includes(page)).flatMap(pageSnippets);

test('the documentation has snippets', () => {
  expect(snippets.length).toBeGreaterThan(8);
});

test('the compiler accepts every snippet of the documentation', () => {
  expect(compilerErrors(snippets)).toEqual([]);
}, 60_000);

describe('snippets for users', () => {
  test.each(snippets.filter(({ forUsers }) => forUsers))('the snippet at $page:$line creates one stack', (snippet) => {
    // In another Region, the construct adds a second stack of us-east-1.
    const stacks = synthesize(snippet).filter(({ stackName }) => !stackName.endsWith('-mta-sts'));
    expect(stacks).toHaveLength(1);
  });
});
