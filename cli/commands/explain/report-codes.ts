// Codes that senders write into TLS reports and bounces: the result types (RFC 8460 §4.3) and enhanced status codes (RFC 3463) about TLS,
// MTA-STS and DANE.

/** One code of a TLS report or a bounce. */
export interface ReportCode {
  /** `tlsa-invalid`, `X.7.5` */
  readonly code: string;
  readonly kind: 'result-type' | 'status-code';
  /** One sentence. */
  readonly meaning: string;
  /** One sentence. */
  readonly impact: string;
  /** A phrase without a full stop. */
  readonly fix: string;
  readonly reference: string;
  /** URL of a provider's documentation, if no RFC defines the code. */
  readonly source?: string;
  /** Codes of the findings of this command that show the cause. */
  readonly findings: readonly string[];
}

const MTA_STS_CAUSES = ['mx-not-covered', 'starttls-not-supported', 'certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted', 'validation-failure'];

const NETWORK = 'RFC 3463 §3.5';
const SECURITY = 'RFC 3463 §3.8';

const EXCHANGE = 'https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr/non-delivery-reports-in-exchange-online';

/** The result types that are not also codes of findings: this command reads TLSA records but does not validate them. */
export const RESULT_TYPES: readonly ReportCode[] = [
  {
    code: 'tlsa-invalid',
    kind: 'result-type',
    meaning: 'None of the TLSA records of the MX host was found to be valid for it (DANE).',
    impact: 'Senders that support DANE do not deliver to the host, whatever the MTA-STS policy says.',
    fix: 'publish TLSA records for the certificate that the host serves, the next one before the certificate changes, or delete them',
    reference: 'RFC 8460 §4.3.2.1, RFC 7672 §2.2',
    findings: ['dane-present'],
  },
  {
    code: 'dnssec-invalid',
    kind: 'result-type',
    meaning: 'The recursive resolver of the sender returned no valid records: DNSSEC of the domain or of its MX host is broken.',
    impact: 'Senders that validate DNSSEC cannot find the MX hosts or their TLSA records, and do not deliver.',
    fix: 'compare the DS records at the parent zone with the keys of the zone, and renew expired signatures',
    reference: 'RFC 8460 §4.3.2.1, RFC 7672 §2.1.1',
    findings: ['dns-failure'],
  },
  {
    code: 'dane-required',
    kind: 'result-type',
    meaning: 'The sender is set to demand DANE for the domain, and no TLSA records signed by DNSSEC are at the MX host.',
    impact: 'This sender does not deliver to the host; no other is affected.',
    fix: 'sign the zone of the MX host and publish TLSA records, or ask the sender to lift the demand',
    reference: 'RFC 8460 §4.3.2.1, RFC 7672 §6',
    findings: ['dane-present'],
  },
];

/** The meaning of a result type in a TLS report, if it differs from the finding with the same name. */
export const MEANINGS_IN_REPORTS: ReadonlyMap<string, string> = new Map([
  ['starttls-not-supported', 'the MX host offered this sender no STARTTLS'],
  ['certificate-host-mismatch', 'the certificate is not for the MX host as MTA-STS or DANE demands it'],
  ['certificate-expired', 'the certificate of the MX host had expired'],
  ['certificate-not-trusted', 'covers several certificate problems: an unknown authority, an incomplete chain, name constraints'],
  ['validation-failure', 'the catch-all: a failure that no other result type names, not only one of STARTTLS; `failure-reason-code` of the report says which'],
  ['sts-policy-fetch-error', 'the policy file could not be fetched, for example because the policy host was not reachable'],
  ['sts-policy-invalid', 'the policy as a whole is not valid: syntax, missing fields, media type'],
  ['sts-webpki-invalid', 'the certificate of the policy host could not be validated'],
]);

/** Keyed by subject and detail. The class before them, 4 or 5, says whether the sender retries. */
export const STATUS_CODES: readonly ReportCode[] = [
  status('X.1.10', 'Recipient address has null MX: the domain says that it takes no mail.', 'No mail reaches the domain.', {
    fix: 'delete the MX record `0 .` if the domain is to receive mail', reference: 'RFC 7505 §3', findings: ['mx-null', 'mx-null-not-alone'],
  }),
  status('X.4.0', 'Other or undefined network or routing status.', 'The sender could not get through, and its code does not say why.', {
    fix: 'read the text behind the code; then check the MX hosts with `verify`', reference: NETWORK, findings: ['mx-unreachable', 'mx-no-address'],
  }),
  status('X.4.1', 'No answer from host: the MX host took no connection.', 'Mail waits at the sender.', {
    fix: 'check that the MX host is reachable at port 25 at each of its addresses', reference: NETWORK, findings: ['mx-unreachable', 'mx-no-address'],
  }),
  status('X.4.2', 'Bad connection: the connection was opened and then broke off. A failed TLS handshake can cause this.', 'Mail waits at the sender.', {
    fix: 'check STARTTLS of the MX host with `verify` from a network that may use port 25', reference: NETWORK, findings: ['mx-unreachable', 'validation-failure'],
  }),
  status('X.4.3', 'Directory server failure: DNS gave the sender no answer.', 'Mail waits at the sender.', {
    fix: 'check the name servers of the domain and of its MX hosts, and DNSSEC', reference: NETWORK, findings: ['dns-failure', 'name-server-unanswered'],
  }),
  status('X.4.4', 'Unable to route: the sender found no host to deliver to, for example no MX host that resolves.', 'No mail reaches the domain from this sender.', {
    fix: 'check the MX records and the addresses of their hosts', reference: NETWORK, findings: ['mx-missing', 'mx-no-address', 'mx-not-covered'],
  }),
  status('X.4.6', 'Routing loop detected: the message came back to the same host too often.', 'The message is returned.', {
    fix: 'make sure that each MX host takes mail for the domain itself, and forwards it only inwards', reference: NETWORK, findings: [],
  }),
  status('X.4.7', 'Delivery time expired: the sender gave up after days of trying.', 'The message is returned; the cause is in the earlier, temporary failures.', {
    fix: 'ask the sender for the last temporary failure before it; an unmet policy in mode `enforce` ends like this', reference: NETWORK, findings: MTA_STS_CAUSES,
  }),
  status('X.4.8', 'In Exchange Online: no MX host of the domain passed its MTA-STS policy. IANA has not registered this code.', 'Exchange Online does not deliver to the domain.', {
    fix: 'name each MX host in an `mx` line of the policy and change the id; `verify` shows which is missing',
    reference: 'RFC 8461 §4.1, RFC 3463 §3.5', source: EXCHANGE, findings: ['mx-not-covered'],
  }),
  status('X.7.0', 'Other or undefined security status: something about security failed, and the code does not say what.', 'The sender does not deliver, or the host does not accept.', {
    fix: 'read the text behind the code; if it mentions TLS or a certificate, check the MX hosts with `verify`', reference: SECURITY, findings: MTA_STS_CAUSES,
  }),
  status('X.7.1', 'Delivery not authorized, message refused: a rule of the receiving host, hardly ever one of TLS.', 'The message is refused.', {
    fix: 'read the text behind the code: mostly the sender, its address or a relay is not allowed', reference: SECURITY, findings: [],
  }),
  status('X.7.3', 'Security conversion required but not possible: the message would have to be decrypted or signed anew on its way.', 'The message is refused.', {
    fix: 'look for a gateway that handles S/MIME or OpenPGP; TLS between servers is not the cause', reference: SECURITY, findings: [],
  }),
  status('X.7.4', 'Security features not supported: Postfix uses this code where TLS is required and the MX host offers none.', 'A sender that supports MTA-STS or DANE does not deliver.', {
    fix: 'turn on STARTTLS at the MX host', reference: SECURITY, findings: ['starttls-not-supported'],
  }),
  status(
    'X.7.5',
    'Cryptographic failure: the TLS handshake failed, or the certificate of the MX host is not valid. Exchange Online and Postfix use it where MTA-STS or DANE demands a valid certificate.',
    'The sender does not deliver to this host.', {
      fix: 'check the certificate of each MX host with `verify`: its names, its expiry and its chain',
      reference: 'RFC 3463 §3.8, RFC 8461 §4.2', source: EXCHANGE,
      findings: ['certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted', 'validation-failure'],
    },
  ),
  status('X.7.6', 'Cryptographic algorithm not supported: sender and host have no method in common.', 'The message is not delivered.', {
    fix: 'offer TLS 1.2 and later with ordinary ciphers', reference: SECURITY, findings: ['validation-failure'],
  }),
  status('X.7.7', 'Message integrity failure: the message, not the connection, could not be verified.', 'The message is refused.', {
    fix: 'find the software that changes the message on its way, such as a gateway that rewrites signed mail', reference: SECURITY, findings: [],
  }),
  status('X.7.8', 'Authentication credentials invalid: user name or password of a mail client are wrong.', 'The client cannot submit mail; mail between servers is not affected.', {
    fix: 'correct the credentials of the client', reference: 'RFC 4954 §6', findings: [],
  }),
  status('X.7.9', 'Authentication mechanism is too weak for the server.', 'The client cannot submit mail; mail between servers is not affected.', {
    fix: 'let the client use a stronger mechanism', reference: 'RFC 4954 §6', findings: [],
  }),
  status('X.7.10', 'Encryption needed: the server wants TLS before this way to authenticate.', 'The client cannot submit mail; MTA-STS plays no part in it.', {
    fix: 'let the client use TLS', reference: 'RFC 5248 §3', findings: [],
  }),
  status('X.7.11', 'Encryption required for requested authentication mechanism.', 'The client cannot submit mail; MTA-STS plays no part in it.', {
    fix: 'let the client use TLS', reference: 'RFC 4954 §6', findings: [],
  }),
  status('X.7.30', 'REQUIRETLS support required: the message demands TLS on its whole way, and the next host does not support that.', 'The message is returned.', {
    fix: 'turn on REQUIRETLS at the MX host, or send without that demand', reference: 'RFC 8689 §4', findings: ['starttls-not-supported'],
  }),
  status('X.4.312', 'In Exchange Online, DNS query failed: DNS gave no answer, or none that DNSSEC makes valid.', 'Exchange Online does not deliver to the domain.', {
    fix: 'check the name servers of the domain and of its MX hosts, and DNSSEC', reference: NETWORK, source: EXCHANGE, findings: ['dns-failure', 'dnssec-invalid'],
  }),
  status('X.4.316', 'In Exchange Online, connection refused: the MX host took no connection at port 25.', 'Mail waits at Exchange Online.', {
    fix: 'check that the MX host is reachable at port 25 at each of its addresses', reference: NETWORK, source: EXCHANGE, findings: ['mx-unreachable'],
  }),
  status('X.4.317', 'In Exchange Online, no session with the MX host: the connection or its TLS failed.', 'Mail waits at Exchange Online.', {
    fix: 'check STARTTLS of the MX host with `verify` from a network that may use port 25', reference: NETWORK, source: EXCHANGE,
    findings: ['mx-unreachable', 'validation-failure'],
  }),
  exchangeStatus('X.7.321', 'starttls-not-supported: the MX host has no STARTTLS or the handshake failed, and DANE demands it.', 'turn on STARTTLS at the MX host', ['starttls-not-supported']),
  exchangeStatus('X.7.322', 'certificate-expired: the certificate of the MX host has expired, and DANE demands a valid one.', 'renew the certificate', ['certificate-expired']),
  exchangeStatus('X.7.323', 'tlsa-invalid: the certificate of the MX host does not match its TLSA records (DANE).', 'publish TLSA records for the certificate that the host serves', ['tlsa-invalid']),
  exchangeStatus('X.7.324', 'dnssec-invalid: DNSSEC of the domain is broken.', 'compare the DS records at the parent zone with the keys of the zone', ['dnssec-invalid']),
  exchangeStatus('X.7.325', 'certificate-host-mismatch: the certificate is not for the name of the MX host, and DANE demands that.', 'serve a certificate for the name of the MX host', ['certificate-host-mismatch']),
];

/** A status code that was typed alone or in a line of a bounce, and its explanation if there is one. */
interface TypedStatus {
  /** `5.7.5` */
  readonly typed: string;
  readonly known?: ReportCode;
}

/** Finds the enhanced status code in a text such as `5.7.5`, `550 5.7.5 Remote certificate failed` or `X.7.5`. */
export function findStatusCode(text: string): TypedStatus | undefined {
  const match = /(?:^|[\s(<[#-])([245Xx])\.(\d{1,3})\.(\d{1,3})(?![\d.])/.exec(text.slice(0, MAX_REPLY_LINE_LENGTH));
  if (match === null) return undefined;
  const [, type = '', subject, detail] = match;
  const place = `${Number(subject)}.${Number(detail)}`;
  return { typed: `${type.toUpperCase()}.${place}`, known: type === '2' ? undefined : STATUS_CODES.find(({ code }) => code === `X.${place}`) };
}

/** RFC 5321 §4.5.3.1.5, in bytes. */
const MAX_REPLY_LINE_LENGTH = 512;

/** Explains the first number of a status code (RFC 3463 §2). */
export function describeClass(typed: string): string {
  switch (typed.charAt(0)) {
    case '4': return 'temporary: the sender keeps the message and tries again';
    case '5': return 'permanent: the sender returns the message';
    default: return 'with 4 the sender tries again, with 5 it returns the message';
  }
}

interface StatusDetail {
  readonly fix: string;
  readonly reference: string;
  readonly source?: string;
  readonly findings: readonly string[];
}

function status(code: string, meaning: string, impact: string, detail: StatusDetail): ReportCode {
  return { code, kind: 'status-code', meaning, impact, ...detail };
}

/** Creates a code of Exchange Online that IANA has not registered. Each is named by a result type of RFC 8460. */
function exchangeStatus(code: string, meaning: string, fix: string, findings: readonly string[]): ReportCode {
  return status(code, `In Exchange Online, ${meaning}`, 'Exchange Online does not deliver to the host.', {
    fix, reference: 'RFC 7672 §2.2, RFC 8460 §4.3', source: EXCHANGE, findings,
  });
}
