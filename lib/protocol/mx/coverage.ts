// Compares many MX patterns with many MX hosts: which hosts a policy covers, and which patterns cover no host (RFC 8461 §4.1).
import { mxName } from './pattern';

/** Result of comparing all patterns with all hosts. */
export interface MxCoverageResult {
  /** Whether each host is covered, in the order of the hosts. */
  readonly covered: readonly boolean[];
  /** Patterns that cover no host, without duplicates. */
  readonly unused: readonly string[];
}

/**
 * Compares every pattern with every host, with the same result as `mxMatches` for each pair, in linear time. Comparing pairs would
 * take minutes for a policy of 64 KiB and an answer with as many MX records.
 *
 * @param patterns - patterns of a valid policy
 */
export function mxCoverage(patterns: readonly string[], hosts: readonly string[]): MxCoverageResult {
  const wanted = new Set(patterns.map((pattern) => pattern.toLowerCase()));
  const used = new Set<string>();
  const covered = hosts.map((host) => {
    const name = mxName(host);
    if (name === undefined) return false;
    const dot = name.indexOf('.');
    // Two patterns can cover a host: its own name, and a wildcard in place of its first label.
    const covering = [name, ...dot > 0 ? [`*${name.slice(dot)}`] : []].filter((pattern) => wanted.has(pattern));
    for (const pattern of covering) used.add(pattern);
    return covering.length > 0;
  });
  return { covered, unused: [...new Set(patterns)].filter((pattern) => !used.has(pattern.toLowerCase())) };
}
