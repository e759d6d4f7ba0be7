// Searches for missing records at the wrong names where they are often found in practice.
import { policyHostName } from '../../../protocol/policy/url';
import { stsRecordName, reportingName } from '../../../protocol/records/record-names';
import { joinList, safeText } from '../../../util/safe-text';
import { zonesOf } from '../../dns/appended-zone';
import { answerText } from '../../evidence';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { TLS_RPT_LIVE_FINDINGS } from '../../../protocol/findings/tls-rpt';
import { findingFactory } from '../live-finding';

const NO_POLICY = 'Senders see no policy and deliver without checking; a policy that they have cached stays in use until it expires.';

export const MISPLACED_FINDINGS = {
  'record-misplaced': {
    severity: 'warning',
    area: 'record',
    meaning: 'A record that belongs at `_mta-sts.<domain>` stands at another name.',
    impact: NO_POLICY,
    fix: 'move it to `_mta-sts.<domain>`, with a hyphen; in a DNS panel that appends the zone enter `_mta-sts` alone',
    reference: 'RFC 8461 §3.1',
  },
  'policy-host-misplaced': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The policy host has no address, but a name that looks like it has.',
    impact: 'Senders cannot fetch the policy. Many DNS panels append the zone to the name that is entered, so that it stands there twice.',
    fix: 'move its records to `mta-sts.<domain>`; in a panel that appends the zone enter `mta-sts` alone',
    reference: 'RFC 8461 §3.3, RFC 1035 §5.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...MISPLACED_FINDINGS, ...TLS_RPT_LIVE_FINDINGS });

/** The record that is missing. */
interface Wanted {
  readonly version: 'v=STSv1' | 'v=TLSRPTv1';
  readonly code: 'record-misplaced' | 'tls-rpt-misplaced';
  /** The name where the record belongs. */
  readonly place: string;
}

/** Maximum number of records that a message lists. */
const MAX_SHOWN = 4;

/**
 * Searches for the MTA-STS record at wrong names: mistyped labels, names of other records, and names to which a DNS panel has appended
 * the zone once more.
 *
 * @param hostExists - whether the policy host is known to exist. Otherwise its name is not queried: resolvers would cache that it does
 * not exist, and senders could not find it when it appears (RFC 2308 §5)
 */
export function findMisplacedRecord(resolver: Resolver, domain: string, hostExists: boolean): Promise<LiveFinding[]> {
  const place = stsRecordName(domain);
  const names = [
    ...['_mta_sts', 'mta_sts', '_mtasts', '_sts', '_mta-sts._mta-sts', '_mta-sts.mta-sts'].map((label) => `${label}.${domain}`), domain, reportingName(domain),
    ...hostExists ? [policyHostName(domain)] : [],
  ];
  return findMisplaced(resolver, domain, names, { version: 'v=STSv1', code: 'record-misplaced', place });
}

/**
 * Searches for the TLS reporting record at wrong names. `_mta-sts` is left out: its answer is already known.
 *
 * @param hostExists - as for `findMisplacedRecord`
 */
export function findMisplacedReporting(resolver: Resolver, domain: string, hostExists: boolean): Promise<LiveFinding[]> {
  const labels = ['_tlsrpt', '_smtp-tlsrpt', '_smtp._tlsrpt', '_mta-sts._tls', '_smtp-tls', '_smtp_tls', '_tls-rpt', '_smtp-tls-rpt', '_tls', '_smtp', 'smtp._tls', '_smtp.tls', '_tls._smtp',
    '_smtp._tls.mta-sts', '_smtp._tls._mta-sts'];
  const names = [...labels.map((label) => `${label}.${domain}`), domain, ...hostExists ? [policyHostName(domain)] : []];
  return findMisplaced(resolver, domain, names, { version: 'v=TLSRPTv1', code: 'tls-rpt-misplaced', place: reportingName(domain) });
}

/** Reports a TLS reporting record among the TXT records at `_mta-sts`. */
export function reportingAtRecord(domain: string, texts: readonly string[], evidence: string | undefined): LiveFinding[] {
  const found = texts.filter((text) => text.startsWith('v=TLSRPTv1'));
  if (found.length === 0) return [];
  const wanted = { version: 'v=TLSRPTv1', code: 'tls-rpt-misplaced', place: reportingName(domain) } as const;
  return [misplaced(domain, stsRecordName(domain), wanted, found, evidence)];
}

async function findMisplaced(resolver: Resolver, domain: string, names: readonly string[], wanted: Wanted): Promise<LiveFinding[]> {
  const zones = zonesOf(domain);
  const all = [...names, ...zones.map((zone) => `${wanted.place}.${zone}`)];
  const [wildcards, ...answers] = await Promise.all([
    wildcardTexts(resolver, zones, wanted.version),
    ...all.map(async (name) => ({ name, answer: await resolver.query(name, 'TXT') })),
  ]);
  return answers.flatMap(({ name, answer }) => {
    const texts = matchingTexts(answer, wanted.version);
    // A wildcard answers for every name below the domain, so its texts are not misplaced records.
    const explicit = name === domain ? texts : texts.filter((text) => !wildcards.has(text));
    return explicit.length === 0 ? [] : [misplaced(domain, name, wanted, explicit, `${answer.server}: ${answerText(answer)}`)];
  });
}

/** Returns the texts of wildcard records (RFC 4592) of these zones. */
async function wildcardTexts(resolver: Resolver, zones: readonly string[], version: string): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(zones.map((zone) => resolver.query(`*.${zone}`, 'TXT')));
  return new Set(answers.flatMap((answer) => matchingTexts(answer, version)));
}

function matchingTexts(answer: DnsAnswer<'TXT'>, version: string): string[] {
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  return texts.filter((text) => text.startsWith(version)).sort();
}

function misplaced(
  domain: string, name: string, { code, place }: Wanted, texts: readonly string[], evidence: string | undefined,
): LiveFinding {
  const appended = nameWithoutZone(domain, name, place);
  return liveFinding(code, {
    subject: `${name} TXT`,
    message: `a record that belongs at ${place} stands at ${name}: ${joinList(texts.map((text) => `"${safeText(text)}"`), MAX_SHOWN)}`
      + (appended === undefined ? '' : '. The zone name is appended twice, as by a DNS panel that adds it to what is entered'),
    evidence,
    fix: appended === undefined ? `move it to ${place}` : `move it to ${place}: enter the name as \`${appended}\` there, without the zone`,
  });
}

/** Returns the name to enter in a DNS panel that appends the zone; undefined where the zone was not appended. */
function nameWithoutZone(domain: string, name: string, place: string): string | undefined {
  const zone = zonesOf(domain).find((one) => name === `${place}.${one}`);
  return zone === undefined ? undefined : place.slice(0, -zone.length - 1);
}

/** Searches for the policy host at mistyped names, and at names to which a DNS panel has appended the zone. */
export async function findMisplacedHost(resolver: Resolver, domain: string): Promise<LiveFinding[]> {
  const place = policyHostName(domain);
  const zones = zonesOf(domain);
  const names = [...zones.map((zone) => `${place}.${zone}`), `mta_sts.${domain}`, `mtasts.${domain}`, stsRecordName(domain)];
  const [wildcards, ...answers] = await Promise.all([
    Promise.all(zones.map((zone) => queryAddresses(resolver, `*.${zone}`))).then((all) => new Set(all.flatMap(addressesIn))),
    ...names.map(async (name) => ({ name, both: await queryAddresses(resolver, name) })),
  ]);
  return answers.flatMap(({ name, both }) => {
    if (addressesIn(both).every((address) => wildcards.has(address))) return [];
    // The target of a delegated record may have addresses for another purpose.
    if (name === stsRecordName(domain) && both.some(({ cnames }) => cnames.length > 0)) return [];
    const appended = nameWithoutZone(domain, name, place);
    return [liveFinding('policy-host-misplaced', {
      subject: `${name} A, AAAA`,
      message: `${place} has no address, but ${name} has`
        + (appended === undefined ? '' : '. The zone name is appended twice, as by a DNS panel that adds it to what is entered'),
      evidence: both.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; '),
      fix: appended === undefined ? `move its records to ${place}` : `move its records to ${place}: enter the name as \`${appended}\` there, without the zone`,
    })];
  });
}

function queryAddresses(resolver: Resolver, name: string): Promise<readonly DnsAnswer<'A' | 'AAAA'>[]> {
  return Promise.all([resolver.query(name, 'A'), resolver.query(name, 'AAAA')]);
}

function addressesIn(answers: readonly DnsAnswer<'A' | 'AAAA'>[]): readonly string[] {
  return answers.flatMap((answer) => answer.status === 'found' ? answer.records : []);
}
