// Prepares the two trees of a comparison: an earlier commit, built in a temporary folder, and a working tree.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @throws Error when its exit status is not 0
 */
function run(program, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed in ${cwd}: ${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}

/** @param {string} root - the folder of package.json */
export function build(root) {
  run('npm', ['run', 'build'], root);
}

/**
 * Unpacks and builds a commit, or uses the folder that an earlier run has kept.
 *
 * @param {string} root - the working tree whose repository has the commit
 * @param {string} commit
 * @param {string} folder - may be removed with all of its content
 * @returns the folder of the built tree
 */
export function checkOut(root, commit, folder) {
  const sha = run('git', ['rev-parse', '--verify', `${commit}^{commit}`], root).trim();
  const tree = join(folder, 'before');
  const done = join(folder, 'built');
  if (existsSync(done) && readFileSync(done, 'utf8') === sha) return tree;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  // No `git worktree`: an interrupted run would leave an entry in the repository.
  run('git', ['archive', '--output', join(folder, 'commit.tar'), sha], root);
  run('tar', ['-xf', join(folder, 'commit.tar'), '-C', tree], root);
  install(root, tree);
  build(tree);
  writeFileSync(done, sha);
  return tree;
}

/**
 * Copies the packages of the working tree if both lock files are equal, and installs them from the registry otherwise.
 *
 * @param {string} root
 * @param {string} tree
 */
function install(root, tree) {
  const lock = 'package-lock.json';
  if (!readFileSync(join(root, lock)).equals(readFileSync(join(tree, lock)))) {
    run('npm', ['ci', '--ignore-scripts'], tree);
  } else if (spawnSync('cp', ['-al', join(root, 'node_modules'), tree]).status !== 0) {
    // Hard links work only within one file system.
    rmSync(join(tree, 'node_modules'), { recursive: true, force: true });
    cpSync(join(root, 'node_modules'), join(tree, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  }
}

/**
 * Finds a file or folder whose place differs between the commits.
 *
 * @param {string} root
 * @param {readonly string[]} candidates - relative paths
 */
export function find(root, candidates) {
  const found = candidates.find((path) => existsSync(join(root, path)));
  if (found === undefined) throw new Error(`${root} has none of ${candidates.join(', ')}; add the new place to tools/compare/settings.mjs`);
  return join(root, found);
}
