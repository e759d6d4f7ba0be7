// Every class of inputs that mailauth, the MTA-STS reader of npm, reads differently from lib/protocol, and which reading the RFC supports.
import { hostNameProblem } from '../../../lib/protocol/domain-name';
import { mxGrammarProblem } from '../../../lib/protocol/mx/pattern';
import { deepWildcard } from '../../../lib/protocol/mx/deep-wildcard';

/** The readings of one input by both. */
export interface Comparison {
  readonly area: 'record' | 'policy' | 'mx';
  /** TXT records, one on each line; a file, with one character for each byte; or a pattern and a host, separated by a space. */
  readonly input: string;
  /** Our reading as JSON; `null` without a valid record or policy. For `mx`, `true` or `null`. */
  readonly ours: string;
  readonly theirs: string;
  /** The codes of our findings. */
  readonly codes: readonly string[];
}

/** One kind of difference. */
export interface DisagreementClass {
  readonly area: Comparison['area'];
  readonly name: string;
  readonly example: string;
  readonly mailauth: string;
  readonly right: string;
  /** The consequence for a user who has checked a domain with mailauth, or whose sender uses it, with the fix. */
  readonly meaning: string;
  readonly has: (comparison: Comparison) => boolean;
}

const ACCEPTED = 'mailauth accepts it, and strict senders refuse it';

/** In the order of the documentation. A difference with several causes belongs to several classes. */
export const CLASSES: readonly DisagreementClass[] = [
  {
    area: 'record',
    name: 'malformed fields',
    example: 'v=STSv1;; id=1',
    mailauth: 'skips or corrects empty fields, fields without `=`, other characters in names and values, and spaces at the end',
    right: 'the ABNF of RFC 8461 §3.1 does not allow them; for spaces at the end, this is disputed',
    meaning: `${ACCEPTED}: correct the record`,
    has: accepts('txt-empty-field', 'txt-no-equals', 'txt-field-name', 'txt-field-value', 'txt-trailing-blank', 'txt-version-delimiter'),
  },
  {
    area: 'record',
    name: 'spaces around the equals sign',
    example: 'v=STSv1; id = 1',
    mailauth: 'removes them',
    right: 'the ABNF of RFC 8461 §3.1 does not allow them',
    meaning: `${ACCEPTED}: remove the spaces`,
    has: accepts('txt-blank-around-equals'),
  },
  {
    area: 'record',
    name: 'an id of other lengths or characters',
    example: 'v=STSv1; id=da39a3ee5e6b4b0d3255bfef95601890afd80709',
    mailauth: 'accepts any text that is not empty',
    right: 'an id has 1 to 32 letters and digits, RFC 8461 §3.1',
    meaning: `${ACCEPTED}: shorten the id`,
    has: accepts('record-id-invalid'),
  },
  {
    area: 'record',
    name: 'spaces before the version',
    example: ' v=STSv1; id=1',
    mailauth: 'removes them, and no-break spaces and byte order marks too',
    right: 'a record that does not begin with `v=STSv1;` is discarded, RFC 8461 §3.1',
    meaning: `${ACCEPTED}: remove the spaces`,
    has: (comparison) => isRefusedByUs(comparison) && comparison.input.split('\n').some((text) => text !== text.trimStart()),
  },
  {
    area: 'record',
    name: 'upper and lower case of names and versions',
    example: 'v=STSv1; ID=1',
    mailauth: 'accepts names in any case, and the version in any case, also as a second record',
    right: 'both are case-sensitive: `%s` of RFC 7405, RFC 8461 §3.1',
    meaning: 'senders read the record in different ways: write lower case, and delete any text beside the record',
    has: ({ area, input }) => area === 'record'
      && (/[;(]\s*(?:I[Dd]|iD|V)\s*=/.test(input) || input.split('\n').some((text) => /^\s*v=stsv1\b/i.test(text) && !/^\s*v=STSv1/.test(text))),
  },
  {
    area: 'record',
    name: 'a duplicate field',
    example: 'v=STSv1; id=1; id=2',
    mailauth: 'uses the last one, also for `v`',
    right: '"all entries except for the first SHALL be ignored", RFC 8461 §3.2',
    meaning: 'a sender with mailauth sees another id, or no record: keep one field of each name',
    has: ({ area, input }) => area === 'record' && /;\s*v\s*=|;\s*id\s*=.*;\s*id\s*=/is.test(input),
  },
  {
    area: 'record',
    name: 'colons, quotation marks, parentheses and backslashes',
    example: 'v=STSv1; a=b:c; id=1',
    mailauth: 'reads the record as a mail header: text before a colon is a header name, `(...)` a comment, `"..."` one word',
    right: 'all of them are plain characters of `sts-ext-value`, RFC 8461 §3.1',
    meaning: 'a sender with mailauth may see no record, or another id: do not use these characters in extension fields',
    has: ({ area, input }) => area === 'record' && /[:"'()\\]/.test(input),
  },
  {
    area: 'record',
    name: 'several records, one with a version without its semicolon',
    example: 'v=STSv1; id=1\nv=STSv1 is published',
    mailauth: 'counts each text that begins with the word `v=STSv1`',
    right: 'only a record that begins with `v=STSv1;` counts, RFC 8461 §3.1',
    meaning: 'a sender with mailauth sees two records instead of one, or one instead of none: keep one record',
    has: ({ area, input, codes }) => area === 'record' && (codes.includes('record-version-text') || (input.includes('\n') && /^v=STSv1[ \t]+;/m.test(input))),
  },

  {
    area: 'policy',
    name: 'malformed lines',
    example: 'version: STSv1\n\nmode: none\nmax_age: 86400\n',
    mailauth: 'skips lines without a colon, and removes all white space of JavaScript from names and values',
    right: 'the ABNF of RFC 8461 §3.2 does not allow them',
    meaning: `${ACCEPTED}: correct the line`,
    has: accepts('policy-blank-line', 'policy-comment', 'policy-no-colon', 'policy-leading-blank', 'policy-blank-before-colon', 'policy-field-name', 'policy-empty-value',
      'policy-control-character', 'policy-stray-cr'),
  },
  {
    area: 'policy',
    name: 'invalid UTF-8 and byte order marks',
    example: '\ufeffversion: STSv1\nmode: none\nmax_age: 86400\n',
    mailauth: 'decodes first, which replaces invalid bytes, and removes the mark',
    right: 'values are UTF-8, RFC 3629 §4; names are ASCII, RFC 8461 §3.2',
    meaning: `${ACCEPTED}: save the file as plain ASCII`,
    has: accepts('policy-bom', 'policy-utf8'),
  },
  {
    area: 'policy',
    name: 'values with other white space',
    example: 'version: STSv1\u00a0\nmode: none\nmax_age: 86400\n',
    mailauth: 'removes no-break spaces and all other white space of Unicode',
    right: '`WSP` is space and tab, RFC 8461 §3.2 and RFC 5234 appendix B.1',
    meaning: `${ACCEPTED}: write plain spaces`,
    has: (comparison) => isRefusedByUs(comparison) && comparison.area === 'policy' && /[^\S\t\n\r ]/.test(decoded(comparison)),
  },
  {
    area: 'policy',
    name: 'upper and lower case of names and modes',
    example: 'version: STSv1\nmode: Enforce\nmx: mx.example.com\nmax_age: 86400\n',
    mailauth: 'accepts both in any case',
    right: 'both are case-sensitive: `%s` of RFC 7405, RFC 8461 §3.2',
    meaning: `${ACCEPTED}: write lower case`,
    has: (comparison) => accepts('policy-mode')(comparison) || fieldNames(comparison).some((name) => name !== name.toLowerCase() && KNOWN.includes(name.toLowerCase())),
  },
  {
    area: 'policy',
    name: 'a missing mode',
    example: 'version: STSv1\nmax_age: 86400\n',
    mailauth: 'assumes `none`',
    right: '"if any field is not specified, the policy SHALL be treated as invalid", RFC 8461 §3.2',
    meaning: `${ACCEPTED}, and neither protects mail: add the mode`,
    has: accepts('policy-mode-missing'),
  },
  {
    area: 'policy',
    name: 'a `max_age` that JavaScript reads as a number',
    example: 'version: STSv1\nmode: none\nmax_age: 6e5\n',
    mailauth: 'accepts exponents, fractions, hexadecimal digits, signs and more than ten digits',
    right: 'an age has 1 to 10 digits, RFC 8461 §3.2',
    meaning: `${ACCEPTED}: write plain digits`,
    has: accepts('policy-max-age'),
  },
  {
    area: 'policy',
    name: 'an invalid mx pattern',
    example: 'version: STSv1\nmode: enforce\nmx: .example.com\nmax_age: 86400\n',
    mailauth: 'does not check patterns',
    right: 'a pattern is an optional `*.` and a `Domain` of RFC 5321 §4.1.2, RFC 8461 §3.2; for an IPv4 address, this is disputed',
    meaning: `${ACCEPTED}: correct the pattern`,
    has: accepts('policy-mx-pattern'),
  },
  {
    area: 'policy',
    name: 'a duplicate field',
    example: 'version: STSv1\nmode: enforce\nmode: none\nmx: mx.example.com\nmax_age: 86400\n',
    mailauth: 'uses the last one, valid or not',
    right: '"all entries except for the first SHALL be ignored", RFC 8461 §3.2',
    meaning: 'a sender with mailauth has another policy, or none: keep one line of each name',
    has: ({ codes }) => codes.includes('policy-duplicate-field') || codes.includes('policy-duplicate-version'),
  },
  {
    area: 'policy',
    name: 'upper case in patterns, and duplicate patterns',
    example: 'version: STSv1\nmode: enforce\nmx: MX.example.com\nmax_age: 86400\n',
    mailauth: 'lowers the case and returns each pattern once',
    right: 'names compare without case, RFC 8461 §4.1; our parser returns the file as it is',
    meaning: 'none: both cover the same hosts',
    has: ({ ours, theirs, codes }) => ours !== 'null' && theirs !== 'null' && (codes.includes('policy-mx-upper-case') || codes.includes('policy-mx-duplicate')),
  },
  {
    area: 'policy',
    name: 'more than 64 KiB',
    example: `version: STSv1\nmode: none\nmax_age: 86400\npad: ${'x'.repeat(65500)}\n`,
    mailauth: 'reads all of it',
    right: 'RFC 8461 §3.3 suggests this limit, and senders have it',
    meaning: `${ACCEPTED}: shorten the file`,
    has: accepts('policy-too-large'),
  },

  {
    area: 'mx',
    name: 'a wildcard over several labels',
    example: '*.example.com a.b.example.com',
    mailauth: 'compares only the end of the host',
    right: '`*` is one left-most label, RFC 8461 §4.1',
    meaning: 'mailauth calls a host covered that other senders refuse: add a pattern for it',
    has: (comparison) => isRefusedByUs(comparison) && deepWildcard([patternOf(comparison)], hostOf(comparison)) !== undefined,
  },
  {
    area: 'mx',
    name: 'a dot at the end of a host',
    example: 'mx.example.com mx.example.com.',
    mailauth: 'compares it',
    right: 'the dot ends the name in DNS and is not a part of it, RFC 1034 §3.1',
    meaning: 'a program that passes DNS answers to mailauth unchanged finds no host covered',
    has: (comparison) => comparison.area === 'mx' && comparison.theirs === 'null' && hostOf(comparison).endsWith('.'),
  },
  {
    area: 'mx',
    name: 'an invalid host name or pattern',
    example: '*.example.com *.example.com',
    mailauth: 'compares any texts, after removing spaces and converting U-labels',
    right: 'both are names, RFC 8461 §3.2 and §4.1; for a host with an underscore, this is disputed',
    meaning: 'none if the policy is valid and the hosts are from DNS; rename a host with an underscore',
    has: (comparison) => isRefusedByUs(comparison) && comparison.area === 'mx'
      && (mxGrammarProblem(patternOf(comparison)) !== undefined || hostNameProblem(hostOf(comparison)) !== undefined),
  },
];

/** Returns the tables of docs/reference/senders.md. */
export function mailauthTables(): string {
  const rows = (area: Comparison['area']): string => CLASSES.filter((one) => one.area === area)
    .map(({ name, example, mailauth, right, meaning }) => `| ${name} | ${shown(example)} | ${cell(mailauth)} | ${cell(right)} | ${cell(meaning)} |\n`).join('');
  const section = (title: string, area: Comparison['area']): string => `### ${title}

| input | example | mailauth | the RFC | consequence and fix |
|---|---|---|---|---|
${rows(area)}
`;
  return `${section('TXT record', 'record')}${section('Policy file', 'policy')}${section('MX hosts', 'mx')}`;
}

/** Returns a test for inputs that mailauth accepts and our parser refuses with one of these codes. */
function accepts(...codes: readonly string[]): (comparison: Comparison) => boolean {
  return (comparison) => isRefusedByUs(comparison) && codes.some((code) => comparison.codes.includes(code));
}

const KNOWN = ['version', 'mode', 'mx', 'max_age'];

function fieldNames({ area, input }: Comparison): readonly string[] {
  return area === 'policy' ? input.split('\n').map((line) => line.slice(0, line.indexOf(':')).trim()) : [];
}

function decoded({ input }: Comparison): string {
  return Buffer.from(input, 'latin1').toString('utf8');
}

function isRefusedByUs({ ours, theirs }: Comparison): boolean {
  return ours === 'null' && theirs !== 'null';
}

function patternOf({ input }: Comparison): string {
  return input.slice(0, input.indexOf(' '));
}

function hostOf({ input }: Comparison): string {
  return input.slice(input.indexOf(' ') + 1);
}

/** Returns the example as in a JavaScript string, without the quotation marks, and shortened. */
function shown(example: string): string {
  const text = JSON.stringify(example.length > 100 ? `${example.slice(0, 60)}...` : example).slice(1, -1);
  return `\`${cell(text.replaceAll('\\"', '"').replace(/[\u00a0\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`))}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
