// The whole function: it answers in time for every event and every error.
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createHandler, defaultServices, handler } from '../../lib/functions/deployment';
import { policyHash } from '../../lib/protocol/policy/id';
import type { FetchPolicy } from '../../lib/verifier/https/policy-fetch';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import {
  DOMAIN, KEY, NAME_SERVERS, OBJECT_URL, POLICY_TEXT, TestDns, awsError, createEvent, deleteEvent, failure, lambdaContext,
  preflightProperties, publicationProperties, record, soa, testServices, updateEvent, verificationProperties,
} from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const PREFLIGHT = 'Custom::MtaStsPreflight';
const PUBLICATION = 'Custom::MtaStsPublication';
const VERIFICATION = 'Custom::MtaStsVerification';
const LOG_GROUP = '/cdk-mta-sts/test';

beforeEach(() => {
  process.env.AWS_LAMBDA_LOG_GROUP_NAME = LOG_GROUP;
});

afterEach(() => {
  delete process.env.AWS_LAMBDA_LOG_GROUP_NAME;
});

async function refused(event: unknown, made: TestServices = testServices(), remaining?: number): Promise<Error> {
  return failure(createHandler(made.services)(event, lambdaContext(remaining)));
}

describe('a malformed event', () => {
  test.each([
    ['nothing', undefined, 'the event must be an object, got nothing'],
    ['only a text', 'hello', 'the event must be an object, got "hello"'],
    ['only a list', [], 'the event must be an object, got []'],
    ['no request type', {}, '`RequestType` of the event must be Create, Update or Delete, got nothing'],
    ['an unknown request type', { RequestType: 'Read' }, 'got "Read"'],
    ['no properties', { RequestType: 'Create' }, '`ResourceProperties` of the event must be an object, got nothing'],
    ['no resource type', { ...createEvent(PREFLIGHT, {}), ResourceType: undefined }, '`ResourceType` of the event must be a text, got nothing'],
    ['no stack', { ...createEvent(PREFLIGHT, {}), StackId: '' }, '`StackId` of the event must be a text, got ""'],
    ['an Update without a physical id', { ...createEvent(PREFLIGHT, {}), RequestType: 'Update' }, '`PhysicalResourceId` of the event must be a text'],
    ['an unknown resource type', createEvent('Custom::Other\u001b[2J', {}), 'Custom::MtaStsVerification, got "Custom::Other\\u001b[2J"'],
  ])('the function refuses an event with %s, and gives the reason', async (_, event, reason) => {
    const { message } = await refused(event);
    expect(message).toContain(reason);
    expect(message).toContain(` Details: npx cdk-mta-sts explain properties-invalid; log group ${LOG_GROUP}`);
  });

  test.each([
    [PREFLIGHT, preflightProperties({ DomainName: undefined }), '`DomainName` must be a text that is not empty, got nothing'],
    [PREFLIGHT, preflightProperties({ DomainName: 'exa_mple.com' }), '`DomainName` "exa_mple.com" contains an underscore'],
    [PREFLIGHT, preflightProperties({ HostedZoneId: 'Z1/../x' }), '`HostedZoneId` must be the id of a hosted zone'],
    [PREFLIGHT, preflightProperties({ Policy: '' }), '`Policy` must be a list of lines, got ""'],
    [PREFLIGHT, preflightProperties({ Policy: [] }), '`Policy` must be a list of lines, got []'],
    [PREFLIGHT, preflightProperties({ Policy: ['x'] }), '`Policy` is not a valid policy'],
    [PREFLIGHT, preflightProperties({ Records: 'x' }), '`Records` must be a list, got "x"'],
    [PREFLIGHT, preflightProperties({ Records: ['x'] }), '`Records[0]` must be an object, got "x"'],
    [PREFLIGHT, preflightProperties({ Records: [{ Name: 'a' }] }), '`Type` must be a text that is not empty, got nothing'],
    [PUBLICATION, publicationProperties({ BucketName: 7 }), '`BucketName` must be a text that is not empty, got 7'],
    [PUBLICATION, publicationProperties({ ObjectKey: '' }), '`ObjectKey` must be a text'],
    [VERIFICATION, verificationProperties({ OnFailure: 'ignore' }), '`OnFailure` must be fail or report, got "ignore"'],
  ])('the function refuses %s with the properties %j, and gives the reason', async (type, properties, reason) => {
    const made = testServices();
    expect((await refused(createEvent(type, properties), made)).message).toContain(reason);
    expect(made.aws.s3.calls()).toHaveLength(0);
  });

  test('the function ignores malformed properties of a verification in a rollback, because an older version may have written them', async () => {
    const made = testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    const event = updateEvent(VERIFICATION, 'mta-sts-verification/example.com', {}, {});
    await expect(createHandler(made.services)(event, lambdaContext())).resolves.toMatchObject({ PhysicalResourceId: 'mta-sts-verification/example.com' });
  });

  test('the function does not ignore malformed properties of a publication in a rollback, because no file was put back', async () => {
    const made = testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    expect((await refused(updateEvent(PUBLICATION, OBJECT_URL, {}, {}), made)).message).toContain('`DomainName` must be a text');
  });

  test('the function accepts the id of a hosted zone in the form of the Route 53 API', async () => {
    const made = testServices();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('InvalidInput', 'x'));
    await refused(createEvent(PUBLICATION, publicationProperties({ HostedZoneId: '/hostedzone/Z1' })), made);
    expect(made.aws.route53.commandCalls(GetHostedZoneCommand).at(0)?.args[0].input).toEqual({ Id: 'Z1' });
  });
});

describe('a Delete', () => {
  test.each([PREFLIGHT, PUBLICATION, VERIFICATION, 'Custom::Other', undefined])('a Delete of %s succeeds with its own physical id', async (type) => {
    const event = { ...deleteEvent('', 'some-id', {}), ResourceType: type };
    await expect(createHandler(testServices().services)(event, lambdaContext())).resolves.toEqual({ PhysicalResourceId: 'some-id' });
  });

  test.each([
    ['no other field', { RequestType: 'Delete' }],
    ['properties of a wrong type', { ...deleteEvent(PUBLICATION, 'x', {}), PhysicalResourceId: 7, ResourceProperties: 'x' }],
    ['a bucket without a key', { ...deleteEvent(PUBLICATION, 'x', { BucketName: 'b' }), PhysicalResourceId: null }],
  ])('a Delete with %s succeeds and deletes nothing', async (_, event) => {
    const made = testServices();
    await expect(createHandler(made.services)(event, lambdaContext())).resolves.toEqual({});
    expect(made.aws.s3.calls()).toHaveLength(0);
  });
});

describe('the deadline', () => {
  const NEVER = async <T>(): Promise<T> => new Promise<T>(() => undefined);
  const resolver: Resolver = { query: async () => NEVER() };
  const fetchPolicy: FetchPolicy = async () => NEVER();

  test('the function answers in time when Route 53 hangs, and names the pending calls', async () => {
    const made = testServices({}, { resolver });
    made.aws.route53.on(GetHostedZoneCommand).callsFake(NEVER);
    const { message } = await refused(createEvent(PREFLIGHT, preflightProperties()), made, 120);
    expect(message).toMatch(/^timed-out: the function gave up after 0 s, waiting for route53:GetHostedZone and DNS, example\.com MX\. Fix/);
  });

  test('the function answers in time when DNS hangs, and names the problem that it found before', async () => {
    const made = testServices({ zoneName: 'example.org' }, { resolver });
    const { message } = await refused(createEvent(PREFLIGHT, preflightProperties()), made, 120);
    expect(message).toContain('waiting for DNS, example.com MX and DNS, example.com CAA');
    expect(message).toContain('last seen: zone-wrong-domain: the domain example.com is not in the hosted zone Z0123456789ABCDEFGHIJ (example.org)');
  });

  test('the function answers in time when S3 hangs, and deletes the file in case S3 stored it', async () => {
    const made = testServices();
    made.aws.s3.on(PutObjectCommand).callsFake(NEVER);
    expect((await refused(createEvent(PUBLICATION, publicationProperties()), made, 120)).message).toContain('waiting for s3:PutObject');
    expect(made.aws.s3.commandCalls(DeleteObjectCommand, { Key: KEY })).toHaveLength(1);
  });

  test('the function answers in time when every AWS call hangs', async () => {
    const made = testServices();
    made.aws.s3.onAnyCommand().callsFake(NEVER);
    made.aws.cloudformation.onAnyCommand().callsFake(NEVER);
    const { message } = await refused(createEvent(PUBLICATION, publicationProperties()), made, 120);
    expect(message).toContain('waiting for cloudformation:DescribeStackResources');
    expect(made.log.map((entry) => entry.message)).toContain('could not find out whether the stack is rolling back; assuming that it is not');
    // The function had written nothing.
    expect(made.aws.s3.calls()).toHaveLength(0);
  });

  test('the function answers in time when the fetch of the policy hangs, and names the address', async () => {
    const dns = await TestDns.start();
    try {
      const addresses = NAME_SERVERS.map((name) => record(name, 'A', '127.0.0.1'));
      dns.serve(soa('test'), soa(DOMAIN), ...addresses, record(`mta-sts.${DOMAIN}`, 'A', '192.0.2.1'));
      const made = testServices({}, { resolver: dns.resolver(), nameServerPort: dns.port, fetchPolicy });
      const { message } = await refused(createEvent(PUBLICATION, publicationProperties()), made, 400);
      expect(message).toContain('waiting for https://mta-sts.example.com at 192.0.2.1');
    } finally {
      await dns.close();
    }
  });

  test('the function answers in time when the name servers hang during the verification', async () => {
    const made = testServices({}, { resolver });
    const { message } = await refused(createEvent(VERIFICATION, verificationProperties()), made, 120);
    expect(message).toContain('waiting for DNS, the addresses of ns-1.awsdns-01.test, ns-2.awsdns-02.test');
  });

  test('the function writes nothing after its answer', async () => {
    let go: () => void = () => undefined;
    const made = testServices({}, { resolver, fetchPolicy });
    const clock = made.clock;
    clock.sleep = async () => new Promise((resolve) => {
      go = resolve;
    });
    made.aws.s3.on(PutObjectCommand).rejects(awsError('AccessDenied', 'Access Denied'));
    await refused(createEvent(PUBLICATION, publicationProperties()), made, 120);
    const calls = made.aws.s3.commandCalls(PutObjectCommand).length;
    go();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(made.aws.s3.commandCalls(PutObjectCommand)).toHaveLength(calls);
  });

  test('the function names the last error when a permission never propagates', async () => {
    const made = testServices();
    made.clock.sleep = NEVER;
    made.aws.s3.on(PutObjectCommand).rejects(awsError('AccessDenied', 'not yet'));
    expect((await refused(createEvent(PUBLICATION, publicationProperties()), made, 120)).message).toContain('last seen: s3:PutObject failed: AccessDenied: not yet');
  });
});

describe('the failure reason', () => {
  const failWith = async (detail: string): Promise<Error> => {
    const made = testServices();
    made.aws.s3.on(PutObjectCommand).rejects(awsError('Odd', detail));
    return refused(createEvent(PUBLICATION, publicationProperties()), made);
  };

  test('the failure reason is one line without control characters, and the stack of the error is the message', async () => {
    const error = await failWith('line\nline\u001b[31m \u202eevil \u2028');
    expect(error.stack).toBe(error.message);
    expect(error.message).toMatch(/^[ -~]+$/);
    expect(error.message).toContain('line\\x0aline\\x1b[31m \\u{202e}evil \\u{2028}');
  });

  test('the failure reason names the log group, or the function when the log group is not known', async () => {
    expect((await failWith('x')).message).toMatch(/; log group \/cdk-mta-sts\/test$/);
    delete process.env.AWS_LAMBDA_LOG_GROUP_NAME;
    expect((await failWith('x')).message).toMatch(/; log group of this function$/);
  });

  test.each(['"', '\\', 'a', 'é', '😀'])('the failure reason stays under 3 KB with 10,000 times %j in the event', async (character) => {
    process.env.AWS_LAMBDA_LOG_GROUP_NAME = 'g'.repeat(512);
    const type = character.repeat(10_000);
    const { message } = await refused(createEvent(type, {}));
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(3000);
    expect(message).toMatch(/… Details: npx cdk-mta-sts explain properties-invalid; log group g{512}$/);
  });

  test('the failure reason contains a thrown value that is not an Error', async () => {
    const made = testServices();
    made.aws.s3.on(PutObjectCommand).callsFake(async () => new Promise((_, reject) => {
      const give: (reason: unknown) => void = reject;
      give('a text');
    }));
    expect((await refused(createEvent(PUBLICATION, publicationProperties()), made)).message).toContain('s3:PutObject failed: unknown error: a text');
  });

  test('the failure reason contains the name of an error without a message', async () => {
    const made = testServices();
    made.aws.s3.on(PutObjectCommand).callsFake(async () => Promise.reject(new ReasonlessError()));
    expect((await refused(createEvent(PUBLICATION, publicationProperties()), made)).message).toContain('s3:PutObject failed: Reasonless: no message');
  });
});

class ReasonlessError extends Error {
  public override name = 'Reasonless';
}

describe('the log', () => {
  test('the log has JSON lines in ASCII with time, level and message', async () => {
    const lines: string[] = [];
    const made = testServices({}, { log: (line) => lines.push(line) });
    await refused({ RequestType: 'Create', Odd: 'a\nb\u001b\u202e' }, made);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(line).toMatch(/^[ -~]+$/);
      expect(JSON.parse(line)).toEqual(expect.objectContaining({
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/), level: expect.any(String), message: expect.any(String), requestId: expect.any(String),
      }));
    }
  });

  test('the log never contains the response URL, with which anyone could answer for the function', async () => {
    const lines: string[] = [];
    await refused(createEvent('Custom::Other', {}), testServices({}, { log: (line) => lines.push(line) }));
    expect(lines.join('\n')).toContain('"ResponseURL":"..."');
    expect(lines.join('\n')).not.toContain('signature=abc');
  });

  test('the log marks a value that has no JSON form as unreadable', async () => {
    const made = testServices();
    const circular: Record<string, unknown> = { RequestType: 'Delete', PhysicalResourceId: 'x' };
    circular.self = circular;
    await expect(createHandler(made.services)(circular, lambdaContext())).resolves.toEqual({ PhysicalResourceId: 'x' });
    expect(made.log[0]).toMatchObject({ message: 'event received', unreadable: ['event'] });
  });
});

describe('the deployed function', () => {
  test('the deployed function answers and writes its log to the standard output', async () => {
    const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      await expect(handler(deleteEvent(PREFLIGHT, 'x', {}), lambdaContext())).resolves.toEqual({ PhysicalResourceId: 'x' });
      expect(written).toHaveBeenCalledWith(expect.stringMatching(/^\{"timestamp":.*\}\n$/));
    } finally {
      written.mockRestore();
    }
  });

  test('the deployed function limits the time and the attempts of every AWS call', async () => {
    const { route53, s3, cloudformation } = defaultServices();
    for (const client of [route53, s3, cloudformation]) {
      expect(await client.config.maxAttempts()).toBe(5);
      const { requestHandler } = client.config;
      // The effective options of the SDK's handler. It shows them in no other way before its first request.
      const limits: unknown = await Reflect.get(requestHandler, 'configProvider');
      expect(limits).toMatchObject({ requestTimeout: 10_000, connectionTimeout: 3_000, throwOnRequestTimeout: true });
    }
  });

  test('the deployed function has a running clock', async () => {
    const { clock } = defaultServices();
    const before = clock.now();
    await clock.sleep(5);
    expect(clock.now()).toBeGreaterThan(before);
  });
});

test('the function gives the same answer to an event that arrives twice, even when CloudFormation does not describe the stack', async () => {
  const made = testServices();
  made.aws.cloudformation.on(DescribeStacksCommand).rejects(awsError('AccessDenied', 'Access Denied'));
  const event: Event = createEvent(PUBLICATION, publicationProperties({ PolicyHash: policyHash(`${POLICY_TEXT} `) }));
  const [first, second] = await Promise.all([refused(event, made), refused(event, made)]);
  expect(first.message).toBe(second.message);
});
