// Check: the `_mta-sts` TXT record, at every name server of the zone and as the recursive resolver has it.
import { policyHostName, policyUrl } from '../../../protocol/policy/url';
import { parseRecord } from '../../../protocol/records/sts-record';
import type { RecordResult } from '../../../protocol/records/sts-record';
import { joinList, safeText } from '../../../util/safe-text';
import { acceptingSenders } from '../../../protocol/tolerance';
import { NOT_ASKED, answerText, lifetime } from '../../evidence';
import { liveFinding } from '../../findings';
import type { ServerAnswer } from '../../dns/name-servers';
import type { Observation, LiveFinding } from '../../result';
import { SOME_RESOLVER } from '../../dns/answer';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import { aliasProblem, dangling } from './cname';
import { findMisplacedRecord } from './misplaced';

/** What the record comes to. */
export interface RecordCheck {
  /** `undecided`: nobody answered, so nothing can be said. */
  readonly verdict: RecordResult['verdict'] | 'undecided';
  readonly record?: RecordResult['record'];
  /** The senders known to use it: all of them where it is valid, some where it is not. */
  readonly takers?: readonly string[];
  /** False where the recursive resolver fails at what the name servers answer: as one that validates does where DNSSEC is broken. */
  readonly validated: boolean;
  /** Every TXT record at the name, whatever it says. */
  readonly texts: readonly string[];
  /** What each server came to. */
  readonly paths: readonly Observation[];
  /** The names that CNAMEs lead to, in order. */
  readonly cnames: readonly string[];
  readonly findings: readonly LiveFinding[];
}

/** What was asked, and by whom it was answered. */
export interface RecordAnswers {
  readonly domain: string;
  /** Of each name server of the zone. They decide; one that failed does not count. */
  readonly servers: readonly ServerAnswer<'TXT'>[];
  readonly recursive: DnsAnswer<'TXT'>;
  /** How long the recursive resolver took, in milliseconds. */
  readonly recursiveMs: number;
  /** Whether the policy host is known to exist, so that it can be asked for other records. */
  readonly hostExists: boolean;
  /** What stands at wrong names, where that has been asked for already. */
  readonly misplaced?: Promise<readonly LiveFinding[]>;
}

/** Judges the answers, and looks for records at wrong names when there is none at the right one. */
export async function checkRecord(resolver: Resolver, answers: RecordAnswers): Promise<RecordCheck> {
  const { domain, recursive } = answers;
  const subject = `_mta-sts.${domain} TXT`;
  const usable = answers.servers.filter(({ answer }) => answer.status !== 'failed');
  const ofResolver = { server: resolverName(recursive), answer: recursive, milliseconds: answers.recursiveMs };
  const decisive = usable.find(({ answer }) => recordTexts(answer).length > 0) ?? usable.at(0) ?? ofResolver;
  const ways = { paths: [...answers.servers, ofResolver].map(pathOf), cnames: decisive.answer.cnames };
  const findings = [
    ...unanswered(answers, subject),
    ...disagreement(usable, subject),
    ...(usable.length === 0 ? [] : stale(decisive.answer, recursive, subject)),
  ];
  const { answer, server } = decisive;
  if (answer.status === 'failed') return { verdict: 'undecided', validated: false, texts: [], ...ways, findings };
  const result = parseRecord(answer.status === 'found' ? answer.records : []);
  const evidence = `${server}: ${answerText(answer)}`;
  // That nothing is there is said below, with what is known of the domain.
  const told = result.findings.filter(({ code }) => code !== 'record-none');
  findings.push(...told.map((one) => ({ ...one, subject, evidence })));
  const alias = answer.status === 'empty' ? answer.cnames.at(-1) : undefined;
  // A target that exists without the record is often a wildcard's, which means nothing by it.
  if (alias !== undefined && answer.status === 'empty' && answer.reason === 'NXDOMAIN') findings.push(dangling(answer.cnames, domain, { subject, evidence }));
  if (result.verdict === 'none' && !findings.some(({ severity, code }) => severity === 'error' && code !== 'record-disagreement')) {
    findings.push(liveFinding('record-missing', {
      subject, evidence, fix: alias === undefined ? publish(domain) : publishBesideAlias(domain, alias),
      message: `there is no MTA-STS record at _mta-sts.${domain}`
        + (alias === undefined ? '' : `; the name is an alias of ${safeText(alias)}, perhaps by a wildcard, and no TXT record is there`),
    }));
  }
  if (result.verdict === 'none') findings.push(...await (answers.misplaced ?? findMisplacedRecord(resolver, domain, answers.hostExists)));
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  const takers = result.verdict === 'multiple' ? [] : acceptingSenders(result.findings);
  return { verdict: result.verdict, record: result.record, takers, validated: !isServfail(recursive), texts, ...ways, findings };
}

function resolverName({ server }: DnsAnswer<'TXT'>): string {
  return server === SOME_RESOLVER ? server : `${SOME_RESOLVER} (${server})`;
}

function isServfail(answer: DnsAnswer<'TXT'>): boolean {
  return answer.status === 'failed' && answer.reason === 'SERVFAIL';
}

function pathOf({ server, answer, milliseconds }: ServerAnswer<'TXT'>): Observation {
  const valid = answer.status === 'found' && parseRecord(answer.records).verdict === 'valid';
  return { at: server, status: answer.status === 'failed' ? 'unknown' : valid ? 'ok' : 'failed', answer: answerText(answer), milliseconds };
}

function publish(domain: string): string {
  return `publish the TXT record \`v=STSv1; id=<id>;\` at _mta-sts.${domain}, after ${policyUrl(policyHostName(domain))} is reachable`;
}

/** No other record can stand beside a CNAME (RFC 1034 §3.6.2), unless it is a wildcard's and stands elsewhere. */
function publishBesideAlias(domain: string, alias: string): string {
  return `delete the CNAME at _mta-sts.${domain}, where there is one, and ${publish(domain)}; or let whoever holds ${safeText(alias)} publish the record there`;
}

function unanswered({ domain, servers, recursive }: RecordAnswers, subject: string): LiveFinding[] {
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

/** Whatever is in the records that senders drop, and however they are cut into strings, is no disagreement. */
function recordTexts(answer: DnsAnswer<'TXT'>): string[] {
  const texts = answer.status === 'found' ? answer.records.map((strings) => strings.join('')) : [];
  return texts.filter((text) => text.startsWith('v=STSv1')).sort();
}

/** To be compared: whole, where `view` is cut. */
function identity(answer: DnsAnswer<'TXT'>): string {
  return JSON.stringify(recordTexts(answer));
}

/** To be read. */
function view(answer: DnsAnswer<'TXT'>): string {
  const texts = recordTexts(answer);
  const shown = texts.slice(0, MOST_SHOWN).map((text) => `"${safeText(text)}"`);
  if (texts.length > MOST_SHOWN) shown.push(`${texts.length - MOST_SHOWN} more`);
  return shown.join(' and ') || 'no record';
}

/** One is right, two are a mistake, and more teach nothing. */
const MOST_SHOWN = 4;

function disagreement(usable: readonly ServerAnswer<'TXT'>[], subject: string): LiveFinding[] {
  const views = new Map<string, { readonly seen: string; readonly servers: readonly string[] }>();
  for (const { server, answer } of usable) {
    const key = identity(answer);
    views.set(key, { seen: view(answer), servers: [...views.get(key)?.servers ?? [], server] });
  }
  if (views.size < 2) return [];
  const shown = [...views.values()].slice(0, MOST_SHOWN).map(({ seen, servers }) => `${seen} at ${joinList(servers, MOST_SHOWN)}`);
  const evidence = `${shown.join('; ')}${views.size > MOST_SHOWN ? ` and ${views.size - MOST_SHOWN} more` : ''}`;
  return [liveFinding('record-disagreement', { subject, evidence, message: `the zone's name servers disagree: ${evidence}` })];
}

function stale(decisive: DnsAnswer<'TXT'>, recursive: DnsAnswer<'TXT'>, subject: string): LiveFinding[] {
  if (recursive.status === 'failed' || identity(recursive) === identity(decisive)) return [];
  return [liveFinding('resolver-stale', {
    subject,
    message: `the recursive resolver still has ${view(recursive)}${lifetime(recursive)}, the zone has ${view(decisive)}`,
    evidence: `${recursive.server}: ${answerText(recursive)}; ${decisive.server}: ${answerText(decisive)}`,
  })];
}
