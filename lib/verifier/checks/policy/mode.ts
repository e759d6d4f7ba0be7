// Checks for a policy that does not enforce, for how long it has not, and for a policy without a record.
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
    impact: 'Senders still deliver to hosts that fail, and report it.',
    fix: 'read the TLS reports, and switch to `enforce` when they are clean',
    reference: 'RFC 8461 §5',
  },
  'mode-testing-long': {
    severity: 'warning',
    area: 'policy-file',
    meaning: 'The policy has been in mode `testing` for more than 30 days.',
    impact: 'Mail is not protected: senders still deliver to hosts that fail.',
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
    impact: 'None to mail. Record and policy host serve no purpose any more, and anyone who takes them over controls the policy.',
    fix: 'delete the TXT record, then the policy host; or publish a policy in mode `testing` to start again',
    reference: 'RFC 8461 §8.3',
  },
  'policy-unannounced': {
    severity: 'info',
    area: 'policy-file',
    meaning: 'The policy host serves a file, but there is no TXT record for it.',
    impact: 'None: senders do not look for the file.',
    fix: 'publish the TXT record if the policy is meant to be in force',
    reference: 'RFC 8461 §3.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(MODE_FINDINGS);

/** The sources of a policy's age. */
export interface PolicyAge {
  /** The `Last-Modified` header of the file, as sent. */
  readonly lastModified?: string;
  readonly record?: StsRecord;
  /** The server that was asked, and its answer. */
  readonly evidence?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const DAY_MS = 86_400_000;

/** Publication of RFC 8461, in milliseconds since the epoch. An earlier date means that the server lost the file's timestamp. */
const FIRST_POLICY_MS = Date.parse('2018-09-26T00:00:00Z');

/** Two weeks of reports decide whether to enforce. Warn after twice that time. */
const LONG_TESTING_MS = 30 * DAY_MS;

/** Longer than senders keep an earlier policy, which is at most a year (RFC 8461 §3.2). */
const LONG_NONE_MS = 366 * DAY_MS;

/** Reports a policy in mode `testing` or `none`, and warns when the mode has lasted for long. */
export function checkMode(policyHost: string, policy: Policy | undefined, age: PolicyAge): LiveFinding[] {
  const subject = policyUrl(policyHost);
  const since = publishedSince(age);
  const isOlder = (limit: number): boolean => since !== undefined && age.now - since.time > limit;
  const evidence = [age.evidence, since?.evidence].filter((one) => one !== undefined).join('; ');
  const days = since === undefined ? 0 : Math.floor((age.now - since.time) / DAY_MS);
  switch (policy?.mode) {
    case 'testing':
      return [isOlder(LONG_TESTING_MS)
        ? liveFinding('mode-testing-long', { subject, evidence, message: `the policy has been in mode \`testing\` for ${days} days or more: mail is not protected yet` })
        : liveFinding('mode-testing', { subject, evidence, message: 'the policy is in mode `testing`: senders still deliver to hosts that fail, and report it' })];
    case 'none':
      return [isOlder(LONG_NONE_MS)
        ? liveFinding('mode-none-long', { subject, evidence, message: `the policy has been in mode \`none\` for ${days} days or more: no sender can hold an earlier one any longer` })
        : liveFinding('mode-none', { subject, evidence, message: 'the policy is in mode `none`: senders act as if there were no policy' })];
    case 'enforce':
    case undefined:
      return [];
  }
}

/** Prefers Last-Modified. Otherwise uses the id if it looks like a date; many do. */
function publishedSince({ lastModified, record, now }: PolicyAge): { readonly time: number; readonly evidence: string } | undefined {
  const modified = lastModified === undefined ? NaN : Date.parse(lastModified);
  if (modified >= FIRST_POLICY_MS && modified <= now) return { time: modified, evidence: `Last-Modified: ${safeText(lastModified ?? '', 60)}` };
  if (record === undefined) return undefined;
  const [, year, month, day] = /^(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])/.exec(record.id) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return time >= FIRST_POLICY_MS && time <= now ? { time, evidence: `the id \`${record.id}\` is a date` } : undefined;
}

/** Reports a policy file without a record. Senders do not ask for it, so its problems do not matter. */
export function unannouncedPolicy(policyHost: string, policy: Policy | undefined, evidence: string | undefined): LiveFinding[] {
  if (policy === undefined) return [];
  const message = `a policy in mode ${policy.mode} is served, but there is no TXT record for it`;
  return [liveFinding('policy-unannounced', { subject: policyUrl(policyHost), evidence, message })];
}
