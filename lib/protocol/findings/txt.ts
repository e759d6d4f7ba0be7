// The codes of the two TXT records: `txt-` for the grammar that both share, `record-` for _mta-sts, `tls-rpt-` for _smtp._tls.
import type { FindingKind } from './catalog';

const SHARED = 'RFC 8461 §3.1, RFC 8460 §3';
const STS = 'RFC 8461 §3.1';
const TLS_RPT = 'RFC 8460 §3';

const UNSEEN = 'sees no policy';
const UNUSABLE = 'Senders ignore the whole record, as if it were not there.';
const NO_POLICY = 'Senders see no policy and deliver without checking; a policy that they have cached stays in use until it expires.';
const NO_REPORTS = 'Nobody sends reports, so a failure that makes senders refuse mail goes unseen.';

export const TXT_FINDINGS = {
  'txt-version-delimiter': {
    severity: 'error',
    meaning: 'The version is not followed by a semicolon.',
    impact: UNUSABLE,
    fix: 'write a semicolon directly after the version',
    reference: SHARED,
  },
  'txt-blank-before-delimiter': {
    severity: 'warning',
    meaning: 'Blanks stand between the version and the first semicolon: the grammar allows them, the rule for choosing the record does not.',
    impact: 'Senders that look for the version and a semicolon overlook the record.',
    fix: 'remove the blanks, so that a semicolon directly follows the version',
    reference: 'RFC 8461 §3.1 and erratum 6285, RFC 8460 §3',
  },
  'txt-empty-field': {
    severity: 'error',
    meaning: 'Nothing stands between two semicolons.',
    impact: UNUSABLE,
    fix: 'remove one of the semicolons; a single one at the end is allowed',
    reference: SHARED,
  },
  'txt-trailing-blank': {
    severity: 'error',
    meaning: 'The record ends in a blank or tab that no semicolon follows or precedes.',
    impact: 'The grammar has no place for it; strict senders ignore the whole record, many others trim it.',
    fix: 'remove the blanks at the end',
    reference: SHARED,
  },
  'txt-no-equals': {
    severity: 'error',
    meaning: 'A field has no equals sign.',
    impact: UNUSABLE,
    fix: 'write each field as name=value, with semicolons between the fields',
    reference: SHARED,
  },
  'txt-blank-around-equals': {
    severity: 'error',
    meaning: 'A blank or tab stands beside an equals sign.',
    impact: UNUSABLE,
    fix: 'write name=value without blanks',
    reference: SHARED,
  },
  'txt-field-name': {
    severity: 'error',
    meaning: 'The name of a field is not a letter or digit and up to 31 letters, digits, underscores, hyphens and dots.',
    impact: UNUSABLE,
    fix: 'correct the name, or remove the field',
    reference: SHARED,
  },
  'txt-field-value': {
    severity: 'error',
    meaning: 'The value of a field is empty or holds a blank, a control character, an equals sign or another character that is not printable ASCII.',
    impact: UNUSABLE,
    fix: 'correct the value, or remove the field',
    reference: SHARED,
  },
  'txt-duplicate-field': {
    severity: 'warning',
    meaning: 'A field that may stand once is there twice; the first counts.',
    impact: 'A sender that lets the last one win reads another value.',
    fix: 'remove all but one',
    reference: 'RFC 8461 §3.2, last paragraph',
  },
  'txt-misspelled-field': {
    severity: 'warning',
    meaning: 'The name of an unknown field is almost that of a known one; names are compared exactly.',
    impact: 'The field is ignored.',
    fix: 'write the name exactly, in lower case',
    reference: SHARED,
  },
  'txt-unknown-field': {
    severity: 'warning',
    meaning: 'A field that the RFC does not define.',
    impact: 'Senders ignore it; some checkers complain.',
    fix: 'remove the field unless you know who reads it',
    reference: SHARED,
  },

  'record-multiple': {
    severity: 'error',
    meaning: 'More than one TXT record begins with `v=STSv1;`.',
    impact: NO_POLICY,
    fix: 'keep the record whose id belongs to the policy file that is served, and delete the others',
    reference: STS,
  },
  'record-none': {
    severity: 'error',
    meaning: 'No TXT record in the answer begins with `v=STSv1;`.',
    impact: NO_POLICY,
    fix: 'publish one TXT record `v=STSv1; id=<1 to 32 letters or digits>;` once the policy file is reachable',
    reference: STS,
  },
  'record-unrecognised': {
    severity: 'error',
    meaning: 'A TXT record that looks like an MTA-STS record does not begin with `v=STSv1;`, and no other does.',
    impact: NO_POLICY,
    fix: 'write `v=STSv1;` at the beginning of the record, exactly so',
    reference: STS,
  },
  'record-version-text': {
    severity: 'warning',
    meaning: 'Beside the record stands another TXT record that begins with `v=STSv1` but not with `v=STSv1;`.',
    impact: 'Senders that count it as a second record see no policy.',
    fix: 'delete the other TXT record or move it to another name',
    reference: STS,
    quirks: [{ senders: ['postfix-mta-sts-resolver', 'mailauth', 'go-mtasts', 'kumomta', 'courier'], effect: UNSEEN }],
  },
  'record-version-case': {
    severity: 'warning',
    meaning: 'Beside the record stands another TXT record whose version differs only in case.',
    impact: 'Senders that compare the version without case see two records or read the wrong one.',
    fix: 'delete the other TXT record',
    reference: STS,
    quirks: [
      { senders: ['go-mtasts', 'kumomta', 'mailauth'], effect: UNSEEN },
      { senders: ['stalwart'], effect: 'reads the other record' },
    ],
  },
  'record-unrelated-txt': {
    severity: 'warning',
    meaning: 'A TXT record at `_mta-sts` has nothing to do with MTA-STS.',
    impact: 'Beside the record, it makes a sender that expects a single TXT record see no policy.',
    fix: 'delete it; often a wildcard TXT record or an entry at the wrong name puts it there',
    reference: STS,
    quirks: [{ senders: ['go-mtasts'], effect: UNSEEN }],
  },
  'record-tab': {
    severity: 'warning',
    meaning: 'A tab stands beside a semicolon.',
    impact: 'It is legal, and yet some senders see no policy.',
    fix: 'write `; ` between the fields',
    reference: STS,
    quirks: [{ senders: ['postfix-tlspol', 'kumomta', 'courier'], effect: 'refuses the record' }],
  },
  'record-id-missing': {
    severity: 'error',
    meaning: 'The record has no `id` field.',
    impact: NO_POLICY,
    fix: 'add `id=` and 1 to 32 letters or digits, a new value whenever the policy file changes',
    reference: STS,
  },
  'record-id-invalid': {
    severity: 'error',
    meaning: 'The id is not 1 to 32 ASCII letters or digits.',
    impact: NO_POLICY,
    fix: 'write 1 to 32 letters or digits; a 40-character hash must be cut',
    reference: STS,
  },

  'tls-rpt-multiple': {
    severity: 'error',
    meaning: 'More than one TXT record begins with `v=TLSRPTv1;`.',
    impact: NO_REPORTS,
    fix: 'keep one record and list every address in its `rua`, with commas between them',
    reference: TLS_RPT,
  },
  'tls-rpt-none': {
    severity: 'error',
    meaning: 'No TXT record in the answer begins with `v=TLSRPTv1;`.',
    impact: NO_REPORTS,
    fix: 'publish one TXT record `v=TLSRPTv1; rua=mailto:<an address that is read>`',
    reference: TLS_RPT,
  },
  'tls-rpt-unrecognised': {
    severity: 'error',
    meaning: 'A TXT record that looks like a TLSRPT record does not begin with `v=TLSRPTv1;`, and no other does.',
    impact: NO_REPORTS,
    fix: 'write `v=TLSRPTv1;` at the beginning of the record, exactly so',
    reference: TLS_RPT,
  },
  'tls-rpt-version-text': {
    severity: 'warning',
    meaning: 'Beside the record stands another TXT record whose beginning is almost the version.',
    impact: 'Senders that count it as a second record send no reports.',
    fix: 'delete the other TXT record or move it to another name',
    reference: TLS_RPT,
  },
  'tls-rpt-unrelated-txt': {
    severity: 'warning',
    meaning: 'A TXT record at `_smtp._tls` has nothing to do with TLSRPT.',
    impact: 'Beside the record, it makes a sender that expects a single TXT record send no reports.',
    fix: 'delete it; a DMARC record belongs at `_dmarc`',
    reference: TLS_RPT,
  },
  'tls-rpt-rua-missing': {
    severity: 'error',
    meaning: 'The record has no `rua` field.',
    impact: NO_REPORTS,
    fix: 'add `rua=mailto:` and an address',
    reference: TLS_RPT,
  },
  'tls-rpt-rua-not-second': {
    severity: 'warning',
    meaning: '`rua` is not the first field after the version.',
    impact: 'It is legal, but readers that expect it there find no address.',
    fix: 'write `rua` directly after the version',
    reference: TLS_RPT,
  },
  'tls-rpt-rua-duplicate': {
    severity: 'warning',
    meaning: '`rua` is there twice, which the RFC neither allows nor forbids.',
    impact: 'Some readers refuse the record, others use only one of the two.',
    fix: 'write one `rua` with commas between the addresses',
    reference: TLS_RPT,
  },
  'tls-rpt-uri': {
    severity: 'error',
    meaning: 'A reporting address is not a `mailto:` or `https:` URI.',
    impact: NO_REPORTS,
    fix: 'write `mailto:` and a mail address, or `https:` and an address that takes reports',
    reference: TLS_RPT,
  },
  'tls-rpt-uri-host': {
    severity: 'warning',
    meaning: 'A reporting address is well-formed, and yet reports hardly arrive: its host is not one that the public DNS can know, or its form is one that few senders read.',
    impact: 'Reports to it do not arrive, and some readers refuse the record.',
    fix: 'write `mailto:`, one plain address and the full name of its host',
    reference: TLS_RPT,
  },
} as const satisfies Record<string, FindingKind>;
