// Writes JUnit XML for Jenkins, GitLab and Azure Pipelines: a test suite for each domain, a test case for each area.
import XMLBuilder from 'fast-xml-builder';
import { AREAS } from '../../../lib/protocol/findings/kind';
import type { Area } from '../../../lib/protocol/findings/kind';
import { safeText } from '../../../lib/util/safe-text';
import type { LiveFinding, Observation, VerificationResult } from '../../../lib/verifier/result';
import { version } from '../../version';
import type { Reporter } from '../reporter';
import { summarize } from '../summary';
import type { DeliverySummary } from '../summary';

/**
 * Writes `--format junit`. The root has no totals: they are not known when the first suite is written, and all readers add up the suites.
 */
export function junitFormat(): Reporter {
  return {
    head: () => '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n',
    body: (result) => BUILDER.build({ testsuite: suite(result) }),
    tail: () => '</testsuites>\n',
  };
}

const BUILDER = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true, suppressEmptyNode: true, suppressBooleanAttributes: false });

/** Longer than any message of ours. `safeText` leaves no character that XML 1.0 §2.2 forbids. */
const MAX_TEXT_LENGTH = 4000;

function safe(text: string): string {
  return safeText(text, MAX_TEXT_LENGTH);
}

interface Case {
  readonly area: Area;
  readonly findings: readonly LiveFinding[];
  /** The reason why the area could not be checked, or was not reached. */
  readonly skipped?: string;
}

function suite(result: VerificationResult): object {
  const cases = createCases(result);
  return {
    '@name': safe(result.domain),
    '@tests': cases.length,
    '@failures': cases.filter(({ findings }) => selectErrors(findings).length > 0).length,
    '@errors': 0,
    '@skipped': cases.filter((one) => selectErrors(one.findings).length === 0 && one.skipped !== undefined).length,
    '@time': formatMilliseconds(result.milliseconds),
    // In UTC. The schema allows no zone.
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
    ...deployment.warnings === undefined ? [] : [['mx conflicts', deployment.warnings] satisfies [string, string]],
    ['mta-sts', version()],
  ];
}

const AREA_NAMES: Readonly<Record<Area, string>> = {
  'record': 'TXT record',
  'policy-host': 'policy host',
  'policy-file': 'policy file',
  'mx': 'MX hosts',
  'smtp': 'STARTTLS of the MX hosts',
  'tls-reporting': 'TLS reporting',
  'other': 'anything else',
};

/** Returns the same test cases for every domain, so that readers can show their history. */
function createCases(result: VerificationResult): Case[] {
  const summary = summarize(result);
  return AREAS.map((area) => ({ area, findings: result.findings.filter((finding) => finding.area === area) }))
    .filter(({ area, findings }) => area !== 'other' || findings.length > 0)
    .map((one) => ({ ...one, skipped: skipReason(one, result, summary) }));
}

function skipReason({ area, findings }: Case, { mx, lookup }: VerificationResult, { record, file }: DeliverySummary): string | undefined {
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
      const observations = mx.flatMap((host) => host.observations);
      if (observations.length === 0) return unknown ?? 'no MX host was connected to';
      return observations.some(({ status }) => status !== 'unknown') ? undefined : unknown ?? 'no MX host could be reached from here';
    }
    case 'tls-reporting':
    case 'other': return unknown;
  }
}

function testCase({ area, findings, skipped }: Case, result: VerificationResult): object {
  const { domain } = result;
  const [error, ...furtherErrors] = selectErrors(findings);
  const others = findings.filter(({ severity }) => severity !== 'error');
  return {
    // Azure shows only the name, without the class name.
    '@name': safe(`${domain}: ${AREA_NAMES[area]}`),
    '@classname': safe(domain),
    '@time': formatMilliseconds(Math.max(0, ...areaObservations(area, result).map(({ milliseconds }) => milliseconds))),
    ...error === undefined
      ? skipped === undefined ? {} : { skipped: { '@message': safe(skipped) } }
      : { failure: failure(error, furtherErrors) },
    ...others.length === 0 ? {} : { 'system-out': others.map(describeFinding).join('\n\n') },
  };
}

function areaObservations(area: Area, { recordObservations, policyObservations, mx }: VerificationResult): readonly Observation[] {
  switch (area) {
    case 'record': return recordObservations;
    case 'policy-host': return policyObservations;
    case 'smtp': return mx.flatMap(({ observations }) => observations);
    case 'policy-file':
    case 'mx':
    case 'tls-reporting':
    case 'other': return [];
  }
}

function failure(error: LiveFinding, further: readonly LiveFinding[]): object {
  const message = further.length === 0 ? error.message : `${error.message} (and ${further.length} more)`;
  return { '@message': safe(message), '@type': safe(error.code), '#text': [error, ...further].map(describeFinding).join('\n\n') };
}

function selectErrors(findings: readonly LiveFinding[]): LiveFinding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

/** Returns all fields of a finding, one a line. */
function describeFinding({ severity, code, subject, message, evidence, time, fix, reference }: LiveFinding): string {
  const details = [['seen', evidence], ['at', time], ['fix', fix], ['see', reference]] as const;
  return [
    safe(`${severity} ${code}: ${subject}`),
    safe(message),
    ...details.flatMap(([label, text]) => text === undefined || text === '' ? [] : [safe(`${label}: ${text}`)]),
  ].join('\n');
}

/** Returns milliseconds in seconds, as `0.250`. */
function formatMilliseconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
