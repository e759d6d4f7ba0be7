// The two kinds of TXT records that this project reads, and the record that was selected among several.

/** Version of a record (RFC 8461 §3.1, RFC 8460 §3). */
export type TxtVersion = 'v=STSv1' | 'v=TLSRPTv1';

/** One TXT record: its text, or its character-strings, which are joined without a separator (RFC 8461 §3.1). */
export type TxtRecord = string | readonly string[];

/** Kind of a record. */
export interface TxtKind {
  readonly version: TxtVersion;
  /** Beginning of the codes of its findings. */
  readonly codes: 'record' | 'tls-rpt';
  readonly name: 'MTA-STS' | 'TLSRPT';
}

/** The record that was selected. */
export interface ChosenRecord {
  readonly verdict: 'one';
  readonly codes: TxtKind['codes'];
  readonly text: string;
  /** Number of the record, from 1. */
  readonly line: number;
}
