// Writes the section of the page for one domain.
import type { Severity } from '../../../../lib/protocol/findings/finding';
import type { Delivery, MxResult, Observation, VerificationResult, LiveFinding, SenderView } from '../../../../lib/verifier/result';
import { formatSeconds } from '../../../../lib/util/duration';
import type { Mark } from '../../terminal';
import { VERDICT_WORDS, policySummary, mxName, observationMark, pluralize, summarize } from '../../summary';
import type { DeliverySummary } from '../../summary';
import { icon, pill } from './marks';
import { moment, prose, reference, text } from './markup';
import { picture } from './picture';

/**
 * Returns a `section` with the id `id`. On a page with several domains, a domain that passed is folded, and its anchor unfolds it.
 *
 * @param isSingle - whether the page shows only this domain
 */
export function section(result: VerificationResult, id: string, isSingle: boolean): string {
  if (isSingle || result.verdict !== 'pass') return unfolded(result, id, isSingle);
  const { domain, policy, findings: found } = result;
  const warnings = found.filter(({ severity }) => severity === 'warning').length;
  const facts = [...policy === null ? [] : [policy.mode], ...warnings === 0 ? [] : [pluralize(warnings, 'warning')], VERDICT_WORDS.pass.word];
  return `<details class="passed"><summary class="good">${icon('good')}<b>${text(domain)}</b><span>${facts.join(', ')}</span></summary>
${unfolded(result, id, isSingle)}</details>
`;
}

function unfolded(result: VerificationResult, id: string, isSingle: boolean): string {
  const summary = summarize(result);
  return `<section class="domain" id="${id}" aria-labelledby="${id}-h">
${head(result, summary, id, isSingle)}
<div class="card"><h3>The steps of the look-up</h3>
${picture(result)}${notes(result, summary)}</div>
${findings(result.findings, id)}${senders(result.senders, result.findings, id)}${mailHosts(result, summary)}${observationTable(result, summary)}</section>
`;
}

function head(result: VerificationResult, summary: DeliverySummary, id: string, isSingle: boolean): string {
  const { domain, verdict, policy, record, time, milliseconds } = result;
  const { mark, word } = VERDICT_WORDS[verdict];
  const title = isSingle ? 'h1' : 'h2';
  const facts = [
    fact('Mail now', pill(summary.delivery.mark, summary.delivery.word), summary.delivery.text),
    policy === null
      ? fact('Policy', 'none', summary.file.mark === 'skipped' ? 'not published' : 'no usable file')
      : fact('Policy', `<span class="big">${policy.mode}</span>`, `kept for ${formatSeconds(policy.maxAge)}`),
    record === null ? fact('Record', 'none', summary.record.text) : fact('Record id', `<code class="big">${text(record.id, 40)}</code>`, ''),
    fact('Checked', moment(time), `in ${milliseconds} ms`),
  ];
  return `<header class="verdict ${mark}">
<div class="headline">${icon(mark)}<div><p class="over">MTA-STS (RFC 8461)</p><${title} id="${id}-h">${text(domain)}: <span class="word">${word}</span></${title}></div></div>
<p class="summary">${text(policySummary(result))}.</p>
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
    return count === 0 ? '' : pill(severity, severity === 'unknown' ? `${count} undecided` : pluralize(count, one, many));
  });
  return pills.join('') || pill('good', 'nothing found');
}

function notes({ domain }: VerificationResult, { record, file, mx }: DeliverySummary): string {
  const texts = [
    ...record.notes.map((note) => `_mta-sts.${domain} is ${note} (RFC 8461 §8.2)`),
    ...file.notes.map((note) => `mta-sts.${domain} is ${note} (RFC 8461 §8.2)`),
    ...mx.some(({ notes: all }) => all.length > 0) ? ['DANE comes before MTA-STS at an MX host whose TLSA records validate (RFC 8461 §2)'] : [],
  ];
  return texts.length === 0 ? '' : `<ul class="notes">${texts.map((note) => `<li>${icon('info')}<span>${reference(note)}</span></li>`).join('')}</ul>`;
}

/** Maximum number of findings, worst first. */
const MAX_FINDINGS = 100;

function findings(all: readonly LiveFinding[], id: string): string {
  const shown = all.slice(0, MAX_FINDINGS);
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
    return `<div class="group"><h3>${pluralize(count, one, many)}</h3>${cards.join('')}</div>`;
  });
  const left = all.length - shown.length;
  return `${groups.join('')}${left > 0 ? `<p class="left">and ${pluralize(left, 'finding')} more; --format json lists them all</p>` : ''}`;
}

function card(finding: LiveFinding, idAttribute: string): string {
  const { severity, code, subject, message, evidence, time, fix, reference: see, senders: names = [], line, column } = finding;
  const place = line === undefined ? '' : `, line ${line}${column === undefined ? '' : `, column ${column}`}`;
  const list = names.join(', ');
  return `<article class="finding ${severity}"${idAttribute}>
<p class="what">${pill(severity)}<code>${text(code, 80)}</code><span class="subject">${text(subject + place)}</span></p>
<h4>${prose(message)}</h4>
${fix === undefined || fix === '' ? '' : `<p class="fix"><b>How to fix it</b> <span>${prose(fix)}</span></p>`}
<dl>${detail('Seen', evidence === undefined ? undefined : `<code>${text(evidence)}</code>`)}${detail('When', time === undefined ? undefined : moment(time))}${
  detail('Senders', names.every((name) => message.includes(name)) ? undefined : text(list))}${detail('See', see === undefined ? undefined : reference(see))}</dl>
</article>`;
}

function detail(name: string, value: string | undefined): string {
  return value === undefined ? '' : `<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/** Maximum number of senders. Fewer implementations are known. */
const MAX_SENDERS = 60;

function senders(all: readonly SenderView[], found: readonly LiveFinding[], id: string): string {
  if (all.length === 0) return '';
  const codes = new Set(found.slice(0, MAX_FINDINGS).map(({ code }) => code));
  const rows = all.slice(0, MAX_SENDERS).map(({ sender, effect, code }) => {
    const why = `<code>${text(code, 80)}</code>`;
    return `<tr><th scope="row">${text(sender, 80)}</th><td data-label="What it does">${text(effect)}</td><td data-label="Why">${codes.has(code) ? `<a href="#${id}-${text(code, 80)}">${why}</a>` : why}</td></tr>`;
  });
  return `<div class="card"><h3>Senders that read this otherwise</h3>
<p class="intro">These implementations are known to differ from the RFC.</p>
<table class="stacked"><thead><tr><th scope="col">Sender</th><th scope="col">What it does</th><th scope="col">Why</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
`;
}

/** Maximum number of hosts. No honest domain has more. */
const MAX_HOSTS = 50;

function mailHosts({ mx, takenBy }: VerificationResult, { mx: steps }: DeliverySummary): string {
  if (mx.length === 0) return '';
  const rows = mx.slice(0, MAX_HOSTS).map((host, at) => hostRow(host, steps[at]?.mark ?? 'skipped', takenBy !== undefined));
  const left = mx.length - MAX_HOSTS;
  return `<div class="card"><h3>Where mail goes</h3>
<table class="stacked"><thead><tr><th scope="col">MX host</th><th scope="col">Preference</th><th scope="col">Policy</th><th scope="col">A sender now</th><th scope="col">DANE</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>${left > 0 ? `<p class="left">and ${left} more; --format json lists them all</p>` : ''}</div>
`;
}

function hostRow(mx: MxResult, mark: Mark, isDisputed: boolean): string {
  const { preference, covered, delivery, dane } = mx;
  const policy = covered === null ? 'none to ask' : covered ? 'covers it' : 'does not cover it';
  return `<tr><th scope="row">${icon(mark)}<code>${text(mxName(mx))}</code></th><td data-label="Preference">${preference ?? 'implicit'}</td>`
    + `<td data-label="Policy">${policy}</td><td data-label="A sender now">${isDisputed && delivery === 'unknown' ? 'depends on the sender' : HOST_DELIVERED[delivery]}</td>`
    + `<td data-label="DANE">${dane === null ? 'not known' : dane ? 'TLSA records' : 'none'}</td></tr>`;
}

const HOST_DELIVERED: Readonly<Record<Delivery, string>> = {
  'deliver-verified': 'delivers, verified',
  'deliver-unverified': 'delivers, nothing verified',
  'refuse': 'refuses',
  'unknown': 'not known from here',
};

const MAX_OBSERVATIONS = 200;

/** Returns a table of all observations. */
function observationTable({ recordObservations, policyObservations, mx }: VerificationResult, summary: DeliverySummary): string {
  const all = [
    ...recordObservations.map((observation) => ({ to: 'TXT record', observation, mark: observationMark(observation, summary.record.mark) })),
    ...policyObservations.map((observation) => ({ to: 'policy file', observation, mark: observationMark(observation, summary.file.mark) })),
    ...mx.flatMap((host, at) => host.observations.map((observation) => ({ to: mxName(host), observation, mark: observationMark(observation, summary.mx[at]?.mark ?? 'skipped') }))),
  ];
  if (all.length === 0) return '';
  const rows = all.slice(0, MAX_OBSERVATIONS).map(({ to, observation, mark }) => observationRow(to, observation, mark));
  const left = all.length - MAX_OBSERVATIONS;
  return `<details class="card"><summary><h3>All observations (${all.length})</h3></summary>
<table class="stacked"><thead><tr><th scope="col">To</th><th scope="col">At</th><th scope="col">Answer</th><th scope="col">Time</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>${left > 0 ? `<p class="left">and ${left} more; --format json lists them all</p>` : ''}</details>
`;
}

function observationRow(to: string, { at, answer, milliseconds }: Observation, mark: Mark): string {
  return `<tr><th scope="row">${pill(mark)}<span>${text(to)}</span></th><td data-label="At"><code>${text(at)}</code></td>`
    + `<td data-label="Answer">${text(answer)}</td><td data-label="Time">${milliseconds} ms</td></tr>`;
}
