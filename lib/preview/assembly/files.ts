// Finds the stacks of a synthesized cloud assembly on disk: its manifest, nested assemblies (stages), templates and nested stacks.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { safeText } from '../../util/safe-text';
import { PreviewError, messageOf } from '../errors';
import { at, membersOf, textOf } from '../json';

/** One stack as it lies in the assembly. */
export interface StackFile {
  /** The name that CloudFormation will know it by. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly template: unknown;
  /** Reads the template of a nested stack; undefined where the assembly does not hold it. */
  readonly nestedTemplate: (resource: unknown, templateUrl: string) => unknown;
}

/** CloudFormation takes no template above 1 MB; a manifest of a large app is larger. */
const MAX_FILE = 16 * 1024 * 1024;

/** Stages in stages; no app needs more. */
const MAX_DEPTH = 8;

/** Shown where an app is not bound to an account; the one that AWS documents with. */
const EXAMPLE_ACCOUNT = '123456789012';

/**
 * Reads every stack of an assembly.
 *
 * @param app - the folder that `cdk synth` wrote, usually `cdk.out`
 * @throws PreviewError when it is missing or is no cloud assembly
 */
export function readStacks(app: string): readonly StackFile[] {
  const root = realFolder(app);
  return new AssemblyReader(app, root).read(root, 0);
}

function realFolder(app: string): string {
  try {
    if (statSync(app).isDirectory()) return realpathSync(app);
  } catch {
    throw new PreviewError(`there is no folder ${safeText(app)}; make the cloud assembly with \`npx cdk synth\`, `
      + 'or say with `--app` where it is');
  }
  throw new PreviewError(`${safeText(app)} is a file, but a cloud assembly is a folder; run \`npx cdk synth\` and give its output, cdk.out`);
}

class AssemblyReader {
  private readonly seen = new Set<string>();

  public constructor(private readonly shown: string, private readonly root: string) {}

  public read(folder: string, depth: number): StackFile[] {
    // An assembly that names itself as its own stage would never end.
    if (depth > MAX_DEPTH || this.seen.has(folder)) return [];
    this.seen.add(folder);
    const manifest = this.json(folder, 'manifest.json');
    const artifacts = at(manifest, 'artifacts');
    if (artifacts === undefined) {
      throw new PreviewError(`${this.name(folder)}/manifest.json lists no artifacts, so it is no cloud assembly's; run \`npx cdk synth\` again`);
    }
    const assets = membersOf(artifacts)
      .filter(([, artifact]) => at(artifact, 'type') === 'cdk:asset-manifest')
      .map(([, artifact]) => textOf(at(artifact, 'properties', 'file')))
      .filter((file) => file !== undefined);
    return membersOf(artifacts).flatMap(([id, artifact]) => {
      switch (at(artifact, 'type')) {
        case 'aws:cloudformation:stack': return [this.stack(folder, id, artifact, assets)];
        case 'cdk:cloud-assembly': return this.read(this.inside(folder, textOf(at(artifact, 'properties', 'directoryName')) ?? id), depth + 1);
        default: return [];
      }
    });
  }

  private stack(folder: string, id: string, artifact: unknown, assets: readonly string[]): StackFile {
    const file = textOf(at(artifact, 'properties', 'templateFile'));
    if (file === undefined) {
      throw new PreviewError(`the stack ${safeText(id)} in ${this.name(folder)}/manifest.json names no template; run \`npx cdk synth\` again`);
    }
    return {
      name: textOf(at(artifact, 'properties', 'stackName')) ?? id,
      ...environmentOf(textOf(at(artifact, 'environment')) ?? ''),
      template: this.json(folder, file),
      nestedTemplate: (resource, templateUrl) => this.nested(folder, resource, templateUrl, assets),
    };
  }

  private nested(folder: string, resource: unknown, templateUrl: string, assets: readonly string[]): unknown {
    const named = textOf(at(resource, 'Metadata', 'aws:asset:path'));
    if (named !== undefined) return this.json(folder, named);
    // Without asset metadata only the asset's hash, in its address, leads to the file.
    const hash = /([0-9a-f]{64})\.json/.exec(templateUrl)?.[1];
    if (hash === undefined) return undefined;
    for (const file of assets) {
      const path = textOf(at(this.json(folder, file), 'files', hash, 'source', 'path'));
      if (path !== undefined) return this.json(folder, path);
    }
    return undefined;
  }

  private json(folder: string, file: string): unknown {
    const path = this.inside(folder, file);
    const shown = this.name(path);
    const { size } = statSync(path);
    if (size > MAX_FILE) throw new PreviewError(`${shown} has ${size} bytes; a preview reads at most ${MAX_FILE}`);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new PreviewError(`${shown} is not JSON (${safeText(messageOf(error))}); run \`npx cdk synth\` again`);
    }
  }

  /** The assembly was written by others: what it names must lie in it, symbolic links followed. */
  private inside(folder: string, file: string): string {
    const path = resolve(folder, file);
    let real: string;
    try {
      real = realpathSync(path);
    } catch {
      throw new PreviewError(`${this.name(path)} is missing; run \`npx cdk synth\` again`);
    }
    if (real !== this.root && !real.startsWith(this.root + sep)) {
      throw new PreviewError(`${this.name(folder)} names the file ${safeText(file)}, which lies outside of the assembly; run \`npx cdk synth\` again`);
    }
    return real;
  }

  private name(path: string): string {
    return safeText(path.startsWith(this.root) ? join(this.shown, path.slice(this.root.length)) : path);
  }
}

/** `aws://123456789012/us-east-1`, or `unknown-account` and `unknown-region` in an app that is bound to none. */
function environmentOf(text: string): { account: string; region: string } {
  const [, account = 'unknown-account', region = 'unknown-region'] = /^aws:\/\/([^/]+)\/([^/]+)$/.exec(text) ?? [];
  return {
    account: account === 'unknown-account' ? EXAMPLE_ACCOUNT : account,
    region: region === 'unknown-region' ? 'us-east-1' : region,
  };
}
