// Loads TypeScript sources of this repository into a tool.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles modules and returns all that they export. Name the type of the result at the call: `@type {typeof import('…')}`.
 *
 * @template T
 * @param {readonly string[]} modules - paths in the repository, without extension
 * @param {Readonly<Record<string, string>>} [define] - names and their replacements, as esbuild takes them
 * @returns {Promise<T>}
 */
export async function load(modules, define = {}) {
  const { outputFiles: [output] } = await build({
    stdin: { contents: modules.map((path) => `export * from ${JSON.stringify(`./${path}`)};`).join('\n'), resolveDir: ROOT, loader: 'ts' },
    bundle: true, write: false, platform: 'node', format: 'cjs', logLevel: 'error', define: { ...define },
  });
  const filename = join(ROOT, 'tools', `${modules.join()}.cjs`);
  const evaluate = runInThisContext(`(function (require) {
const module = { exports: {} };
(function (exports) {${output?.text ?? ''}
})(module.exports);
return module.exports;
})`, { filename });
  return evaluate(createRequire(filename));
}
