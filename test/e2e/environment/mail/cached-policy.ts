// Reads which policy of example.test a sender has cached, from the sender's own cache or log.
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
  /** Lines of the sender's own cache or log. */
  readonly evidence: string;
}

/**
 * Asserts that a sender has a policy of this mode cached.
 *
 * @returns lines of the sender's own cache or log
 */
export function expectCached(sender: Sender, paths: EnvironmentPaths, expected: Mode): string {
  const { mode, evidence } = readCachedPolicy(sender, paths);
  if (mode !== expected) throw new Error(`${sender.name} has cached ${mode ?? 'no policy'}, expected ${expected}:\n${evidence}`);
  return evidence;
}

/** Reads the cached policy of a sender. */
export function readCachedPolicy(sender: Sender, { folder }: EnvironmentPaths): CachedPolicy {
  return sender.tracksIds ? readFromResolverLog(folder) : readFromChasquidCache(folder);
}

/**
 * Waits up to half a minute until a sender has a policy of this mode cached. For a sender that fetches after its deliveries.
 *
 * @returns lines of the sender's own cache or log
 */
export async function waitUntilCached(sender: Sender, paths: EnvironmentPaths, expected: Mode): Promise<string> {
  return until(30_000, () => expectCached(sender, paths, expected));
}

/**
 * Reads the id of Postfix's cached policy from its database.
 *
 * @throws Error if it has no policy cached
 */
export function readIdCachedByPostfix({ folder, python }: EnvironmentPaths): string {
  const script = [
    'import sqlite3, sys',
    'row = sqlite3.connect(sys.argv[1]).execute("select pol_id from sts_policy_cache where domain = ?", (sys.argv[2],)).fetchone()',
    'print(row[0] if row else "")',
  ].join('\n');
  const id = execFileSync(python, ['-c', script, join(folder, 'postfix', CACHE), 'example.test'], { encoding: 'utf8', timeout: 30_000 }).trim();
  if (id === '') throw new Error('Postfix has no policy of example.test cached');
  return id;
}

/** Reads the last fetch of postfix-mta-sts-resolver from its log: the known id, the id it found, and the policy. */
function readFromResolverLog(folder: string): CachedPolicy {
  const lines = readFileSync(join(folder, 'postfix', 'mta-sts-daemon.log'), 'utf8').split('\n').filter((line) => line.includes(' RES: '));
  const last = lines.map((line) => line.includes('RES: Parsed policy for domain example.test')).lastIndexOf(true);
  const evidence = lines.slice(Math.max(0, last - 2), last + 1).map((line) => line.replace(/^.*? RES: /, 'resolver: '));
  return { mode: /'mode': '(\w+)'/.exec(evidence.at(-1) ?? '')?.[1], evidence: evidence.join('\n') };
}

function readFromChasquidCache(folder: string): CachedPolicy {
  const text = readFileSync(join(folder, 'chasquid', 'data', 'sts-cache', 'pol:example.test'), 'utf8');
  return { mode: textOf(at(JSON.parse(text), 'mode')), evidence: `cached: ${text}` };
}
