// The test environment: starts and holds all its parts, and deploys bin/app.ts in it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCertificateAuthority } from '../../../lib/preview/tls/certificate-authority';
import type { CertificateAuthority } from '../../../lib/preview/tls/certificate-authority';
import { MAIL_HOSTS } from './addresses';
import type { AppContext } from './app/app';
import { contextArguments } from './app/app';
import { Cli, expectEnd } from './app/cdk-cli';
import type { CommandResult } from './app/cdk-cli';
import { publishedId } from './app/live-state';
import { parseIdHash } from './app/policy-ids';
import { readSynthesizedPolicy } from './app/synthesized';
import { AssertionTable } from './assertion-table';
import { PROXY, startAwsProxy } from './aws/aws-proxy';
import type { AwsProxy } from './aws/aws-proxy';
import { setReevaluation, startEmulator } from './aws/emulator';
import type { Emulator } from './aws/emulator';
import { startDns } from './dns/dns';
import type { Dns } from './dns/dns';
import { createDomain, put, record } from './dns/domain';
import { startEdge } from './edge/edge';
import type { Edge } from './edge/edge';
import { MailExchanger } from './mail/mail-exchanger';
import { openNetwork } from './network';
import { reset } from './reset';

export interface EnvironmentPaths {
  /** Folder of the repository. */
  readonly root: string;
  /** Python of the virtual environment that has the emulator. */
  readonly python: string;
  /** Node.js that runs the functions. */
  readonly node: string;
  /** Folder for all files and logs of the run. */
  readonly folder: string;
}

export class TestEnvironment {
  /** Starts all parts. They run until the process ends. */
  public static async open(paths: EnvironmentPaths): Promise<TestEnvironment> {
    const { folder } = paths;
    openNetwork(folder);
    const authority = await createCertificateAuthority('mta-sts test environment, private CA');
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, authority.certificatePem);
    const emulator = await startEmulator({ ...paths, caFile, proxy: PROXY });
    const aws = await startAwsProxy();
    const edge = await startEdge(authority, emulator.acm);
    const dns = await startDns(emulator.route53, edge.distributions);
    const zoneId = await createDomain(emulator.route53);
    const exchangers = [...MAIL_HOSTS].map(([name, address]) => new MailExchanger(name, address, authority));
    await Promise.all(exchangers.map((exchanger) => exchanger.start()));
    return new TestEnvironment(paths, { authority, caFile, emulator, edge, dns, zoneId, exchangers, aws });
  }

  public readonly table = new AssertionTable();
  public readonly cli: Cli;
  public readonly authority: CertificateAuthority;
  public readonly caFile: string;
  public readonly emulator: Emulator;
  public readonly edge: Edge;
  public readonly dns: Dns;
  public readonly zoneId: string;
  public readonly exchangers: readonly MailExchanger[];
  public readonly aws: AwsProxy;
  /** Resources of the account after `cdk bootstrap`. */
  public bootstrapInventory: readonly string[] | undefined;
  private readonly assemblies = new Map<string, string>();
  private latest: AppContext | undefined;

  private constructor(
    public readonly paths: EnvironmentPaths,
    parts: Pick<TestEnvironment, 'authority' | 'caFile' | 'emulator' | 'edge' | 'dns' | 'zoneId' | 'exchangers' | 'aws'>,
  ) {
    this.cli = new Cli(paths.root, paths.folder, parts.caFile);
    this.authority = parts.authority;
    this.caFile = parts.caFile;
    this.emulator = parts.emulator;
    this.edge = parts.edge;
    this.dns = parts.dns;
    this.zoneId = parts.zoneId;
    this.exchangers = parts.exchangers;
    this.aws = parts.aws;
  }

  /** Deploys bin/app.ts as a user would. Reuses the assembly if the same context was synthesized before. */
  public async deploy(context: AppContext): Promise<CommandResult> {
    const known = this.assemblies.get(JSON.stringify(context));
    const app = known === undefined ? [...contextArguments(this.zoneId, context), '-o', this.newAssembly(context)] : ['--app', known];
    const ended = await this.cli.cdk('deploy', ...app, '--require-approval', 'never');
    if (ended.status === 0) this.latest = context;
    return ended;
  }

  /** Deploys the context unless its policy is published already. The published id decides, not the last deployment. */
  public async ensureDeployed(context: AppContext): Promise<void> {
    const published = await publishedId().catch(() => undefined);
    const known = this.assemblies.get(JSON.stringify(context));
    const isPublished = known !== undefined && published !== undefined && parseIdHash(published) === readSynthesizedPolicy(known).hash;
    if (isPublished) this.latest = context;
    else expectEnd(await this.deploy(context), 0, 'cdk deploy');
  }

  /** Restores everything that a scenario may have changed, except deployed stacks. Needed after a failed assertion. */
  public async reset(): Promise<void> {
    reset(this);
    setReevaluation(this.paths.folder, false);
    this.edge.alive = true;
    for (const exchanger of this.exchangers) exchanger.behaviour = 'ok';
    await put(this.emulator.route53, this.zoneId, [record('example.test', 'MX', '10 mx1.example.test.')]);
  }

  /** Synthesizes a context ahead of its deployment, so that the synthesis takes no time while an observer runs. */
  public async synth(context: AppContext): Promise<void> {
    if (this.assemblies.has(JSON.stringify(context))) return;
    expectEnd(await this.cli.cdk('synth', '--quiet', ...contextArguments(this.zoneId, context), '-o', this.newAssembly(context)), 0, 'cdk synth');
  }

  /** Destroys all stacks of the last successful deployment. */
  public destroy(): Promise<CommandResult> {
    return this.cli.cdk('destroy', '--app', this.assembly(this.latest), '--all', '--force');
  }

  /** Returns the folder that was synthesized with this context. */
  public assembly(context: AppContext | undefined): string {
    const assembly = this.assemblies.get(JSON.stringify(context));
    if (assembly === undefined) throw new Error(`${JSON.stringify(context)} was never synthesized`);
    return assembly;
  }

  private newAssembly(context: AppContext): string {
    const assembly = join(this.paths.folder, `cdk.out.${this.assemblies.size}`);
    this.assemblies.set(JSON.stringify(context), assembly);
    return assembly;
  }
}
