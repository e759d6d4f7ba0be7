// Settings of the comparison: the files that it needs, and the changes that it accepts.

/** Files of a tree, relative to its root. A list has the place of today and those of earlier commits. The first existing place counts. */
export const PATHS = {
  command: ['bin/mta-sts.js'],
  library: ['lib/index.js'],
  cdk: ['cdk.json'],
  examples: ['examples'],
  /** Folders with `integ.*.js`. */
  integ: ['test'],
  /** Documents with TypeScript snippets: files, and folders of Markdown files. */
  documents: ['README.md', 'docs'],
  vectors: ['test/vectors'],
};

/** Sources of this working tree that serve the test domains on loopback. */
export const SOURCES = {
  dnsServer: ['lib/preview/dns-server/index.ts', 'lib/preview/dns-server/server.ts', 'lib/preview/dns-server.ts'],
  zoneAnswers: ['lib/preview/dns-server/zone-answers.ts', 'lib/preview/zone-answers.ts'],
  policyServer: ['test/support/policy-server.ts'],
  mxServer: ['test/support/mx-server.ts'],
};

/** Keys of the command's JSON: old name to new name. Both trees are read with the new names. */
export const RENAMED_KEYS = new Map([
  ['standing', 'status'],
  ['paths', 'observations'],
  ['recordPaths', 'recordObservations'],
  ['policyPaths', 'policyObservations'],
  ['harm', 'impact'],
  ['dissent', 'quirks'],
]);

/** Values of a key, named by its new name: old value to new value. */
export const RENAMED_VALUES = new Map([
  ['status', new Map([['good', 'ok'], ['fault', 'failed']])],
]);

/** Keys that may be missing in the earlier commit. */
export const ADDED_KEYS = new Set(['area']);

/** Keys of texts for people, by their new names. Their words may differ; `--texts` prints them. */
export const TEXT_KEYS = new Set(['message', 'fix', 'evidence', 'meaning', 'impact', 'effect', 'at', 'answer', 'note', 'inReports', 'reason', 'notes', 'reasons']);

/** Keys of values that differ between two runs of the same command. */
export const VOLATILE_KEYS = new Set(['time', 'milliseconds']);

/**
 * Words around the messages in texts, pages and JUnit files: old words to new words. Both trees are read with the new words.
 *
 * @type {readonly [RegExp, string][]}
 */
export const RENAMED_TEXTS = [];
