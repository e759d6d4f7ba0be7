// Runs the real programs: the CDK command and this project's own, in a home of their own, against the emulator.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AWS_ENVIRONMENT } from '../aws/emulator';

/** How a program ended. */
export interface CommandResult {
  readonly status: number | null;
  /** All that it wrote, both streams in the order in which it came. */
  readonly output: string;
  readonly seconds: number;
}

/** What runs, for who wants to know what the stage waits for. */
interface Running {
  readonly command: string;
  readonly output: () => string;
}

/** The validator of aws-cdk-lib, which takes more time than all else of a synthesis, is left out once it has seen the app. */
const VALIDATED = { CDK_VALIDATION: 'false' };

export class Cli {
  /** A program that has not ended by then never does: above the quarter of an hour that CloudFormation waits for a function. */
  public maxSeconds = 20 * 60;
  private readonly runningPrograms = new Set<Running>();
  private readonly fasterPolling: { readonly file: string; readonly mark: string };
  /** The apps that were synthesized once. */
  private readonly validated = new Set<string>();
  /** The apps of which a deployment has ended well. */
  private readonly deployed = new Set<string>();
  /** The folders that were synthesized, and of which apps. */
  private readonly assemblies = new Map<string, string>();
  private fasterCommands = 0;

  /**
   * @param root - the repository
   * @param folder - for files
   * @param caFile - PEM file of what is to be trusted beside the system's roots
   */
  public constructor(private readonly root: string, private readonly folder: string, private readonly caFile: string) {
    this.fasterPolling = writeFasterPolling(folder);
  }

  public async cdk(...args: string[]): Promise<CommandResult> {
    // The first synthesis and the first deployment of an app that ends well are in every respect as they are for people.
    const app = this.findApp(args);
    const isQuick = this.deployed.has(app);
    if (isQuick) this.fasterCommands += 1;
    const [quicker, programEnvironment] = [isQuick ? ['--require', this.fasterPolling.file] : [], this.validated.has(app) ? VALIDATED : {}];
    const program = join(this.root, 'node_modules', 'aws-cdk', 'bin', 'cdk');
    const ended = await this.run([...quicker, program, ...args, '--no-notices', '--no-version-reporting'], programEnvironment);
    const output = findOption(args, '-o');
    if (output !== undefined) this.assemblies.set(output, app);
    if (args[0] === 'deploy' || args[0] === 'synth') this.validated.add(app);
    if (args[0] === 'deploy' && ended.status === 0) this.deployed.add(app);
    return ended;
  }

  /**
   * Whether the looks at a stack's state were quickened where they were meant to be; undefined where none was meant to.
   *
   * @throws Error where they never were: the command's own wait is then written in another way than it was
   */
  public expectFasterPolling(): string | undefined {
    const { fasterCommands: quickened, fasterPolling: { mark } } = this;
    if (quickened === 0) return undefined;
    if (!existsSync(mark)) throw new Error(`of ${quickened} commands none has met what waits between two looks; see writeFasterPolling in cdk-cli.ts`);
    return `${quickened} commands`;
  }

  /** What is synthesized, or was: without the variables of its environment. */
  private findApp(args: readonly string[]): string {
    const app = findOption(args, '--app') ?? 'cdk.json';
    return this.assemblies.get(app) ?? app.replace(/^(?:\w+=\S* )+/, '');
  }

  public mtaSts(...args: string[]): Promise<CommandResult> {
    return this.run([join(this.root, 'bin', 'mta-sts.js'), ...args]);
  }

  /** The programs that have not ended, with what they wrote. */
  public describeRunning(): string {
    return [...this.runningPrograms].map(({ command, output }) => `${command}, which wrote:\n${output()}`).join('\n');
  }

  private run(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
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
        // The SDK says at each start that this Node.js is too old for it soon.
        NODE_NO_WARNINGS: '1',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        CDK_DISABLE_VERSION_CHECK: 'true',
        JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20',
        NODE_EXTRA_CA_CERTS: this.caFile,
        ...AWS_ENVIRONMENT,
        ...more,
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
        if (isLate) reject(new Error(`${command} did not end within ${this.maxSeconds} s, and was killed; it wrote:\n${output}`));
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
 * Makes what the CDK command loads first where it shall look at a stack's state twice a second. On its own it does so every five seconds,
 * which fits the minutes that AWS takes; the emulator takes one or two seconds.
 *
 * @returns the file, and the one that it makes when it has met such a wait
 */
function writeFasterPolling(folder: string): { readonly file: string; readonly mark: string } {
  const file = join(folder, 'quicker-looks.cjs');
  const mark = join(folder, 'quicker-looks.met');
  writeFileSync(file, `'use strict';
const { writeFileSync } = require('node:fs');
const { promisify } = require('node:util');
const { setTimeout: wait } = globalThis;
globalThis.setTimeout = (callback, milliseconds, ...more) => {
  const isLook = milliseconds === 5000 && /\\bat (?:async )?waitFor /.test(new Error().stack);
  if (isLook) writeFileSync(${JSON.stringify(mark)}, '');
  return wait(callback, isLook ? 500 : milliseconds, ...more);
};
globalThis.setTimeout[promisify.custom] = wait[promisify.custom];
`);
  return { file, mark };
}

/** @throws Error with all that the program wrote where it did not end as expected */
export function expectEnd({ status, output }: CommandResult, expected: number, what: string): void {
  if (status !== expected) throw new Error(`${what} ended with status ${status ?? 'none'}, expected ${expected}:\n${output}`);
}
