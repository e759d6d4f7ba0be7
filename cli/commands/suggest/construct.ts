// The TypeScript to paste into a stack.

/** The import and the construct, which stands in the constructor of a stack that has a `hostedZone`. */
export interface ConstructCode {
  readonly import: string;
  readonly code: string;
}

/** Lines of a list of hosts become too long at some point. */
const MOST_ON_A_LINE = 3;

/**
 * Writes the construct, in mode `testing`.
 *
 * @param hosts - for each provider what `MxHosts` has for it, and for hosts without one their names
 * @param reported - whether a reporting record stands already
 */
export function constructOf(domain: string, hosts: readonly (string | readonly string[])[], reported: boolean): ConstructCode {
  const [first, ...others] = hosts.map((one) => typeof one === 'string' ? one : `MxHosts.of(${listed(one)})`);
  const mx = [first, ...others.map((other) => `.plus(${other})`)].join('');
  const code = [
    'new MtaSts(this, \'MtaSts\', {',
    '  hostedZone,',
    `  domainName: ${quoted(domain)},`,
    `  policy: MtaStsPolicy.testing({ mx: ${mx} }),`,
    reported
      ? '  // No tlsReporting: the record that is there already stays.'
      : `  tlsReporting: TlsReporting.to(${quoted(reportAddress(domain))}),`,
    '});',
  ].join('\n');
  const names = ['MtaSts', 'MtaStsPolicy', 'MxHosts', 'TlsReporting', 'ZohoDataCenter'].filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  return { import: `import { ${names.join(', ')} } from 'cdk-mta-sts';`, code };
}

/** Where reports shall go unless somebody knows better. */
export function reportAddress(domain: string): string {
  return `mailto:tls-reports@${domain}`;
}

function listed(names: readonly string[]): string {
  const all = names.map(quoted);
  return all.length <= MOST_ON_A_LINE ? all.join(', ') : `\n${all.map((name) => `    ${name},\n`).join('')}  `;
}

/** Host names and domains were checked before; nothing in them needs an escape. */
function quoted(text: string): string {
  return `'${text}'`;
}
