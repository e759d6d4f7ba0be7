// Runs the real programs against the emulator, with their own home folder: the CDK command and the command of this project.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AWS_ENVIRONMENT } from '../aws/emulator';

/** Result of a program that has ended. */
export interface CommandResult {
  readonly status: number | null;
  /** Both output streams, in the order of arrival. */
  readonly output: string;
  readonly seconds: number;
}

/** A running program, for the message of an exceeded time limit. */
interface Running {
  readonly command: string;
  readonly output: () => string;
}

/** Skips the validator of aws-cdk-lib, which takes most of the time of a synthesis. Used once it has validated the app. */
const WITHOUT_VALIDATION = { CDK_VALIDATION: 'false' };

export class Cli {
  /** Time limit of a program. Longer than the 15 minutes that CloudFormation waits for a function. */
  public maxSeconds = 20 * 60;
  private readonly runningPrograms = new Set<Running>();
  private readonly fasterPolling: { readonly file: string; readonly mark: string };
  /** Apps that were synthesized before. */
  private readonly validated = new Set<string>();
  /** Apps that were deployed successfully before. */
  private readonly deployed = new Set<string>();
  /** App of each synthesized folder. */
  private readonly assemblies = new Map<string, string>();
  private fasterCommands = 0;

  /**
   * @param root - folder of the repository
   * @param folder - folder for files
   * @param caFile - PEM file of the private certificate authority, trusted beside the system's roots
   */
  public constructor(private readonly root: string, private readonly folder: string, private readonly caFile: string) {
    this.fasterPolling = writeFasterPolling(folder);
  }

  /** Runs the CDK command to its end. */
  public async cdk(...args: string[]): Promise<CommandResult> {
    // The first synthesis and the first successful deployment of an app run exactly as for users.
    const app = this.findApp(args);
    const isFaster = this.deployed.has(app);
    if (isFaster) this.fasterCommands += 1;
    const nodeOptions = isFaster ? ['--require', this.fasterPolling.file] : [];
    const variables = this.validated.has(app) ? WITHOUT_VALIDATION : {};
    const program = join(this.root, 'node_modules', 'aws-cdk', 'bin', 'cdk');
    const ended = await this.run([...nodeOptions, program, ...args, '--no-notices', '--no-version-reporting'], variables);
    const output = findOption(args, '-o');
    if (output !== undefined) this.assemblies.set(output, app);
    if (args[0] === 'deploy' || args[0] === 'synth') this.validated.add(app);
    if (args[0] === 'deploy' && ended.status === 0) this.deployed.add(app);
    return ended;
  }

  /**
   * Asserts that commands polled faster than by default, where they were meant to.
   *
   * @throws Error if none did: a new release of the CDK command waits in another way
   */
  public expectFasterPolling(): void {
    const { fasterCommands, fasterPolling: { mark } } = this;
    if (fasterCommands === 0) return;
    if (!existsSync(mark)) throw new Error(`none of ${fasterCommands} commands polled faster: the CDK command waits in another way. Adapt writeFasterPolling in cdk-cli.ts`);
  }

  /** Returns the app that the arguments name, without environment variables. For an assembly, returns its app. */
  private findApp(args: readonly string[]): string {
    const app = findOption(args, '--app') ?? 'cdk.json';
    return this.assemblies.get(app) ?? app.replace(/^(?:\w+=\S* )+/, '');
  }

  /** Runs the command of this project to its end. */
  public mtaSts(...args: string[]): Promise<CommandResult> {
    return this.run([join(this.root, 'bin', 'mta-sts.js'), ...args]);
  }

  /** Describes the running programs, with their output so far. */
  public describeRunning(): string {
    return [...this.runningPrograms].map(({ command, output }) => `${command}, output so far:\n${output()}`).join('\n');
  }

  private run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    const started = Date.now();
    const home = join(this.folder, 'home');
    mkdirSync(home, { recursive: true });
    const command = args.map((arg) => arg.replace(`${this.root}/`, '')).join(' ');
    const child = spawn(process.execPath, args, {
      cwd: this.root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: home,
        CI: 'true',
        NO_COLOR: '1',
        // The SDK warns at each start that it will stop to support this Node.js.
        NODE_NO_WARNINGS: '1',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        CDK_DISABLE_VERSION_CHECK: 'true',
        JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20',
        NODE_EXTRA_CA_CERTS: this.caFile,
        ...AWS_ENVIRONMENT,
        ...variables,
      },
    });
    let output = '';
    const running: Running = { command, output: () => output };
    this.runningPrograms.add(running);
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, this.maxSeconds * 1000);
    const add = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    return new Promise<CommandResult>((resolve, reject) => {
      child.once('error', reject).once('close', (status) => {
        if (isLate) reject(new Error(`${command} did not end within ${this.maxSeconds} s and was killed. Its output:\n${output}`));
        else resolve({ status, output, seconds: (Date.now() - started) / 1000 });
      });
    }).finally(() => {
      clearTimeout(limit);
      this.runningPrograms.delete(running);
    });
  }
}

function findOption(args: readonly string[], name: string): string | undefined {
  const index = args.indexOf(name);
  return index === -1 ? undefined : args[index + 1];
}

/**
 * Writes a module that makes the CDK command poll a stack every half second. By default it polls every five seconds, which suits the
 * minutes that AWS takes. The emulator takes one or two seconds.
 *
 * @returns the module, and the file that the module creates when it has shortened a wait
 */
function writeFasterPolling(folder: string): { readonly file: string; readonly mark: string } {
  const file = join(folder, 'faster-polling.cjs');
  const mark = join(folder, 'faster-polling.used');
  writeFileSync(file, `'use strict';
const { writeFileSync } = require('node:fs');
const { promisify } = require('node:util');
const { setTimeout: wait } = globalThis;
globalThis.setTimeout = (callback, milliseconds, ...more) => {
  const isPoll = milliseconds === 5000 && /\\bat (?:async )?waitFor /.test(new Error().stack);
  if (isPoll) writeFileSync(${JSON.stringify(mark)}, '');
  return wait(callback, isPoll ? 500 : milliseconds, ...more);
};
globalThis.setTimeout[promisify.custom] = wait[promisify.custom];
`);
  return { file, mark };
}

/** Asserts the exit status of a program. The error contains its whole output. */
export function expectEnd({ status, output }: CommandResult, expected: number, what: string): void {
  if (status !== expected) throw new Error(`${what} ended with status ${status ?? 'none'}, expected ${expected}:\n${output}`);
}
