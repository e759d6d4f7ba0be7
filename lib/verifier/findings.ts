// Collects the codes of all checks: `mta-sts explain` and docs/reference/findings.md list them in these groups.
import { TLS_RPT_LIVE_FINDINGS } from '../protocol/findings/tls-rpt';
import { CONNECTION_FINDINGS } from './checks/connection';
import { DNS_ANSWER_FINDINGS } from './checks/dns-answer';
import { DANE_FINDINGS } from './checks/mail/dane';
import { MX_COVERAGE_FINDINGS } from './checks/mail/mx-coverage';
import { MX_REACH_FINDINGS } from './checks/mail/mx-reach';
import { SMTP_FINDINGS } from './checks/mail/smtp';
import { EXPECTATION_FINDINGS } from './checks/policy/expectation';
import { POLICY_FILE_FINDINGS } from './checks/policy/file';
import { POLICY_HOST_FINDINGS as ADDRESS_FINDINGS } from './checks/policy/host';
import { MODE_FINDINGS } from './checks/policy/mode';
import { NAMED_POLICY_FINDINGS } from './checks/policy/named-policy';
import { ODDITY_FINDINGS } from './checks/policy/oddities';
import { POLICY_FETCH_FINDINGS } from './checks/policy/response';
import { CNAME_FINDINGS } from './checks/records/cname';
import { MISPLACED_FINDINGS } from './checks/records/misplaced';
import { RECORD_FINDINGS } from './checks/records/record';
import { SUBDOMAIN_FINDINGS } from './checks/records/subdomains';

/** DNS: the records and the servers that give them. */
export const DNS_FINDINGS = {
  ...RECORD_FINDINGS,
  ...CNAME_FINDINGS,
  ...MISPLACED_FINDINGS,
  ...DNS_ANSWER_FINDINGS,
  ...SUBDOMAIN_FINDINGS,
} as const;

/** The policy host: its addresses, its certificate, and the file that it serves. Mail hosts share some codes of the connection. */
export const POLICY_HOST_FINDINGS = {
  ...POLICY_FETCH_FINDINGS,
  ...ODDITY_FINDINGS,
  ...POLICY_FILE_FINDINGS,
  ...ADDRESS_FINDINGS,
  ...CONNECTION_FINDINGS,
  ...EXPECTATION_FINDINGS,
  ...NAMED_POLICY_FINDINGS,
  ...MODE_FINDINGS,
} as const;

/** Mail hosts and TLS reporting. */
export const MX_FINDINGS = {
  ...MX_COVERAGE_FINDINGS,
  ...MX_REACH_FINDINGS,
  ...SMTP_FINDINGS,
  ...DANE_FINDINGS,
  ...TLS_RPT_LIVE_FINDINGS,
} as const;

/** Every code of a live domain. Codes of RFC 8460 §4.3 keep the name of the result type. */
export const LIVE_FINDINGS = { ...DNS_FINDINGS, ...POLICY_HOST_FINDINGS, ...MX_FINDINGS } as const;

export type LiveFindingCode = keyof typeof LIVE_FINDINGS;
