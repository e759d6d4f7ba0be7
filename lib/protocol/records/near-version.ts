// Slips in the version of a TXT record: what was hardly meant for another purpose than MTA-STS or TLSRPT.
import { editDistance } from '../../util/edit-distance';
import { asciiLikeness } from '../look-alikes';
import { safeText, trimBlanks } from '../../util/safe-text';

/** The versions that there are (RFC 8461 §3.1, RFC 8460 §3). */
export type TxtVersion = 'v=STSv1' | 'v=TLSRPTv1';

/** Further in there is no version. */
const LONGEST_HEAD = 80;

/** Slips in one word; with more it is another word. */
const MOST_SLIPS = 2;

/** What a slip of a version begins with, without what is neither letter nor digit; and the name of the field that follows the version. */
const SLIPS = {
  'v=STSv1': { word: 'stsv1', begin: /^(?:smtp|mta)?sts/, field: /^id$/i },
  'v=TLSRPTv1': { word: 'tlsrptv1', begin: /^(?:smtp)?tls/, field: /^rua$/i },
} as const;

/**
 * Says what is wrong with the version of a text that was probably meant to be a record, or undefined where the text is of another kind:
 * `v=STS1`, `version=STSv1`, `v=MTA-STSv1`, a record without any version.
 */
export function nearVersion(text: string, version: TxtVersion): string | undefined {
  const { word, begin, field } = SLIPS[version];
  const head = asciiLikeness(text.slice(0, LONGEST_HEAD)).replace(/^[\s"'`]+/, '');
  const first = trimBlanks(head.split(';')[0].replace(/[\s,]+(?:id|rua)\s*[=:][^]*$/i, ''));
  const named = /^([A-Za-z]{1,12})\s*[=:]\s*([^]*)$/.exec(first);
  const name = named?.[1] ?? '';
  if (field.test(name)) return `the version is missing; \`${name}\` comes first`;
  const isVersion = /^(?:v|ver|version)$/i.test(name);
  if (named !== null && !isVersion) return undefined;
  // `v=STS v1` is one word for whoever wrote it.
  const [value, next = ''] = (named?.[2] ?? first).split(/\s+/);
  const core = `${value}${/^v?\d+$/i.test(next) ? next : ''}`.toLowerCase().replace(/[^a-z0-9]/g, '');
  const isNear = isVersion ? begin.test(core) || editDistance(core, word) <= MOST_SLIPS : new RegExp(`${begin.source}(?:rpt)?(?:v?\\d+)?$`).test(core);
  return isNear ? `\`${safeText(first, 40)}\` is not \`${version}\`` : undefined;
}
