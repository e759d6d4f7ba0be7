// Prepares the account with `cdk bootstrap`, and deploys the stack for the first time with the real CDK command.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudFormationClient, StackEvent } from '@aws-sdk/client-cloudformation';
import { at, membersOf } from '../../../../lib/preview/json';
import { NAME_SERVERS } from '../../environment/addresses';
import { STACK, TLS_REPORTING } from '../../environment/app/app';
import type { AppContext } from '../../environment/app/app';
import { expectEnd } from '../../environment/app/cdk-cli';
import { ACCOUNT, REGION } from '../../environment/aws/emulator';
import { readFunctionName, findFunctionProcesses } from '../../environment/aws/function-processes';
import { takeInventory } from '../../environment/aws/inventory';
import { EventOrder, stackEvents, stackResources } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';

const TXT = 'AWS::Route53::RecordSet';
const PREFLIGHT = 'Custom::MtaStsPreflight';
const PUBLICATION = 'Custom::MtaStsPublication';
const VERIFICATION = 'Custom::MtaStsVerification';

const FIRST: AppContext = { mode: 'testing' };

export async function bootstrapScenario(environment: TestEnvironment): Promise<void> {
  const { table, cli, emulator } = environment;
  table.begin('Bootstrap');
  await table.prove('cdk bootstrap prepares the account', async () => {
    expectEnd(await cli.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', ''), 0, 'cdk bootstrap');
    environment.bootstrapInventory = await takeInventory(environment);
    return `stack CDKToolkit, ${(await stackResources(emulator.cloudformation, 'CDKToolkit')).length} resources`;
  });
}

export async function deployScenario(environment: TestEnvironment): Promise<void> {
  const { table, cli, emulator } = environment;
  table.begin('Deploy');
  await table.prove('cdk deploy of bin/app.ts creates every resource', async () => {
    expectEnd(await environment.deploy(FIRST), 0, 'cdk deploy');
    const template: unknown = JSON.parse(readFileSync(join(environment.assembly(FIRST), `${STACK}.template.json`), 'utf8'));
    const expected = membersOf(at(template, 'Resources')).map(([id]) => id).sort();
    const resources = await stackResources(emulator.cloudformation, STACK);
    const created = resources.filter(({ ResourceStatus: status }) => status === 'CREATE_COMPLETE').map(({ LogicalResourceId: id = '' }) => id).sort();
    if (created.join() !== expected.join()) throw new Error(`expected ${expected.join(', ')}, got ${created.join(', ')}`);
    return `${created.length} resources CREATE_COMPLETE`;
  });
  await table.prove('cdk deploy creates the resources in the designed order: Preflight, host, Publication, TXT record, Verification', async () => {
    return expectDesignedOrder(await stackEvents(emulator.cloudformation, STACK));
  });
  await table.prove('the function runs the shipped bundle, byte for byte', async () => expectShippedBundle(environment, emulator.cloudformation, STACK));
  await table.prove('the function runs on the Node.js version of Lambda', () => {
    const { node, folder } = environment.paths;
    const programs = new Set(findFunctionProcesses(folder).map((pid) => readlinkSync(`/proc/${pid}/exe`)));
    if ([...programs].join() !== node) throw new Error(`the function runs on ${[...programs].join(', ') || 'nothing'}, expected ${node}`);
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    const runtime = `nodejs${/^v(\d+)/.exec(version)?.[1] ?? ''}.x`;
    const template = readFileSync(join(environment.assembly(FIRST), `${STACK}.template.json`), 'utf8');
    if (!template.includes(`"Runtime": "${runtime}"`)) throw new Error(`the template has another runtime than ${runtime}`);
    return `${version}; the template has the runtime ${runtime}`;
  });
  await table.prove('every name server has the TLSRPT record', async () => {
    const expected = `v=TLSRPTv1; rua=${TLS_REPORTING}`;
    const records = await Promise.all([...NAME_SERVERS.values()].map(async (address) => {
      const resolver = new Resolver({ timeout: 5_000, tries: 2 });
      resolver.setServers([address]);
      return (await resolver.resolveTxt('_smtp._tls.example.test')).map((strings) => strings.join('')).join();
    }));
    if (records.some((record) => record !== expected)) throw new Error(`the name servers returned ${records.join(' | ')}, expected ${expected}`);
    return expected;
  });
  await table.prove('mta-sts verify passes', async () => {
    const { output, ...ended } = await cli.mtaSts('verify', 'example.test');
    expectEnd({ output, ...ended }, 0, 'mta-sts verify');
    return output.split('\n').slice(0, 6).join('\n');
  });
}

/** @throws Error if a stack with one MtaSts was created in another order */
export function expectDesignedOrder(events: readonly StackEvent[]): string {
  const order = new EventOrder(events);
  for (const type of ['AWS::S3::Bucket', 'AWS::CertificateManager::Certificate', 'AWS::CloudFront::Distribution', 'AWS::CloudFront::Function',
    'AWS::CloudFront::OriginAccessControl', 'AWS::S3::BucketPolicy', 'AWS::Route53::RecordSetGroup']) {
    order.expectBefore([PREFLIGHT, 'CREATE_COMPLETE'], [type, 'CREATE_IN_PROGRESS']);
    order.expectBefore([type, 'CREATE_COMPLETE'], [PUBLICATION, 'CREATE_IN_PROGRESS']);
  }
  order.expectBefore([PUBLICATION, 'CREATE_COMPLETE'], [TXT, 'CREATE_IN_PROGRESS']);
  order.expectBefore([TXT, 'CREATE_COMPLETE'], [VERIFICATION, 'CREATE_IN_PROGRESS']);
  const last = events.filter(({ ResourceType: type }) => type !== 'AWS::CloudFormation::Stack').at(-1);
  if (last?.ResourceType !== VERIFICATION) throw new Error(`the last event belongs to ${last?.ResourceType ?? 'nothing'}`);
  return 'according to the events of the stack';
}

/** @throws Error if a function of the stack runs other code than the shipped bundle */
export async function expectShippedBundle({ paths }: TestEnvironment, client: CloudFormationClient, stack: string): Promise<string> {
  const shipped = readFileSync(join(paths.root, 'lib', 'functions', 'deployment', 'bundle', 'index.js'));
  const names = (await stackResources(client, stack)).filter(({ ResourceType: type }) => type === 'AWS::Lambda::Function')
    .map(({ PhysicalResourceId: name = '' }) => name);
  const pids = findFunctionProcesses(paths.folder).filter((pid) => names.includes(readFunctionName(pid)));
  const [pid] = pids;
  if (pid === undefined) throw new Error(`no process runs one of ${names.join(', ')}`);
  for (const running of pids) {
    const code = readFileSync(join(readlinkSync(`/proc/${running}/cwd`), 'index.js'));
    if (!shipped.equals(code)) throw new Error(`the function runs other code, ${code.length} bytes instead of ${shipped.length}`);
  }
  return `${shipped.length} bytes, sha256 ${createHash('sha256').update(shipped).digest('hex').slice(0, 16)}…, read from the folder of the process of ${readFunctionName(pid)}`;
}
