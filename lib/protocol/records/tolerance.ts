// Which senders use an `_mta-sts` record that the grammar of RFC 8461 §3.1 forbids, by what is wrong with it.
import type { SenderQuirk } from '../findings/finding';
import { tolerance, toleranceBut } from '../findings/tolerance';
import type { TxtKind } from './txt-selection';

/** What is wrong. */
export type RecordProblem = 'trailing-blank' | 'empty-field' | 'field-name' | 'equals-in-value' | 'beyond-ascii' | 'blank-around-equals' | 'id-empty' | 'id-invalid'
  | 'id-with-equals' | 'id-missing' | 'id-behind-no-break-space' | 'indented' | 'version-last';

const BY_FAULT: Readonly<Record<RecordProblem, readonly SenderQuirk[]>> = {
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

/** Names both groups; nothing is known of the other record. */
export function recordTolerance(codes: TxtKind['codes'], fault: RecordProblem): readonly SenderQuirk[] {
  return codes === 'record' ? BY_FAULT[fault] : [];
}
