// The function raises every code of the catalogue of deployment failures, and every failure begins with a code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { describe, expect, test } from '@jest/globals';
import { DEPLOYMENT_FAILURES } from '../../lib/contract/deployment-failures';
import type { DeploymentFailureCode, DeploymentFailureKind } from '../../lib/contract/deployment-failures';
import { policyLines } from '../../lib/contract/custom-resources';
import { createHandler } from '../../lib/functions/deployment/handler';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { LIVE_FINDINGS } from '../../lib/verifier/findings';
import type { DnsAnswer, DnsData, DnsType } from '../../lib/verifier/dns/answer';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import {
  DOMAIN, NAME_SERVERS, POLICY, ZONE_ID, awsError, createEvent, failure, lambdaContext, preflightProperties, publicationProperties,
  testServices, updateEvent, verificationProperties,
} from '../support/deployment';
import type { AwsState, Event, TestServices } from '../support/deployment';
import { serving } from '../support/plain-services';

const PREFLIGHT = 'Custom::MtaStsPreflight';
const PUBLICATION = 'Custom::MtaStsPublication';
const VERIFICATION = 'Custom::MtaStsVerification';

type Records = { readonly [K in DnsType]?: Readonly<Record<string, readonly DnsData[K][]>> };

/** Records of public DNS with which every check of the preflight passes. */
const RECORDS: Records = {
  NS: { [DOMAIN]: NAME_SERVERS },
  MX: { [DOMAIN]: [{ preference: 10, exchange: 'mx1.example.com' }] },
  A: { 'mx1.example.com': ['192.0.2.25'], 'mta-sts.example.com': ['192.0.2.1'], ...Object.fromEntries(NAME_SERVERS.map((name) => [name, ['192.0.2.53']])) },
};

function createResolver(records: Records): Resolver {
  return { query: async (name, type) => Promise.resolve(answer(records, name, type)) };
}

function answer<T extends DnsType>(table: Records, name: string, type: T): DnsAnswer<T> {
  const records = table[type]?.[name];
  const base = { server: '192.0.2.53:53', cnames: [], authoritative: true };
  return records === undefined ? { ...base, status: 'empty', reason: 'NODATA' } : { ...base, status: 'found', records, ttl: 60 };
}

const SERVFAIL: Resolver = {
  query: async () => Promise.resolve({ status: 'failed', reason: 'SERVFAIL', server: '192.0.2.53:53', cnames: [], authoritative: false, temporary: true }),
};

interface Scenario {
  readonly event?: Event;
  readonly records?: Records;
  readonly resolver?: Resolver;
  readonly state?: AwsState;
  readonly prepare?: (made: TestServices) => void;
  readonly remainingMs?: number;
}

function foreign(Name: string, Type: ResourceRecordSet['Type'], Value: string): AwsState {
  return { recordSets: [{ Name, Type, TTL: 300, ResourceRecords: [{ Value }] }] };
}

function zoneFails(error: Error): Scenario {
  return {
    prepare: ({ aws }) => {
      aws.route53.on(GetHostedZoneCommand).rejects(error);
    },
  };
}

function caa(tag: string, value: string, critical = false): Scenario {
  return { records: { ...RECORDS, CAA: { [DOMAIN]: [{ critical, tag, value }] } } };
}

const APPENDED = 'mx1.example.com.example.com';
const SCENARIOS: Readonly<Record<DeploymentFailureCode, Scenario>> = {
  'zone-not-found': zoneFails(awsError('NoSuchHostedZone', 'No hosted zone found')),
  'zone-private': {
    prepare: ({ aws }) => {
      aws.route53.on(GetHostedZoneCommand).resolves({
        HostedZone: { Id: ZONE_ID, Name: 'example.com.', CallerReference: 'x', Config: { PrivateZone: true } },
      });
    },
  },
  'zone-unreadable': {
    prepare: ({ aws }) => {
      aws.route53.on(GetHostedZoneCommand).resolves({});
    },
  },
  'zone-wrong-domain': { state: { zoneName: 'example.org' } },
  'zone-not-delegated': { records: { ...RECORDS, NS: { [DOMAIN]: ['ns.other.test'] } } },
  'name-delegated-away': { state: foreign('mta-sts.example.com.', 'NS', 'ns.other.test.') },
  'caa-forbids-amazon': caa('issue', 'ca.test'),
  'caa-critical-property': caa('tbs', 'x', true),
  'record-exists': { state: foreign('_mta-sts.example.com.', 'TXT', '"x"') },
  'domain-changed': {
    event: updateEvent(PREFLIGHT, 'id', preflightProperties({ Publication: 'P' }), preflightProperties({ DomainName: 'old.example', Publication: 'P' })),
  },
  'publisher-changed': {
    event: updateEvent(PREFLIGHT, 'id', preflightProperties({ Publication: 'New' }), preflightProperties({ Publication: 'Old' })),
  },
  'mx-not-covered': { records: { ...RECORDS, MX: { [DOMAIN]: [{ preference: 10, exchange: 'backup.other.test' }] } } },
  'mx-zone-appended': {
    event: createEvent(PREFLIGHT, preflightProperties({ Policy: policyLines(renderPolicy({ ...POLICY, mx: [APPENDED] })) })),
    records: { ...RECORDS, MX: { [DOMAIN]: [{ preference: 10, exchange: APPENDED }] } },
  },
  'dns-failure': { resolver: SERVFAIL },
  'policy-not-live': { event: createEvent(PUBLICATION, publicationProperties()) },
  'verification-failed': { event: createEvent(VERIFICATION, verificationProperties()) },
  'event-not-current': {
    event: createEvent(PUBLICATION, publicationProperties()),
    prepare: ({ aws }) => {
      aws.cloudformation.on(DescribeStackResourcesCommand).rejects(awsError('ValidationError', 'Stack does not exist'));
    },
  },
  'timed-out': { resolver: { query: async () => new Promise(() => undefined) }, remainingMs: 100 },
  'aws-access-denied': zoneFails(awsError('AccessDenied', 'Access Denied')),
  'aws-call-failed': zoneFails(awsError('ServiceUnavailable', 'try later')),
  'properties-invalid': { event: createEvent(PREFLIGHT, { Domains: [{ DomainName: '' }] }) },
  'unexpected-error': { resolver: { query: async () => Promise.reject(new TypeError('x is not a function')) } },
};

async function failureReason(scenario: Scenario): Promise<string> {
  const resolver = scenario.resolver ?? createResolver(scenario.records ?? RECORDS);
  const made = testServices(scenario.state, { resolver, fetchPolicy: async () => Promise.resolve(serving(undefined)) });
  scenario.prepare?.(made);
  const event = scenario.event ?? createEvent(PREFLIGHT, preflightProperties());
  const { message } = await failure(createHandler(made.services)(event, lambdaContext(scenario.remainingMs)));
  return message;
}

const CATALOGUE = new Map(Object.entries<DeploymentFailureKind>(DEPLOYMENT_FAILURES));
const CODE = /^(?:\d+ failures: \(1\) )?([a-z0-9-]+): /;

describe('the codes of deployment failures', () => {
  test('the preflight passes with the records that the scenarios change', async () => {
    const made = testServices({}, { resolver: createResolver(RECORDS) });
    const event = createEvent(PREFLIGHT, preflightProperties());
    await expect(createHandler(made.services)(event, lambdaContext())).resolves.toMatchObject({ Data: { Summary: expect.any(String) } });
  });

  test.each(Object.entries(SCENARIOS))('a failure with the code %s begins with it and says how to explain it', async (code, scenario) => {
    const reason = await failureReason(scenario);
    expect(CODE.exec(reason)?.[1]).toBe(code);
    expect(reason).toMatch(new RegExp(` Details: npx cdk-mta-sts explain ${code}(?: [a-z -]+)?; log group of this function$`));
    expect(reason).not.toContain('\n');
  });

  test.each(Object.entries(SCENARIOS))('the catalogue names the step that raises %s', (code, { event }) => {
    expect(CATALOGUE.get(code)?.steps.map((step) => `Custom::MtaSts${step}`)).toContain(event === undefined ? PREFLIGHT : event.ResourceType);
  });

  test('every failure of an operation is a problem, a consequence and a fix in sentences', async () => {
    for (const scenario of Object.values(SCENARIOS)) {
      const [message = ''] = (await failureReason(scenario)).split(' Details: ');
      expect(message).toMatch(/\.$/);
      expect(message).not.toMatch(/\.\.|; see|\.;/);
    }
  });

  test('a code that is also a finding has the reference of the finding', () => {
    const findings = new Map(Object.entries(LIVE_FINDINGS));
    const shared = [...CATALOGUE].filter(([code]) => findings.has(code));
    expect(shared.map(([code]) => code)).toEqual(['mx-not-covered', 'dns-failure']);
    for (const [code, { reference }] of shared) expect(reference).toBe(findings.get(code)?.reference);
  });
});

/** Errors that are caught below the failure: their operation goes on without a result. */
const INTERNAL = [
  'functions/deployment/current-event.ts',
  'operations/context/deadline.ts',
  'operations/publish/object-versions.ts',
  'operations/stack.ts',
];

describe('the code of operations and of the function', () => {
  const lib = join(__dirname, '../../lib');
  const files = ['operations', 'functions/deployment'].flatMap((folder) => {
    const names = readdirSync(join(lib, folder), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')).map((name) => `${folder}/${name}`);
  });

  test.each(files.filter((file) => !INTERNAL.includes(file)))('%s makes no error without a code', (file) => {
    const made = readFileSync(join(lib, file), 'utf8').split('\n').filter((line) => /new (?:Range|Type)?Error\(/.test(line));
    // The framework's error takes a message that has its code already.
    expect(made.filter((line) => !line.includes('const error = new Error(cut('))).toEqual([]);
  });
});
