// Runs chasquid in its own folders.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from '../../environment';
import { tryConnect, programEnvironment, killProcess, waitUntilListening, waitForOutcome, runProgram, submit, readVersion } from './sender';
import type { Sender, Sent } from './sender';

const PORT = 1465;
const USER = 'somebody@sender.test';
const PASSWORD = 'for this test only';

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
    return this.findOutcome(recipient);
  }

  /** @param from - line number at which to start in the log */
  private findOutcome(recipient: string, from = 0): Promise<Sent> {
    return waitForOutcome(this.log, (lines) => {
      const about = lines.slice(from).filter((line) => line.includes(`to=${recipient}`) && / (sent|failed|attempt)/.test(line));
      const [first] = about;
      if (first === undefined) return undefined;
      const id = first.split(' ').at(2) ?? '';
      return { id, outcome: about.some((line) => line.includes(' sent')) ? 'delivered' : 'refused', verified: this.hasVerified(), log: about };
    });
  }

  /** chasquid records the best TLS level of a domain since `forgetHosts`. */
  private hasVerified(): boolean {
    const file = join(this.data, 'domaininfo', 's:example.test');
    return existsSync(file) && readFileSync(file, 'utf8').includes('TLS_SECURE');
  }

  /** Restarts chasquid. It fetches every cached policy when it starts and every ten minutes, and uses the cached policy in between. */
  public async refresh(): Promise<void> {
    await killProcess(this.child);
    await this.run();
  }

  /** Restarts chasquid, which retries waiting messages when it starts. */
  public async retry(recipient: string): Promise<Sent> {
    const { length } = readFileSync(this.log, 'utf8').split('\n');
    await this.refresh();
    return this.findOutcome(recipient, length - 1);
  }

  public forget(): Promise<void> {
    return this.restartWithout(this.data);
  }

  /** chasquid remembers that a domain had TLS, and demands TLS from then on. That rule is not part of MTA-STS. */
  public forgetHosts(): Promise<void> {
    return this.restartWithout(join(this.data, 'domaininfo'));
  }

  public async saveCache(name: string): Promise<void> {
    await killProcess(this.child);
    const saved = this.savedFolder(name);
    rmSync(saved, { recursive: true, force: true });
    cpSync(this.policies, saved, { recursive: true });
    await this.restoreCache(name);
  }

  public async restoreCache(name: string): Promise<void> {
    await killProcess(this.child);
    rmSync(this.data, { recursive: true, force: true });
    cpSync(this.savedFolder(name), this.policies, { recursive: true });
    await this.run();
  }

  private get policies(): string {
    return join(this.data, 'sts-cache');
  }

  private savedFolder(name: string): string {
    return join(this.folder, `saved-${name}`);
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
