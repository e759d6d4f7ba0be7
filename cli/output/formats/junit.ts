// JUnit XML, as Jenkins, GitLab and Azure Pipelines read it: a test suite for each domain, a test case for each part of the look-up.
import XMLBuilder from 'fast-xml-builder';
import { safeText } from '../../../lib/util/safe-text';
import type { VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import { version } from '../../version';
import { AREAS, areaOf } from '../areas';
import type { Area } from '../areas';
import type { Reporter } from '../reporter';
import { summarize } from '../summary';
import type { DeliverySummary } from '../summary';

/**
 * What `--format junit` prints. The root has no totals: they would have to be known before the first suite is written, and the
 * readers add up the suites.
 */
export function junitFormat(): Reporter {
  return {
    head: () => '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n',
    report: (result) => BUILDER.build({ testsuite: suite(result) }),
    tail: () => '</testsuites>\n',
  };
}

const BUILDER = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true, suppressEmptyNode: true, suppressBooleanAttributes: false });

/** Longer than any message of ours; `printable` leaves no character that XML 1.0 §2.2 forbids. */
const LONGEST = 4000;

function safe(text: string): string {
  return safeText(text, LONGEST);
}

interface Case {
  readonly area: Area;
  readonly findings: readonly LiveFinding[];
  /** Why the part could not be judged, or never came to be. */
  readonly skipped?: string;
}

function suite(result: VerificationResult): object {
  const cases = casesOf(result);
  return {
    '@name': safe(result.domain),
    '@tests': cases.length,
    '@failures': cases.filter(({ findings }) => errorsOf(findings).length > 0).length,
    '@errors': 0,
    '@skipped': cases.filter((one) => errorsOf(one.findings).length === 0 && one.skipped !== undefined).length,
    '@time': seconds(result.milliseconds),
    // Without a zone, as the schema has it; it is UTC.
    '@timestamp': safe(result.time).replace(/(?:\.\d+)?Z$/, ''),
    'properties': { property: properties(result).map(([name, value]) => ({ '@name': name, '@value': safe(value) })) },
    'testcase': cases.map((one) => testCase(one, result)),
  };
}

function properties({ verdict, lookup, delivery, record, policy, deployment = {} }: VerificationResult): [string, string][] {
  return [
    ['verdict', verdict],
    ['lookup', lookup],
    ['delivery', delivery],
    ['id', record?.id ?? 'none'],
    ['mode', policy?.mode ?? 'none found'],
    ['max_age', policy === null ? 'none found' : String(policy.maxAge)],
    ...deployment.earliestRemoval === undefined ? [] : [['earliest removal', deployment.earliestRemoval] satisfies [string, string]],
    ...deployment.warnings === undefined ? [] : [['refusals', deployment.warnings] satisfies [string, string]],
    ['mta-sts', version()],
  ];
}

const NAMES: Readonly<Record<Area, string>> = {
  'record': 'TXT record',
  'policy-host': 'policy host',
  'policy-file': 'policy file',
  'mx': 'MX hosts',
  'smtp': 'STARTTLS of the MX hosts',
  'tls-reporting': 'TLS reporting',
  'other': 'anything else',
};

/** The same ones for every domain, so that their history can be followed. */
function casesOf(result: VerificationResult): Case[] {
  const way = summarize(result);
  return AREAS.map((area) => ({ area, findings: result.findings.filter((one) => areaOf(one) === area) }))
    .filter(({ area, findings }) => area !== 'other' || findings.length > 0)
    .map((one) => ({ ...one, skipped: skippedBecause(one, result, way) }));
}

function skippedBecause({ area, findings }: Case, { mx, lookup }: VerificationResult, { record, file }: DeliverySummary): string | undefined {
  const unknown = findings.find(({ severity }) => severity === 'unknown')?.message;
  switch (area) {
    case 'record': return record.mark === 'unknown' && lookup === 'temporary-error' ? unknown ?? record.text : undefined;
    case 'policy-host':
    case 'policy-file': {
      if (lookup === 'none') return file.text;
      return file.mark === 'unknown' ? unknown ?? file.text : undefined;
    }
    case 'mx': return mx.length === 0 ? unknown ?? 'no host takes mail for the domain' : undefined;
    case 'smtp': {
      if (mx.every(({ observations: paths }) => paths.length === 0)) return unknown ?? 'no MX host was connected to';
      return mx.some(({ observations: paths }) => paths.some(({ status: standing }) => standing !== 'unknown')) ? undefined : unknown ?? 'no MX host could be reached from here';
    }
    case 'tls-reporting':
    case 'other': return unknown;
  }
}

function testCase({ area, findings, skipped }: Case, { domain, recordObservations: recordPaths, policyObservations: policyPaths, mx }: VerificationResult): object {
  const errors = errorsOf(findings);
  const others = findings.filter(({ severity }) => severity !== 'error');
  const paths = { 'record': recordPaths, 'policy-host': policyPaths, 'smtp': mx.flatMap((host) => host.observations) };
  const times = area in paths ? paths[area as keyof typeof paths].map(({ milliseconds }) => milliseconds) : [];
  return {
    // Azure shows the name alone.
    '@name': safe(`${domain}: ${NAMES[area]}`),
    '@classname': safe(domain),
    '@time': seconds(Math.max(0, ...times)),
    ...errors.length > 0
      ? { failure: { '@message': safe(messageOf(errors)), '@type': safe(errors[0].code), '#text': errors.map(described).join('\n\n') } }
      : skipped === undefined ? {} : { skipped: { '@message': safe(skipped) } },
    ...others.length === 0 ? {} : { 'system-out': others.map(described).join('\n\n') },
  };
}

function errorsOf(findings: readonly LiveFinding[]): LiveFinding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

function messageOf(errors: readonly LiveFinding[]): string {
  return errors.length === 1 ? errors[0].message : `${errors[0].message} (and ${errors.length - 1} more)`;
}

/** All of a finding, in lines. */
function described({ severity, code, subject, message, evidence, time, fix, reference }: LiveFinding): string {
  const details = [['seen', evidence], ['at', time], ['fix', fix], ['see', reference]] as const;
  return [
    safe(`${severity} ${code}: ${subject}`),
    safe(message),
    ...details.flatMap(([label, text]) => text === undefined || text === '' ? [] : [safe(`${label}: ${text}`)]),
  ].join('\n');
}

/** `0.250` */
function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
