// The policy of example.test that a sender holds, by what it keeps and writes of it itself.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, textOf } from '../../../../lib/preview/json';
import type { Mode } from '../../../../lib/protocol/policy/policy';
import type { EnvironmentPaths } from '../environment';
import { until } from '../until';
import { CACHE } from './senders/postfix';
import type { Sender } from './senders/sender';

export interface CachedPolicy {
  readonly mode?: string;
  /** The sender's own. */
  readonly words: string;
}

/**
 * @param expected - its mode
 * @returns the sender's own words
 * @throws Error where it holds another
 */
export function expectCached(sender: Sender, paths: EnvironmentPaths, expected: Mode): string {
  const { mode, words } = readCachedPolicy(sender, paths);
  if (mode !== expected) throw new Error(`${sender.name} holds ${mode ?? 'no policy'}, expected ${expected}:\n${words}`);
  return words;
}

/** Whatever it holds. */
export function readCachedPolicy(sender: Sender, { folder }: EnvironmentPaths): CachedPolicy {
  return sender.tracksIds ? readFromResolverLog(folder) : readFromChasquidCache(folder);
}

/**
 * Waits until it holds a policy, as one that fetches behind its deliveries.
 *
 * @param expected - its mode
 * @throws Error where it holds another after half a minute
 */
export async function waitUntilCached(sender: Sender, paths: EnvironmentPaths, expected: Mode): Promise<string> {
  return until(30_000, () => expectCached(sender, paths, expected));
}

/**
 * Under which id it holds the policy, by its own database.
 *
 * @throws Error where it holds none
 */
export function readIdCachedByPostfix({ folder, python }: EnvironmentPaths): string {
  const script = [
    'import sqlite3, sys',
    'row = sqlite3.connect(sys.argv[1]).execute("select pol_id from sts_policy_cache where domain = ?", (sys.argv[2],)).fetchone()',
    'print(row[0] if row else "")',
  ].join('\n');
  const id = execFileSync(python, ['-c', script, join(folder, 'postfix', CACHE), 'example.test'], { encoding: 'utf8', timeout: 30_000 }).trim();
  if (id === '') throw new Error('Postfix holds no policy of example.test');
  return id;
}

/** The last time that postfix-mta-sts-resolver fetched: which id it had, which one it found, and what it got. */
function readFromResolverLog(folder: string): CachedPolicy {
  const lines = readFileSync(join(folder, 'postfix', 'mta-sts-daemon.log'), 'utf8').split('\n').filter((line) => line.includes(' RES: '));
  const last = lines.map((line) => line.includes('RES: Parsed policy for domain example.test')).lastIndexOf(true);
  const words = lines.slice(Math.max(0, last - 2), last + 1).map((line) => line.replace(/^.*? RES: /, 'resolver: '));
  return { mode: /'mode': '(\w+)'/.exec(words.at(-1) ?? '')?.[1], words: words.join('\n') };
}

function readFromChasquidCache(folder: string): CachedPolicy {
  const text = readFileSync(join(folder, 'chasquid', 'data', 'sts-cache', 'pol:example.test'), 'utf8');
  return { mode: textOf(at(JSON.parse(text), 'mode')), words: `it holds ${text}` };
}
