// Prints records as a Terraform map, for the `for_each` of any provider's resource.
import { policyHostName } from '../../../lib/protocol/policy/url';
import { recordAround } from '../../../lib/protocol/records/sts-record';
import { stsRecordName } from '../../../lib/protocol/records/record-names';
import { safeText } from '../../../lib/util/safe-text';
import { ID_SOURCE, listRecords } from './record';
import type { ManualRecord, PublishedDomain } from './record';

/** Returns a file for Terraform or OpenTofu. A value that is not known yet is a variable. */
export function terraformText(domains: readonly PublishedDomain[]): string {
  const records = domains.flatMap(listRecords);
  const stsRecords = records.filter(({ name }) => name.startsWith(stsRecordName('')));
  return [
    '# DNS records of MTA-STS (RFC 8461) and TLSRPT (RFC 8460). Create the _mta-sts records last, after the policy is served. Delete them first.',
    ...domains.some(({ target }) => target === null) ? ['', ...targetVariable(domains)] : [],
    ...domains.some(({ id }) => id === null) ? ['', ...ID_VARIABLE] : [],
    '',
    'locals {',
    '  mta_sts_records = {',
    ...records.filter((record) => !stsRecords.includes(record)).flatMap(entry),
    '  }',
    '',
    '  mta_sts_announcements = {',
    ...stsRecords.flatMap(entry),
    '  }',
    '}',
    '',
    ...EXAMPLE,
  ].map((line) => `${line}\n`).join('');
}

function targetVariable(domains: readonly PublishedDomain[]): string[] {
  const unknown = domains.filter(({ target }) => target === null);
  return [
    ...unknown.map(({ domain, targetSource: whereTarget }) => `# ${policyHostName(domain)}: ${safeText(whereTarget, 1000)}`),
    'variable "mta_sts_targets" {',
    '  description = "For each policy host, such as mta-sts.example.com, the host that serves it"',
    '  type        = map(string)',
    '}',
  ];
}

const ID_VARIABLE = [
  `# For each mail domain ${ID_SOURCE}.`,
  'variable "mta_sts_ids" {',
  '  description = "For each mail domain, such as example.com, the id of its policy, from the outputs of the deployment"',
  '  type        = map(string)',
  '}',
];

function entry({ name, type, ttl, value }: ManualRecord): string[] {
  return [
    `    ${hclString(name)} = {`,
    `      name  = ${hclString(name)}`,
    `      type  = ${hclString(type)}`,
    `      ttl   = ${ttl}`,
    `      value = ${value === null ? variableFor(name, type) : hclString(value)}`,
    '    }',
  ];
}

/** Returns the variable for a value that is not known yet. */
function variableFor(name: string, type: ManualRecord['type']): string {
  if (type === 'CNAME') return `var.mta_sts_targets[${hclString(name)}]`;
  const domain = name.slice(stsRecordName('').length);
  return `"${recordAround(`\${var.mta_sts_ids[${hclString(domain)}]}`)}"`;
}

/** Quotes a text as a template without template sequences. */
export function hclString(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')
    .replace(/\p{C}/gu, (character) => `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`)
    // An escape in a run of these characters would be ambiguous.
    .replace(/([$%])\1*\{/g, (sequence, sign: string) => (sequence.length === 2
      ? `${sign}${sequence}`
      : sequence.replaceAll(sign, `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)));
  return `"${escaped}"`;
}

/** Resources of one provider. Cloudflare needs texts in quotes and splits long ones itself. Its proxy would prevent validation. */
const EXAMPLE = [
  '# An example for the provider cloudflare/cloudflare. Other providers need names relative to the zone, or a dot at the end of names and of',
  '# CNAME values. Check their documentation.',
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
