// A report for people: the verdict, what senders learn, the way from record to MX, and what was found on it.
import { policyHostName, policyUrl } from '../../lib/protocol/policy-url';
import type { Report, ReportFinding, Verdict } from '../../lib/verifier/report';
import { findingLines } from './findings-text';
import { days } from './seconds';
import type { Standing, Style } from './style';

/** One line of the picture: what stands there, and what is there. */
type Station = readonly [Standing, string];

const VERDICTS: Readonly<Record<Verdict, readonly [Standing, string]>> = {
  pass: ['good', 'pass'],
  fail: ['error', 'fail'],
  unknown: ['unknown', 'could not be decided'],
};

/** The text that `mta-sts verify` prints for one domain. */
export function verifyText(report: Report, style: Style): string {
  const [standing, word] = VERDICTS[report.verdict];
  const lines = [
    `${style.mark(standing)} ${style.bold(report.domain)}: ${style.strong(standing, word)}`,
    ...style.row('', lesson(report), { indent: 2, column: 2 }),
    '',
    ...picture('record', [recordStation(report)], style),
    ...picture('file', [fileStation(report)], style),
    ...picture('mx', mxStations(report), style),
    ...findingLines(report.findings, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** The last line after several domains. */
export function summaryText(reports: readonly Report[], style: Style): string {
  const counts = Object.entries(VERDICTS).flatMap(([verdict, [standing, word]]) => {
    const count = reports.filter((report) => report.verdict === verdict).length;
    return count === 0 ? [] : [style.strong(standing, `${count} ${word}`)];
  });
  return `${reports.length} domains: ${counts.join(', ')}\n`;
}

/** What a sender without a cached policy does now (RFC 8461 §3.3, §5). */
function lesson({ lookup, policy, domain }: Report): string {
  switch (lookup) {
    case 'found': return `Senders find a policy: ${MODE_LESSONS[policy?.mode ?? 'none']}`;
    case 'none': return `Senders find no policy: they deliver to ${domain} without MTA-STS`;
    case 'temporary-error': return 'Senders cannot tell for now: they keep a policy that they know and try again later, all others deliver without MTA-STS';
    case 'permanent-error': return 'Senders are told of a policy that they cannot use: those that know none yet deliver without MTA-STS';
  }
}

const MODE_LESSONS = {
  enforce: 'they deliver only to covered hosts with a valid certificate',
  testing: 'they deliver to every host and report what would have failed',
  none: 'it tells them to do without MTA-STS',
} as const;

function recordStation({ record, lookup, findings, domain }: Report): Station {
  const place = `_mta-sts.${domain}`;
  const standing = worstOf(findings.filter(({ subject }) => subject.includes('_mta-sts.')));
  if (record !== null) return [standing ?? 'good', `id ${record.id} at ${place}`];
  return lookup === 'temporary-error' ? ['unknown', `no answer for ${place}`] : ['error', `no usable record at ${place}`];
}

function fileStation({ policy, lookup, findings, domain }: Report): Station {
  const place = policyUrl(policyHostName(domain));
  const standing = worstOf(findings.filter(({ subject }) => /(?:^|[^_])mta-sts\./.test(subject)));
  if (policy !== null) return [standing ?? 'good', `mode ${policy.mode}, kept for ${days(policy.maxAge)}, at ${place}`];
  if (lookup === 'none') return ['skipped', 'senders never ask for it'];
  // Trouble with the record alone leaves the file unjudged.
  const decided = lookup === 'permanent-error' || standing === 'error';
  return decided ? ['error', `no usable file at ${place}`] : ['unknown', `could not be decided for ${place}`];
}

function mxStations({ mx, policy, findings }: Report): Station[] {
  if (mx.length === 0) {
    const unknown = findings.some(({ subject, severity }) => severity === 'unknown' && /(?:^| )MX\b/.test(subject));
    return [unknown ? ['unknown', 'no answer'] : ['skipped', 'no host takes mail for the domain']];
  }
  const stations = mx.slice(0, MOST_HOSTS).map(({ host, covered }): Station => {
    const name = host === '' ? '.' : host;
    if (covered === null) return ['skipped', `${name}, no policy to hold it against`];
    return covered ? ['good', `${name} is covered`] : [uncovered(policy?.mode), `${name} is not covered`];
  });
  return mx.length > MOST_HOSTS ? [...stations, ['skipped', `and ${mx.length - MOST_HOSTS} more; --format json lists them all`]] : stations;
}

/** More than any honest domain has. */
const MOST_HOSTS = 20;

/** As bad as the mode makes it (RFC 8461 §5). */
function uncovered(mode: 'enforce' | 'testing' | 'none' | undefined): Standing {
  return mode === 'enforce' ? 'error' : mode === 'testing' ? 'warning' : 'info';
}

/** Notes do not spoil a mark. */
function worstOf(findings: readonly ReportFinding[]): 'error' | 'unknown' | 'warning' | undefined {
  return (['error', 'unknown', 'warning'] as const).find((severity) => findings.some((finding) => finding.severity === severity));
}

function picture(label: string, stations: readonly Station[], style: Style): string[] {
  return stations.flatMap(([standing, text], index) => style.row(index === 0 ? label : '', text, {
    indent: 2, column: 12, mark: style.mark(standing),
  }));
}
