// The one list of bundles. A new bundle is one entry here: the build, the check for stale builds and the tests read this list.

/**
 * A program with all packages that it needs, in one file.
 *
 * @typedef {object} Bundle
 * @property {string} name
 * @property {string} entryPoint - path in the repository
 * @property {string} outfile - path in the repository and in the published package; `files` of package.json must match it
 * @property {string} target - oldest version of Node.js that runs the bundle, as esbuild names it
 * @property {readonly string[]} external - packages that the bundle finds where it runs
 * @property {boolean} minify
 * @property {readonly string[]} sources - beginnings of the paths of its sources; a change of one makes the bundle stale
 */

/** @type {readonly Bundle[]} */
export const BUNDLES = [
  lambdaFunction('deployment'),
  {
    name: 'mta-sts',
    entryPoint: 'bin/mta-sts.ts',
    outfile: 'bin/mta-sts.js',
    target: 'node20.16',
    external: [],
    minify: true,
    sources: ['bin/mta-sts.ts', 'cli/', 'lib/'],
  },
];

/**
 * Returns the bundle of a Lambda function. `lib/private/bundled-function.ts` finds it by its name.
 *
 * @param {string} name - folder below `lib/functions`; its `index.ts` exports the handler
 * @returns {Bundle}
 */
function lambdaFunction(name) {
  return {
    name,
    entryPoint: `lib/functions/${name}/index.ts`,
    outfile: `lib/functions/${name}/bundle/index.js`,
    target: 'node24',
    // The Lambda runtime has the AWS SDK.
    external: ['@aws-sdk/*'],
    minify: false,
    sources: ['functions', 'operations', 'verifier', 'protocol', 'contract', 'util'].map((room) => `lib/${room}/`),
  };
}
