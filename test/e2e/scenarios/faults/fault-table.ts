// Prints the outcome of each fault as a table.
import { textTable } from '../../environment/assertion-table';

export interface FaultRow {
  readonly what: string;
  readonly outcome: string;
  /** Problems that the observer and the final check have found. Empty if nothing is lost. */
  readonly lost: readonly string[];
  /** Duration of the command. */
  readonly seconds: number;
  /** Number of observations that saw record and file. */
  readonly observations: number;
  /** Number of further observations that got no answer. */
  readonly unanswered: number;
  /** Number of observations that saw the new id with the old bytes. */
  readonly early: number;
  /**
   * Number of observations that saw the old id with the new bytes before a rollback. A sender that fetches then caches the new policy under
   * the id that the rollback restores. Undefined if the deployment succeeds, or no policy existed before.
   */
  readonly late?: number;
}

export function printFaults(rows: readonly FaultRow[]): void {
  if (rows.length === 0) return;
  const head = ['fault', 'outcome', 'lost', 'seconds', 'observations', 'without answer', 'new id, old bytes', 'old id, new bytes'];
  console.log(`\n${textTable(head, rows.map(({ what, outcome, lost, seconds, observations, unanswered, early, late }) => [
    what, outcome, lost.length === 0 ? 'nothing' : lost.join('; '), seconds.toFixed(1), String(observations), String(unanswered), String(early), late === undefined ? '' : String(late),
  ]))}`);
}
