// The part of the page that shows one domain.
import type { Severity } from '../../../../lib/protocol/findings/finding';
import type { Delivery, MxResult, Observation, VerificationResult, LiveFinding, SenderView } from '../../../../lib/verifier/result';
import { days } from '../../../../lib/util/seconds';
import type { Mark } from '../../terminal';
import { VERDICTS, policySummary, mxName, observationMark, plural, summarize } from '../../summary';
import type { DeliverySummary } from '../../summary';
import { icon, pill } from './marks';
import { moment, prose, reference, text } from './markup';
import { picture } from './picture';

/**
 * A `section` with the id `id`. Among others one that passed is folded, and its anchor unfolds it.
 *
 * @param alone - whether the page is about this domain only
 */
export function section(result: VerificationResult, id: string, alone: boolean): string {
  if (alone || result.verdict !== 'pass') return unfolded(result, id, alone);
  const { domain, policy, findings: found } = result;
  const warnings = found.filter(({ severity }) => severity === 'warning').length;
  const said = [...policy === null ? [] : [policy.mode], ...warnings === 0 ? [] : [plural(warnings, 'warning')], VERDICTS.pass.word];
  return `<details class="passed"><summary class="good">${icon('good')}<b>${text(domain)}</b><span>${said.join(', ')}</span></summary>
${unfolded(result, id, alone)}</details>
`;
}

function unfolded(result: VerificationResult, id: string, alone: boolean): string {
  const way = summarize(result);
  return `<section class="domain" id="${id}" aria-labelledby="${id}-h">
${head(result, way, id, alone)}
<div class="card"><h3>The way of the look-up</h3>
${picture(result, id)}${notes(result, way)}</div>
${findings(result.findings, id)}${senders(result.senders, result.findings, id)}${mailHosts(result, way)}${ways(result, way)}</section>
`;
}

function head(result: VerificationResult, way: DeliverySummary, id: string, alone: boolean): string {
  const { domain, verdict, policy, record, time, milliseconds } = result;
  const { standing, word } = VERDICTS[verdict];
  const title = alone ? 'h1' : 'h2';
  const facts = [
    fact('Mail now', pill(way.delivery.standing, way.delivery.word), way.delivery.text),
    policy === null
      ? fact('Policy', 'none', way.file.mark === 'skipped' ? 'not announced' : 'no usable file')
      : fact('Policy', `<span class="big">${policy.mode}</span>`, `kept for ${days(policy.maxAge)}`),
    record === null ? fact('Record', 'none', way.record.text) : fact('Record id', `<code class="big">${text(record.id, 40)}</code>`, ''),
    fact('Checked', moment(time), `in ${milliseconds} ms`),
  ];
  return `<header class="verdict ${standing}">
<div class="headline">${icon(standing)}<div><p class="over">MTA-STS (RFC 8461)</p><${title} id="${id}-h">${text(domain)}: <span class="said">${word}</span></${title}></div></div>
<p class="lesson">${text(policySummary(result))}.</p>
<p class="counts">${counts(result.findings)}</p>
<dl class="facts">${facts.join('')}</dl>
</header>`;
}

function fact(name: string, value: string, more: string): string {
  return `<div><dt>${name}</dt><dd>${value}${more === '' ? '' : `<small>${text(more)}</small>`}</dd></div>`;
}

const GROUPS: readonly { readonly severity: Severity; readonly one: string; readonly many: string }[] = [
  { severity: 'error', one: 'error', many: 'errors' },
  { severity: 'unknown', one: 'thing that could not be decided from here', many: 'things that could not be decided from here' },
  { severity: 'warning', one: 'warning', many: 'warnings' },
  { severity: 'info', one: 'note', many: 'notes' },
];

function counts(found: readonly LiveFinding[]): string {
  const pills = GROUPS.map(({ severity, one, many }) => {
    const count = found.filter((finding) => finding.severity === severity).length;
    return count === 0 ? '' : pill(severity, severity === 'unknown' ? `${count} undecided` : plural(count, one, many));
  });
  return pills.join('') || pill('good', 'nothing found');
}

function notes({ domain }: VerificationResult, { record, file, mx }: DeliverySummary): string {
  const said = [
    ...record.notes.map((note) => `_mta-sts.${domain} is ${note} (RFC 8461 §8.2)`),
    ...file.notes.map((note) => `mta-sts.${domain} is ${note} (RFC 8461 §8.2)`),
    ...mx.some(({ notes: all }) => all.length > 0) ? ['where TLSA records stand at an MX host and validate, DANE comes before MTA-STS (RFC 8461 §2)'] : [],
  ];
  return said.length === 0 ? '' : `<ul class="notes">${said.map((note) => `<li>${icon('info')}<span>${reference(note)}</span></li>`).join('')}</ul>`;
}

/** More than this is no longer read; in all, and worst first. */
const MOST_FINDINGS = 100;

function findings(all: readonly LiveFinding[], id: string): string {
  const shown = all.slice(0, MOST_FINDINGS);
  const seen = new Set<string>();
  const groups = GROUPS.map(({ severity, one, many }) => {
    const group = shown.filter((finding) => finding.severity === severity);
    const count = all.filter((finding) => finding.severity === severity).length;
    if (group.length === 0) return '';
    const cards = group.map((finding) => {
      const first = !seen.has(finding.code);
      seen.add(finding.code);
      return card(finding, first ? ` id="${id}-${text(finding.code, 80)}"` : '');
    });
    return `<div class="group"><h3>${plural(count, one, many)}</h3>${cards.join('')}</div>`;
  });
  const left = all.length - shown.length;
  return `${groups.join('')}${left > 0 ? `<p class="left">and ${plural(left, 'finding')} more; --format json lists them all</p>` : ''}`;
}

function card(finding: LiveFinding, idAttribute: string): string {
  const { severity, code, subject, message, evidence, time, fix, reference: see, senders: names = [], line, column } = finding;
  const place = line === undefined ? '' : `, line ${line}${column === undefined ? '' : `, column ${column}`}`;
  const list = names.join(', ');
  return `<article class="finding ${severity}"${idAttribute}>
<p class="what">${pill(severity)}<code>${text(code, 80)}</code><span class="subject">${text(subject + place)}</span></p>
<h4>${prose(message)}</h4>
${fix === undefined || fix === '' ? '' : `<p class="fix"><b>How to mend it</b> <span>${prose(fix)}</span></p>`}
<dl>${detail('Seen', evidence === undefined ? undefined : `<code>${text(evidence)}</code>`)}${detail('When', time === undefined ? undefined : moment(time))}${
  detail('Senders', names.every((name) => message.includes(name)) ? undefined : text(list))}${detail('See', see === undefined ? undefined : reference(see))}</dl>
</article>`;
}

function detail(name: string, value: string | undefined): string {
  return value === undefined ? '' : `<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/** More implementations than are known. */
const MOST_SENDERS = 60;

function senders(all: readonly SenderView[], found: readonly LiveFinding[], id: string): string {
  if (all.length === 0) return '';
  const codes = new Set(found.slice(0, MOST_FINDINGS).map(({ code }) => code));
  const rows = all.slice(0, MOST_SENDERS).map(({ sender, effect, code }) => {
    const why = `<code>${text(code, 80)}</code>`;
    return `<tr><th scope="row">${text(sender, 80)}</th><td data-label="What it does">${text(effect)}</td><td data-label="Why">${codes.has(code) ? `<a href="#${id}-${text(code, 80)}">${why}</a>` : why}</td></tr>`;
  });
  return `<div class="card"><h3>Senders that read this otherwise</h3>
<p class="intro">The RFC says how this is to be read; these implementations are known to act otherwise.</p>
<table class="stacked"><thead><tr><th scope="col">Sender</th><th scope="col">What it does</th><th scope="col">Why</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
`;
}

/** More than any honest domain has. */
const MOST_HOSTS = 50;

function mailHosts({ mx, takenBy }: VerificationResult, { mx: stations }: DeliverySummary): string {
  if (mx.length === 0) return '';
  const rows = mx.slice(0, MOST_HOSTS).map((host, at) => hostRow(host, stations[at].mark, takenBy !== undefined));
  const left = mx.length - MOST_HOSTS;
  return `<div class="card"><h3>Where mail goes</h3>
<table class="stacked"><thead><tr><th scope="col">MX host</th><th scope="col">Preference</th><th scope="col">Policy</th><th scope="col">A sender now</th><th scope="col">DANE</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>${left > 0 ? `<p class="left">and ${left} more; --format json lists them all</p>` : ''}</div>
`;
}

function hostRow(mx: MxResult, standing: Mark, isDisputed: boolean): string {
  const { preference, covered, delivery, dane } = mx;
  const policy = covered === null ? 'none to ask' : covered ? 'covers it' : 'does not cover it';
  return `<tr><th scope="row">${icon(standing)}<code>${text(mxName(mx))}</code></th><td data-label="Preference">${preference ?? 'implicit'}</td>`
    + `<td data-label="Policy">${policy}</td><td data-label="A sender now">${isDisputed && delivery === 'unknown' ? 'depends on the sender' : HOST_DELIVERED[delivery]}</td>`
    + `<td data-label="DANE">${dane === null ? 'not known' : dane ? 'TLSA records' : 'none'}</td></tr>`;
}

const HOST_DELIVERED: Readonly<Record<Delivery, string>> = {
  'deliver-verified': 'delivers, verified',
  'deliver-unverified': 'delivers, nothing verified',
  'refuse': 'refuses',
  'unknown': 'not known from here',
};

const MOST_WAYS = 200;

/** Everything that was asked, for whoever wants to look closer. */
function ways({ recordObservations: recordPaths, policyObservations: policyPaths, mx }: VerificationResult, way: DeliverySummary): string {
  const all = [
    ...recordPaths.map((observation) => ({ to: 'TXT record', path: observation, standing: observationMark(observation, way.record.mark) })),
    ...policyPaths.map((observation) => ({ to: 'policy file', path: observation, standing: observationMark(observation, way.file.mark) })),
    ...mx.flatMap((host, at) => host.observations.map((observation) => ({ to: mxName(host), path: observation, standing: observationMark(observation, way.mx[at].mark) }))),
  ];
  if (all.length === 0) return '';
  const rows = all.slice(0, MOST_WAYS).map(({ to, path: observation, standing }) => wayRow(to, observation, standing));
  const left = all.length - MOST_WAYS;
  return `<details class="card"><summary><h3>Every way that was tried (${all.length})</h3></summary>
<table class="stacked"><thead><tr><th scope="col">To</th><th scope="col">At</th><th scope="col">What came back</th><th scope="col">Time</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>${left > 0 ? `<p class="left">and ${left} more; --format json lists them all</p>` : ''}</details>
`;
}

function wayRow(to: string, { at, answer, milliseconds }: Observation, standing: Mark): string {
  return `<tr><th scope="row">${pill(standing)}<span>${text(to)}</span></th><td data-label="At"><code>${text(at)}</code></td>`
    + `<td data-label="What came back">${text(answer)}</td><td data-label="Time">${milliseconds} ms</td></tr>`;
}
