// Checks values that plain JavaScript and Python can pass without a compiler. An error names the property, the value and the expected
// value. Objects are recognised by their members, not by their class, so that objects of another copy of a package fit.
import { Token } from 'aws-cdk-lib';
import { safeText } from '../util/safe-text';

/** Expected shape of a property. */
export interface Shape {
  /** Expected value, for example `a Duration`. */
  readonly expected: string;
  /** Fix for a wrong value, as a sentence without a full stop. */
  readonly fix: string | ((value: unknown) => string);
  readonly fits: (value: unknown) => boolean;
}

/** @throws Error if the value is absent or has another shape */
export function requireInput(property: string, value: unknown, { expected, fix, fits }: Shape): void {
  if (fits(value)) return;
  throw new Error(`\`${property}\` must be ${expected}, got ${describeInput(value)}. ${typeof fix === 'string' ? fix : fix(value)}`);
}

/** Checks an optional property. `null` counts as a value, because its writer expected an effect. */
export function checkInput(property: string, value: unknown, shape: Shape): void {
  if (value !== undefined) requireInput(property, value, shape);
}

/**
 * Checks that properties are given as an object.
 *
 * @param mistaken - values that users pass in place of the properties; without required properties they would look like empty ones
 * @throws Error if the properties are no object
 */
export function requireProps(owner: string, props: unknown, example: string, mistaken: readonly Shape[] = []): void {
  requireInput('props', props, {
    expected: `the properties of ${owner}`,
    fix: `Write \`${example}\``,
    fits: (value) => isObject(value) && !Array.isArray(value) && !mistaken.some(({ fits }) => fits(value)),
  });
}

/**
 * Checks the domains of a policy host: a list of `{ hostedZone, domainName }`.
 *
 * @param more - checks the other properties of a domain
 */
export function requireDomains(domains: unknown, more: (property: string, domain: object) => void = () => undefined): void {
  const example = '`domains: [{ hostedZone }, { domainName: \'example.com\' }]`';
  requireInput('domains', domains, { expected: 'a list', fix: `Write ${example}`, fits: Array.isArray });
  const list: unknown[] = Array.isArray(domains) ? domains : [];
  for (const [index, domain] of list.entries()) {
    const property = `domains[${index}]`;
    requireInput(property, domain, {
      expected: 'an object with `hostedZone`, `domainName` or both',
      fix: `Write ${example}`,
      // A zone in place of the object would look like a domain without properties.
      fits: (value) => isObject(value) && !Array.isArray(value) && !has(value, 'node'),
    });
    if (!isObject(domain)) continue;
    checkInput(`${property}.hostedZone`, member(domain, 'hostedZone'), ZONE);
    checkInput(`${property}.domainName`, member(domain, 'domainName'), DOMAIN);
    more(property, domain);
  }
}

/** Returns a member of an unchecked value. */
export function member(value: object, name: string): unknown {
  return Reflect.get(value, name);
}

/** Describes a value for a message: short, without tokens, control characters and the content of objects. */
export function describeInput(value: unknown): string {
  if (Token.isUnresolved(value)) return 'a token, known only at deployment';
  if (typeof value === 'string') return safeText(JSON.stringify(value));
  if (Array.isArray(value)) return value.length > MAX_ITEMS ? `a list of ${value.length}` : `[${value.map(describeInput).join(', ')}]`;
  if (typeof value === 'function') return `the function ${safeText(value.name)}`;
  if (!isObject(value)) return safeText(String(value));
  const made = member(value, 'constructor');
  const name = typeof made === 'function' ? made.name : 'Object';
  if (name !== 'Object') return `an object of ${safeText(name)}`;
  const members = Object.keys(value);
  return members.length > MAX_ITEMS ? `an object of ${members.length} members` : safeText(`{ ${members.join(', ')} }`.replace('{  }', '{}'));
}

/** Maximum number of items to list in a message. */
const MAX_ITEMS = 5;

const HOST_EXAMPLE = 'MxHosts.of(\'mx1.example.com\', \'mx2.example.com\')';
const REPORTING_EXAMPLE = 'TlsReporting.to(\'mailto:tls-reports@example.com\')';

export const TEXT: Shape = {
  expected: 'a text',
  fix: 'Write it in quotes',
  fits: (value) => typeof value === 'string',
};

export const DOMAIN: Shape = { ...TEXT, expected: 'the domain as a text', fix: 'Write `domainName: \'example.com\'`, or leave it out for the zone\'s name' };

export const MX_PATTERN: Shape = {
  expected: 'a host name as a text',
  fix: (value) => isObject(value) && has(value, 'patterns')
    ? 'Add the hosts of one list to those of another by `.plus()`'
    : `Write \`${oneOrMore(value, 'MxHosts.of') ?? HOST_EXAMPLE}\``,
  fits: TEXT.fits,
};

export const REPORTING_ADDRESS: Shape = {
  expected: 'a `mailto:` or `https:` address as a text',
  fix: (value) => `Write \`${oneOrMore(value, 'TlsReporting.to') ?? REPORTING_EXAMPLE}\``,
  fits: TEXT.fits,
};

export const HOSTS: Shape = {
  expected: 'an MxHosts',
  fix: (value) => `Write \`${oneOrMore(value, 'MxHosts.of') ?? HOST_EXAMPLE}\`, or a preset such as \`MxHosts.googleWorkspace()\``,
  fits: (value) => isObject(value) && has(value, 'patterns') && Array.isArray(value.patterns),
};

export const AGE: Shape = {
  expected: 'a Duration',
  fix: (value) => `Write \`Duration.${isSeconds(value) ? `seconds(${value})` : 'days(30)'}\``,
  fits: (value) => isObject(value) && methods(value, 'toMilliseconds', 'isUnresolved', 'toSeconds'),
};

export const POLICY: Shape = {
  expected: 'an MtaStsPolicy',
  fix: `Write \`MtaStsPolicy.testing({ mx: ${HOST_EXAMPLE} })\``,
  fits: (value) => isObject(value) && texts(value, 'text', 'mode') && has(value, 'maxAge') && AGE.fits(value.maxAge),
};

export const REPORTING: Shape = {
  expected: 'a TlsReporting',
  fix: (value) => `Write \`${oneOrMore(value, 'TlsReporting.to') ?? REPORTING_EXAMPLE}\``,
  fits: (value) => isObject(value) && texts(value, 'record'),
};

export const ZONE: Shape = {
  expected: 'a hosted zone of Route 53',
  fix: 'Pass `HostedZone.fromLookup()`, `HostedZone.fromHostedZoneAttributes()` or a `PublicHostedZone`. '
    + 'For external DNS, leave the property out',
  fits: (value) => isObject(value) && has(value, 'node') && texts(value, 'hostedZoneId'),
};

export const HOST: Shape = {
  expected: 'a PolicyHost',
  fix: 'Write `new PolicyHost(this, \'PolicyHost\', { domains: [{ hostedZone }] })`, or leave it out',
  fits: (value) => isObject(value) && has(value, 'node') && has(value, 'distribution') && methods(value, '_publish'),
};

export const CERTIFICATE: Shape = {
  expected: 'a certificate',
  fix: (value) => `Write \`Certificate.fromCertificateArn(this, 'Certificate', ${quotedOr(value, 'arn:aws:acm:us-east-1:...')})\`, `
    + 'or leave it out to have one created',
  fits: (value) => isObject(value) && has(value, 'node') && texts(value, 'certificateArn'),
};

export const BUCKET: Shape = {
  expected: 'a bucket',
  fix: (value) => `Write \`Bucket.fromBucketName(this, 'Logs', ${quotedOr(value, 'logs')})\`, `
    + 'or leave it out for no access logs',
  fits: (value) => isObject(value) && has(value, 'node') && texts(value, 'bucketArn', 'bucketRegionalDomainName'),
};

export const WEB_ACL: Shape = {
  expected: 'the ARN of a web ACL as a text',
  fix: 'Write `webAclArn: \'arn:aws:wafv2:us-east-1:...\'`, or leave it out',
  fits: (value) => typeof value === 'string' && (Token.isUnresolved(value) || value.startsWith('arn:')),
};

/**
 * Returns the shape of the values of an enumeration.
 *
 * @param name - name in code, for example `Verification`
 * @param members - the enumeration
 */
export function oneOf(name: string, members: Readonly<Record<string, string>>): Shape {
  const written = Object.keys(members).map((key) => `${name}.${key}`);
  return {
    expected: `${written.slice(0, -1).join(', ')} or ${written.at(-1)}`,
    fix: `Write for example \`${written[0] ?? name}\``,
    fits: (value) => Object.values(members).some((one) => one === value),
  };
}

/** Returns code that passes a text, or a list of texts, as arguments. Returns undefined for other values. */
function oneOrMore(value: unknown, factory: string): string | undefined {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  const written = all.filter((one): one is string => typeof one === 'string' && !Token.isUnresolved(one));
  if (written.length === 0 || written.length < all.length || written.length > MAX_ITEMS) return undefined;
  return `${factory}(${written.map(quote).join(', ')})`;
}

function quote(text: string): string {
  return `'${safeText(text).replaceAll('\'', '\\\'')}'`;
}

function quotedOr(value: unknown, example: string): string {
  return quote(typeof value === 'string' && !Token.isUnresolved(value) ? value : example);
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
