// Runs Postfix with postfix-mta-sts-resolver in its own folders.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, copyFileSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from '../../environment';
import { tryConnect, programEnvironment, killProcess, waitUntilListening, waitForOutcome, runProgram, submit, readVersion } from './sender';
import type { Sender, Sent } from './sender';

const PORT = 1025;
const POLICY_DAEMON_PORT = 8461;

/** File of the policy daemon's cache, an SQLite database. */
export const CACHE = 'cache.db';

export class Postfix implements Sender {
  public static async start(environment: TestEnvironment): Promise<Postfix> {
    const sender = new Postfix(environment);
    sender.configure();
    sender.runCommand('postfix', 'start');
    await sender.startPolicyDaemon();
    await waitUntilListening(() => tryConnect(PORT), 'Postfix', sender.log);
    return sender;
  }

  public readonly name = 'Postfix';
  public readonly version = `Postfix ${readVersion(/\d\S*/, 'postconf', '-d', '-h', 'mail_version')} with postfix-mta-sts-resolver ${
    readVersion(/\d\S*/, 'dpkg-query', '-W', '-f', '${Version}', 'postfix-mta-sts-resolver')}`;

  public readonly tracksIds = true;
  public readonly greeting = 'postfix.sender.test';
  private readonly folder: string;
  private readonly config: string;
  private readonly log: string;
  private policyDaemon: ChildProcess | undefined;

  private constructor(private readonly environment: TestEnvironment) {
    this.folder = join(environment.paths.folder, 'postfix');
    this.config = join(this.folder, 'etc');
    this.log = join(this.folder, 'maillog');
  }

  public async send(recipient: string): Promise<Sent> {
    const answerCount = this.readDaemonAnswers().length;
    const answer = await submit(this.environment.paths, PORT, recipient);
    const id = /queued as (\S+)/.exec(answer)?.[1];
    if (id === undefined) throw new Error(`Postfix answered ${answer}`);
    return this.findOutcome(id, recipient, answerCount);
  }

  /**
   * @param answerCount - number of earlier answers of the policy daemon, which are ignored
   * @param from - line number at which to start in the log
   */
  private findOutcome(id: string, recipient: string, answerCount: number, from = 0): Promise<Sent> {
    return waitForOutcome(this.log, (lines) => {
      const at = lines.findIndex((line, index) => index >= from && line.includes(` ${id}: to=<${recipient}>`) && line.includes('status='));
      const last = at === -1 ? undefined : lines[at];
      if (last === undefined) return undefined;
      const process = /postfix\/smtp\[\d+\]/.exec(last)?.[0] ?? '';
      const own = lines.slice(0, at).filter((line) => line.includes(process));
      // Only the lines about this message, because one process serves several messages.
      const about = own.slice(own.map((line) => line.includes('status=')).lastIndexOf(true) + 1);
      return {
        id,
        outcome: last.includes('status=sent') ? 'delivered' : 'refused',
        verified: about.some((line) => line.includes('Verified TLS connection established')),
        log: [...this.readDaemonAnswers().slice(answerCount), ...[...about, last].map(withoutTime)],
      };
    });
  }

  /** Reads from the log what the policy daemon answered to Postfix, and why it could not fetch a policy. */
  private readDaemonAnswers(): readonly string[] {
    const lines = readFileSync(join(this.folder, 'mta-sts-daemon.log'), 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const failure = / RES: (STS policy fetch .* failed .*)/.exec(line)?.[1];
      if (failure !== undefined) return [`policy daemon: ${failure}`];
      if (!/ STS: Enq request: b'postfix [^.]/.test(line)) return [];
      const answer = lines.slice(index).map((later) => / STS: Wrote: b'\d+:(.*),'/.exec(later)?.[1]).find((text) => text !== undefined);
      return answer === undefined ? [] : [`policy daemon: ${answer.trim()}`];
    });
  }

  /** Does nothing: the policy daemon checks the record before each delivery. */
  public refresh(): Promise<void> {
    return Promise.resolve();
  }

  public retry(recipient: string, id: string): Promise<Sent> {
    const [answerCount, { length }] = [this.readDaemonAnswers().length, readFileSync(this.log, 'utf8').split('\n')];
    this.runCommand('postqueue', '-f');
    return this.findOutcome(id, recipient, answerCount, length - 1);
  }

  public forget(): Promise<void> {
    return this.restart(() => {
      for (const file of this.listFiles(CACHE)) rmSync(join(this.folder, file));
    });
  }

  public async saveCache(name: string): Promise<void> {
    await killProcess(this.policyDaemon);
    this.copy(CACHE, savedCacheName(name));
    await this.restoreCache(name);
  }

  public restoreCache(name: string): Promise<void> {
    return this.restart(() => {
      this.copy(savedCacheName(name), CACHE);
    });
  }

  private async restart(change: () => void): Promise<void> {
    await killProcess(this.policyDaemon);
    // Delete waiting messages, and restart the processes, which have open connections and answers of the policy daemon.
    this.runCommand('postsuper', '-d', 'ALL');
    this.runCommand('postfix', 'reload');
    change();
    await this.startPolicyDaemon();
  }

  /** Lists the files of a database. SQLite writes more than one. */
  private listFiles(database: string): readonly string[] {
    return readdirSync(this.folder).filter((file) => file.startsWith(database));
  }

  private copy(from: string, to: string): void {
    for (const file of this.listFiles(to)) rmSync(join(this.folder, file));
    for (const file of this.listFiles(from)) copyFileSync(join(this.folder, file), join(this.folder, file.replace(from, to)));
  }

  /** Does nothing: Postfix stores nothing about hosts. */
  public forgetHosts(): Promise<void> {
    return Promise.resolve();
  }

  /** Runs a program of Postfix for this instance. */
  private runCommand(program: string, ...args: readonly string[]): void {
    runProgram(join(this.folder, 'programs.log'), programEnvironment(this.environment, this.folder), program, '-c', this.config, ...args);
  }

  private configure(): void {
    const { folder, config } = this;
    mkdirSync(config, { recursive: true });
    // Postfix runs as other users, which must be able to enter the folder.
    chmodSync(this.environment.paths.folder, 0o755);
    const data = join(folder, 'data');
    mkdirSync(data);
    mkdirSync(join(folder, 'queue'));
    const user = Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' }));
    chownSync(data, user, 0);
    writeFileSync(join(config, 'main.cf'), [
      'compatibility_level = 3.6',
      `queue_directory = ${join(folder, 'queue')}`,
      `data_directory = ${data}`,
      `maillog_file = ${this.log}`,
      `maillog_file_prefixes = ${folder}`,
      `myhostname = ${this.greeting}`,
      'mydestination =',
      'inet_interfaces = 127.0.0.1',
      'inet_protocols = ipv4',
      'alias_maps =',
      'alias_database =',
      'smtpd_relay_restrictions = permit_mynetworks, reject',
      'mynetworks = 127.0.0.0/8',
      'smtp_tls_loglevel = 1',
      'smtp_tls_security_level = may',
      // Trust only the private authority. Without tls_append_default_CA, Postfix does not trust the system's roots.
      `smtp_tls_CAfile = ${this.environment.caFile}`,
      `smtp_tls_policy_maps = socketmap:inet:127.0.0.1:${POLICY_DAEMON_PORT}:postfix`,
      'smtp_connection_cache_on_demand = no',
      'smtp_connect_timeout = 5s',
      'local_recipient_maps =',
      '',
    ].join('\n'));
    writeFileSync(join(config, 'master.cf'), [
      `127.0.0.1:${PORT} inet n - n - - smtpd`,
      'postlog unix-dgram n - n - 1 postlogd',
      'pickup unix n - n 60 1 pickup',
      'cleanup unix n - n - 0 cleanup',
      'qmgr unix n - n 300 1 qmgr',
      'tlsmgr unix - - n 1000? 1 tlsmgr',
      'proxymap unix - - n - - proxymap',
      'rewrite unix - - n - - trivial-rewrite',
      'bounce unix - - n - 0 bounce',
      'defer unix - - n - 0 bounce',
      'trace unix - - n - 0 bounce',
      'smtp unix - - n - - smtp',
      'error unix - - n - - error',
      'retry unix - - n - - error',
      'discard unix - - n - - discard',
      'anvil unix - - n - 1 anvil',
      'scache unix - - n - 1 scache',
      '',
    ].join('\n'));
  }

  private async startPolicyDaemon(): Promise<void> {
    const file = join(this.folder, 'mta-sts-daemon.yml');
    writeFileSync(file, [
      'host: 127.0.0.1',
      `port: ${POLICY_DAEMON_PORT}`,
      'reuse_port: true',
      // By default, the daemon does not check the record again for a minute.
      'cache_grace: 0',
      'cache:',
      '  type: sqlite',
      '  options:',
      `    filename: ${join(this.folder, CACHE)}`,
      'default_zone:',
      '  strict_testing: false',
      '  timeout: 4',
      '',
    ].join('\n'));
    const log = openSync(join(this.folder, 'mta-sts-daemon.log'), 'a');
    this.policyDaemon = spawn('mta-sts-daemon', ['-c', file, '-v', 'debug'], {
      stdio: ['ignore', log, log],
      env: programEnvironment(this.environment, this.folder),
    });
    closeSync(log);
    await waitUntilListening(() => tryConnect(POLICY_DAEMON_PORT), 'postfix-mta-sts-resolver', join(this.folder, 'mta-sts-daemon.log'));
  }
}

function savedCacheName(name: string): string {
  return `saved-${name}.db`;
}

function withoutTime(line: string): string {
  return line.replace(/^.*?postfix\/smtp\[\d+\]: /, '');
}
