// The apps to deploy by hand, test/integ.*.ts, by the real CDK command: what their headers say, with the stage's account.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended } from './cli';
import { expectEnd } from './stage';
import type { Stage } from './stage';

export class IntegApp {
  private readonly assemblies = new Map<string, string>();
  private latest = '';

  /** @param name - `other-region` */
  public constructor(private readonly stage: Stage, private readonly name: string) {
    const file = join(stage.paths.root, 'test', `integ.${name}.js`);
    if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\``);
  }

  /** Beforehand, so that it takes no time while something is watched. */
  public async synth(variables: Readonly<Record<string, string>>): Promise<void> {
    const assembly = this.newAssembly(variables);
    expectEnd(await this.stage.cli.cdk('synth', '--quiet', '--app', this.command(variables), '-o', assembly), 0, 'cdk synth');
  }

  /**
   * @param variables - of its environment
   * @param args - for the command
   */
  public async deploy(variables: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
    const known = this.assemblies.get(this.command(variables));
    const app = known === undefined ? [this.command(variables), '-o', this.newAssembly(variables)] : [known];
    const ended = await this.stage.cli.cdk('deploy', '--app', ...app, '--all', '--require-approval', 'never', ...args);
    if (ended.status === 0) this.latest = this.command(variables);
    return ended;
  }

  /** What was deployed last. */
  public destroy(): Promise<Ended> {
    return this.stage.cli.cdk('destroy', '--app', this.assembly, '--all', '--force');
  }

  /** The folder of what was deployed last. */
  public get assembly(): string {
    const assembly = this.assemblies.get(this.latest);
    if (assembly === undefined) throw new Error(`integ.${this.name} was never deployed`);
    return assembly;
  }

  private command(variables: Readonly<Record<string, string>>): string {
    return [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), 'node', `test/integ.${this.name}.js`].join(' ');
  }

  private newAssembly(variables: Readonly<Record<string, string>>): string {
    const assembly = join(this.stage.paths.folder, `cdk.out.${this.name}.${this.assemblies.size}`);
    this.assemblies.set(this.command(variables), assembly);
    return assembly;
  }
}
