// A domain whose DNS is not in Route 53: its records are made by hand as the README says it, and taken away as it says it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bareName, readValue } from '../../../../lib/preview/assembly/record-values';
import type { DnsRecord } from '../../../../lib/preview/dns-server/server';
import { expectEnd } from '../../environment/app/cdk-cli';
import type { CommandResult } from '../../environment/app/cdk-cli';
import { IntegApp } from '../../environment/app/integ-app';
import { expectNothingButLog, takeInventory } from '../../environment/aws/inventory';
import { readAuthorizedCalls } from '../../environment/aws/rights-log';
import { stackEvents } from '../../environment/aws/stacks';
import type { TestEnvironment } from '../../environment/environment';
import { observeWhile } from '../../environment/observer/observer';
import type { Observer } from '../../environment/observer/observer';
import { until } from '../../environment/until';
import { expectNoRecordWithoutFile } from './destroy';

const DOMAIN = 'elsewhere.test';
const STACK = 'MtaStsIntegExternalDns';
const RECORD_NAME = `_mta-sts.${DOMAIN}`;

export async function externalDnsScenario(environment: TestEnvironment): Promise<void> {
  const { table, emulator, dns, cli } = environment;
  table.begin('DNS elsewhere');
  const before = await takeInventory(environment);
  const zone = new Provider(dns.externalZones);
  const app = new IntegApp(environment, 'external-dns');
  const folder = join(environment.paths.folder, 'elsewhere');
  mkdirSync(folder, { recursive: true });
  const outputs = join(folder, 'cdk-outputs.json');
  const deploy = (mode: 'testing' | 'none'): Promise<CommandResult> => app.deploy({ MTA_STS_DOMAIN: DOMAIN, MTA_STS_MODE: mode }, '--outputs-file', outputs);
  const verify = (): Promise<CommandResult> => cli.mtaSts('verify', '--outputs', outputs);
  const printed = async (): Promise<readonly string[]> => {
    const { output, ...ended } = await cli.mtaSts('records', '--outputs', outputs, '--format', 'zone');
    expectEnd({ output, ...ended }, 0, 'mta-sts records');
    // Comments are for the zone file, and the advice for people comes over the other stream.
    return output.split('\n').filter((line) => line.includes(' IN '));
  };

  await table.prove('cdk deploy makes the host and proves the file, and announces nothing', async () => {
    expectEnd(await deploy('testing'), 0, 'cdk deploy');
    const types = (await stackEvents(emulator.cloudformation, STACK)).filter(({ ResourceStatus: status }) => status === 'CREATE_COMPLETE')
      .map(({ ResourceType: type = '' }) => type);
    if (!types.includes('Custom::MtaStsPublication')) throw new Error(`there is no Publication: ${types.join(', ')}`);
    const records = types.filter((type) => type.startsWith('AWS::Route53::'));
    if (records.length > 0) throw new Error(`it made ${records.join(', ')}`);
    return expectFinding(await verify(), 'record-missing');
  });
  await table.prove('mta-sts records prints them; made with _mta-sts last, mta-sts verify --outputs says pass', async () => {
    const lines = await printed();
    const [mtaStsRecord, others] = [lines.filter(isMtaStsRecord), lines.filter((line) => !isMtaStsRecord(line))];
    if (mtaStsRecord.length !== 1 || others.length !== 3) throw new Error(`it printed\n${lines.join('\n')}`);
    zone.make(others);
    const between = expectFinding(await verify(), 'record-missing');
    zone.make(mtaStsRecord);
    return [...lines, `before _mta-sts: ${between}`, await expectPass(verify)].join('\n');
  });
  await table.prove('a new policy: until _mta-sts is changed by hand mta-sts verify --outputs says so, then pass', async () => {
    expectEnd(await deploy('none'), 0, 'cdk deploy');
    const between = expectFinding(await verify(), 'id-unexpected');
    zone.make((await printed()).filter(isMtaStsRecord));
    return `${between}\n${await expectPass(verify)}`;
  });
  await table.prove('the way out: _mta-sts goes first, then the others, then the stack; no look sees a record without its file', async () => {
    const { observer, ended } = await observeWhile({ ca: environment.authority.certificatePem, first: 'file', domain: DOMAIN }, async (looking) => {
      await seen(looking, (published) => published !== undefined);
      zone.remove(isMtaStsName);
      await seen(looking, (published) => published === undefined);
      zone.remove(() => true);
      return app.destroy();
    });
    expectEnd(ended, 0, 'cdk destroy');
    expectNoRecordWithoutFile(observer);
    return observer.summary();
  });
  await table.prove('the bucket kept every version, and the deletion of the file and the ledger left none', () => {
    const deleted = readAuthorizedCalls(emulator).filter(({ action, principal, denied }) => {
      return action === 's3:DeleteObjectVersion' && principal.includes(`:assumed-role/${STACK}-`) && denied === '';
    });
    if (deleted.length === 0) throw new Error('no version was deleted');
    // The file twice, the ledger at least as often, and a marker of each.
    if (deleted.length < 6) throw new Error(`${deleted.length} versions were deleted`);
    return deleted.map(({ resource }) => resource).join(', ');
  });
  await table.prove('nothing is left behind but the log, which is kept by design', async () => expectNothingButLog(environment, before, STACK));
  zone.close();
}

/** Somebody else's form for DNS records, filled with what the command printed. */
class Provider {
  private records: readonly DnsRecord[] = [{ name: DOMAIN, ttl: 1, type: 'MX', data: { preference: 10, exchange: `mx.${DOMAIN}` } }];

  public constructor(private readonly zones: Map<string, readonly DnsRecord[]>) {
    this.publish();
  }

  /** @param lines - of a zone file; what stands at one of these names is replaced, as the README has it */
  public make(lines: readonly string[]): void {
    const made = lines.map(recordOf);
    this.records = [...this.records.filter(({ name }) => !made.some((record) => record.name === name)), ...made];
    this.publish();
  }

  public remove(isMeant: (name: string) => boolean): void {
    this.records = this.records.filter(({ name, type }) => type === 'MX' || !isMeant(name));
    this.publish();
  }

  public close(): void {
    this.zones.delete(DOMAIN);
  }

  private publish(): void {
    this.zones.set(DOMAIN, this.records);
  }
}

function recordOf(line: string): DnsRecord {
  const fields = /^(\S+)\s+\d+\s+IN\s+(\S+)\s+(.+)$/.exec(line);
  if (fields === null) throw new Error(`this is no line of a zone file: ${line}`);
  const [, name, type, value] = fields;
  const data = readValue(type, value);
  if (typeof data === 'string') throw new Error(`${line} ${data}`);
  return { name: bareName(name), ttl: 1, ...data };
}

function isMtaStsRecord(line: string): boolean {
  return line.startsWith(`${RECORD_NAME}.`);
}

function isMtaStsName(name: string): boolean {
  return name === RECORD_NAME;
}

/** Waits until ten looks in a row have seen it. */
async function seen(observer: Observer, isSo: (published: string | undefined) => boolean): Promise<void> {
  await until(20_000, () => {
    const last = observer.observations.slice(-10);
    if (last.length < 10 || !last.every(({ published }) => isSo(published))) throw new Error(`the watch does not see it:\n${observer.summary()}`);
  });
}

/** @returns the line that says it */
function expectFinding({ output, ...ended }: CommandResult, code: string): string {
  expectEnd({ output, ...ended }, 1, 'mta-sts verify --outputs');
  const line = output.split('\n').find((text) => text.includes(code));
  if (line === undefined) throw new Error(`it did not say ${code}:\n${output}`);
  return line.trim();
}

async function expectPass(verify: () => Promise<CommandResult>): Promise<string> {
  const { output, ...ended } = await verify();
  expectEnd({ output, ...ended }, 0, 'mta-sts verify --outputs');
  return output.split('\n').filter((line) => / pass$|removal/.test(line)).map((line) => line.trim()).join('\n');
}
