// A domain with external DNS: its records are created and deleted manually, as the documentation describes.
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
  table.begin('External DNS');
  const before = await takeInventory(environment);
  const zone = new Provider(dns.externalZones);
  const app = new IntegApp(environment, 'external-dns');
  const folder = join(environment.paths.folder, 'external-dns');
  mkdirSync(folder, { recursive: true });
  const outputs = join(folder, 'cdk-outputs.json');
  const deploy = (mode: 'testing' | 'none'): Promise<CommandResult> => app.deploy({ MTA_STS_DOMAIN: DOMAIN, MTA_STS_MODE: mode }, '--outputs-file', outputs);
  const verify = (): Promise<CommandResult> => cli.mtaSts('verify', '--outputs', outputs);
  const printed = async (): Promise<readonly string[]> => {
    const { output, ...ended } = await cli.mtaSts('records', '--outputs', outputs, '--format', 'zone');
    expectEnd({ output, ...ended }, 0, 'mta-sts records');
    // The other lines are comments of the zone file. The advice for people is in the error stream.
    return output.split('\n').filter((line) => line.includes(' IN '));
  };

  await table.prove('cdk deploy with external DNS creates the host, verifies the file, and publishes no record', async () => {
    expectEnd(await deploy('testing'), 0, 'cdk deploy');
    const types = (await stackEvents(emulator.cloudformation, STACK)).filter(({ ResourceStatus: status }) => status === 'CREATE_COMPLETE')
      .map(({ ResourceType: type = '' }) => type);
    if (!types.includes('Custom::MtaStsPublication')) throw new Error(`the stack has no Publication: ${types.join(', ')}`);
    const records = types.filter((type) => type.startsWith('AWS::Route53::'));
    if (records.length > 0) throw new Error(`the deployment created ${records.join(', ')}`);
    return expectFinding(await verify(), 'record-missing');
  });
  await table.prove('mta-sts verify --outputs passes after the printed records were created, with _mta-sts last', async () => {
    const lines = await printed();
    const [mtaStsRecord, otherRecords] = [lines.filter(isMtaStsRecord), lines.filter((line) => !isMtaStsRecord(line))];
    if (mtaStsRecord.length !== 1 || otherRecords.length !== 3) throw new Error(`mta-sts records printed\n${lines.join('\n')}`);
    zone.set(otherRecords);
    const between = expectFinding(await verify(), 'record-missing');
    zone.set(mtaStsRecord);
    return [...lines, `before _mta-sts: ${between}`, await expectPass(verify)].join('\n');
  });
  await table.prove('mta-sts verify --outputs reports a new policy until _mta-sts is changed manually, and then passes', async () => {
    expectEnd(await deploy('none'), 0, 'cdk deploy');
    const between = expectFinding(await verify(), 'id-unexpected');
    zone.set((await printed()).filter(isMtaStsRecord));
    return `${between}\n${await expectPass(verify)}`;
  });
  await table.prove('no observation sees a record without its file when _mta-sts is deleted first, then the other records, then the stack', async () => {
    const { observer, ended } = await observeWhile({ ca: environment.authority.certificatePem, first: 'file', domain: DOMAIN }, async (running) => {
      await waitForObservations(running, (published) => published !== undefined);
      zone.remove(isMtaStsName);
      await waitForObservations(running, (published) => published === undefined);
      zone.remove(() => true);
      return app.destroy();
    });
    expectEnd(ended, 0, 'cdk destroy');
    expectNoRecordWithoutFile(observer);
    return observer.summary();
  });
  await table.prove('deleting the file and the publication history deletes all their versions in a bucket with versioning', () => {
    const deleted = readAuthorizedCalls(emulator).filter(({ action, principal, denied }) => {
      return action === 's3:DeleteObjectVersion' && principal.includes(`:assumed-role/${STACK}-`) && denied === '';
    });
    // Two versions of the file, at least two of the history, and a delete marker of each.
    if (deleted.length < 6) throw new Error(`only ${deleted.length} versions were deleted`);
    return deleted.map(({ resource }) => resource).join(', ');
  });
  await table.prove('cdk destroy with external DNS leaves nothing but the log, which remains by design', async () => expectNothingButLog(environment, before, STACK));
  zone.close();
}

/** External DNS provider, where the printed records are entered. */
class Provider {
  private records: readonly DnsRecord[] = [{ name: DOMAIN, ttl: 1, type: 'MX', data: { preference: 10, exchange: `mx.${DOMAIN}` } }];

  public constructor(private readonly zones: Map<string, readonly DnsRecord[]>) {
    this.publish();
  }

  /** @param lines - lines of a zone file. They replace existing records with the same names, as the documentation says */
  public set(lines: readonly string[]): void {
    const created = lines.map(parseRecord);
    this.records = [...this.records.filter(({ name }) => !created.some((record) => record.name === name)), ...created];
    this.publish();
  }

  public remove(isRemoved: (name: string) => boolean): void {
    this.records = this.records.filter(({ name, type }) => type === 'MX' || !isRemoved(name));
    this.publish();
  }

  public close(): void {
    this.zones.delete(DOMAIN);
  }

  private publish(): void {
    this.zones.set(DOMAIN, this.records);
  }
}

function parseRecord(line: string): DnsRecord {
  const fields = /^(\S+)\s+\d+\s+IN\s+(\S+)\s+(.+)$/.exec(line);
  const [, name, type, value] = fields ?? [];
  if (name === undefined || type === undefined || value === undefined) throw new Error(`not a line of a zone file: ${line}`);
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

/** Waits until ten consecutive observations have seen the expected id. */
async function waitForObservations(observer: Observer, isExpected: (published: string | undefined) => boolean): Promise<void> {
  await until(20_000, () => {
    const last = observer.observations.slice(-10);
    if (last.length < 10 || !last.every(({ published }) => isExpected(published))) throw new Error(`the last observations do not see the change:\n${observer.summary()}`);
  });
}

/** @returns the line with the finding */
function expectFinding({ output, ...ended }: CommandResult, code: string): string {
  expectEnd({ output, ...ended }, 1, 'mta-sts verify --outputs');
  const line = output.split('\n').find((text) => text.includes(code));
  if (line === undefined) throw new Error(`the command did not report ${code}:\n${output}`);
  return line.trim();
}

async function expectPass(verify: () => Promise<CommandResult>): Promise<string> {
  const { output, ...ended } = await verify();
  expectEnd({ output, ...ended }, 0, 'mta-sts verify --outputs');
  return output.split('\n').filter((line) => / pass$|removal/.test(line)).map((line) => line.trim()).join('\n');
}
