// TLS reporting (RFC 8460): the addresses for TLS reports and the `_smtp._tls` record that names them.
import { Token } from 'aws-cdk-lib';
import { REPORTING_ADDRESS, requireInput } from './private/input';
import { safeText } from './util/safe-text';
import { reportingUriDoubt, reportingUriFault, renderTlsRpt } from './protocol/records/tls-rpt';

/**
 * Addresses to which senders send TLS reports: every day, the number of TLS connections that succeeded and failed (TLSRPT, RFC 8460).
 *
 * Without TLS reports, you do not learn that senders refuse mail.
 *
 * @example
 * TlsReporting.to('mailto:tls-reports@example.com');
 */
export class TlsReporting {
  /**
   * Returns TLS reporting to these addresses.
   *
   * @param uris - `mailto:` and `https:` addresses. Percent-encode `,` `!` and `;` inside an address. A report to a mailbox of the same
   * domain is delivered without enforcing the policy (RFC 8460 §3)
   * @throws Error if senders would refuse an address, or if it is a token
   */
  public static to(...uris: string[]): TlsReporting {
    return new TlsReporting(uris);
  }

  /** Addresses, in the given order. */
  public readonly rua: string[];

  /** Text of the record at `_smtp._tls.<domain>`. */
  public readonly record: string;

  private constructor(uris: string[]) {
    if (uris.length === 0) {
      throw new Error('`TlsReporting.to()` needs at least one address, got none. Write one, for example `\'mailto:tls-reports@example.com\'` (RFC 8460 §3)');
    }
    uris.forEach(checkUri);
    this.rua = uris;
    this.record = renderTlsRpt(uris);
  }
}

function checkUri(uri: string): void {
  requireInput('TlsReporting.to()', uri, REPORTING_ADDRESS);
  if (Token.isUnresolved(uri)) {
    throw new Error('a reporting address must be known at synthesis, got a token, which cannot be checked. Write the address out');
  }
  // Stricter than the grammar: no report reaches some well-formed addresses.
  const problem = reportingUriFault(uri) ?? reportingUriDoubt(uri);
  if (problem !== undefined) {
    throw new Error(`reporting address ${safeText(JSON.stringify(uri))}: ${problem}`);
  }
}
