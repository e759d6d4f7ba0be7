// What came of each fault, as a table.
import { textTable } from '../../environment/assertion-table';

export interface FaultRow {
  readonly what: string;
  readonly outcome: string;
  /** What the watch and the look at the end have found missing; empty where nothing is lost. */
  readonly lost: readonly string[];
  /** From the command's start to its end. */
  readonly seconds: number;
  /** How often record and file were looked at, and how many looks more got no answer. */
  readonly observations: number;
  readonly unanswered: number;
  /** How many looks saw the new id beside the old bytes. */
  readonly early: number;
  /**
   * Of what is rolled back: how many saw the old id beside the new bytes. Who comes then keeps the new policy under the id that stands
   * again afterwards; missing where that is deployed, or nothing stood before.
   */
  readonly late?: number;
}

export function printFaults(rows: readonly FaultRow[]): void {
  if (rows.length === 0) return;
  const head = ['fault', 'outcome', 'lost', 'seconds', 'looks', 'without answer', 'new id, old bytes', 'old id, new bytes'];
  console.log(`\n${textTable(head, rows.map(({ what, outcome, lost, seconds, observations, unanswered, early, late }) => [
    what, outcome, lost.length === 0 ? 'nothing' : lost.join('; '), seconds.toFixed(1), String(observations), String(unanswered), String(early), late === undefined ? '' : String(late),
  ]))}`);
}
