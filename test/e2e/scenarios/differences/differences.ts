// Proves each known difference between the emulator and AWS. If a new release of the emulator removes a difference, its assertion fails,
// and the workaround in the test environment can be removed. docs/contribute/e2e-emulator.md lists all differences and workarounds.
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
import type { Difference } from './difference';
import { IAM_DIFFERENCES } from './iam';

const FILE = '.well-known/mta-sts.txt';

const DIFFERENCES: readonly Difference[] = [
  {
    assertion: 'the emulator does not support AWS::Route53::RecordSetGroup; on AWS it is one change batch',
    shown: (environment) => {
      const answer = runPython(environment, 'print("AWS::Route53::RecordSetGroup" in provisioners._RESOURCE_HANDLERS)');
      return Promise.resolve(answer === 'False' ? 'not among its resource types' : undefined);
    },
  },
  {
    assertion: 'the emulator deletes a bucket that has objects; on AWS that fails, and so does the deletion of the stack',
    shown: (environment) => {
      const answer = runPython(environment, 's3._buckets["full"] = {"objects": {"key": {}}}', 'provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["delete"]("full", {})',
        'print("full" in s3._buckets)');
      return Promise.resolve(answer === 'False' ? 'a bucket with an object is gone' : undefined);
    },
  },
  {
    assertion: 'the emulator has no events of resources in progress, and events have no properties; AWS has both',
    shown: (environment) => {
      const answer = runPython(environment, 'import inspect', 'from ministack.services.cloudformation import handlers, stacks',
        'print("ResourceProperties" in inspect.getsource(handlers._describe_stack_events), "ResourceProperties" in inspect.getsource(stacks._add_event))');
      return Promise.resolve(answer === 'False False' ? 'no properties where events are stored or described' : undefined);
    },
  },
  {
    assertion: 'the emulator does not repeat the event of CloudFormation when its function has died; Lambda repeats it twice',
    shown: (environment) => {
      const answer = runPython(environment, 'import inspect', 'from ministack.services.cloudformation import custom_resource',
        'print("retry" in inspect.getsource(custom_resource.invoke_custom_resource))');
      return Promise.resolve(answer === 'False' ? 'the function is called once' : undefined);
    },
  },
  {
    assertion: 'the emulator serves a distribution only under its cloudfront.net name, over http; CloudFront serves its aliases over TLS on port 443',
    shown: async ({ edge }) => {
      const [distribution] = edge.distributions();
      const alias = distribution?.aliases.at(0);
      if (distribution === undefined || alias === undefined) throw new Error('the emulator has no distribution with an alias');
      const { domainName } = distribution;
      // The edge function answers 404 for every name except the policy host.
      const own = await get(domainName, `/${FILE}`);
      if (own.cache !== 'FunctionGeneratedResponse from cloudfront' || own.status !== 404) {
        throw new Error(`expected the 404 of the edge function for ${domainName}, got ${own.status} (${own.cache})`);
      }
      const { status, cache, body } = await get(alias, `/${FILE}`);
      const tls = await tryConnection(443);
      if (cache !== 'none' || body.includes('STSv1') || tls !== 'ECONNREFUSED') return undefined;
      return `${domainName}: the 404 of the edge function; ${alias}: ${status}, not by CloudFront; port 443: ${tls}`;
    },
  },
  {
    assertion: 'the emulator issues a certificate immediately, without a record; ACM waits for its CNAME record in the zone',
    shown: async (environment) => {
      const { status, record: { Name: name = 'none' } } = await describeCertificate(environment);
      return status === 'ISSUED' && !await isInZone(environment, name) ? `ISSUED, and ${name} is not in the zone` : undefined;
    },
  },
  {
    assertion: 'the emulator validates a certificate with _acme-challenge; ACM uses a CNAME record to acm-validations.aws',
    shown: async (environment) => {
      const { record: { Name: name = '', Value: value = '' } } = await describeCertificate(environment);
      return name.startsWith('_acme-challenge.') && !value.includes('acm-validations.aws') ? `${name} ${value}` : undefined;
    },
  },
  {
    assertion: 'the emulator gives every hosted zone the same name servers; Route 53 gives each zone four of its own',
    shown: async ({ emulator: { route53 } }) => {
      const zones = await Promise.all(['one.test', 'two.test'].map((name) => route53.send(new CreateHostedZoneCommand({ Name: name, CallerReference: name }))));
      await Promise.all(zones.map(({ HostedZone: zone }) => route53.send(new DeleteHostedZoneCommand({ Id: zone?.Id }))));
      const [one, two] = zones.map(({ DelegationSet: set }) => set?.NameServers?.join(', '));
      return one !== undefined && one === two ? one : undefined;
    },
  },
  {
    assertion: 'the emulator reports a record change as INSYNC at the second GetChange call; Route 53 takes up to a minute',
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
    assertion: 'the emulator does not check the signature of the root user; AWS checks every signature',
    shown: async () => {
      const scope = 'Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
      const { status } = await fetch(`${ENDPOINT}/?Action=ListRoles&Version=2010-05-08`, {
        headers: { authorization: `AWS4-HMAC-SHA256 ${scope}` }, signal: AbortSignal.timeout(10_000),
      });
      return status === 200 ? 'status 200 with the signature 0' : undefined;
    },
  },
  {
    assertion: 'CloudFormation of the emulator needs no rights; on AWS it uses the role that cdk bootstrap created',
    shown: ({ emulator }) => {
      const calls = readAuthorizedCalls(emulator);
      return Promise.resolve(calls.some(({ principal }) => principal.includes('cfn-exec-role')) ? undefined : `none of ${calls.length} calls used that role`);
    },
  },
  {
    assertion: 'the emulator writes the log of a function without rights; Lambda uses the role of the function',
    shown: ({ emulator }) => {
      const calls = readAuthorizedCalls(emulator).filter((call) => isByRole(call, STACK, 'CdkMtaStsHandler'));
      const isWritten = calls.some(({ action }) => action.startsWith('logs:'));
      return Promise.resolve(calls.length === 0 || isWritten ? undefined : `none of ${calls.length} calls of the functions wrote a log`);
    },
  },
  {
    assertion: 'the ResponseURL of the emulator uses http; on AWS it uses https',
    shown: ({ aws }) => Promise.resolve(aws.calls.find(({ service }) => service === 'response')?.path.slice(0, 60)),
  },
  {
    assertion: 'the emulator keeps the process of a function running after its call; Lambda freezes it',
    shown: ({ paths }) => {
      const { length } = findFunctionProcesses(paths.folder);
      return Promise.resolve(length > 0 ? `${length} processes` : undefined);
    },
  },
];

export async function differencesScenario(environment: TestEnvironment): Promise<void> {
  const { table } = environment;
  table.begin('Differences between the emulator and AWS');
  for (const { assertion, shown } of [...DIFFERENCES, ...IAM_DIFFERENCES]) {
    await table.prove(assertion, async () => {
      const evidence = await shown(environment);
      if (evidence === undefined) throw new Error('the emulator now behaves like AWS. Remove the workaround from the test environment');
      return evidence;
    });
  }
}

interface Certificate {
  readonly status?: string;
  /** DNS record that validates the certificate. */
  readonly record: Partial<ResourceRecord>;
}

/** Returns the certificate of the stack. */
async function describeCertificate({ emulator: { acm, cloudformation } }: TestEnvironment): Promise<Certificate> {
  const arn = (await stackResources(cloudformation, STACK)).find(({ ResourceType: type }) => type === 'AWS::CertificateManager::Certificate')?.PhysicalResourceId;
  const { Certificate: certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: arn }));
  const validation = certificate?.DomainValidationOptions?.at(0)?.ResourceRecord;
  return { status: certificate?.Status, record: { Name: validation?.Name, Value: validation?.Value } };
}

/** Runs Python with the original modules of the emulator, without the patches of the test environment. */
function runPython({ paths }: TestEnvironment, ...lines: readonly string[]): string {
  const script = ['from ministack.services import s3', 'from ministack.services.cloudformation import provisioners', ...lines].join('\n');
  return execFileSync(paths.python, ['-c', script], { cwd: paths.folder, encoding: 'utf8', timeout: 30_000 }).trim();
}

async function isInZone({ emulator, zoneId }: TestEnvironment, name: string): Promise<boolean> {
  const { ResourceRecordSets: sets = [] } = await emulator.route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  return sets.some((set) => set.Name === name);
}

interface Answer {
  readonly status: number;
  /** Value of `x-cache`, with which CloudFront states the source of an answer. */
  readonly cache: string;
  readonly body: string;
}

/** Sends an HTTP request to the emulator with another `Host` header. */
function get(host: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${ENDPOINT}${path}`, { headers: { host }, timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      }).on('end', () => {
        resolve({ status: response.statusCode ?? 0, cache: String(response.headers['x-cache'] ?? 'none'), body });
      });
    });
    // Without a listener, Node.js ignores the timeout.
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer for ${host}${path} in 10 s`))).on('error', reject).end();
  });
}

/** Connects to a port of the emulator's address. Returns `open`, or the code of the error. */
function tryConnection(port: number): Promise<string> {
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
