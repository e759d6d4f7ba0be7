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
  ['takes', 'accepts'],
]);

/** Values of a key, named by its new name: old value to new value. */
export const RENAMED_VALUES = new Map([
  ['status', new Map([['good', 'ok'], ['fault', 'failed']])],
]);

/** Keys that may be missing in the earlier commit. */
export const ADDED_KEYS = new Set(['area', 'inDeployments']);

/** Keys of texts for people, by their new names. Their words may differ; `--texts` prints them. */
export const TEXT_KEYS = new Set(['message', 'fix', 'evidence', 'meaning', 'impact', 'effect', 'at', 'answer', 'note', 'inReports', 'reason', 'notes', 'reasons', 'title', 'change', 'description']);

/** Keys of values that differ between two runs of the same command. */
export const VOLATILE_KEYS = new Set(['time', 'milliseconds']);

/**
 * Words around the messages in texts, pages and JUnit files: old words to new words. Both trees are read with the new words.
 *
 * @type {readonly [RegExp, string][]}
 */
export const RENAMED_TEXTS = [
  // Labels of `verify` and `explain`.
  [/^( *)harm {5}/gm, '$1impact   '],
  [/^( *)refusals\b/gm, '$1mx conflicts'],
  [/\nHow to mend it\n/g, '\nHow to fix it\n'],
  [/\nnot announced\n/g, '\nnot published\n'],
  [/\nThe way of the look-up\n/g, '\nThe steps of the look-up\n'],
  [/\nEvery way that was tried \(/g, '\nAll observations ('],
  [/\nWhat came back\n/g, '\nAnswer\n'],
  [/What a sender sees of a domain changes with DNS and with its servers: this was so at the time given\./g,
    'It shows the state at the given time. DNS and servers can change at any time.'],
  // Sentences about a delivery.
  [/Senders are told of a policy that they cannot use: those that know none yet deliver without MTA-STS/g,
    'Senders find a policy that they cannot use: they deliver without MTA-STS if they have none in their cache'],
  [/Senders cannot tell for now: they keep a policy that they know and try again later, all others deliver without MTA-STS/g,
    'Senders cannot tell for now: they keep a cached policy and try again later, and deliver without MTA-STS if they have none'],
  [/whether a sender would now deliver cannot be told from here/g, 'it is not known from here whether a sender would now deliver'],
  [/could not be had: /g, 'could not be looked up: '],
  [/taken all the same by /g, 'still accepted by '],
  // Comments of `records` and `suggest`.
  [/create _mta-sts last, when the policy is served/g, 'create _mta-sts last, after the policy is served'],
  [/The announcements come last, when the policy is served, and go first\./g, 'Create the _mta-sts records last, after the policy is served. Delete them first.'],
  [/the id of what is published, which the outputs of the deployment tell/g, 'the id of its policy, from the outputs of the deployment'],
  [/\/\/ No tlsReporting: the record that is there already stays\./g, '// No tlsReporting: keep the existing record.'],
  [/The file that it serves at /g, 'The file that the construct serves at '],
];
