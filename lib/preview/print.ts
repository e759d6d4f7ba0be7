// Says how to query a preview: commands that work when they are pasted into a shell.
import { isIPv6 } from 'node:net';
import { policyUrl } from '../protocol/policy/url';
import { stsRecordName, reportingName } from '../protocol/records/record-names';
import { safeText } from '../util/safe-text';
import type { Preview, PreviewDomain } from './preview';

/** The text for the terminal, with a line end. Names were checked and notes escaped when the assembly was read. */
export function howToQuery(preview: Preview): string {
  return [
    [`Serving the policy hosts and records of ${safeText(preview.app)} on ${preview.listen}, HTTPS at port ${preview.httpsPort}, DNS at port ${preview.dnsPort}.`,
      'Nothing is deployed, and nothing leaves this machine.'],
    ...preview.domains.map((domain) => domainText(preview, domain)),
    ...preview.mx.some(({ origin }) => origin === 'policy') ? [MX_NOTE] : [],
    ...preview.notes.length > 0 ? [['Not as on AWS:', ...preview.notes.map((note) => `  ${note}`)]] : [],
  ].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** Its first lines are the commands, in the order of a sender's own steps. */
function domainText(preview: Preview, { domain, policyHost, policyId }: PreviewDomain): string[] {
  const mx = preview.mx.find((entry) => entry.domain === domain);
  return [
    `${domain}  id ${policyId}  (of this preview; the deployment makes its own)`,
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
  'The template says nothing of MX records, so hosts that the policy covers stand in for them.',
  'Give the real ones with `--mx mx1.example.com=127.0.0.1` to see whether the policy covers them.',
];

function dig({ listen, dnsPort }: Preview, name: string, type: string): string {
  return `dig @${listen} -p ${dnsPort} +short ${name} ${type}`;
}

/** `--connect-to` leaves the URL, the Host header and the server name as senders have them. */
function curl({ listen, httpsPort, caFile }: Preview, policyHost: string): string {
  const address = isIPv6(listen) ? `[${listen}]` : listen;
  return [
    'curl -sS --noproxy \'*\'',
    ...caFile === undefined ? [] : [`--cacert ${quoted(caFile)}`],
    `--connect-to ${policyHost}:443:${address}:${httpsPort}`,
    policyUrl(policyHost),
  ].join(' ');
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}
