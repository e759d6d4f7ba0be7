// An event that CloudFormation no longer waits for changes nothing. When CloudFormation gives no information, the function goes on.
import { DescribeStackEventsCommand, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyHash } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import { plainDns, serving } from '../support/plain-services';
import {
  BUCKET, KEY, HISTORY_KEY, OBJECT_URL, POLICY, POLICY_TEXT, RESOURCE, awsError, createEvent, deleteEvent, failure, lambdaContext,
  publicationProperties, testServices, updateEvent,
} from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsPublication';
const FILE = `${BUCKET}/${KEY}`;
const HISTORY = `${BUCKET}/${HISTORY_KEY}`;
const OTHER_TEXT = renderPolicy({ ...POLICY, mx: ['other.example.com'] });
const PROPERTIES = publicationProperties();
const OTHER = publicationProperties({ Policy: policyLines(OTHER_TEXT), PolicyHash: policyHash(OTHER_TEXT) });
const CREATE = createEvent(TYPE, PROPERTIES);
const UPDATE = updateEvent(TYPE, OBJECT_URL, OTHER, PROPERTIES, { RequestId: 'update' });

interface Stack extends TestServices {
  live: boolean;
}

function stack(): Stack {
  const made: Stack = {
    ...testServices({ stackStatus: 'UPDATE_IN_PROGRESS' }, {
      resolver: plainDns(() => ['mx1.example.com']),
      fetchPolicy: async () => Promise.resolve(serving(made.live ? made.objects.get(FILE) : undefined)),
    }),
    live: true,
  };
  return made;
}

async function handle(made: Stack, event: Event): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext());
}

/** Sets the description of the resource that CloudFormation returns. */
function describeResource(made: Stack, ResourceStatus: string, PhysicalResourceId: string | undefined, properties?: Event): void {
  const { cloudformation } = made.aws;
  cloudformation.on(DescribeStackResourcesCommand).resolves({
    StackResources: [{ LogicalResourceId: RESOURCE, ResourceType: TYPE, Timestamp: new Date(), ResourceStatus: ResourceStatus as 'CREATE_COMPLETE', PhysicalResourceId }],
  });
  const event = { StackId: '', EventId: '', StackName: '', Timestamp: new Date(), LogicalResourceId: RESOURCE, ResourceStatus: ResourceStatus as 'CREATE_COMPLETE' };
  cloudformation.on(DescribeStackEventsCommand).resolves({
    StackEvents: [{ ...event, LogicalResourceId: 'Other' }, { ...event, ResourceProperties: properties && JSON.stringify(properties) }],
  });
}

/** Returns a stack after a Create, with the given description of the resource. */
async function created(status: string, physicalId: string | undefined = OBJECT_URL, properties?: Event): Promise<Stack> {
  const made = stack();
  await handle(made, CREATE);
  describeResource(made, status, physicalId, properties);
  return made;
}

describe('an event that is not current', () => {
  test.each<[string, string, string | undefined, Event | undefined, Event]>([
    ['a Create after the resource was created', 'CREATE_COMPLETE', OBJECT_URL, undefined, CREATE],
    ['a Create while the resource is updated', 'UPDATE_IN_PROGRESS', OBJECT_URL, OTHER, CREATE],
    ['a Create while the resource is deleted', 'DELETE_IN_PROGRESS', OBJECT_URL, undefined, CREATE],
    ['an Update after the update ended', 'UPDATE_COMPLETE', OBJECT_URL, undefined, UPDATE],
    ['an Update after the update failed', 'UPDATE_FAILED', OBJECT_URL, undefined, UPDATE],
    ['an Update while the resource is created again', 'CREATE_IN_PROGRESS', undefined, OTHER, UPDATE],
    ['an Update during its own rollback', 'UPDATE_IN_PROGRESS', OBJECT_URL, PROPERTIES, UPDATE],
  ])('the function refuses %s, and changes nothing', async (_, status, physicalId, properties, event) => {
    const made = await created(status, physicalId, properties);
    const before = new Map(made.objects);
    const { message } = await failure(handle(made, event));
    expect(message).toMatch(/^event-not-current: CloudFormation no longer waits for this event: /);
    expect(made.objects).toEqual(before);
    // The description from CloudFormation may be some seconds old.
    expect(made.clock.slept.reduce((sum, pause) => sum + pause, 0)).toBe(15_000);
  });

  test('the function refuses an event when the stack no longer has the resource', async () => {
    const made = stack();
    made.aws.cloudformation.on(DescribeStackResourcesCommand).rejects(awsError('ValidationError', `Resource ${RESOURCE} does not exist for stack Mail`));
    expect((await failure(handle(made, CREATE))).message).toContain(`the stack has no resource ${RESOURCE}`);
    expect(made.objects.size).toBe(0);
  });

  test('the function handles an event as soon as CloudFormation shows that it waits for the event', async () => {
    const made = await created('UPDATE_COMPLETE');
    const sleep = made.clock.sleep.bind(made.clock);
    made.clock.sleep = async (milliseconds) => {
      describeResource(made, 'UPDATE_IN_PROGRESS', OBJECT_URL, OTHER);
      await sleep(milliseconds);
    };
    await handle(made, UPDATE);
    expect(made.objects.get(FILE)).toBe(OTHER_TEXT);
  });

  test('a duplicate Create that fails keeps the file and the publication history of the first Create', async () => {
    const made = await created('CREATE_IN_PROGRESS', undefined, PROPERTIES);
    made.live = false;
    // CloudFormation has the answer to the first Create while the second still fetches the file.
    const fetchPolicy = made.services.fetchPolicy;
    const services = { ...made.services, fetchPolicy: async (target: Parameters<typeof fetchPolicy>[0]) => {
      describeResource(made, 'CREATE_COMPLETE', OBJECT_URL, PROPERTIES);
      return fetchPolicy(target);
    } };
    await failure(createHandler(services)(CREATE, lambdaContext()));
    expect([...made.objects.keys()].sort()).toEqual([HISTORY, FILE]);
    expect(made.aws.s3.commandCalls(DeleteObjectCommand)).toHaveLength(0);
  });

  test('an event that another event overtook between its history entry and its file puts back the file of the other event', async () => {
    const made = await created('UPDATE_IN_PROGRESS', OBJECT_URL, OTHER);
    const published = made.objects.get(HISTORY) ?? '';
    let puts = 0;
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).callsFake(({ Body }: { Body: Uint8Array }) => {
      puts += 1;
      made.objects.set(FILE, Buffer.from(Body).toString('utf8'));
      // The rollback wrote its own history entry and file just before.
      if (puts === 1) {
        describeResource(made, 'UPDATE_COMPLETE', OBJECT_URL);
        made.objects.set(HISTORY, published);
      }
      return {};
    });
    expect((await failure(handle(made, UPDATE))).message).toMatch(/^event-not-current: /);
    expect(made.objects.get(FILE)).toBe(POLICY_TEXT);
    expect(made.log).toContainEqual(expect.objectContaining({ message: 'put back the policy file that another request published' }));
  });
});

describe('an event about which CloudFormation gives no information', () => {
  test.each<[string, (made: Stack) => void]>([
    ['does not describe the resource', (made) => made.aws.cloudformation.on(DescribeStackResourcesCommand).rejects(awsError('InternalFailure', 'x'))],
    ['returns an empty list of resources', (made) => made.aws.cloudformation.on(DescribeStackResourcesCommand).resolves({})],
    ['does not list its events', (made) => made.aws.cloudformation.on(DescribeStackEventsCommand).rejects(awsError('AccessDenied', 'x'))],
    ['returns no event with properties', (made) => made.aws.cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] })],
  ])('the publication goes on when CloudFormation %s', async (_, prepare) => {
    const made = stack();
    prepare(made);
    await expect(handle(made, CREATE)).resolves.toMatchObject({ PhysicalResourceId: OBJECT_URL });
  });

  test('the status alone decides when the properties of an event are cut off or malformed', async () => {
    for (const text of ['{"Policy":["ver', '[]', '{}', '']) {
      const made = await created('UPDATE_IN_PROGRESS', OBJECT_URL, OTHER);
      const event = { StackId: '', EventId: '', StackName: '', Timestamp: new Date(), LogicalResourceId: RESOURCE, ResourceStatus: 'UPDATE_IN_PROGRESS' as const };
      made.aws.cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: [{ ...event, ResourceProperties: text }] });
      await handle(made, UPDATE);
      expect(made.objects.get(FILE)).toBe(OTHER_TEXT);
    }
  });

  test('the function reads at most five pages of stack events', async () => {
    const made = stack();
    made.aws.cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: [], NextToken: 'more' });
    await handle(made, CREATE);
    // Five before the function writes the file, and five after it confirmed the file live.
    expect(made.aws.cloudformation.commandCalls(DescribeStackEventsCommand)).toHaveLength(10);
  });
});

describe('a Delete', () => {
  const DELETE = deleteEvent(TYPE, OBJECT_URL, PROPERTIES);

  test.each([
    ['CREATE_COMPLETE', OBJECT_URL],
    ['UPDATE_COMPLETE', OBJECT_URL],
    ['UPDATE_ROLLBACK_COMPLETE', OBJECT_URL],
    ['CREATE_IN_PROGRESS', undefined],
    ['UPDATE_IN_PROGRESS', OBJECT_URL],
    ['UPDATE_IN_PROGRESS', 's3://before/key'],
  ])('a late Delete of a resource with the status %s and the physical id %s succeeds and deletes nothing', async (status, physicalId) => {
    const made = await created(status, physicalId);
    await expect(handle(made, DELETE)).resolves.toEqual({ PhysicalResourceId: OBJECT_URL });
    expect([...made.objects.keys()].sort()).toEqual([HISTORY, FILE]);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: expect.stringMatching(/^event-not-current: /) }));
  });

  test.each([
    ['DELETE_IN_PROGRESS', OBJECT_URL],
    ['DELETE_COMPLETE', OBJECT_URL],
    ['CREATE_FAILED', undefined],
    ['UPDATE_COMPLETE', 's3://after/key'],
  ])('a current Delete of a resource with the status %s and the physical id %s deletes the file and the publication history', async (status, physicalId) => {
    const made = await created(status, physicalId);
    await handle(made, DELETE);
    expect(made.objects.size).toBe(0);
  });

  test('a Delete removes the file and the publication history when CloudFormation gives no information', async () => {
    const made = await created('CREATE_COMPLETE');
    made.aws.cloudformation.on(DescribeStackResourcesCommand).rejects(awsError('InternalFailure', 'x'));
    await handle(made, DELETE);
    expect(made.objects.size).toBe(0);
  });
});
