// Records as a map in Terraform's language, for any provider's resource to go through with `for_each`.
import { policyHostName } from '../../../lib/protocol/policy/url';
import { recordAround } from '../../../lib/protocol/records/sts-record';
import { stsRecordName } from '../../../lib/protocol/records/record-names';
import { safeText } from '../../../lib/util/safe-text';
import { WHERE_ID, recordsOf } from './record';
import type { ManualRecord, PublishedDomain } from './record';

/** A file for Terraform or OpenTofu; what is not known yet is a variable. */
export function terraformText(domains: readonly PublishedDomain[]): string {
  const records = domains.flatMap(recordsOf);
  const announcements = records.filter(({ name }) => name.startsWith(stsRecordName('')));
  return [
    '# DNS records of MTA-STS (RFC 8461) and TLSRPT (RFC 8460). The announcements come last, when the policy is served, and go first.',
    ...domains.some(({ target }) => target === null) ? ['', ...targets(domains)] : [],
    ...domains.some(({ id }) => id === null) ? ['', ...IDS] : [],
    '',
    'locals {',
    '  mta_sts_records = {',
    ...records.filter((record) => !announcements.includes(record)).flatMap(entry),
    '  }',
    '',
    '  mta_sts_announcements = {',
    ...announcements.flatMap(entry),
    '  }',
    '}',
    '',
    ...EXAMPLE,
  ].map((line) => `${line}\n`).join('');
}

function targets(domains: readonly PublishedDomain[]): string[] {
  const unknown = domains.filter(({ target }) => target === null);
  return [
    ...unknown.map(({ domain, whereTarget }) => `# ${policyHostName(domain)}: ${safeText(whereTarget, 1000)}`),
    'variable "mta_sts_targets" {',
    '  description = "For each policy host, such as mta-sts.example.com, the host that serves it"',
    '  type        = map(string)',
    '}',
  ];
}

const IDS = [
  `# For each mail domain ${WHERE_ID}.`,
  'variable "mta_sts_ids" {',
  '  description = "For each mail domain, such as example.com, the id of what is published, which the outputs of the deployment tell"',
  '  type        = map(string)',
  '}',
];

function entry({ name, type, ttl, value }: ManualRecord): string[] {
  return [
    `    ${hclString(name)} = {`,
    `      name  = ${hclString(name)}`,
    `      type  = ${hclString(type)}`,
    `      ttl   = ${ttl}`,
    `      value = ${value === null ? valueOf(name, type) : hclString(value)}`,
    '    }',
  ];
}

/** Of a record that is not known yet. */
function valueOf(name: string, type: ManualRecord['type']): string {
  if (type === 'CNAME') return `var.mta_sts_targets[${hclString(name)}]`;
  const domain = name.slice(stsRecordName('').length);
  return `"${recordAround(`\${var.mta_sts_ids[${hclString(domain)}]}`)}"`;
}

/** A text as a quoted template that holds no template sequence. */
export function hclString(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')
    .replace(/\p{C}/gu, (character) => `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`)
    // Of several in a row it is not plain which one the escape is for.
    .replace(/([$%])\1*\{/g, (sequence, sign: string) => (sequence.length === 2
      ? `${sign}${sequence}`
      : sequence.replaceAll(sign, `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)));
  return `"${escaped}"`;
}

/** One provider's resources. Cloudflare wants texts in quotes, and splits long ones itself; behind its proxy nothing is validated. */
const EXAMPLE = [
  '# With the provider cloudflare/cloudflare, for example. Others want names relative to the zone, or a dot at the end of names and of CNAME',
  '# values: look.',
  '#',
  ...resource('mta_sts', 'mta_sts_records', []),
  '#',
  ...resource('mta_sts_announcement', 'mta_sts_announcements', ['depends_on = [cloudflare_dns_record.mta_sts]']),
];

function resource(name: string, map: string, more: readonly string[]): string[] {
  return [
    `resource "cloudflare_dns_record" "${name}" {`,
    `  for_each = local.${map}`,
    '  zone_id  = var.zone_id',
    '  name     = each.value.name',
    '  type     = each.value.type',
    '  ttl      = each.value.ttl',
    '  proxied  = false',
    '  content  = each.value.type == "TXT" ? "\\"${each.value.value}\\"" : each.value.value',
    ...more.map((line) => `  ${line}`),
    '}',
  ].map((line) => `# ${line}`);
}
