// Which senders accept an `_mta-sts` record that the grammar of RFC 8461 §3.1 forbids, for each problem.
import type { SenderQuirk } from '../findings/finding';
import { tolerance, toleranceBut } from '../findings/tolerance';
import type { TxtKind } from './txt-kind';

/** Problem of a record. */
export type RecordProblem = 'trailing-blank' | 'empty-field' | 'field-name' | 'equals-in-value' | 'beyond-ascii' | 'blank-around-equals' | 'id-empty' | 'id-invalid'
  | 'id-with-equals' | 'id-missing' | 'id-behind-no-break-space' | 'indented' | 'version-last';

const BY_PROBLEM: Readonly<Record<RecordProblem, readonly SenderQuirk[]>> = {
  'trailing-blank': toleranceBut('record', ['mox', 'postfix-tlspol']),
  'empty-field': toleranceBut('record', ['mox', 'postfix-tlspol']),
  'field-name': toleranceBut('record', ['mox', 'postfix-tlspol']),
  'equals-in-value': toleranceBut('record', ['mox', 'postfix-tlspol', 'go-mtasts']),
  'beyond-ascii': toleranceBut('record', ['mox', 'postfix-tlspol', 'postfix-mta-sts-resolver', 'aykevl']),
  'blank-around-equals': tolerance('record', ['mailauth', 'chasquid', 'kumomta', 'stalwart']),
  'id-empty': tolerance('record', ['postfix-mta-sts-resolver', 'chasquid', 'kumomta', 'stalwart', 'courier', 'danmarg']),
  'id-invalid': tolerance('record', ['postfix-mta-sts-resolver', 'mailauth', 'chasquid', 'go-mtasts', 'kumomta', 'stalwart', 'courier', 'danmarg']),
  'id-with-equals': tolerance('record', ['postfix-mta-sts-resolver', 'mailauth', 'chasquid', 'kumomta', 'stalwart', 'courier', 'danmarg']),
  'id-missing': tolerance('record', ['chasquid']),
  'id-behind-no-break-space': tolerance('record', ['mailauth', 'chasquid', 'go-mtasts', 'kumomta', 'rest-mail', 'danmarg']),
  'indented': tolerance('record', ['mailauth', 'go-mtasts', 'kumomta', 'stalwart', 'rest-mail', 'courier', 'danmarg']),
  'version-last': tolerance('record', ['go-mtasts', 'kumomta', 'stalwart', 'danmarg']),
};

/** Returns the senders that refuse and that accept an `_mta-sts` record with a problem. No senders are known for the TLSRPT record. */
export function recordTolerance(codes: TxtKind['codes'], problem: RecordProblem): readonly SenderQuirk[] {
  return codes === 'record' ? BY_PROBLEM[problem] : [];
}
