// Postfix with postfix-mta-sts-resolver, in folders of its own.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, copyFileSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from '../../environment';
import { tryConnect, programEnvironment, killProcess, waitUntilListening, waitForOutcome, runProgram, submit, readVersion } from './sender';
import type { Sender, Sent } from './sender';

const PORT = 1025;
const RESOLVER_PORT = 8461;

/** What the policy daemon holds, a database. */
export const CACHE = 'cache.db';

export class Postfix implements Sender {
  public static async start(environment: TestEnvironment): Promise<Postfix> {
    const sender = new Postfix(environment);
    sender.configure();
    sender.command('postfix', 'start');
    await sender.startResolver();
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
  private resolver: ChildProcess | undefined;

  private constructor(private readonly environment: TestEnvironment) {
    this.folder = join(environment.paths.folder, 'postfix');
    this.config = join(this.folder, 'etc');
    this.log = join(this.folder, 'maillog');
  }

  public async send(recipient: string): Promise<Sent> {
    const answered = this.answers().length;
    const answer = await submit(this.environment.paths, PORT, recipient);
    const id = /queued as (\S+)/.exec(answer)?.[1];
    if (id === undefined) throw new Error(`Postfix answered ${answer}`);
    return this.outcome(id, recipient, answered);
  }

  /**
   * @param answered - how many words of the policy daemon there were before
   * @param from - the line of the log from which on it is looked for
   */
  private outcome(id: string, recipient: string, answered: number, from = 0): Promise<Sent> {
    return waitForOutcome(this.log, (lines) => {
      const at = lines.findIndex((line, index) => index >= from && line.includes(` ${id}: to=<${recipient}>`) && line.includes('status='));
      if (at === -1) return undefined;
      const process = /postfix\/smtp\[\d+\]/.exec(lines[at])?.[0] ?? '';
      const own = lines.slice(0, at).filter((line) => line.includes(process));
      // What the process said of this message and no other: one serves several.
      const about = own.slice(own.map((line) => line.includes('status=')).lastIndexOf(true) + 1);
      return {
        id,
        outcome: lines[at].includes('status=sent') ? 'delivered' : 'refused',
        verified: about.some((line) => line.includes('Verified TLS connection established')),
        log: [...this.answers().slice(answered), ...[...about, lines[at]].map(withoutTime)],
      };
    });
  }

  /** What the policy daemon told Postfix to do with mail to the domain, each time that it was asked, and why it could not fetch. */
  private answers(): readonly string[] {
    const lines = readFileSync(join(this.folder, 'mta-sts-daemon.log'), 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const failure = / RES: (STS policy fetch .* failed .*)/.exec(line)?.[1];
      if (failure !== undefined) return [`policy daemon: ${failure}`];
      if (!/ STS: Enq request: b'postfix [^.]/.test(line)) return [];
      const answer = lines.slice(index).map((later) => / STS: Wrote: b'\d+:(.*),'/.exec(later)?.[1]).find((text) => text !== undefined);
      return answer === undefined ? [] : [`policy daemon: ${answer.trim()}`];
    });
  }

  /** It asks for the record before each delivery. */
  public refresh(): Promise<void> {
    return Promise.resolve();
  }

  public retry(recipient: string, id: string): Promise<Sent> {
    const [answered, { length }] = [this.answers().length, readFileSync(this.log, 'utf8').split('\n')];
    this.command('postqueue', '-f');
    return this.outcome(id, recipient, answered, length - 1);
  }

  public forget(): Promise<void> {
    return this.restart(() => {
      for (const file of this.files(CACHE)) rmSync(join(this.folder, file));
    });
  }

  public async saveCache(as: string): Promise<void> {
    await killProcess(this.resolver);
    this.copy(CACHE, savedCacheName(as));
    await this.restoreCache(as);
  }

  public restoreCache(as: string): Promise<void> {
    return this.restart(() => {
      this.copy(savedCacheName(as), CACHE);
    });
  }

  private async restart(change: () => void): Promise<void> {
    await killProcess(this.resolver);
    // Its connections and the answers of the resolver that its processes hold.
    this.command('postsuper', '-d', 'ALL');
    this.command('postfix', 'reload');
    change();
    await this.startResolver();
  }

  /** With what SQLite keeps beside it. */
  private files(database: string): readonly string[] {
    return readdirSync(this.folder).filter((file) => file.startsWith(database));
  }

  private copy(from: string, to: string): void {
    for (const file of this.files(to)) rmSync(join(this.folder, file));
    for (const file of this.files(from)) copyFileSync(join(this.folder, file), join(this.folder, file.replace(from, to)));
  }

  /** It learns nothing of hosts. */
  public forgetHosts(): Promise<void> {
    return Promise.resolve();
  }

  /** One of Postfix's own, for this instance. */
  private command(program: string, ...args: readonly string[]): void {
    runProgram(join(this.folder, 'programs.log'), programEnvironment(this.environment, this.folder), program, '-c', this.config, ...args);
  }

  private configure(): void {
    const { folder, config } = this;
    mkdirSync(config, { recursive: true });
    // All the way to it, since Postfix does its work as other users.
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
      // The private authority of the stage, and nobody else: without tls_append_default_CA what the system trusts does not count.
      `smtp_tls_CAfile = ${this.environment.caFile}`,
      `smtp_tls_policy_maps = socketmap:inet:127.0.0.1:${RESOLVER_PORT}:postfix`,
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

  private async startResolver(): Promise<void> {
    const file = join(this.folder, 'mta-sts-daemon.yml');
    writeFileSync(file, [
      'host: 127.0.0.1',
      `port: ${RESOLVER_PORT}`,
      'reuse_port: true',
      // By default it does not look at the record for a minute after it did.
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
    this.resolver = spawn('mta-sts-daemon', ['-c', file, '-v', 'debug'], {
      stdio: ['ignore', log, log],
      env: programEnvironment(this.environment, this.folder),
    });
    closeSync(log);
    await waitUntilListening(() => tryConnect(RESOLVER_PORT), 'postfix-mta-sts-resolver', join(this.folder, 'mta-sts-daemon.log'));
  }
}

function savedCacheName(name: string): string {
  return `kept-${name}.db`;
}

function withoutTime(line: string): string {
  return line.replace(/^.*?postfix\/smtp\[\d+\]: /, '');
}
