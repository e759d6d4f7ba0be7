// The provider framework of AWS CDK between CloudFormation and the function: its real code, and the body that CloudFormation receives.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as url from 'node:url';
import { compileFunction } from 'node:vm';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { Services } from '../../lib/operations/context/services';
import { Edge } from '../support/policy-edge';
import {
  NAMES_POLICY, OBJECT_URL, STACK_ID, awsError, createEvent, deleteEvent, lambdaContext, preflightProperties, publicationProperties,
  updateEvent,
} from '../support/deployment';
import type { Event } from '../support/deployment';

const PUBLICATION = 'Custom::MtaStsPublication';
const PREFLIGHT = 'Custom::MtaStsPreflight';
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:123456789012:function:Mail-Function';
const LOG_GROUP = '/aws/cdk-mta-sts/Mail';
const FRAMEWORK_LINE = '\n\nLogs: /aws/lambda/Mail-Function\n';
let edge: Edge;

beforeAll(async () => {
  edge = await Edge.start();
});

afterAll(async () => {
  await edge.close();
});

beforeEach(() => {
  edge.reset();
  process.env.USER_ON_EVENT_FUNCTION_ARN = FUNCTION_ARN;
  process.env.AWS_LAMBDA_LOG_GROUP_NAME = LOG_GROUP;
});

afterEach(async () => {
  delete process.env.USER_ON_EVENT_FUNCTION_ARN;
  delete process.env.AWS_LAMBDA_LOG_GROUP_NAME;
  await edge.stopServing();
});

interface Answer {
  readonly Status: string;
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data?: Readonly<Record<string, string>>;
}

interface Sent {
  readonly body: string;
  readonly answer: Answer;
  /** Number of calls of the function. */
  readonly calls: number;
}

type Module = Record<string, unknown>;
type OnEvent = (event: Event) => Promise<void>;

/**
 * Loads the unchanged files of the framework. Only `outbound.js`, its network access, is replaced: it needs SDK clients that exist only in
 * the Lambda runtime.
 */
function loadFramework(outbound: Module): OnEvent {
  const folder = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');
  const loaded = new Map<string, Module>([['./outbound', outbound], ['url', url]]);
  const load = (name: string): unknown => {
    const before = loaded.get(name);
    if (before !== undefined) return before;
    const module = { exports: {} as Module };
    const code = readFileSync(join(folder, `${name}.js`), 'utf8');
    const quiet = { log: () => undefined };
    const run = compileFunction(code, ['exports', 'require', 'module', 'console', 'process']);
    Reflect.apply(run, undefined, [module.exports, load, module, quiet, process]);
    loaded.set(name, module.exports);
    return module.exports;
  };
  const { onEvent } = load('./framework') as { readonly onEvent: OnEvent };
  return onEvent;
}

/** Invokes the function as Lambda does: event and result as JSON, an error as its message and the lines of its stack. */
async function send(services: Services, event: Event, remaining?: number): Promise<Sent> {
  const bodies: string[] = [];
  let calls = 0;
  const handler = createHandler(services);
  const onEvent = loadFramework({
    invokeFunction: async (request: { readonly FunctionName: string; readonly Payload: string }) => {
      calls += 1;
      expect(request.FunctionName).toBe(FUNCTION_ARN);
      try {
        const result = await handler(JSON.parse(request.Payload), lambdaContext(remaining));
        return { StatusCode: 200, Payload: Buffer.from(JSON.stringify(result)) };
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const payload = { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
        return { StatusCode: 200, FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify(payload)) };
      }
    },
    httpRequest: async (options: { readonly method: string; readonly hostname: string }, body: string) => {
      expect(options).toMatchObject({ method: 'PUT', hostname: 'response.test' });
      bodies.push(body);
      return Promise.resolve();
    },
  });
  await onEvent(event);
  expect(bodies).toHaveLength(1);
  // The limit of CloudFormation.
  const [body = ''] = bodies;
  expect(Buffer.byteLength(body)).toBeLessThan(4096);
  return { body, answer: JSON.parse(body) as Answer, calls };
}

describe('the answer to CloudFormation', () => {
  test('CloudFormation receives exactly the physical id and the attributes of a successful publication', async () => {
    await edge.serve();
    const { services } = await edge.testServices();
    const { answer } = await send(services, createEvent(PUBLICATION, publicationProperties()));
    expect(answer).toEqual({
      Status: 'SUCCESS',
      Reason: 'SUCCESS',
      StackId: STACK_ID,
      RequestId: 'b0b0b0b0-0000-0000-0000-000000000000',
      PhysicalResourceId: OBJECT_URL,
      LogicalResourceId: 'Resource1A2B3C4D',
      Data: {
        PolicyUrl: 'https://mta-sts.example.com/.well-known/mta-sts.txt',
        PolicyId: expect.stringMatching(NAMES_POLICY),
        EarliestRemoval: 'not while enforce is published; publish none first',
        Warnings: 'none',
      },
    });
  });

  test('CloudFormation receives exactly one line of reason and the line of the framework, without a stack trace', async () => {
    const { services, aws } = await edge.testServices();
    aws.s3.on(PutObjectCommand).rejects(awsError('SlowDown', 'Please reduce your request rate.'));
    const { answer } = await send(services, createEvent(PUBLICATION, publicationProperties()));
    expect(answer).toEqual({
      Status: 'FAILED',
      Reason: 'aws-call-failed: s3:PutObject failed: SlowDown: Please reduce your request rate. Fix the cause, and deploy again. '
        + `Details: npx cdk-mta-sts explain aws-call-failed; log group ${LOG_GROUP}${FRAMEWORK_LINE}`,
      StackId: STACK_ID,
      RequestId: 'b0b0b0b0-0000-0000-0000-000000000000',
      PhysicalResourceId: 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED',
      LogicalResourceId: 'Resource1A2B3C4D',
    });
  });

  test('CloudFormation receives a reason under 3 KB in an answer under 4 KB when there are 60 failures', async () => {
    const Records = Array.from({ length: 60 }, (_, index) => ({ Name: `r${index}.example.com`, Type: 'TXT', LogicalId: `R${index}` }));
    const recordSets = Records.map(({ Name }) => ({
      Name: `${Name}.`, Type: 'TXT' as const, TTL: 60, ResourceRecords: [{ Value: `"${'é"\\\u0007'.repeat(50)}"` }],
    }));
    const { services } = await edge.testServices({ recordSets });
    const { answer, body } = await send(services, createEvent(PREFLIGHT, preflightProperties({ Records })));
    expect(answer.Status).toBe('FAILED');
    expect(answer.Reason).toMatch(/^60 failures: \(1\) record-exists: /);
    expect(Buffer.byteLength(answer.Reason)).toBeLessThan(3000);
    expect(answer.Reason.endsWith(` Details: npx cdk-mta-sts explain record-exists; log group ${LOG_GROUP}${FRAMEWORK_LINE}`)).toBe(true);
    expect(answer.Reason.slice(0, -FRAMEWORK_LINE.length)).not.toMatch(/[\n\r]/);
    expect(body).not.toMatch(/\\n +at /);
  });

  test('CloudFormation receives a reason in time when an AWS call of the function hangs', async () => {
    const { services, aws } = await edge.testServices();
    aws.s3.on(PutObjectCommand).callsFake(async () => new Promise(() => undefined));
    const { answer } = await send(services, createEvent(PUBLICATION, publicationProperties()), 100);
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/^timed-out: the function gave up after 0 s, waiting for s3:PutObject/) });
  });

  test('CloudFormation receives a reason for an event with an unknown resource type', async () => {
    const { services } = await edge.testServices();
    const { answer } = await send(services, createEvent('Custom::Other', {}));
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('`ResourceType` of the event must be one of') });
  });

  test('CloudFormation receives the old physical id when an update fails', async () => {
    await edge.serve({ behaviour: '404' });
    const { services } = await edge.testServices();
    const { answer } = await send(services, updateEvent(PUBLICATION, OBJECT_URL, publicationProperties(), publicationProperties()), 60_000);
    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: OBJECT_URL, Reason: expect.stringContaining('status 404') });
  });

  test('CloudFormation receives success when a check fails in a rollback', async () => {
    await edge.serve({ behaviour: '404' });
    const { services } = await edge.testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    const { answer } = await send(services, updateEvent(PUBLICATION, OBJECT_URL, publicationProperties(), publicationProperties()), 60_000);
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: OBJECT_URL });
  });

  test('CloudFormation receives success and the same physical id for every Delete', async () => {
    const { services } = await edge.testServices();
    for (const [type, id] of [[PUBLICATION, OBJECT_URL], [PREFLIGHT, 'mta-sts-preflight/example.com'], ['Custom::Other', 'x']] as const) {
      const { answer } = await send(services, deleteEvent(type, id, {}));
      expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    }
  });

  test('CloudFormation receives success for the Delete after a failed Create, without a call of the function', async () => {
    const { services } = await edge.testServices();
    const id = 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED';
    const { answer, calls } = await send(services, deleteEvent(PUBLICATION, id, publicationProperties()));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(calls).toBe(0);
  });
});
