// Checks the `_mta-sts` TXT record at every name server of the zone, and at the recursive resolver.
import { policyHostName, policyUrl } from '../../../protocol/policy/url';
import { parseRecord } from '../../../protocol/records/sts-record';
import type { RecordResult } from '../../../protocol/records/sts-record';
import { joinList, safeText } from '../../../util/safe-text';
import { acceptingSenders } from '../../../protocol/findings/tolerance';
import { NOT_ASKED, answerText, lifetime } from '../../evidence';
import type { ServerAnswer } from '../../dns/name-servers';
import type { Observation, LiveFinding } from '../../result';
import { SOME_RESOLVER } from '../../dns/answer';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import { aliasProblem, dangling } from './cname';
import { findMisplacedRecord } from './misplaced';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { DNS_ANSWER_FINDINGS } from '../dns-answer';
import { findingFactory } from '../live-finding';

const NO_POLICY = 'Senders see no policy and deliver without checking; a policy that they have cached stays in use until it expires.';

export const RECORD_FINDINGS = {
  'record-missing': {
    severity: 'error',
    area: 'record',
    meaning: 'There is no MTA-STS record at `_mta-sts.<domain>`.',
    impact: NO_POLICY,
    fix: 'publish the TXT record `v=STSv1; id=<id>;` at `_mta-sts.<domain>`, after the policy file is reachable',
    reference: 'RFC 8461 §3.1',
  },
  'record-disagreement': {
    severity: 'error',
    area: 'record',
    temporary: true,
    meaning: 'The name servers of the zone give different MTA-STS records.',
    impact: 'Senders see one or the other, by chance. With an old id, some keep the old policy.',
    fix: 'wait until the zone has reached all its name servers; if it stays so, a name server is cut off from its primary or serves an old copy of the zone',
    reference: 'RFC 8461 §3.1',
  },
  'name-servers-unknown': {
    severity: 'unknown',
    area: 'record',
    temporary: true,
    meaning: 'The name servers of the zone could not be found, so the recursive resolver alone was asked.',
    impact: 'Its answer can be as old as the TTL.',
    fix: 'try again; if it stays so, check that the zone is delegated and that its name servers have addresses and can be reached from here; with a resolver made for tests, ignore it',
    reference: 'RFC 1034 §4.2.2',
  },
  'name-server-unanswered': {
    severity: 'unknown',
    area: 'record',
    temporary: true,
    meaning: 'A name server of the zone gave no usable answer.',
    impact: 'Resolvers that ask it have to try another one, which costs senders seconds; whether its copy of the zone is current is not known.',
    fix: 'check that the server runs, serves the zone and can be reached over UDP and TCP port 53; if it has been given up, remove its NS record',
    reference: 'RFC 2182 §3',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...RECORD_FINDINGS, ...DNS_ANSWER_FINDINGS });

/** The record, and its problems. */
export interface RecordCheck {
  /** `undecided`: no server answered. */
  readonly verdict: RecordResult['verdict'] | 'undecided';
  readonly record?: RecordResult['record'];
  /** Known senders that accept the record: all of them where it is valid, some where it is not. */
  readonly acceptedBy?: readonly string[];
  /** False where the name servers answer and the recursive resolver fails. A validating resolver fails so where DNSSEC is broken. */
  readonly validated: boolean;
  /** Every TXT record at the name, related to MTA-STS or not. */
  readonly texts: readonly string[];
  /** One observation for each server. */
  readonly observations: readonly Observation[];
  /** The CNAME targets, in order. */
  readonly cnames: readonly string[];
  readonly findings: readonly LiveFinding[];
}

/** The answers about the record, from every server. */
export interface RecordAnswers {
  readonly domain: string;
  /** The answer of each name server of the zone. These answers decide; a failed one does not count. */
  readonly servers: readonly ServerAnswer<'TXT'>[];
  readonly recursive: DnsAnswer<'TXT'>;
  /** Duration of the recursive resolver's answer, in milliseconds. */
  readonly recursiveMs: number;
  /** Whether the policy host is known to exist, so that its name can be queried for other records. */
  readonly hostExists: boolean;
  /** Records at wrong names, where the caller has already asked for them. */
  readonly misplaced?: Promise<readonly LiveFinding[]>;
}

/** Compares the answers, and searches for the record at wrong names where it is missing at its own name. */
export async function checkRecord(resolver: Resolver, answers: RecordAnswers): Promise<RecordCheck> {
  const { domain, recursive } = answers;
  const subject = `_mta-sts.${domain} TXT`;
  const usable = answers.servers.filter(({ answer }) => answer.status !== 'failed');
  const resolverAnswer = { server: resolverName(recursive), answer: recursive, milliseconds: answers.recursiveMs };
  const decisive = usable.find(({ answer }) => recordTexts(answer).length > 0) ?? usable.at(0) ?? resolverAnswer;
  const common = { observations: [...answers.servers, resolverAnswer].map(toObservation), cnames: decisive.answer.cnames };
  const findings = [
    ...unansweredQueries(answers, subject),
    ...disagreement(usable, subject),
    ...usable.length === 0 ? [] : stale(decisive.answer, recursive, subject),
  ];
  const { answer, server } = decisive;
  if (answer.status === 'failed') return { verdict: 'undecided', validated: false, texts: [], ...common, findings };
  const result = parseRecord(answer.status === 'found' ? answer.records : []);
  const evidence = `${server}: ${answerText(answer)}`;
  // `record-missing` below replaces `record-none`: it knows the domain.
  const problems = result.findings.filter(({ code }) => code !== 'record-none');
  findings.push(...problems.map((one) => ({ ...one, area: 'record', subject, evidence } as const)));
  const alias = answer.status === 'empty' ? answer.cnames.at(-1) : undefined;
  // A target that exists without the record is often covered by a wildcard, so only a missing target is a problem.
  if (alias !== undefined && answer.status === 'empty' && answer.reason === 'NXDOMAIN') findings.push(dangling(answer.cnames, domain, { area: 'record', subject, evidence }));
  if (result.verdict === 'none' && !findings.some(({ severity, code }) => severity === 'error' && code !== 'record-disagreement')) {
    findings.push(liveFinding('record-missing', {
      subject, evidence, fix: alias === undefined ? publishFix(domain) : publishBesideAliasFix(domain, alias),
      message: `there is no MTA-STS record at _mta-sts.${domain}`
        + (alias === undefined ? '' : `; the name is an alias of ${safeText(alias)}, perhaps by a wildcard, and no TXT record is there`),
    }));
  }
  if (result.verdict === 'none') findings.push(...await (answers.misplaced ?? findMisplacedRecord(resolver, domain, answers.hostExists)));
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  const acceptedBy = result.verdict === 'multiple' ? [] : acceptingSenders(result.findings);
  return { verdict: result.verdict, record: result.record, acceptedBy, validated: !isServfail(recursive), texts, ...common, findings };
}

function resolverName({ server }: DnsAnswer<'TXT'>): string {
  return server === SOME_RESOLVER ? server : `${SOME_RESOLVER} (${server})`;
}

function isServfail(answer: DnsAnswer<'TXT'>): boolean {
  return answer.status === 'failed' && answer.reason === 'SERVFAIL';
}

function toObservation({ server, answer, milliseconds }: ServerAnswer<'TXT'>): Observation {
  const valid = answer.status === 'found' && parseRecord(answer.records).verdict === 'valid';
  return { at: server, status: answer.status === 'failed' ? 'unknown' : valid ? 'ok' : 'failed', answer: answerText(answer), milliseconds };
}

function publishFix(domain: string): string {
  return `publish the TXT record \`v=STSv1; id=<id>;\` at _mta-sts.${domain}, after ${policyUrl(policyHostName(domain))} is reachable`;
}

/** A CNAME excludes other records at its name (RFC 1034 §3.6.2). The CNAME may come from a wildcard, and then there is none to delete. */
function publishBesideAliasFix(domain: string, alias: string): string {
  return `delete the CNAME at _mta-sts.${domain}, where there is one, and ${publishFix(domain)}; or let whoever holds ${safeText(alias)} publish the record there`;
}

function unansweredQueries({ domain, servers, recursive }: RecordAnswers, subject: string): LiveFinding[] {
  const findings = servers.flatMap(({ server, answer }) => {
    if (answer.status !== 'failed') return [];
    const message = `the name server ${server} ${answer.reason === NOT_ASKED ? `was ${NOT_ASKED}` : `gave no usable answer (${answer.reason})`}`;
    return [liveFinding('name-server-unanswered', { subject, message, evidence: `${server}: ${answerText(answer)}`, ...aliasProblem(answer) })];
  });
  if (servers.length > 0 && findings.length === servers.length) {
    const message = `none of the name servers of ${domain} gave a usable answer, so the recursive resolver alone decides`;
    findings.push(liveFinding('name-servers-unknown', { subject, message, evidence: joinList(findings.map(({ evidence = '' }) => evidence), 3) }));
  }
  if (recursive.status === 'failed') {
    const answered = findings.length < servers.length;
    const message = isServfail(recursive) && answered
      ? 'the recursive resolver answers SERVFAIL where the name servers answer, as one that validates does where DNSSEC is broken: senders behind such a one see no policy'
      : `the recursive resolver ${recursive.reason === NOT_ASKED ? `was ${NOT_ASKED}` : `did not answer (${recursive.reason})`}`;
    findings.push(liveFinding('dns-failure', { subject, message, evidence: `${recursive.server}: ${answerText(recursive)}`, ...aliasProblem(recursive) }));
  }
  return findings;
}

/** Returns the MTA-STS records only, each joined to one text: senders ignore other records, and the cuts between strings. */
function recordTexts(answer: DnsAnswer<'TXT'>): string[] {
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  return texts.filter((text) => text.startsWith('v=STSv1')).sort();
}

/** Returns the records as a key for comparisons. */
function identity(answer: DnsAnswer<'TXT'>): string {
  return JSON.stringify(recordTexts(answer));
}

/** Returns the records for a message, cut to `MAX_SHOWN`. */
function recordsText(answer: DnsAnswer<'TXT'>): string {
  const texts = recordTexts(answer);
  const shown = texts.slice(0, MAX_SHOWN).map((text) => `"${safeText(text)}"`);
  if (texts.length > MAX_SHOWN) shown.push(`${texts.length - MAX_SHOWN} more`);
  return shown.join(' and ') || 'no record';
}

/** Maximum number of records, views or servers that a message lists. */
const MAX_SHOWN = 4;

function disagreement(usable: readonly ServerAnswer<'TXT'>[], subject: string): LiveFinding[] {
  const views = new Map<string, { readonly records: string; readonly servers: readonly string[] }>();
  for (const { server, answer } of usable) {
    const key = identity(answer);
    views.set(key, { records: recordsText(answer), servers: [...views.get(key)?.servers ?? [], server] });
  }
  if (views.size < 2) return [];
  const shown = [...views.values()].slice(0, MAX_SHOWN).map(({ records, servers }) => `${records} at ${joinList(servers, MAX_SHOWN)}`);
  const evidence = `${shown.join('; ')}${views.size > MAX_SHOWN ? ` and ${views.size - MAX_SHOWN} more` : ''}`;
  return [liveFinding('record-disagreement', { subject, evidence, message: `the zone's name servers disagree: ${evidence}` })];
}

function stale(decisive: DnsAnswer<'TXT'>, recursive: DnsAnswer<'TXT'>, subject: string): LiveFinding[] {
  if (recursive.status === 'failed' || identity(recursive) === identity(decisive)) return [];
  return [liveFinding('resolver-stale', {
    subject,
    message: `the recursive resolver still has ${recordsText(recursive)}${lifetime(recursive)}, the zone has ${recordsText(decisive)}`,
    evidence: `${recursive.server}: ${answerText(recursive)}; ${decisive.server}: ${answerText(decisive)}`,
  })];
}
