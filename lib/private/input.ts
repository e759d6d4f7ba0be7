// What plain JavaScript and Python may pass, which no compiler has checked: each wrong value is an error that names the property, the value
// and what is expected. Shapes are told by their members, not by their class, so that objects of another copy of a package fit.
import { Token } from 'aws-cdk-lib';
import { safeText } from '../util/safe-text';

/** What a property must be. */
export interface Shape {
  /** `a Duration` */
  readonly expected: string;
  /** What to write in place of a wrong value. */
  readonly wayOut: string | ((value: unknown) => string);
  readonly fits: (value: unknown) => boolean;
}

/** @throws where the value is absent or of another shape */
export function requireInput(property: string, value: unknown, { expected, wayOut, fits }: Shape): void {
  if (fits(value)) return;
  throw new Error(`\`${property}\` must be ${expected}, got ${shownInput(value)}; ${typeof wayOut === 'string' ? wayOut : wayOut(value)}`);
}

/** As `requireInput()`, but the property may be left out. `null` is not left out: whoever writes it expected something of it. */
export function checkInput(property: string, value: unknown, shape: Shape): void {
  if (value !== undefined) requireInput(property, value, shape);
}

/**
 * @param meant - what a value in place of the properties may be: where none of them is required it would do as properties without any
 * @throws where the properties themselves are no object
 */
export function requireProps(owner: string, props: unknown, example: string, meant: readonly Shape[] = []): void {
  requireInput('props', props, {
    expected: `the properties of ${owner}`,
    wayOut: `write \`${example}\``,
    fits: (value) => isObject(value) && !Array.isArray(value) && !meant.some(({ fits }) => fits(value)),
  });
}

/**
 * Checks the domains of a host: a list of `{ hostedZone, domainName }`.
 *
 * @param more - checks the other properties of each
 */
export function requireDomains(domains: unknown, more: (property: string, domain: object) => void = () => undefined): void {
  const example = '`domains: [{ hostedZone }, { domainName: \'example.com\' }]`';
  requireInput('domains', domains, { expected: 'a list', wayOut: `write ${example}`, fits: Array.isArray });
  const list: unknown[] = Array.isArray(domains) ? domains : [];
  for (const [index, domain] of list.entries()) {
    const property = `domains[${index}]`;
    requireInput(property, domain, {
      expected: 'an object with `hostedZone`, `domainName` or both',
      wayOut: `write ${example}`,
      // A zone itself would do as one without any property.
      fits: (value) => isObject(value) && !Array.isArray(value) && !has(value, 'node'),
    });
    if (!isObject(domain)) continue;
    checkInput(`${property}.hostedZone`, member(domain, 'hostedZone'), ZONE);
    checkInput(`${property}.domainName`, member(domain, 'domainName'), DOMAIN);
    more(property, domain);
  }
}

/** A member of a value that nobody has checked. */
export function member(value: object, name: string): unknown {
  return Reflect.get(value, name);
}

/** A value in a message: short, without tokens, control characters and the inside of objects. */
export function shownInput(value: unknown): string {
  if (Token.isUnresolved(value)) return 'a token, known only at deployment';
  if (typeof value === 'string') return safeText(JSON.stringify(value));
  if (Array.isArray(value)) return value.length > MOST_ITEMS ? `a list of ${value.length}` : `[${value.map(shownInput).join(', ')}]`;
  if (typeof value === 'function') return `the function ${safeText(value.name)}`;
  if (!isObject(value)) return safeText(String(value));
  const made = member(value, 'constructor');
  const name = typeof made === 'function' ? made.name : 'Object';
  if (name !== 'Object') return `an object of ${safeText(name)}`;
  const members = Object.keys(value);
  return members.length > MOST_ITEMS ? `an object of ${members.length} members` : safeText(`{ ${members.join(', ')} }`.replace('{  }', '{}'));
}

const MOST_ITEMS = 5;

const HOST_EXAMPLE = 'MxHosts.of(\'mx1.example.com\', \'mx2.example.com\')';
const REPORTING_EXAMPLE = 'TlsReporting.to(\'mailto:tls-reports@example.com\')';

export const TEXT: Shape = {
  expected: 'a text',
  wayOut: 'write it in quotes',
  fits: (value) => typeof value === 'string',
};

export const DOMAIN: Shape = { ...TEXT, expected: 'the domain as a text', wayOut: 'write `domainName: \'example.com\'`, or leave it out for the zone\'s name' };

export const MX_PATTERN: Shape = {
  expected: 'a host name as a text',
  wayOut: (value) => isObject(value) && has(value, 'patterns')
    ? 'add the hosts of one list to those of another by `.plus()`'
    : `write \`${oneOrMore(value, 'MxHosts.of') ?? HOST_EXAMPLE}\``,
  fits: TEXT.fits,
};

export const REPORTING_ADDRESS: Shape = {
  expected: 'a `mailto:` or `https:` address as a text',
  wayOut: (value) => `write \`${oneOrMore(value, 'TlsReporting.to') ?? REPORTING_EXAMPLE}\``,
  fits: TEXT.fits,
};

export const HOSTS: Shape = {
  expected: 'an MxHosts',
  wayOut: (value) => `write \`${oneOrMore(value, 'MxHosts.of') ?? HOST_EXAMPLE}\`, or a preset such as \`MxHosts.googleWorkspace()\``,
  fits: (value) => isObject(value) && has(value, 'patterns') && Array.isArray(value.patterns),
};

export const AGE: Shape = {
  expected: 'a Duration',
  wayOut: (value) => `write \`Duration.${isSeconds(value) ? `seconds(${value})` : 'days(30)'}\``,
  fits: (value) => isObject(value) && methods(value, 'toMilliseconds', 'isUnresolved', 'toSeconds'),
};

export const POLICY: Shape = {
  expected: 'an MtaStsPolicy',
  wayOut: `write \`MtaStsPolicy.testing({ mx: ${HOST_EXAMPLE} })\``,
  fits: (value) => isObject(value) && texts(value, 'text', 'mode') && has(value, 'maxAge') && AGE.fits(value.maxAge),
};

export const REPORTING: Shape = {
  expected: 'a TlsReporting',
  wayOut: (value) => `write \`${oneOrMore(value, 'TlsReporting.to') ?? REPORTING_EXAMPLE}\``,
  fits: (value) => isObject(value) && texts(value, 'record'),
};

export const ZONE: Shape = {
  expected: 'a hosted zone of Route 53',
  wayOut: 'pass `HostedZone.fromLookup()`, `HostedZone.fromHostedZoneAttributes()` or a `PublicHostedZone`; '
    + 'where DNS is elsewhere leave the property out',
  fits: (value) => isObject(value) && has(value, 'node') && texts(value, 'hostedZoneId'),
};

export const HOST: Shape = {
  expected: 'a PolicyHost',
  wayOut: 'write `new PolicyHost(this, \'PolicyHost\', { domains: [{ hostedZone }] })`, or leave it out',
  fits: (value) => isObject(value) && has(value, 'node') && has(value, 'distribution') && methods(value, '_publish'),
};

export const CERTIFICATE: Shape = {
  expected: 'a certificate',
  wayOut: (value) => `write \`Certificate.fromCertificateArn(this, 'Certificate', ${quotedOr(value, 'arn:aws:acm:us-east-1:...')})\`, `
    + 'or leave it out, and one is made',
  fits: (value) => isObject(value) && has(value, 'node') && texts(value, 'certificateArn'),
};

export const BUCKET: Shape = {
  expected: 'a bucket',
  wayOut: (value) => `write \`Bucket.fromBucketName(this, 'Logs', ${quotedOr(value, 'logs')})\`, `
    + 'or leave it out, and there are no access logs',
  fits: (value) => isObject(value) && has(value, 'node') && texts(value, 'bucketArn', 'bucketRegionalDomainName'),
};

export const WEB_ACL: Shape = {
  expected: 'the ARN of a web ACL as a text',
  wayOut: 'write `webAclArn: \'arn:aws:wafv2:us-east-1:...\'`, or leave it out',
  fits: (value) => typeof value === 'string' && (Token.isUnresolved(value) || value.startsWith('arn:')),
};

/**
 * One of the values of an enumeration.
 *
 * @param name - as users write it, `Verification`
 * @param members - the enumeration itself
 */
export function oneOf(name: string, members: Readonly<Record<string, string>>): Shape {
  const written = Object.keys(members).map((key) => `${name}.${key}`);
  return {
    expected: `${written.slice(0, -1).join(', ')} or ${written.at(-1)}`,
    wayOut: `write \`${written[0]}\` for example`,
    fits: (value) => Object.values(members).some((one) => one === value),
  };
}

/** What to write for a text, or for a list of them, that is to be arguments. */
function oneOrMore(value: unknown, factory: string): string | undefined {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  const written = all.filter((one): one is string => typeof one === 'string' && !Token.isUnresolved(one));
  if (written.length === 0 || written.length < all.length || written.length > MOST_ITEMS) return undefined;
  return `${factory}(${written.map(quoted).join(', ')})`;
}

function quoted(text: string): string {
  return `'${safeText(text).replaceAll('\'', '\\\'')}'`;
}

function quotedOr(value: unknown, example: string): string {
  return quoted(typeof value === 'string' && !Token.isUnresolved(value) ? value : example);
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && !Token.isUnresolved(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function has<Name extends string>(value: object, name: Name): value is object & Record<Name, unknown> {
  return name in value;
}

function texts(value: object, ...names: string[]): boolean {
  return names.every((name) => typeof member(value, name) === 'string');
}

function methods(value: object, ...names: string[]): boolean {
  return names.every((name) => typeof member(value, name) === 'function');
}
