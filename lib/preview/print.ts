// Prints the commands that query a preview. A user can paste them into a shell.
import { isIPv6 } from 'node:net';
import { policyUrl } from '../protocol/policy/url';
import { stsRecordName, reportingName } from '../protocol/records/record-names';
import { safeText } from '../util/safe-text';
import type { Preview, PreviewDomain } from './preview';

/** Returns the text for the terminal, with a line end. The names are already checked and the notes escaped. */
export function howToQuery(preview: Preview): string {
  return [
    [`Serving the policy hosts and records of ${safeText(preview.app)} on ${preview.listen}: HTTPS on port ${preview.httpsPort}, DNS on port ${preview.dnsPort}.`,
      'The preview deploys nothing, and sends nothing to other machines.'],
    ...preview.domains.map((domain) => domainText(preview, domain)),
    ...preview.mx.some(({ origin }) => origin === 'policy') ? [MX_NOTE] : [],
    ...preview.notes.length > 0 ? [['Differences from AWS:', ...preview.notes.map((note) => `  ${note}`)]] : [],
  ].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** Returns the id, the MX hosts and the commands of a domain. The commands follow the steps of a sender. */
function domainText(preview: Preview, { domain, policyHost, policyId }: PreviewDomain): string[] {
  const mx = preview.mx.find((entry) => entry.domain === domain);
  return [
    `${domain}  id ${policyId}  (of this preview; a deployment creates another id)`,
    ...mx === undefined ? [] : [`  MX ${mx.hosts.length === 0 ? 'none' : mx.hosts.join(', ')}  (${ORIGINS[mx.origin]})`],
    '',
    `  ${dig(preview, stsRecordName(domain), 'TXT')}`,
    `  ${dig(preview, policyHost, 'A')}`,
    `  ${curl(preview, policyHost)}`,
    `  ${dig(preview, domain, 'MX')}`,
    `  ${dig(preview, reportingName(domain), 'TXT')}`,
  ];
}

const ORIGINS = { given: 'as given', template: 'from the template', policy: 'made from the policy' } as const;

const MX_NOTE = [
  'The template has no MX records, so the preview uses hosts that the policy covers.',
  'Give the real MX hosts with `--mx mx1.example.com=127.0.0.1` to see whether the policy covers them.',
];

function dig({ listen, dnsPort }: Preview, name: string, type: string): string {
  return `dig @${listen} -p ${dnsPort} +short ${name} ${type}`;
}

/** Returns a curl command. With `--connect-to`, the URL, the Host header and the server name are those of a sender. */
function curl({ listen, httpsPort, caFile }: Preview, policyHost: string): string {
  const address = isIPv6(listen) ? `[${listen}]` : listen;
  return [
    'curl -sS --noproxy \'*\'',
    ...caFile === undefined ? [] : [`--cacert ${quote(caFile)}`],
    `--connect-to ${policyHost}:443:${address}:${httpsPort}`,
    policyUrl(policyHost),
  ].join(' ');
}

/** Quotes a text for a POSIX shell. */
function quote(text: string): string {
  return /^[A-Za-z0-9_./:@%+-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}
