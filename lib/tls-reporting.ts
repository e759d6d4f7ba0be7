// The _smtp._tls record (RFC 8460): where senders report that TLS or the policy failed.
import { Token } from 'aws-cdk-lib';
import { REPORTING_ADDRESS, requireInput } from './private/input';
import { safeText } from './util/safe-text';
import { reportingUriDoubt, reportingUriFault, renderTlsRpt } from './protocol/records/tls-rpt';

/**
 * Where senders send their daily reports of TLS connections that succeeded and failed (TLSRPT, RFC 8460).
 *
 * Without it nobody tells you that mail is being refused.
 *
 * @example
 * TlsReporting.to('mailto:tls-reports@example.com');
 */
export class TlsReporting {
  /**
   * Report to these places.
   *
   * @param uris - `mailto:` and `https:` addresses; `,` `!` and `;` inside one are percent-encoded. A mailbox in the same
   * domain is reached without enforcing the policy (RFC 8460 §3)
   * @throws where an address is not one that senders accept, or is a token
   */
  public static to(...uris: string[]): TlsReporting {
    return new TlsReporting(uris);
  }

  /** The addresses, in the order given. */
  public readonly rua: string[];

  /** The text of the record at `_smtp._tls.<domain>`. */
  public readonly record: string;

  private constructor(uris: string[]) {
    if (uris.length === 0) {
      throw new Error('`TlsReporting.to()` needs at least one address (RFC 8460 §3), got none; for example mailto:tls-reports@example.com');
    }
    uris.forEach(checkUri);
    this.rua = uris;
    this.record = renderTlsRpt(uris);
  }
}

function checkUri(uri: string): void {
  requireInput('TlsReporting.to()', uri, REPORTING_ADDRESS);
  if (Token.isUnresolved(uri)) {
    throw new Error('a reporting address is a token, known only at deployment, and cannot be checked; write it out');
  }
  // Stricter than the grammar: a well-formed address that no report reaches is of no use to anyone.
  const fault = reportingUriFault(uri) ?? reportingUriDoubt(uri);
  if (fault !== undefined) {
    throw new Error(`reporting address ${safeText(JSON.stringify(uri))}: ${fault}`);
  }
}
