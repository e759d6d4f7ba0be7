// Renders the TypeScript code to paste into a stack.

/** The import and the construct. The construct goes into the constructor of a stack with a `hostedZone`. */
export interface ConstructCode {
  readonly import: string;
  readonly code: string;
}

/** Maximum number of hosts on one line of code. */
const MAX_NAMES_PER_LINE = 3;

/**
 * Renders the construct, in mode `testing`.
 *
 * @param hosts - for each provider its factory of `MxHosts`, and the names of the hosts without a provider
 * @param hasReporting - whether a TLSRPT record exists
 */
export function renderConstruct(domain: string, hosts: readonly (string | readonly string[])[], hasReporting: boolean): ConstructCode {
  const [first, ...others] = hosts.map((host) => typeof host === 'string' ? host : `MxHosts.of(${listNames(host)})`);
  const mx = [first, ...others.map((other) => `.plus(${other})`)].join('');
  const code = [
    'new MtaSts(this, \'MtaSts\', {',
    '  hostedZone,',
    `  domainName: ${quote(domain)},`,
    `  policy: MtaStsPolicy.testing({ mx: ${mx} }),`,
    hasReporting
      ? '  // No tlsReporting: keep the existing record.'
      : `  tlsReporting: TlsReporting.to(${quote(reportAddress(domain))}),`,
    '});',
  ].join('\n');
  const names = ['MtaSts', 'MtaStsPolicy', 'MxHosts', 'TlsReporting', 'ZohoDataCenter'].filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  return { import: `import { ${names.join(', ')} } from 'cdk-mta-sts';`, code };
}

/** Returns the default address of TLS reports. */
export function reportAddress(domain: string): string {
  return `mailto:tls-reports@${domain}`;
}

function listNames(names: readonly string[]): string {
  const all = names.map(quote);
  return all.length <= MAX_NAMES_PER_LINE ? all.join(', ') : `\n${all.map((name) => `    ${name},\n`).join('')}  `;
}

/** Quotes a host name or domain. It was checked before, so it needs no escape. */
function quote(text: string): string {
  return `'${text}'`;
}
