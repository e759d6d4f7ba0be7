// Deploys the manual integration apps, test/integ.*.ts, with the real CDK command, as their headers describe.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from '../environment';
import type { CommandResult } from './cdk-cli';

export class IntegApp {
  private deployments = 0;
  private latest: string | undefined;

  /** @param name - `other-region` */
  public constructor(private readonly environment: TestEnvironment, private readonly name: string) {
    const file = join(environment.paths.root, 'test', `integ.${name}.js`);
    if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\``);
  }

  /**
   * Deploys all stacks of the app.
   *
   * @param variables - environment variables of the app
   * @param args - further arguments of the CDK command
   */
  public deploy(variables: Readonly<Record<string, string>>, ...args: string[]): Promise<CommandResult> {
    this.deployments += 1;
    this.latest = join(this.environment.paths.folder, `cdk.out.${this.name}.${this.deployments}`);
    return this.environment.cli.cdk('deploy', '--app', this.command(variables), '-o', this.latest, '--all', '--require-approval', 'never', ...args);
  }

  /** Destroys all stacks of the last deployment. */
  public destroy(): Promise<CommandResult> {
    return this.environment.cli.cdk('destroy', '--app', this.assembly, '--all', '--force');
  }

  /** Folder of the cloud assembly that was deployed last. */
  public get assembly(): string {
    if (this.latest === undefined) throw new Error(`integ.${this.name} was never deployed`);
    return this.latest;
  }

  private command(variables: Readonly<Record<string, string>>): string {
    return [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), 'node', `test/integ.${this.name}.js`].join(' ');
  }
}
