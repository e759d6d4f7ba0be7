// Check: a policy that does not enforce, and for how long it has been so.
import type { Policy } from '../../../protocol/policy/policy';
import { policyUrl } from '../../../protocol/policy/url';
import type { StsRecord } from '../../../protocol/records/sts-record';
import { safeText } from '../../../util/safe-text';
import type { LiveFinding } from '../../result';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { findingFactory } from '../live-finding';

export const MODE_FINDINGS = {
  'mode-testing': {
    severity: 'info',
    area: 'policy-file',
    meaning: 'The policy is in mode `testing`.',
    impact: 'Senders deliver to hosts that fail all the same, and report it.',
    fix: 'read the TLS reports, and switch to `enforce` when they are clean',
    reference: 'RFC 8461 §5',
  },
  'mode-testing-long': {
    severity: 'warning',
    area: 'policy-file',
    meaning: 'The policy has been in mode `testing` for more than 30 days.',
    impact: 'Mail is not protected: senders deliver to hosts that fail all the same.',
    fix: 'read the TLS reports of the last two weeks; when they are clean, publish the policy in mode `enforce` under a new id',
    reference: 'RFC 8461 §5 and §8.3',
  },
  'mode-none': {
    severity: 'info',
    area: 'policy-file',
    meaning: 'The policy is in mode `none`.',
    impact: 'Senders act as if there were no policy.',
    fix: 'once every earlier policy has expired at senders, delete the TXT record and then the policy host',
    reference: 'RFC 8461 §5 and §8.3',
  },
  'mode-none-long': {
    severity: 'warning',
    area: 'policy-file',
    meaning: 'The policy has been in mode `none` for more than a year, longer than any sender may keep an earlier one.',
    impact: 'None to mail; record and policy host serve no purpose any more, and whoever gets hold of them decides about the mail.',
    fix: 'delete the TXT record, then the policy host; or publish a policy in mode `testing` to begin anew',
    reference: 'RFC 8461 §8.3',
  },
  'policy-unannounced': {
    severity: 'info',
    area: 'policy-file',
    meaning: 'The policy host serves a file, but no TXT record announces it.',
    impact: 'None: senders do not look for the file.',
    fix: 'publish the TXT record if the policy is meant to be in force',
    reference: 'RFC 8461 §3.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(MODE_FINDINGS);

/** What tells of a policy's age. */
export interface PolicyAge {
  /** The `Last-Modified` header of the file, as sent. */
  readonly lastModified?: string;
  readonly record?: StsRecord;
  /** What was asked of whom and what came back. */
  readonly evidence?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const DAY = 86_400_000;

/** Before RFC 8461 was published there was no policy: a file that says so has lost its time. */
const FIRST = Date.parse('2018-09-26T00:00:00Z');

/** Reports of two weeks decide whether to enforce; twice that is more than care. */
const LONG_TESTING = 30 * DAY;

/** No sender keeps an earlier policy for longer (RFC 8461 §3.2). */
const LONG_NONE = 366 * DAY;

export function checkMode(policyHost: string, policy: Policy | undefined, age: PolicyAge): LiveFinding[] {
  const subject = policyUrl(policyHost);
  const since = sinceWhen(age);
  const longer = (limit: number): boolean => since !== undefined && age.now - since.time > limit;
  const evidence = [age.evidence, since?.evidence].filter((one) => one !== undefined).join('; ');
  const days = since === undefined ? 0 : Math.floor((age.now - since.time) / DAY);
  switch (policy?.mode) {
    case 'testing':
      return [longer(LONG_TESTING)
        ? liveFinding('mode-testing-long', { subject, evidence, message: `the policy has been in mode \`testing\` for ${days} days or more: mail is not protected yet` })
        : liveFinding('mode-testing', { subject, evidence, message: 'the policy is in mode `testing`: senders deliver to hosts that fail all the same, and report it' })];
    case 'none':
      return [longer(LONG_NONE)
        ? liveFinding('mode-none-long', { subject, evidence, message: `the policy has been in mode \`none\` for ${days} days or more: no sender can hold an earlier one any longer` })
        : liveFinding('mode-none', { subject, evidence, message: 'the policy is in mode `none`: senders act as if there were no policy' })];
    case 'enforce':
    case undefined:
      return [];
  }
}

/** The file says it best; where it does not, many ids are times. */
function sinceWhen({ lastModified, record, now }: PolicyAge): { readonly time: number; readonly evidence: string } | undefined {
  const modified = lastModified === undefined ? NaN : Date.parse(lastModified);
  if (modified >= FIRST && modified <= now) return { time: modified, evidence: `Last-Modified: ${safeText(lastModified ?? '', 60)}` };
  const parts = /^(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])/.exec(record?.id ?? '');
  if (parts === null || record === undefined) return undefined;
  const time = Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T00:00:00Z`);
  return time >= FIRST && time <= now ? { time, evidence: `the id \`${record.id}\` is a date` } : undefined;
}
