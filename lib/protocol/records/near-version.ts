// Recognises a misspelled version of a TXT record that was meant for MTA-STS or TLSRPT.
import { editDistance } from '../../util/edit-distance';
import { asciiLikeness } from '../look-alikes';
import { safeText, trimBlanks } from '../../util/safe-text';
import type { TxtVersion } from './txt-kind';

/** Characters at the beginning of a text in which a version is looked for. */
const HEAD_CHARACTERS = 80;

/** Maximum edit distance of a misspelled word. */
const MAX_EDITS = 2;

/** For each version: its letters and digits, how a misspelled one begins, and the field that follows it. */
const SPELLINGS = {
  'v=STSv1': { word: 'stsv1', begin: /^(?:smtp|mta)?sts/, field: /^id$/i },
  'v=TLSRPTv1': { word: 'tlsrptv1', begin: /^(?:smtp)?tls/, field: /^rua$/i },
} as const;

/**
 * Returns the problem of the version in a text that was probably meant to be a record: `v=STS1`, `version=STSv1`, `v=MTA-STSv1`, or a
 * record without a version. Returns undefined for a text of another kind.
 */
export function nearVersion(text: string, version: TxtVersion): string | undefined {
  const { word, begin, field } = SPELLINGS[version];
  const head = asciiLikeness(text.slice(0, HEAD_CHARACTERS)).replace(/^[\s"'`]+/, '');
  const first = trimBlanks(head.split(';', 1).join('').replace(/[\s,]+(?:id|rua)\s*[=:][^]*$/i, ''));
  const named = /^([A-Za-z]{1,12})\s*[=:]\s*([^]*)$/.exec(first);
  const name = named?.at(1) ?? '';
  if (field.test(name)) return `the version is missing; \`${name}\` comes first`;
  const isVersion = /^(?:v|ver|version)$/i.test(name);
  if (named !== null && !isVersion) return undefined;
  // Read `v=STS v1` as one word.
  const [value = '', next = ''] = (named?.at(2) ?? first).split(/\s+/);
  const core = `${value}${/^v?\d+$/i.test(next) ? next : ''}`.toLowerCase().replace(/[^a-z0-9]/g, '');
  const isNear = isVersion ? begin.test(core) || editDistance(core, word) <= MAX_EDITS : new RegExp(`${begin.source}(?:rpt)?(?:v?\\d+)?$`).test(core);
  return isNear ? `\`${safeText(first, 40)}\` is not \`${version}\`` : undefined;
}
