// Reads the stacks of a cloud assembly from disk: its manifest, nested assemblies (stages), templates and nested stacks.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { errorMessage } from '../../util/errors';
import { safeText } from '../../util/safe-text';
import { PreviewError } from '../errors';
import { at, membersOf, textOf } from '../json';

/** A stack of the assembly with its template. */
export interface StackFile {
  /** Name of the stack in CloudFormation. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly template: unknown;
  /** Reads the template of a nested stack. Returns undefined if the assembly does not contain it. */
  readonly nestedTemplate: (resource: unknown, templateUrl: string) => unknown;
}

/** Maximum size of a file. CloudFormation accepts templates up to 1 MB, but the manifest of a large app can be larger. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Maximum depth of stages in stages. No app needs more. */
const MAX_DEPTH = 8;

/** Account of an app without an account: the example account of the AWS documentation. */
const EXAMPLE_ACCOUNT = '123456789012';

/**
 * Reads every stack of an assembly.
 *
 * @param app - the folder that `cdk synth` wrote, usually `cdk.out`
 * @throws PreviewError if the folder is missing or is not a cloud assembly
 */
export function readStacks(app: string): readonly StackFile[] {
  const root = realFolder(app);
  return new AssemblyReader(app, root).read(root, 0);
}

function realFolder(app: string): string {
  try {
    if (statSync(app).isDirectory()) return realpathSync(app);
  } catch {
    throw new PreviewError(`there is no folder ${safeText(app)}. Create the cloud assembly with \`npx cdk synth\`, `
      + 'or give its folder with `--app`');
  }
  throw new PreviewError(`${safeText(app)} is a file, but a cloud assembly is a folder. Run \`npx cdk synth\` and give its output folder, cdk.out`);
}

class AssemblyReader {
  private readonly seen = new Set<string>();

  public constructor(private readonly givenPath: string, private readonly root: string) {}

  public read(folder: string, depth: number): StackFile[] {
    // An assembly that lists itself as a stage would never end.
    if (depth > MAX_DEPTH || this.seen.has(folder)) return [];
    this.seen.add(folder);
    const manifest = this.readJson(folder, 'manifest.json');
    const artifacts = at(manifest, 'artifacts');
    if (artifacts === undefined) {
      throw new PreviewError(`${this.displayName(folder)}/manifest.json lists no artifacts, so the folder is not a cloud assembly. Run \`npx cdk synth\` again`);
    }
    const assets = membersOf(artifacts)
      .filter(([, artifact]) => at(artifact, 'type') === 'cdk:asset-manifest')
      .map(([, artifact]) => textOf(at(artifact, 'properties', 'file')))
      .filter((file) => file !== undefined);
    return membersOf(artifacts).flatMap(([id, artifact]) => {
      switch (at(artifact, 'type')) {
        case 'aws:cloudformation:stack': return [this.readStack(folder, id, artifact, assets)];
        case 'cdk:cloud-assembly': return this.read(this.resolveInside(folder, textOf(at(artifact, 'properties', 'directoryName')) ?? id), depth + 1);
        default: return [];
      }
    });
  }

  private readStack(folder: string, id: string, artifact: unknown, assets: readonly string[]): StackFile {
    const file = textOf(at(artifact, 'properties', 'templateFile'));
    if (file === undefined) {
      throw new PreviewError(`the stack ${safeText(id)} in ${this.displayName(folder)}/manifest.json has no template. Run \`npx cdk synth\` again`);
    }
    return {
      name: textOf(at(artifact, 'properties', 'stackName')) ?? id,
      ...parseEnvironment(textOf(at(artifact, 'environment')) ?? ''),
      template: this.readJson(folder, file),
      nestedTemplate: (resource, templateUrl) => this.readNested(folder, resource, templateUrl, assets),
    };
  }

  private readNested(folder: string, resource: unknown, templateUrl: string, assets: readonly string[]): unknown {
    const assetPath = textOf(at(resource, 'Metadata', 'aws:asset:path'));
    if (assetPath !== undefined) return this.readJson(folder, assetPath);
    // Without asset metadata, find the file by the hash of the asset, which is part of the URL.
    const hash = /([0-9a-f]{64})\.json/.exec(templateUrl)?.at(1);
    if (hash === undefined) return undefined;
    for (const file of assets) {
      const path = textOf(at(this.readJson(folder, file), 'files', hash, 'source', 'path'));
      if (path !== undefined) return this.readJson(folder, path);
    }
    return undefined;
  }

  private readJson(folder: string, file: string): unknown {
    const path = this.resolveInside(folder, file);
    const shown = this.displayName(path);
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new PreviewError(`${shown} has ${size} bytes. A preview reads at most ${MAX_FILE_BYTES}`);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new PreviewError(`${shown} is not JSON (${safeText(errorMessage(error))}). Run \`npx cdk synth\` again`);
    }
  }

  /** Resolves a path, symbolic links included. The assembly is not trusted, so the file must be inside of it. */
  private resolveInside(folder: string, file: string): string {
    const path = resolve(folder, file);
    let real: string;
    try {
      real = realpathSync(path);
    } catch {
      throw new PreviewError(`${this.displayName(path)} is missing. Run \`npx cdk synth\` again`);
    }
    if (real !== this.root && !real.startsWith(this.root + sep)) {
      throw new PreviewError(`${this.displayName(folder)} names the file ${safeText(file)}, which is outside of the assembly. Run \`npx cdk synth\` again`);
    }
    return real;
  }

  private displayName(path: string): string {
    return safeText(path.startsWith(this.root) ? join(this.givenPath, path.slice(this.root.length)) : path);
  }
}

/** Parses `aws://123456789012/us-east-1`. A stack without an account or Region has `unknown-account` or `unknown-region`. */
function parseEnvironment(text: string): { account: string; region: string } {
  const [, account = 'unknown-account', region = 'unknown-region'] = /^aws:\/\/([^/]+)\/([^/]+)$/.exec(text) ?? [];
  return {
    account: account === 'unknown-account' ? EXAMPLE_ACCOUNT : account,
    region: region === 'unknown-region' ? 'us-east-1' : region,
  };
}
