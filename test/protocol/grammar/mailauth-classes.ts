// Where mailauth, the MTA-STS reader of npm, comes to something else than lib/protocol: every class of it, and who is right.
import { hostNameProblem } from '../../../lib/protocol/domain-name';
import { mxGrammarProblem } from '../../../lib/protocol/mx/pattern';
import { deepWildcard } from '../../../lib/protocol/mx/deep-wildcard';

/** What both make of one input. */
export interface Comparison {
  readonly area: 'record' | 'policy' | 'mx';
  /** The TXT records, one a line; the file, one character for each byte; or the pattern and the host with a blank between. */
  readonly input: string;
  /** In JSON; `null` where there is no valid record or policy. For `mx`, `true` or `null`. */
  readonly ours: string;
  readonly theirs: string;
  /** Of our findings. */
  readonly codes: readonly string[];
}

/** One kind of disagreement. */
export interface DisagreementClass {
  readonly area: Comparison['area'];
  readonly name: string;
  readonly example: string;
  readonly mailauth: string;
  readonly right: string;
  /** What it means for somebody who has checked a domain with mailauth, or whose sender uses it. */
  readonly meaning: string;
  readonly has: (comparison: Comparison) => boolean;
}

const GREEN = 'mailauth finds it good, strict senders do not';

/** Their order is that of the documentation. A disagreement may have several causes, and is then in several classes. */
export const CLASSES: readonly DisagreementClass[] = [
  {
    area: 'record',
    name: 'malformed fields',
    example: 'v=STSv1;; id=1',
    mailauth: 'skips or mends empty fields, fields without `=`, names and values of other characters, and blanks at the end',
    right: 'we, by the ABNF of RFC 8461 §3.1; whether a blank at the end is one is disputed',
    meaning: `${GREEN}: mend the record`,
    has: accepts('txt-empty-field', 'txt-no-equals', 'txt-field-name', 'txt-field-value', 'txt-trailing-blank', 'txt-version-delimiter'),
  },
  {
    area: 'record',
    name: 'blanks around the equals sign',
    example: 'v=STSv1; id = 1',
    mailauth: 'trims names and values',
    right: 'we, by the ABNF of RFC 8461 §3.1',
    meaning: `${GREEN}: remove the blanks`,
    has: accepts('txt-blank-around-equals'),
  },
  {
    area: 'record',
    name: 'ids of any length and character',
    example: 'v=STSv1; id=da39a3ee5e6b4b0d3255bfef95601890afd80709',
    mailauth: 'takes any text that is not empty',
    right: 'we: `sts-id` is 1 to 32 letters and digits, RFC 8461 §3.1',
    meaning: `${GREEN}: shorten the id`,
    has: accepts('record-id-invalid'),
  },
  {
    area: 'record',
    name: 'blanks before the version',
    example: ' v=STSv1; id=1',
    mailauth: 'trims the record, of no-break spaces and byte order marks too',
    right: 'we: what does not begin with `v=STSv1;` is discarded, RFC 8461 §3.1',
    meaning: `${GREEN}: remove the blanks`,
    has: (comparison) => isRefusedByUs(comparison) && comparison.input.split('\n').some((text) => text !== text.trimStart()),
  },
  {
    area: 'record',
    name: 'names and versions without case',
    example: 'v=STSv1; ID=1',
    mailauth: 'lowers names, and takes the version in any case, beside the record as a second one',
    right: 'we: `%s` of RFC 7405 makes both case-sensitive, RFC 8461 §3.1',
    meaning: 'either way another reading than that of other senders: write lower case, and delete what stands beside the record',
    has: ({ area, input }) => area === 'record'
      && (/[;(]\s*(?:I[Dd]|iD|V)\s*=/.test(input) || input.split('\n').some((text) => /^\s*v=stsv1\b/i.test(text) && !/^\s*v=STSv1/.test(text))),
  },
  {
    area: 'record',
    name: 'a field that is there again',
    example: 'v=STSv1; id=1; id=2',
    mailauth: 'lets the last one win, `v` too',
    right: 'we: "all entries except for the first SHALL be ignored", RFC 8461 §3.2',
    meaning: 'a sender that uses mailauth knows another id, or sees no record: keep one field of each name',
    has: ({ area, input }) => area === 'record' && /;\s*v\s*=|;\s*id\s*=.*;\s*id\s*=/is.test(input),
  },
  {
    area: 'record',
    name: 'colons, quotation marks, parentheses and backslashes',
    example: 'v=STSv1; a=b:c; id=1',
    mailauth: 'reads the record as a mail header: what stands before a colon is a header\'s name, `(...)` a comment, `"..."` one word',
    right: 'we: all of them are plain characters of `sts-ext-value`, RFC 8461 §3.1',
    meaning: 'a sender that uses mailauth may see no record, or another id: keep such characters out of extension fields',
    has: ({ area, input }) => area === 'record' && /[:"'()\\]/.test(input),
  },
  {
    area: 'record',
    name: 'of several records, the version without its semicolon',
    example: 'v=STSv1; id=1\nv=STSv1 is published',
    mailauth: 'counts whatever begins with `v=STSv1` and a word\'s end',
    right: 'we: of several only what begins with `v=STSv1;` counts, RFC 8461 §3.1',
    meaning: 'a sender that uses mailauth sees two records where others see one, or one where others see none: keep one record alone',
    has: ({ area, input, codes }) => area === 'record' && (codes.includes('record-version-text') || (input.includes('\n') && /^v=STSv1[ \t]+;/m.test(input))),
  },

  {
    area: 'policy',
    name: 'malformed lines',
    example: 'version: STSv1\n\nmode: none\nmax_age: 86400\n',
    mailauth: 'skips lines without a colon, and trims names and values of everything that JavaScript calls blank',
    right: 'we, by the ABNF of RFC 8461 §3.2',
    meaning: `${GREEN}: mend the line`,
    has: accepts('policy-blank-line', 'policy-comment', 'policy-no-colon', 'policy-leading-blank', 'policy-blank-before-colon', 'policy-field-name', 'policy-empty-value',
      'policy-control-character', 'policy-stray-cr'),
  },
  {
    area: 'policy',
    name: 'bytes that are no UTF-8, and byte order marks',
    example: '\ufeffversion: STSv1\nmode: none\nmax_age: 86400\n',
    mailauth: 'decodes first, which mends bad bytes, and trims the mark',
    right: 'we: values are UTF-8 by RFC 3629 §4, and names ASCII, RFC 8461 §3.2',
    meaning: `${GREEN}: save the file as plain ASCII`,
    has: accepts('policy-bom', 'policy-utf8'),
  },
  {
    area: 'policy',
    name: 'values with odd blanks',
    example: 'version: STSv1\u00a0\nmode: none\nmax_age: 86400\n',
    mailauth: 'trims no-break spaces and all other blanks of Unicode',
    right: 'we: `WSP` is space and tab, RFC 8461 §3.2 and RFC 5234 appendix B.1',
    meaning: `${GREEN}: write plain spaces`,
    has: (comparison) => isRefusedByUs(comparison) && comparison.area === 'policy' && /[^\S\t\n\r ]/.test(decoded(comparison)),
  },
  {
    area: 'policy',
    name: 'names and modes without case',
    example: 'version: STSv1\nmode: Enforce\nmx: mx.example.com\nmax_age: 86400\n',
    mailauth: 'lowers names and modes',
    right: 'we: `%s` of RFC 7405 makes both case-sensitive, RFC 8461 §3.2',
    meaning: `${GREEN}: write lower case`,
    has: (comparison) => accepts('policy-mode')(comparison) || fieldNames(comparison).some((name) => name !== name.toLowerCase() && KNOWN.includes(name.toLowerCase())),
  },
  {
    area: 'policy',
    name: 'no mode',
    example: 'version: STSv1\nmax_age: 86400\n',
    mailauth: 'takes `none`',
    right: 'we: "if any field is not specified, the policy SHALL be treated as invalid", RFC 8461 §3.2',
    meaning: `${GREEN}, and both protect nothing: add the mode`,
    has: accepts('policy-mode-missing'),
  },
  {
    area: 'policy',
    name: 'ages that JavaScript reads as numbers',
    example: 'version: STSv1\nmode: none\nmax_age: 6e5\n',
    mailauth: 'takes exponents, fractions, hexadecimal digits, signs and more than ten digits',
    right: 'we: 1 to 10 digits, RFC 8461 §3.2',
    meaning: `${GREEN}: write plain digits`,
    has: accepts('policy-max-age'),
  },
  {
    area: 'policy',
    name: 'patterns of any form',
    example: 'version: STSv1\nmode: enforce\nmx: .example.com\nmax_age: 86400\n',
    mailauth: 'does not look at patterns',
    right: 'we: an optional `*.` and a `Domain` of RFC 5321 §4.1.2, RFC 8461 §3.2; an IPv4 address is disputed',
    meaning: `${GREEN}: mend the pattern`,
    has: accepts('policy-mx-pattern'),
  },
  {
    area: 'policy',
    name: 'a field that is there again',
    example: 'version: STSv1\nmode: enforce\nmode: none\nmx: mx.example.com\nmax_age: 86400\n',
    mailauth: 'lets the last one win, good or bad',
    right: 'we: "all entries except for the first SHALL be ignored", RFC 8461 §3.2',
    meaning: 'a sender that uses mailauth has another policy than others, or none: keep one line of each',
    has: ({ codes }) => codes.includes('policy-duplicate-field') || codes.includes('policy-duplicate-version'),
  },
  {
    area: 'policy',
    name: 'the case of patterns, and patterns that are there again',
    example: 'version: STSv1\nmode: enforce\nmx: MX.example.com\nmax_age: 86400\n',
    mailauth: 'lowers patterns and gives each once',
    right: 'both: names compare without case, RFC 8461 §4.1; we give the file as it is',
    meaning: 'none: both cover the same hosts',
    has: ({ ours, theirs, codes }) => ours !== 'null' && theirs !== 'null' && (codes.includes('policy-mx-upper-case') || codes.includes('policy-mx-duplicate')),
  },
  {
    area: 'policy',
    name: 'more than 64 KiB',
    example: `version: STSv1\nmode: none\nmax_age: 86400\npad: ${'x'.repeat(65500)}\n`,
    mailauth: 'reads all of it',
    right: 'we: the limit that RFC 8461 §3.3 suggests, and senders in use have',
    meaning: `${GREEN}: shorten the file`,
    has: accepts('policy-too-large'),
  },

  {
    area: 'mx',
    name: 'a wildcard over several labels',
    example: '*.example.com a.b.example.com',
    mailauth: 'compares the end of the host only',
    right: 'we: `*` is the left-most label alone, RFC 8461 §4.1',
    meaning: 'a host that mailauth finds covered is refused by other senders: add a pattern for it',
    has: (comparison) => isRefusedByUs(comparison) && deepWildcard([patternOf(comparison)], hostOf(comparison)) !== undefined,
  },
  {
    area: 'mx',
    name: 'the dot at the end of a host',
    example: 'mx.example.com mx.example.com.',
    mailauth: 'compares it',
    right: 'we: it is how DNS writes the name\'s end, and no part of the name, RFC 1034 §3.1',
    meaning: 'a program that hands DNS answers to mailauth as they are finds no host covered',
    has: (comparison) => comparison.area === 'mx' && comparison.theirs === 'null' && hostOf(comparison).endsWith('.'),
  },
  {
    area: 'mx',
    name: 'what is no host name, or no pattern',
    example: '*.example.com *.example.com',
    mailauth: 'compares any texts, trimmed and U-labels converted',
    right: 'we: both are names, RFC 8461 §3.2 and §4.1; a host with an underscore is disputed',
    meaning: 'none where the policy is valid and the hosts come from DNS; a host with an underscore needs another name',
    has: (comparison) => isRefusedByUs(comparison) && comparison.area === 'mx'
      && (mxGrammarProblem(patternOf(comparison)) !== undefined || hostNameProblem(hostOf(comparison)) !== undefined),
  },
];

/** The page of the documentation that the table is. */
export function mailauthPage(): string {
  const rows = (area: Comparison['area']): string => CLASSES.filter((one) => one.area === area)
    .map(({ name, example, mailauth, right, meaning }) => `| ${name} | ${shown(example)} | ${cell(mailauth)} | ${cell(right)} | ${cell(meaning)} |\n`).join('');
  const section = (title: string, area: Comparison['area']): string => `
## ${title}

| class | example | what mailauth does | who is right | what it means |
|---|---|---|---|---|
${rows(area)}`;
  return `# Compared with mailauth

[mailauth](https://www.npmjs.com/package/mailauth) is the MTA-STS reader that npm has. On the shared vectors and on thousands of inputs that
the grammars of the RFCs generate, whole and changed in one place, both read the same but for the classes below.
\`test/protocol/mailauth.test.ts\` asserts that each class occurs, and that nothing else does.
${section('TXT record', 'record')}${section('Policy file', 'policy')}${section('MX hosts', 'mx')}`;
}

/** Whether mailauth accepts what we refuse, with one of these codes among the errors. */
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

/** As it would stand in a JavaScript string, without the quotation marks, cut where that is long. */
function shown(example: string): string {
  const text = JSON.stringify(example.length > 100 ? `${example.slice(0, 60)}...` : example).slice(1, -1);
  return `\`${cell(text.replaceAll('\\"', '"').replace(/[\u00a0\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`))}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
