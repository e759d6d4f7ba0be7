// Runs the real programs: the CDK command and this project's own, in a home of their own, against the emulator.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AWS_ENVIRONMENT } from './emulator';

/** How a program ended. */
export interface Ended {
  readonly status: number | null;
  /** All that it wrote, both streams in the order in which it came. */
  readonly output: string;
  readonly seconds: number;
}

export class Cli {
  /**
   * @param root - the repository
   * @param folder - for files
   * @param caFile - PEM file of what is to be trusted beside the system's roots
   */
  public constructor(private readonly root: string, private readonly folder: string, private readonly caFile: string) {}

  public cdk(...args: string[]): Promise<Ended> {
    return this.run([join(this.root, 'node_modules', 'aws-cdk', 'bin', 'cdk'), ...args, '--no-notices', '--no-version-reporting']);
  }

  public mtaSts(...args: string[]): Promise<Ended> {
    return this.run([join(this.root, 'bin', 'mta-sts.js'), ...args]);
  }

  private run(args: readonly string[]): Promise<Ended> {
    const started = Date.now();
    const home = join(this.folder, 'home');
    mkdirSync(home, { recursive: true });
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
      },
    });
    let output = '';
    const add = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    return new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (status) => {
        resolve({ status, output, seconds: (Date.now() - started) / 1000 });
      });
    });
  }
}
