// The codes of the mail hosts and of TLS reporting.
import type { FindingKind } from '../protocol/findings';

export const MX_FINDINGS = {
  'mx-not-covered': {
    severity: 'error',
    meaning: 'A mail host of the domain matches no pattern of the policy.',
    harm: 'In mode `enforce` senders do not deliver to it; in `testing` they report it.',
    fix: 'add an `mx` line for the host and change the id, or remove the MX record',
    reference: 'RFC 8461 §4.1',
  },
  'mx-pattern-unused': {
    severity: 'warning',
    meaning: 'A pattern of the policy covers no mail host of the domain.',
    harm: 'Often a typing error; otherwise it lets a host receive the mail that should not.',
    fix: 'remove the `mx` line, unless it belongs to a host that is being added or taken away',
    reference: 'RFC 8461 §4.1 and §8.1',
  },
  'mx-null': {
    severity: 'info',
    meaning: 'The domain has a null MX: it receives no mail.',
    harm: 'None: no sender needs the policy.',
    fix: 'nothing needs to be done; a policy in mode `none` would do as well',
    reference: 'RFC 7505 §3',
  },
  'mx-null-not-alone': {
    severity: 'warning',
    meaning: 'A null MX stands beside other MX records.',
    harm: 'Some senders refuse to deliver any mail.',
    fix: 'delete the MX record `0 .`, or all the others',
    reference: 'RFC 7505 §3',
  },
  'mx-implicit': {
    severity: 'info',
    meaning: 'The domain has no MX record, so its own address receives the mail.',
    harm: 'None, as long as the policy covers the domain itself.',
    fix: 'publish an MX record, which is clearer',
    reference: 'RFC 5321 §5.1',
  },
  'mx-missing': {
    severity: 'info',
    meaning: 'The domain has neither an MX record nor an address: it receives no mail.',
    harm: 'None: no sender needs the policy.',
    fix: 'publish an MX record if the domain is to receive mail, a null MX (`0 .`) if it is not',
    reference: 'RFC 5321 §5.1, RFC 7505 §3',
  },
  'tls-rpt-missing': {
    severity: 'warning',
    meaning: 'There is no TLS reporting record.',
    harm: 'A failure that makes senders refuse mail goes unseen.',
    fix: 'publish the TXT record `v=TLSRPTv1; rua=mailto:<address>` at `_smtp._tls.<domain>`',
    reference: 'RFC 8460 §3',
  },
} as const satisfies Record<string, FindingKind>;
