// What the emulator does not do as AWS does, each shown: the day that a new release does it, the claim fails, and what works around it in
// the stage can go. The list of all, with what the stage does about each, is in docs/contribute/e2e-emulator.md.
import { execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { ResourceRecord } from '@aws-sdk/client-acm';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, DeleteHostedZoneCommand, GetChangeCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { EMULATOR } from '../../environment/addresses';
import { STACK } from '../../environment/app/app';
import { ENDPOINT } from '../../environment/aws/emulator';
import { findFunctionProcesses } from '../../environment/aws/function-processes';
import { readAuthorizedCalls, isByRole } from '../../environment/aws/rights-log';
import { stackResources } from '../../environment/aws/stacks';
import { record } from '../../environment/dns/domain';
import type { TestEnvironment } from '../../environment/environment';
import { Difference } from './difference';
import { IAM_DIFFERENCES } from './iam';

const FILE = '.well-known/mta-sts.txt';

const DIFFERENCES: readonly Difference[] = [
  {
    assertion: 'there is no AWS::Route53::RecordSetGroup; on AWS it is one change batch',
    shown: (environment) => {
      const answer = python(environment, 'print("AWS::Route53::RecordSetGroup" in provisioners._RESOURCE_HANDLERS)');
      return Promise.resolve(answer === 'False' ? 'not among its resource types' : undefined);
    },
  },
  {
    assertion: 'CloudFormation deletes a bucket with all that is in it; on AWS that fails, and so does the deletion of the stack',
    shown: (environment) => {
      const answer = python(environment, 's3._buckets["full"] = {"objects": {"key": {}}}', 'provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"]("full", {})',
        'print("full" in s3._buckets)');
      return Promise.resolve(answer === 'False' ? 'a bucket with an object is gone' : undefined);
    },
  },
  {
    assertion: 'of resources in progress nothing is told, and events have no properties; on AWS both are',
    shown: (environment) => {
      const answer = python(environment, 'import inspect', 'from ministack.services.cloudformation import handlers, stacks',
        'print("ResourceProperties" in inspect.getsource(handlers._describe_stack_events), "ResourceProperties" in inspect.getsource(stacks._add_event))');
      return Promise.resolve(answer === 'False False' ? 'neither where events are made nor where they are told' : undefined);
    },
  },
  {
    assertion: 'a function that has died under an event of CloudFormation\'s is not called again; Lambda does so twice',
    shown: (environment) => {
      const answer = python(environment, 'import inspect', 'from ministack.services.cloudformation import custom_resource',
        'print("retry" in inspect.getsource(custom_resource.invoke_custom_resource))');
      return Promise.resolve(answer === 'False' ? 'it is called once' : undefined);
    },
  },
  {
    assertion: 'a distribution is served under its cloudfront.net name alone, over plain http; CloudFront serves its aliases, over TLS on port 443',
    shown: async ({ edge }) => {
      const [{ domainName, aliases: [alias] }] = edge.distributions();
      // The edge function answers 404 to every name but the policy host's.
      const own = await get(domainName, `/${FILE}`);
      if (own.cache !== 'FunctionGeneratedResponse from cloudfront' || own.status !== 404) {
        throw new Error(`expected the 404 of the edge function for ${domainName}, got ${own.status} (${own.cache})`);
      }
      const { status, cache, body } = await get(alias, `/${FILE}`);
      const tls = await connection(443);
      if (cache !== 'none' || body.includes('STSv1') || tls !== 'ECONNREFUSED') return undefined;
      return `${domainName}: the 404 of the edge function; ${alias}: ${status}, not by CloudFront; port 443: ${tls}`;
    },
  },
  {
    assertion: 'a certificate is issued at once and without a record; ACM waits for its CNAME in the zone',
    shown: async (environment) => {
      const { status, record: { Name: name = 'none' } } = await certificateOf(environment);
      return status === 'ISSUED' && !await isInZone(environment, name) ? `ISSUED, and ${name} is not in the zone` : undefined;
    },
  },
  {
    assertion: 'a certificate is validated by _acme-challenge; by ACM with a CNAME below acm-validations.aws',
    shown: async (environment) => {
      const { record: { Name: name = '', Value: value = '' } } = await certificateOf(environment);
      return name.startsWith('_acme-challenge.') && !value.includes('acm-validations.aws') ? `${name} ${value}` : undefined;
    },
  },
  {
    assertion: 'every hosted zone has the same name servers; on Route 53 each has four of its own',
    shown: async ({ emulator: { route53 } }) => {
      const zones = await Promise.all(['one.test', 'two.test'].map((name) => route53.send(new CreateHostedZoneCommand({ Name: name, CallerReference: name }))));
      await Promise.all(zones.map(({ HostedZone: zone }) => route53.send(new DeleteHostedZoneCommand({ Id: zone?.Id }))));
      const [one, two] = zones.map(({ DelegationSet: set }) => set?.NameServers?.join(', '));
      return one !== undefined && one === two ? one : undefined;
    },
  },
  {
    assertion: 'a change of records is INSYNC by the second look at it; Route 53 takes up to a minute',
    shown: async ({ emulator: { route53 }, zoneId }) => {
      const change = async (action: 'CREATE' | 'DELETE'): Promise<string | undefined> => {
        const { ChangeInfo: made } = await route53.send(new ChangeResourceRecordSetsCommand({
          HostedZoneId: zoneId, ChangeBatch: { Changes: [{ Action: action, ResourceRecordSet: record('difference.example.test', 'TXT', '"x"') }] },
        }));
        await route53.send(new GetChangeCommand({ Id: made?.Id }));
        const { ChangeInfo: second } = await route53.send(new GetChangeCommand({ Id: made?.Id }));
        return second?.Status;
      };
      const statuses = [await change('CREATE'), await change('DELETE')];
      return statuses.every((status) => status === 'INSYNC') ? statuses.join(', ') : undefined;
    },
  },
  {
    assertion: 'the root user\'s signature is not looked at; AWS checks each',
    shown: async () => {
      const scope = 'Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
      const { status } = await fetch(`${ENDPOINT}/?Action=ListRoles&Version=2010-05-08`, {
        headers: { authorization: `AWS4-HMAC-SHA256 ${scope}` }, signal: AbortSignal.timeout(10_000),
      });
      return status === 200 ? 'status 200 with the signature 0' : undefined;
    },
  },
  {
    assertion: 'CloudFormation needs no right; on AWS it acts as the role that cdk bootstrap made for it',
    shown: ({ emulator }) => {
      const calls = readAuthorizedCalls(emulator);
      return Promise.resolve(calls.some(({ principal }) => principal.includes('cfn-exec-role')) ? undefined : `of ${calls.length} calls none was that role's`);
    },
  },
  {
    assertion: 'the log of a function is written without a right; Lambda uses the function\'s role',
    shown: ({ emulator }) => {
      const calls = readAuthorizedCalls(emulator).filter((call) => isByRole(call, STACK, 'CdkMtaStsHandler'));
      const isWritten = calls.some(({ action }) => action.startsWith('logs:'));
      return Promise.resolve(calls.length === 0 || isWritten ? undefined : `of ${calls.length} calls of the functions none was for it`);
    },
  },
  {
    assertion: 'CloudFormation hears of a function over plain http; on AWS the ResponseURL is https',
    shown: ({ aws }) => Promise.resolve(aws.calls.find(({ service }) => service === 'response')?.path.slice(0, 60)),
  },
  {
    assertion: 'the process of a function stays when its call has ended; Lambda freezes it',
    shown: ({ paths }) => {
      const { length } = findFunctionProcesses(paths.folder);
      return Promise.resolve(length > 0 ? `${length} of them` : undefined);
    },
  },
];

export async function differencesScenario(environment: TestEnvironment): Promise<void> {
  const { table } = environment;
  table.begin('What the emulator does not do as AWS does');
  for (const { assertion, shown } of [...DIFFERENCES, ...IAM_DIFFERENCES]) {
    await table.prove(assertion, async () => {
      const evidence = await shown(environment);
      if (evidence === undefined) throw new Error('the emulator does as AWS does now: see whether the stage can do without what it does about it');
      return evidence;
    });
  }
}

interface Certificate {
  readonly status?: string;
  /** That validates it. */
  readonly record: Partial<ResourceRecord>;
}

/** That of the stack. */
async function certificateOf({ emulator: { acm, cloudformation } }: TestEnvironment): Promise<Certificate> {
  const arn = (await stackResources(cloudformation, STACK)).find(({ ResourceType: type }) => type === 'AWS::CertificateManager::Certificate')?.PhysicalResourceId;
  const { Certificate: certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: arn }));
  const validation = certificate?.DomainValidationOptions?.at(0)?.ResourceRecord;
  return { status: certificate?.Status, record: { Name: validation?.Name, Value: validation?.Value } };
}

/** By the emulator's own modules, without what the stage makes of them. */
function python({ paths }: TestEnvironment, ...lines: readonly string[]): string {
  const script = ['from ministack.services import s3', 'from ministack.services.cloudformation import provisioners', ...lines].join('\n');
  return execFileSync(paths.python, ['-c', script], { cwd: paths.folder, encoding: 'utf8', timeout: 30_000 }).trim();
}

async function isInZone({ emulator, zoneId }: TestEnvironment, name: string): Promise<boolean> {
  const { ResourceRecordSets: sets = [] } = await emulator.route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  return sets.some((set) => set.Name === name);
}

interface Answer {
  readonly status: number;
  /** What `x-cache` says: CloudFront's own word of where an answer is from. */
  readonly cache: string;
  readonly body: string;
}

/** From the emulator, under the name of another host, as if over https. */
function get(host: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(`${ENDPOINT}${path}`, { headers: { host }, timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      }).on('end', () => {
        resolve({ status: response.statusCode ?? 0, cache: String(response.headers['x-cache'] ?? 'none'), body });
      });
    });
    // Without a listener the time passes, and nothing happens.
    asking.on('timeout', () => asking.destroy(new Error(`no answer for ${host}${path} in 10 s`))).on('error', reject).end();
  });
}

/** What comes of a connection to a port of the emulator's address: `open`, or the error's code. */
function connection(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: EMULATOR, port, timeout: 10_000 }, () => {
      socket.destroy();
      resolve('open');
    });
    socket.on('error', (error) => {
      resolve('code' in error ? String(error.code) : error.message);
    }).on('timeout', () => socket.destroy(new Error('no answer in 10 s')));
  });
}
