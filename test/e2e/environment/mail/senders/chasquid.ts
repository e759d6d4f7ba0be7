// chasquid, in folders of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from '../../environment';
import { tryConnect, programEnvironment, killProcess, waitUntilListening, waitForOutcome, runProgram, submit, readVersion } from './sender';
import type { Sender, Sent } from './sender';

const PORT = 1465;
const USER = 'somebody@sender.test';
const PASSWORD = 'on this stage only';

export class Chasquid implements Sender {
  public static async start(environment: TestEnvironment): Promise<Chasquid> {
    const sender = new Chasquid(environment);
    await sender.configure();
    await sender.run();
    return sender;
  }

  public readonly name = 'chasquid';
  public readonly version = `chasquid ${readVersion(/\d\S*/, 'chasquid', '-version')}`;
  public readonly tracksIds = false;
  public readonly greeting = 'chasquid.sender.test';
  private readonly folder: string;
  private readonly data: string;
  private readonly log: string;
  private child: ChildProcess | undefined;

  private constructor(private readonly environment: TestEnvironment) {
    this.folder = join(environment.paths.folder, 'chasquid');
    this.data = join(this.folder, 'data');
    this.log = join(this.folder, 'mail.log');
  }

  public async send(recipient: string): Promise<Sent> {
    await submit(this.environment.paths, PORT, recipient, USER, PASSWORD);
    return this.outcome(recipient);
  }

  /** @param from - the line of the log from which on it is looked for */
  private outcome(recipient: string, from = 0): Promise<Sent> {
    return waitForOutcome(this.log, (lines) => {
      const about = lines.slice(from).filter((line) => line.includes(`to=${recipient}`) && / (sent|failed|attempt)/.test(line));
      if (about.length === 0) return undefined;
      const id = about[0].split(' ').at(2) ?? '';
      return { id, outcome: about.some((line) => line.includes(' sent')) ? 'delivered' : 'refused', verified: this.hasVerified(), log: about };
    });
  }

  /** It keeps the best connection that it had to a domain since it forgot the hosts. */
  private hasVerified(): boolean {
    const file = join(this.data, 'domaininfo', 's:example.test');
    return existsSync(file) && readFileSync(file, 'utf8').includes('TLS_SECURE');
  }

  /** When it starts it fetches every policy that it holds, as it does every ten minutes, and until then goes by what it holds. */
  public async refresh(): Promise<void> {
    await killProcess(this.child);
    await this.run();
  }

  /** When it starts it tries what waits. */
  public async retry(recipient: string): Promise<Sent> {
    const { length } = readFileSync(this.log, 'utf8').split('\n');
    await this.refresh();
    return this.outcome(recipient, length - 1);
  }

  public forget(): Promise<void> {
    return this.restartWithout(this.data);
  }

  /** Where a domain once had TLS it insists on it ever after; that is its own, and no part of MTA-STS. */
  public forgetHosts(): Promise<void> {
    return this.restartWithout(join(this.data, 'domaininfo'));
  }

  public async saveCache(as: string): Promise<void> {
    await killProcess(this.child);
    const kept = this.keptAs(as);
    rmSync(kept, { recursive: true, force: true });
    cpSync(this.policies, kept, { recursive: true });
    await this.restoreCache(as);
  }

  public async restoreCache(as: string): Promise<void> {
    await killProcess(this.child);
    rmSync(this.data, { recursive: true, force: true });
    cpSync(this.keptAs(as), this.policies, { recursive: true });
    await this.run();
  }

  private get policies(): string {
    return join(this.data, 'sts-cache');
  }

  private keptAs(name: string): string {
    return join(this.folder, `kept-${name}`);
  }

  private async restartWithout(folder: string): Promise<void> {
    await killProcess(this.child);
    rmSync(folder, { recursive: true, force: true });
    await this.run();
  }

  private async configure(): Promise<void> {
    const { folder } = this;
    const certificate = join(folder, 'certs', 'sender.test');
    mkdirSync(certificate, { recursive: true });
    mkdirSync(join(folder, 'domains', 'sender.test'), { recursive: true });
    const { keyPem, certificatePem } = await this.environment.authority.issue({ names: ['sender.test'] });
    writeFileSync(join(certificate, 'privkey.pem'), keyPem);
    writeFileSync(join(certificate, 'fullchain.pem'), certificatePem);
    writeFileSync(join(folder, 'chasquid.conf'), [
      `hostname: "${this.greeting}"`,
      'smtp_address: "127.0.0.1:2025"',
      `submission_over_tls_address: "127.0.0.1:${PORT}"`,
      `data_dir: "${this.data}"`,
      `mail_log_path: "${this.log}"`,
      '',
    ].join('\n'));
    runProgram(this.log, programEnvironment(this.environment, folder), 'chasquid-util', `-C=${folder}`, 'user-add', USER, `--password=${PASSWORD}`);
  }

  private async run(): Promise<void> {
    mkdirSync(this.data, { recursive: true });
    const log = openSync(join(this.folder, 'chasquid.log'), 'a');
    this.child = spawn('chasquid', ['-config_dir', this.folder, '-v', '3'], {
      stdio: ['ignore', log, log],
      env: programEnvironment(this.environment, this.folder),
    });
    closeSync(log);
    await waitUntilListening(() => tryConnect(PORT), 'chasquid', join(this.folder, 'chasquid.log'));
  }
}
