// Looks for what is missing at its own name at the names where it has been found in the wild: asked for only where it is missing.
import { policyHostName } from '../../../protocol/policy/url';
import { stsRecordName, reportingName } from '../../../protocol/records/record-names';
import { joinList, safeText } from '../../../util/safe-text';
import { zonesOf } from '../../dns/appended-zone';
import { answerText } from '../../evidence';
import { liveFinding } from '../../findings';
import type { LiveFindingCode } from '../../findings';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';

/** A TXT record by its version, and where it belongs. */
interface Wanted {
  readonly version: 'v=STSv1' | 'v=TLSRPTv1';
  readonly code: LiveFindingCode;
  /** The name where it belongs. */
  readonly place: string;
}

/** One is right, two are a mistake, and more teach nothing. */
const MOST_SHOWN = 4;

/**
 * Looks for the MTA-STS record at wrong names: those of a mistyped label, of the other record, and those to which a DNS panel has appended
 * the zone once more.
 *
 * @param hostExists - whether the policy host is known to exist; otherwise nobody asks for that name, since resolvers would remember
 * that it does not, and would keep senders from it when it appears (RFC 2308 §5)
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
 * Looks for the TLS reporting record at wrong names; at `_mta-sts` it is seen without asking.
 *
 * @param hostExists - as above
 */
export function findMisplacedReporting(resolver: Resolver, domain: string, hostExists: boolean): Promise<LiveFinding[]> {
  const labels = ['_tlsrpt', '_smtp-tlsrpt', '_smtp._tlsrpt', '_mta-sts._tls', '_smtp-tls', '_smtp_tls', '_tls-rpt', '_smtp-tls-rpt', '_tls', '_smtp', 'smtp._tls', '_smtp.tls', '_tls._smtp',
    '_smtp._tls.mta-sts', '_smtp._tls._mta-sts'];
  const names = [...labels.map((label) => `${label}.${domain}`), domain, ...hostExists ? [policyHostName(domain)] : []];
  return findMisplaced(resolver, domain, names, { version: 'v=TLSRPTv1', code: 'tls-rpt-misplaced', place: reportingName(domain) });
}

/** The TLS reporting record among the TXT records at `_mta-sts`, where it is missing at its own name. */
export function reportingAtRecord(domain: string, texts: readonly string[], evidence: string | undefined): LiveFinding[] {
  const found = texts.filter((text) => text.startsWith('v=TLSRPTv1'));
  if (found.length === 0) return [];
  const wanted = { version: 'v=TLSRPTv1', code: 'tls-rpt-misplaced', place: reportingName(domain) } as const;
  return [misplaced(domain, stsRecordName(domain), wanted, found, evidence)];
}

async function findMisplaced(resolver: Resolver, domain: string, names: readonly string[], wanted: Wanted): Promise<LiveFinding[]> {
  const zones = zonesOf(domain);
  const all = [...names, ...zones.map((zone) => `${wanted.place}.${zone}`)];
  const [wild, ...answers] = await Promise.all([
    wildcardTexts(resolver, zones, wanted.version),
    ...all.map(async (name) => ({ name, answer: await resolver.query(name, 'TXT') })),
  ]);
  return answers.flatMap(({ name, answer }) => {
    const texts = textsOf(answer, wanted.version);
    // A wildcard answers for every name and means none of them; of the domain itself it does not speak.
    const meant = name === domain ? texts : texts.filter((text) => !wild.has(text));
    return meant.length === 0 ? [] : [misplaced(domain, name, wanted, meant, `${answer.server}: ${answerText(answer)}`)];
  });
}

/** What wildcard records (RFC 4592) of these zones say. */
async function wildcardTexts(resolver: Resolver, zones: readonly string[], version: string): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(zones.map((zone) => resolver.query(`*.${zone}`, 'TXT')));
  return new Set(answers.flatMap((answer) => textsOf(answer, version)));
}

function textsOf(answer: DnsAnswer<'TXT'>, version: string): string[] {
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  return texts.filter((text) => text.startsWith(version)).sort();
}

function misplaced(
  domain: string, name: string, { code, place }: Wanted, texts: readonly string[], evidence: string | undefined,
): LiveFinding {
  const appended = appendedTo(domain, name, place);
  return liveFinding(code, {
    subject: `${name} TXT`,
    message: `a record that belongs at ${place} stands at ${name}: ${joinList(texts.map((text) => `"${safeText(text)}"`), MOST_SHOWN)}`
      + (appended === undefined ? '' : '. The zone name is appended twice, as by a DNS panel that adds it to what is entered'),
    ...evidence === undefined ? {} : { evidence },
    fix: appended === undefined ? `move it to ${place}` : `move it to ${place}: enter the name as \`${appended}\` there, without the zone`,
  });
}

/** What to enter in a DNS panel in place of a name to which it appended the zone. */
function appendedTo(domain: string, name: string, place: string): string | undefined {
  const zone = zonesOf(domain).find((one) => name === `${place}.${one}`);
  return zone === undefined ? undefined : place.slice(0, -zone.length - 1);
}

/** Looks for the policy host at the names to which a DNS panel has appended the zone, and at mistyped ones. */
export async function findMisplacedHost(resolver: Resolver, domain: string): Promise<LiveFinding[]> {
  const place = policyHostName(domain);
  const zones = zonesOf(domain);
  const names = [...zones.map((zone) => `${place}.${zone}`), `mta_sts.${domain}`, `mtasts.${domain}`, stsRecordName(domain)];
  const [wild, ...answers] = await Promise.all([
    Promise.all(zones.map((zone) => bothTypes(resolver, `*.${zone}`))).then((all) => new Set(all.flatMap(addressesIn))),
    ...names.map(async (name) => ({ name, both: await bothTypes(resolver, name) })),
  ]);
  return answers.flatMap(({ name, both }) => {
    if (addressesIn(both).every((address) => wild.has(address))) return [];
    // A record that is delegated leads to a name that may have addresses for another purpose.
    if (name === stsRecordName(domain) && both.some(({ cnames }) => cnames.length > 0)) return [];
    const appended = appendedTo(domain, name, place);
    return [liveFinding('policy-host-misplaced', {
      subject: `${name} A, AAAA`,
      message: `${place} has no address, but ${name} has`
        + (appended === undefined ? '' : '. The zone name is appended twice, as by a DNS panel that adds it to what is entered'),
      evidence: both.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; '),
      fix: appended === undefined ? `move its records to ${place}` : `move its records to ${place}: enter the name as \`${appended}\` there, without the zone`,
    })];
  });
}

function bothTypes(resolver: Resolver, name: string): Promise<readonly DnsAnswer<'A' | 'AAAA'>[]> {
  return Promise.all([resolver.query(name, 'A'), resolver.query(name, 'AAAA')]);
}

function addressesIn(answers: readonly DnsAnswer<'A' | 'AAAA'>[]): readonly string[] {
  return answers.flatMap((answer) => answer.status === 'found' ? answer.records : []);
}
