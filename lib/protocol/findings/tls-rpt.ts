// Lists the codes of TLS reporting, the `_smtp._tls` TXT record (RFC 8460 §3).
import type { FindingKind, LiveFindingKind } from './kind';

const REFERENCE = 'RFC 8460 §3';

const NO_REPORTS = 'No sender sends reports, so a failure that makes senders refuse mail goes unseen.';

/** Found in the text of the record, by `mta-sts lint` too. */
export const TLS_RPT_TEXT_FINDINGS = {
  'tls-rpt-multiple': {
    severity: 'error',
    area: 'tls-reporting',
    meaning: 'More than one TXT record begins with `v=TLSRPTv1;`.',
    impact: NO_REPORTS,
    fix: 'keep one record and list every address in its `rua`, with commas between them',
    reference: REFERENCE,
  },
  'tls-rpt-none': {
    severity: 'error',
    area: 'tls-reporting',
    meaning: 'No TXT record in the answer begins with `v=TLSRPTv1;`.',
    impact: NO_REPORTS,
    fix: 'publish one TXT record `v=TLSRPTv1; rua=mailto:<an address that is read>`',
    reference: REFERENCE,
  },
  'tls-rpt-unrecognised': {
    severity: 'error',
    area: 'tls-reporting',
    meaning: 'A TXT record that looks like a TLSRPT record does not begin with `v=TLSRPTv1;`, and no other does.',
    impact: NO_REPORTS,
    fix: 'write `v=TLSRPTv1;` at the beginning of the record, exactly so',
    reference: REFERENCE,
  },
  'tls-rpt-version-text': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: 'Beside the record stands another TXT record whose beginning is almost the version.',
    impact: 'Senders that count it as a second record send no reports.',
    fix: 'delete the other TXT record or move it to another name',
    reference: REFERENCE,
  },
  'tls-rpt-unrelated-txt': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: 'A TXT record at `_smtp._tls` has nothing to do with TLSRPT.',
    impact: 'Beside the record, it makes a sender that expects a single TXT record send no reports.',
    fix: 'delete it; a DMARC record belongs at `_dmarc`',
    reference: REFERENCE,
  },
  'tls-rpt-rua-missing': {
    severity: 'error',
    area: 'tls-reporting',
    meaning: 'The record has no `rua` field.',
    impact: NO_REPORTS,
    fix: 'add `rua=mailto:` and an address',
    reference: REFERENCE,
  },
  'tls-rpt-rua-not-second': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: '`rua` is not the first field after the version.',
    impact: 'It is legal, but readers that expect it there find no address.',
    fix: 'write `rua` directly after the version',
    reference: REFERENCE,
  },
  'tls-rpt-rua-duplicate': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: '`rua` is there twice, which the RFC neither allows nor forbids.',
    impact: 'Some readers refuse the record, others use only one of the two.',
    fix: 'write one `rua` with commas between the addresses',
    reference: REFERENCE,
  },
  'tls-rpt-uri': {
    severity: 'error',
    area: 'tls-reporting',
    meaning: 'A reporting address is not a `mailto:` or `https:` URI.',
    impact: NO_REPORTS,
    fix: 'write `mailto:` and a mail address, or `https:` and an address that takes reports',
    reference: REFERENCE,
  },
  'tls-rpt-uri-host': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: 'A reporting address is well-formed, and yet reports hardly arrive: its host is not one that the public DNS can know, or its form is one that few senders read.',
    impact: 'Reports to it do not arrive, and some readers refuse the record.',
    fix: 'write `mailto:`, one plain address and the full name of its host',
    reference: REFERENCE,
  },
} as const satisfies Record<string, FindingKind>;

/** Found by the verification of a live domain. */
export const TLS_RPT_LIVE_FINDINGS = {
  'tls-rpt-missing': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: 'There is no TLS reporting record.',
    impact: 'A failure that makes senders refuse mail goes unseen.',
    fix: 'publish the TXT record `v=TLSRPTv1; rua=mailto:<address>` at `_smtp._tls.<domain>`',
    reference: 'RFC 8460 §3',
  },
  'tls-rpt-misplaced': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: 'A TLS reporting record that belongs at `_smtp._tls.<domain>` stands at another name.',
    impact: 'Senders send no reports, so a failure that makes them refuse mail goes unseen.',
    fix: 'move it to `_smtp._tls.<domain>`; in a DNS panel that appends the zone enter `_smtp._tls` alone',
    reference: 'RFC 8460 §3',
  },
  'tls-rpt-unreachable': {
    severity: 'warning',
    area: 'tls-reporting',
    meaning: 'TLS reports cannot arrive at the address of the record: the mail domain accepts no mail, or the host of the URL has no address.',
    impact: 'A failure that makes senders refuse mail goes unseen, and two weeks of mode `testing` without a report look clean.',
    fix: 'write an address into `rua` that exists and that somebody reads',
    reference: 'RFC 8460 §3 and §5.3',
  },
} as const satisfies Record<string, LiveFindingKind>;
